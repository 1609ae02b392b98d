"""Events: what writing an item tells the outside, whichever operation wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mock_server.model.call import Principal
from mock_server.model.clock import rfc3339
from mock_server.model.meaning import EventRule, Resource
from mock_server.model.state import Change, Put, Remove, State
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that a subscriber may be told of."""

    type: str
    data: Json
    resource: str = ""
    key: str = ""


def emitted(
    resources: Mapping[str, Resource],
    before: State,
    changes: Iterable[Change],
    *,
    now: datetime,
    principal: Principal | None,
) -> Iterator[Event]:
    """The events of committing some changes to a state; ``resources`` are those that have events, by qualified name."""
    for change in changes:
        if not isinstance(change, Put | Remove):
            continue
        resource = resources.get(change.partition.resource)
        if resource is None:
            continue
        collection = before.collection(change.partition)
        entry = collection.get(change.key) if collection is not None else None
        old = entry.value if entry is not None else None
        new = change.value if isinstance(change, Put) else None
        what = "deleted" if new is None else "created" if old is None else "updated"
        bindings: dict[str, Json] = {
            "resource": new if new is not None else old,
            "before": old,
            "now": rfc3339(now),
        }
        if principal is not None:
            bindings["principal"] = principal.as_json()
        context = Context(bindings=bindings)
        for rule in resource.events:
            if rule.on == what and _holds(rule, context):
                yield Event(rule.type, rule.payload.evaluate(context), resource.name, change.key)


def _holds(rule: EventRule, context: Context) -> bool:
    return rule.when is None or rule.when.holds(context)

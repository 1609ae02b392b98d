"""Events: what writing an item tells the outside, whichever operation wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import count
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.model.call import Principal
from mock_server.model.meaning import EventRule, Resource
from mock_server.model.presentation import without_hidden
from mock_server.model.state import Advance, Partition, State, commit
from mock_server.model.tenants import tenant_in
from mock_server.model.writes import Write
from mock_server.openapi.expressions import MISSING, Context
from mock_server.openapi.values import Json

_COUNTER = "~events"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that a subscriber may be told of.

    ``tenant`` is whose item it is about: "" for nobody's, None for what all tenants share. ``place`` is where in the
    state that item is, ``to`` the one subscription that it is for (None: every one that wants it), each as partition
    and key. ``id`` is "" until the event is recorded.
    """

    type: str
    data: Json
    resource: str = ""
    key: str = ""
    tenant: str | None = None
    place: tuple[Partition, str] | None = None
    to: tuple[Partition, str] | None = None
    id: str = ""

    def as_json(self) -> dict[str, Json]:
        """What ``$event#/…`` expressions see."""
        return {
            "id": self.id,
            "type": self.type,
            "resource": self.resource,
            "key": self.key,
            "tenant": self.tenant,
            "payload": self.data,
        }


def event_ids(seed: int, state: State) -> Iterator[str]:
    """The ids of the events to come, the same ones in every run."""
    for number in count(state.counter(_COUNTER)):
        yield "evt_" + blake2b(f"{seed}:event:{number}".encode(), digest_size=12).hexdigest()


def ids_used(state: State, number: int) -> Advance:
    """The change that keeps so many ids from being given again."""
    return Advance(_COUNTER, state.counter(_COUNTER) + number)


def identified(
    events: Iterable[Event], *, seed: int, state: State, principal: Principal | None
) -> tuple[tuple[Event, ...], State]:
    """Events that a request brings itself, with ids and the caller's tenant where they lack one, and the next state."""
    found = tuple(events)
    new = sum(not event.id for event in found)
    if not new:
        return found, state
    ids = event_ids(seed, state)
    tenant = principal.tenant if principal is not None else None
    named = tuple(
        event if event.id else replace(event, id=next(ids), tenant=tenant if event.tenant is None else event.tenant)
        for event in found
    )
    return named, commit(state, (ids_used(state, new),))


def emitted(
    rules: Iterable[tuple[str, EventRule]], write: Write, context: Context, ids: Iterator[str]
) -> Iterator[tuple[str, Event]]:
    """The events of one write, each with the API that declares its rule; ``$event#/id`` is known to their payloads."""
    for api, rule in rules:
        if rule.on == write.what and _holds(rule, context):
            event_id = next(ids)
            known = {**context.bindings, "event": {"id": event_id, "type": rule.type}}
            payload = rule.payload.evaluate(replace(context, bindings=known))
            payload = _shown(payload, write.resource, (write.after, write.before))
            yield (
                api,
                Event(
                    rule.type,
                    None if payload is MISSING else payload,
                    write.resource.name,
                    write.key,
                    tenant=tenant_in(write.resource, write.partition.scope),
                    place=(write.partition, write.key),
                    id=event_id,
                ),
            )


def _shown(payload: Any, resource: Resource, items: tuple[Json, ...]) -> Any:
    """A payload whose items, where they stand in it whole, are without what never leaves."""
    if isinstance(payload, dict):
        if any(payload is item for item in items):
            return without_hidden(payload, resource)
        return {name: _shown(member, resource, items) for name, member in payload.items()}
    if isinstance(payload, list):
        return [_shown(member, resource, items) for member in payload]
    return payload


def _holds(rule: EventRule, context: Context) -> bool:
    return rule.when is None or rule.when.holds(context)

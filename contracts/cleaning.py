"""Cleaning up: what a run has created in a service that cannot be reset is deleted again, the latest first.

Only what a create of this run has shown, and what no earlier reply had shown, counts as the run's own. A delete is sent
as the caller who created the item.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Container, Iterator, Mapping
from dataclasses import field
from urllib.parse import unquote

from contracts.drafting import Drafter, Wishes
from contracts.pool import Item, Pool
from contracts.roster import behaviour_of
from contracts.service import Caller, Recorded, Service, Unreachable
from mock_server.dataclass import dataclass
from mock_server.openapi.templates import Fit
from mock_server.openapi.values import Json

CLEANING_SECONDS = 60.0

_CREATES = frozenset({"create", "create-many", "replace", "update"})
"""Behaviours that may make an item: a PUT to a free key is answered with 201 when it does (RFC 9110 §9.3.4)."""

_Known = tuple[str, tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Left:
    """An item that is still there, with the reason."""

    item: Item
    why: str

    def __str__(self) -> str:
        return f"{self.item.resource.name} {'/'.join((*self.item.parents, self.item.key))}: {self.why}"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What came of cleaning up: how many items were removed, which are left, and how many creates showed no key."""

    removed: int
    left: tuple[Left, ...]
    unknown: Mapping[str, int] = field(default_factory=dict)

    def told(self) -> Iterator[str]:
        """What is left, together by resource and reason, with an example of each."""
        groups: dict[tuple[str, str], list[Left]] = {}
        for left in self.left:
            groups.setdefault((left.item.resource.name, left.why), []).append(left)
        for (resource, why), its in groups.items():
            example = "/".join((*its[0].item.parents, its[0].item.key))
            yield f"{len(its)} {resource}, {'such as ' if len(its) > 1 else ''}{example}: {why}"

    @property
    def complete(self) -> bool:
        """Whether nothing is left that is known of."""
        return not self.left and not self.unknown


@dataclass(frozen=True, slots=True)
class _Made:
    item: Item
    operation_id: str
    caller: Caller | None


class Cleaner:
    """Watches the exchanges of a run and knows what it has made. Safe to share between threads."""

    def __init__(self, drafter: Drafter, *, excluded: Container[str] = ()) -> None:
        """``excluded`` are the operations that must not be called, even to delete."""
        self._drafter = drafter
        self._excluded = excluded
        self._model = drafter.model
        self._pool = Pool(drafter.model)
        self._lock = threading.Lock()
        self._seen: set[_Known] = set()
        self._made: dict[_Known, _Made] = {}
        self._unknown: dict[str, int] = {}

    def watch(self, recorded: Recorded) -> None:
        """Learns from one exchange."""
        if not recorded.ok:
            return
        operation_id, path = self._operation(recorded)
        if operation_id is None:
            return
        told = Recorded(recorded.number, operation_id, recorded.request, recorded.reply, recorded.caller)
        with self._lock:
            shown = self._pool.observe(told, path)
            self._learn(told, operation_id, shown)

    def made(self) -> tuple[Item, ...]:
        """What the run has made and not deleted, in the order in which it was made."""
        with self._lock:
            return tuple(made.item for made in self._made.values())

    def clean(self, service: Service, *, seconds: float = CLEANING_SECONDS) -> Cleaned:
        """Deletes what was made, the latest first; says what could not be deleted."""
        end = time.monotonic() + seconds
        removed = 0
        left: list[Left] = []
        for made in reversed(tuple(self._made.values())):
            why = self._deleted(service, made) if time.monotonic() < end else "there was no time to delete it"
            removed += not why
            if why:
                left.append(Left(made.item, why))
        return Cleaned(removed, tuple(left), {name: number for name, number in self._unknown.items() if number})

    def _operation(self, recorded: Recorded) -> tuple[str | None, dict[str, Json]]:
        """The operation of an exchange, and the values in its path; what no operation describes has none."""
        path = recorded.request.target.partition("?")[0]
        found = self._drafter.api.match(recorded.request.method, path)
        if found.fit is not Fit.FULL or found.target is None:
            return None, {}
        return found.target, {name: unquote(text) for name, text in found.values.items()}

    def _learn(self, recorded: Recorded, operation_id: str, shown: tuple[Item, ...]) -> None:
        meaning = self._model.meaning(operation_id)
        behaviour = behaviour_of(meaning, self._model)
        name = meaning.resource.name if meaning.resource is not None else ""
        if behaviour == "delete":
            if not shown and self._unknown.get(name):
                self._unknown[name] -= 1
            for item in shown:
                self._made.pop(_known(item), None)
                self._seen.discard(_known(item))  # a service may give its key to the next item
            return
        creates = behaviour in {"create", "create-many"} or (behaviour in _CREATES and recorded.status == 201)
        if creates and not shown and name:
            self._unknown[name] = self._unknown.get(name, 0) + 1
        for item in shown:
            if creates and _known(item) not in self._seen:
                self._made[_known(item)] = _Made(item, operation_id, recorded.caller)
            self._seen.add(_known(item))

    def _deleted(self, service: Service, made: _Made) -> str:
        """Deletes an item; why it is still there, "" when it is gone."""
        why = "no operation deletes it"
        for operation_id in self._deletes(made.item):
            for caller in self._callers(operation_id, made.caller):
                draft = self._drafter.draft(
                    operation_id, self._pool, 0, Wishes(item=made.item, caller=caller, lean=True)
                )
                if draft is None:
                    continue
                try:
                    recorded = service.send(draft.request, operation_id=operation_id, caller=caller)
                    if recorded.status == 429 and service.wait_for(recorded):
                        recorded = service.send(draft.request, operation_id=operation_id, caller=caller)
                except Unreachable as error:
                    return error.problem
                if recorded.ok or recorded.status in {404, 410}:
                    return ""
                why = f"{operation_id} answers {recorded.status}"
        return why

    def _deletes(self, item: Item) -> Iterator[str]:
        """The operations that delete one item of a resource, also those that the run itself does not check."""
        for operation_id in self._model.api.refs:
            meaning = self._model.meaning(operation_id)
            if meaning.resource is None or operation_id in self._excluded:
                continue
            if behaviour_of(meaning, self._model) != "delete":
                continue
            if meaning.resource.qualified == item.resource.qualified:
                yield operation_id

    def _callers(self, operation_id: str, first: Caller | None) -> list[Caller | None]:
        """Who may delete: who created, then the others of the same tenant."""
        operation = self._drafter.api.operation(operation_id)
        tenant = first.tenant if first is not None else None
        others = [c for c in self._drafter.callers_of(operation) if c.tenant == tenant and c is not first]
        own = [first] if first is None or first in self._drafter.callers_of(operation) or not operation.security else []
        return [*own, *others] or [first]


def _known(item: Item) -> _Known:
    return item.resource.qualified, item.scope, item.key

"""Several changes to several resources as one: what computed answers and effects are written with.

    work = Work.of(world, call)
    product = work.get("products", call.body["productId"])
    if product is None:
        return Problem(Kind.NOT_FOUND, "there is no such product")
    work.merge("products", product["id"], {"sold": product["sold"] + 1})
    ticket = work.create("tickets", {"product": product["id"]})
    return work.outcome(meaning.status, ticket)

Nothing is stored before the outcome is committed, so a computation may return a ``Problem`` at any point and leaves
nothing behind. Reads see the work's own writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.model.assigning import completed
from mock_server.model.behaviours.creating import placed
from mock_server.model.behaviours.updating import touched
from mock_server.model.call import Call
from mock_server.model.collection import Entry
from mock_server.model.filters import value_at
from mock_server.model.lenses import likely
from mock_server.model.meaning import Reason, Resource
from mock_server.model.outcome import NO_BODY, Hole, Outcome
from mock_server.model.patches import merge_patch
from mock_server.model.problem import Problem
from mock_server.model.state import Advance, Change, Partition, Put, Remove
from mock_server.model.world import World
from mock_server.openapi import pointers
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Json

Key = str | Hole
"""The key of an item: a ``Hole`` while the item is new and its key still to be chosen."""

_GONE: Any = object()


class Work:
    """Changes in the making, on top of a world. Resources go by their names in the model.

    ``scope`` names the parents' keys of a nested resource, outermost first.
    """

    def __init__(self, world: World, *, context: Context, tenant: str = "") -> None:
        self.world = world
        self.context = context
        self.tenant = tenant
        self._pending: dict[tuple[Partition, Key], Any] = {}
        self._advances: dict[str, int] = {}
        self._filled: list[Change] = []
        self._reads: dict[str, None] = {}

    @classmethod
    def of(cls, world: World, call: Call) -> Work:
        """The work of answering a call, for the tenant that calls."""
        return cls(world, context=world.context(call), tenant=world.tenant(call))

    # Reading

    def get(self, resource: str, key: Key, *, scope: tuple[str, ...] = ()) -> dict[str, Any] | None:
        """The item of a key, None when there is none. Change it by ``merge`` or ``put``, never in place."""
        found, partition = self._place(resource, scope)
        self._reads[f"{partition}/{key}"] = None
        pending = self._pending.get((partition, key))
        if pending is not None:
            return None if pending is _GONE else pending
        entry = self._entry(found, partition, key)
        return entry.value if entry is not None else None

    def items(
        self, resource: str, /, *, scope: tuple[str, ...] = (), where: Mapping[str, Json] | None = None, **members: Json
    ) -> list[dict[str, Any]]:
        """The items with the given members, oldest first; ``where`` gives them by JSON pointer."""
        wanted: list[tuple[tuple[str, ...], Json]] = [((name,), value) for name, value in members.items()]
        wanted += [(pointers.split(pointer), value) for pointer, value in (where or {}).items()]
        return [
            value
            for value in self._values(resource, scope, wanted)
            if all(value_at(value, path) == expected for path, expected in wanted)
        ]

    def find(
        self, resource: str, /, *, scope: tuple[str, ...] = (), where: Mapping[str, Json] | None = None, **members: Json
    ) -> dict[str, Any] | None:
        """The oldest item with the given members, None when there is none."""
        found = self.items(resource, scope=scope, where=where, **members)
        return found[0] if found else None

    def _values(
        self, resource: str, scope: tuple[str, ...], wanted: list[tuple[tuple[str, ...], Json]]
    ) -> Iterator[dict[str, Any]]:
        """At least the items that hold what is wanted, with the changes so far."""
        found, partition = self._place(resource, scope)
        self._reads[str(partition)] = None
        pending = {key: value for (place, key), value in self._pending.items() if place == partition}
        collection = self.world.collection(found, partition.scope)
        for entry in likely(collection, *wanted[0], beside=pending) if wanted else collection:
            value = pending.pop(entry.key, None)
            if value is None and self.world.entry(found, partition.scope, entry.key) is not None:
                yield entry.value
            elif value is not None and value is not _GONE:
                yield value
        yield from (value for value in pending.values() if value is not _GONE)

    # Writing

    def create(
        self, resource: str, members: Mapping[str, Any], *, scope: tuple[str, ...] = ()
    ) -> dict[str, Any] | Problem:
        """A new item: the given members, completed by what its resource assigns; a ``Problem`` for a broken constraint.

        Assigned keys and times are holes until the outcome is realized: pass them on, do not compute with them.
        """
        found, partition = self._place(resource, scope)
        value = completed(self.world, found, members, partition, self.context)
        built = placed(self.world, found, partition, value)
        if isinstance(built, Problem):
            return built
        self._settle(found, partition)
        self._pending[(partition, built.key)] = built.value
        for change in built.changes:
            if isinstance(change, Advance):
                self._advances[change.counter] = max(change.value, self._advances.get(change.counter, 0))
        return built.value

    def put(self, resource: str, key: Key, value: Mapping[str, Any], *, scope: tuple[str, ...] = ()) -> dict[str, Any]:
        """An item stored as it is given, its time of change moved on."""
        found, partition = self._place(resource, scope)
        entry = self._entry(found, partition, key)
        stored = touched(found, dict(value), entry) if entry is not None else dict(value)
        self._settle(found, partition)
        self._pending[(partition, key)] = stored
        return stored

    def merge(
        self, resource: str, key: Key, members: Mapping[str, Any], *, scope: tuple[str, ...] = ()
    ) -> dict[str, Any] | None:
        """An item with members merged into it (RFC 7396), None when there is no such item."""
        old = self.get(resource, key, scope=scope)
        if old is None:
            return None
        return self.put(resource, key, merge_patch(old, dict(members)), scope=scope)

    def remove(self, resource: str, key: Key, *, scope: tuple[str, ...] = ()) -> None:
        """An item gone; no effect where there is none."""
        found, partition = self._place(resource, scope)
        self._settle(found, partition)
        self._pending[(partition, key)] = _GONE

    # The outcome

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes so far, one for each item, in the order in which the items were first written."""
        written: list[Change] = [
            Remove(partition, key) if value is _GONE else Put(partition, key, value)  # type: ignore[arg-type]  # a Hole until realized
            for (partition, key), value in self._pending.items()
            if value is not _GONE or isinstance(key, str)
        ]
        return (*self._filled, *written, *(Advance(name, value) for name, value in self._advances.items()))

    def outcome(
        self,
        status: int,
        body: Json = NO_BODY,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        media_type: str | None = None,
        reasons: tuple[Reason, ...] = (),
    ) -> Outcome:
        """The answer with everything that was changed."""
        return Outcome(
            status,
            body,
            headers,
            self.changes,
            tuple(self._reads),
            reasons,
            has_holes=True,
            media_type=media_type,
        )

    # Places

    def _place(self, name: str, scope: tuple[str, ...]) -> tuple[Resource, Partition]:
        resource = self.world.model.named_resource(name)
        return resource, Partition(resource.qualified, self.world.placed(resource, scope, tenant=self.tenant))

    def _entry(self, resource: Resource, partition: Partition, key: Key) -> Entry | None:
        return None if isinstance(key, Hole) else self.world.entry(resource, partition.scope, key)

    def _settle(self, resource: Resource, partition: Partition) -> None:
        """Things that nobody created are stored before the first of them is written."""
        known = {change.partition for change in self._filled if not isinstance(change, Advance)}
        if partition not in known:
            self._filled += self.world.settle(resource, partition.scope)

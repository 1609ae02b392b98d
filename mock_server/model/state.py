"""State as a value: collections of resources in an immutable map, changed only by committing changes.

A snapshot is a reference, a fork is a reference, a reset is the assignment of an older reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from immutables import Map

from mock_server.model.collection import Collection, Entry
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.timers import Timers


@quick(frozen=True, slots=True)
class Partition:
    """One collection: the resource's qualified name (``namespace/resource``) and its parents' keys, outermost
    first.

    ``/users/7/posts`` is ``Partition("blog/posts", ("7",))``.
    """

    resource: str
    scope: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((self.resource, *self.scope))


@quick(frozen=True, slots=True)
class Put:
    """Store a value under a key, in place of what is there or after what is last."""

    partition: Partition
    key: str
    value: Json


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a key out of a collection; no effect where it is not."""

    partition: Partition
    key: str


@dataclass(frozen=True, slots=True)
class Fill:
    """Put a whole collection in a partition's place (a seed, a restored list, samples made when first written
    to)."""

    partition: Partition
    collection: Collection


@quick(frozen=True, slots=True)
class Advance:
    """Raise a counter to a value; counters never go back, so no number is given twice."""

    counter: str
    value: int


Change: TypeAlias = Put | Remove | Fill | Advance

_NO_SCOPES: Map[tuple[str, ...], Collection] = Map()
EMPTY_COLLECTION = Collection()


@quick(frozen=True, slots=True)
class State:
    """All resources of one universe at one moment, and what will happen to them by itself."""

    resources: Map[str, Map[tuple[str, ...], Collection]] = Map()
    counters: Map[str, int] = Map()
    timers: Timers | None = None

    def collection(self, partition: Partition) -> Collection | None:
        """The collection in a partition, or None when nothing was ever stored there."""
        return self.resources.get(partition.resource, _NO_SCOPES).get(partition.scope)

    def partitions(self, resource: str) -> Iterator[tuple[Partition, Collection]]:
        """Every partition of one resource, ordered by scope."""
        scopes = self.resources.get(resource, _NO_SCOPES)
        for scope in sorted(scopes):
            yield Partition(resource, scope), scopes[scope]

    def holding(self, resource: str, path: tuple[str, ...], text: str) -> Iterator[tuple[Partition, Entry]]:
        """The items of every partition of a resource that have a text at a path; found by an index."""
        for scope, collection in self.resources.get(resource, _NO_SCOPES).items():
            for entry in collection.holding(path, text):
                yield Partition(resource, scope), entry

    def counter(self, name: str) -> int:
        """How far a counter has come; 0 before its first use."""
        return self.counters.get(name, 0)


def commit(state: State, changes: Iterable[Change]) -> State:
    """The state after the changes, all of them, in order."""
    for change in changes:
        if isinstance(change, Put):
            found = state.collection(change.partition)
            collection = EMPTY_COLLECTION if found is None else found
            state = _with(state, change.partition, collection.put(change.key, change.value))
        elif isinstance(change, Remove):
            found = state.collection(change.partition)
            if found is not None:
                state = _with(state, change.partition, found.remove(change.key))
        elif isinstance(change, Fill):
            state = _with(state, change.partition, change.collection)
        elif change.value > state.counter(change.counter):
            state = State(state.resources, state.counters.set(change.counter, change.value), state.timers)
    return state


def _with(state: State, partition: Partition, collection: Collection) -> State:
    scopes = state.resources.get(partition.resource, _NO_SCOPES).set(partition.scope, collection)
    return State(state.resources.set(partition.resource, scopes), state.counters, state.timers)

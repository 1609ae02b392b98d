"""State as a value: collections of resources in an immutable map, changed only by committing changes.

A snapshot is a reference, a fork is a reference, a reset is the assignment of an older reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from immutables import Map

from mock_server.dataclass import dataclass
from mock_server.model.collection import Collection
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from datetime import datetime

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

    def is_at_rest(self, now: datetime) -> bool:
        """Whether nothing in it is due to happen by itself."""
        earliest = self.timers.earliest() if self.timers is not None else None
        return earliest is None or earliest > now

    def counter(self, name: str) -> int:
        """How far a counter has come; 0 before its first use."""
        return self.counters.get(name, 0)


def commit(state: State, changes: Iterable[Change]) -> State:
    """The state after the changes, all of them, in order."""
    resources, counters = state.resources, state.counters
    for change in changes:
        if isinstance(change, Advance):
            if change.value > counters.get(change.counter, 0):
                counters = counters.set(change.counter, change.value)
            continue
        partition = change.partition
        scopes = resources.get(partition.resource, _NO_SCOPES)
        if isinstance(change, Fill):
            collection = change.collection
        else:
            held = scopes.get(partition.scope)
            if isinstance(change, Put):
                collection = (EMPTY_COLLECTION if held is None else held).put(change.key, change.value)
            elif held is None:
                continue
            else:
                collection = held.remove(change.key)
        resources = resources.set(partition.resource, scopes.set(partition.scope, collection))
    return State(resources, counters, state.timers)

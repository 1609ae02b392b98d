"""What a list selects, in its order: read from an index where there is one, so that a page costs as much as its items.

A selection knows how many items it has, and walks from any place to either side. ``selected`` decides which way of
getting at it is the cheapest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from mock_server.dataclass import dataclass
from mock_server.model.collection import Collection, Entry
from mock_server.model.filters import Condition, Predicate
from mock_server.model.lenses import INDEXED, Held, Run, Those, oldest_first
from mock_server.model.ranked import Ranked
from mock_server.model.sorting import Order, Place


class Selection(Protocol):
    """The items that a list selects, in its order."""

    @property
    def total(self) -> int:
        """How many there are."""

    def page(self, offset: int, limit: int) -> Sequence[Entry]:
        """At most ``limit`` of them after the first ``offset``."""

    def walk(self, place: Place, *, backward: bool = False, inclusive: bool = False) -> Iterator[Entry]:
        """Those after a place, nearest first; or those before it. ``inclusive``: the one at the place, too."""


def selected(
    collection: Collection, conditions: Sequence[Predicate], order: Order | None, *, most: int | None
) -> Selection:
    """The items of a collection that hold under some conditions, in an order, else in that of their creation.

    ``most`` is how many of them the caller will look at, None for any number; it decides only how they are found.
    """
    if order is None and not conditions:
        return Whole(collection)
    if len(collection) < INDEXED:
        return _listed(collection, conditions, order)
    lasting = [each.holds for each in conditions if isinstance(each, Condition) and each.lasting]
    among = lasting[0] if len(lasting) == 1 else None
    rest = [each for each in conditions if among is None or not (isinstance(each, Condition) and each.lasting)]
    if not rest:
        return _whole_index(collection, among, order)
    found = _narrowest(collection, rest, among)
    if found is None:
        return _listed(collection, conditions, order)
    if found.condition is rest[0] and len(rest) == 1 and len(found.spans) == 1 and found.exact:
        run, (start, stop) = next(iter(found.spans.items()))
        if order is None and run.is_one_value:
            return Stretch(collection, found.index, start, stop, run.low)
        if order is not None and most is not None and most * len(collection) < (stop - start) ** 2:
            return Walked(_whole_index(collection, among, order), rest[0], stop - start)
    entries = oldest_first(collection, found.index, found.spans.values())
    return _listed(entries, rest, order)


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """Where an index finds the items that one condition selects, and whether it finds no others."""

    condition: Predicate
    index: Ranked
    spans: dict[Run, tuple[int, int]]
    exact: bool

    @property
    def count(self) -> int:
        return sum(stop - start for start, stop in self.spans.values())


def _narrowest(collection: Collection, conditions: Sequence[Predicate], among: Predicate | None) -> _Narrowed | None:
    """The condition that leaves the fewest items to look at, None when there is an index for none."""
    found: _Narrowed | None = None
    for each in conditions:
        if not isinstance(each, Condition) or each.runs is None:
            continue
        index = collection.index(Held(each.path, among))
        spans = {run: span for run in each.runs if (span := run.span(index))[0] < span[1]}
        narrowed = _Narrowed(each, index, spans, all(run.exact for run in spans))
        if found is None or narrowed.count < found.count:
            found = narrowed
    return found


def _whole_index(collection: Collection, among: Predicate | None, order: Order | None) -> Stretch:
    if order is None:
        assert among is not None
        index = collection.index(Those(among))
    else:
        index = collection.index(order.lens(among))
    return Stretch(collection, index, 0, len(index), (), order)


def _listed(entries: Iterable[Entry], conditions: Sequence[Predicate], order: Order | None) -> Listed:
    chosen = [entry for entry in entries if all(holds(entry.value) for holds in conditions)]
    return Listed(chosen if order is None else order.sorted(chosen), order)


@dataclass(frozen=True, slots=True)
class Whole:
    """Every item of a collection, in the order of their creation."""

    collection: Collection

    @property
    def total(self) -> int:
        return len(self.collection)

    def page(self, offset: int, limit: int) -> Sequence[Entry]:
        return self.collection.page(offset, limit)

    def walk(self, place: Place, *, backward: bool = False, inclusive: bool = False) -> Iterator[Entry]:
        if backward:
            return self.collection.descending(before=place.sequence + inclusive)
        return self.collection.ascending(after=place.sequence - inclusive)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of an index, all of one mark, or sorted by an order."""

    collection: Collection
    index: Ranked
    start: int
    stop: int
    mark: tuple[Any, ...]
    order: Order | None = None

    @property
    def total(self) -> int:
        return self.stop - self.start

    def page(self, offset: int, limit: int) -> Sequence[Entry]:
        end = min(offset + limit, self.total)
        if self._descends:
            return self.collection.entries(reversed(self.index.span(self.stop - end, self.stop - offset)))
        return self.collection.entries(self.index.span(self.start + offset, self.start + end))

    def every(self) -> Iterator[Entry]:
        """All of them, as they are asked for."""
        keys = self.index.keys_back if self._descends else self.index.keys
        return self.collection.each(keys(self.start, self.stop))

    def walk(self, place: Place, *, backward: bool = False, inclusive: bool = False) -> Iterator[Entry]:
        mark = self.mark if self.order is None else self.order.mark(place.ranks)
        falls = backward is not self._descends
        at = self.index.before((*mark, place.sequence + (inclusive is falls)))
        keys = self.index.keys_back(self.start, at) if falls else self.index.keys(at, self.stop)
        return self.collection.each(keys)

    @property
    def _descends(self) -> bool:
        return self.order is not None and self.order.descends


@dataclass(frozen=True, slots=True)
class Walked:
    """The items of a selection that hold under a condition, of which it is known how many there are."""

    base: Stretch
    condition: Predicate
    total: int

    def page(self, offset: int, limit: int) -> Sequence[Entry]:
        found = (entry for entry in self.base.every() if self.condition(entry.value))
        return tuple(islice(found, offset, min(offset + limit, self.total)))

    def walk(self, place: Place, *, backward: bool = False, inclusive: bool = False) -> Iterator[Entry]:
        found = self.base.walk(place, backward=backward, inclusive=inclusive)
        return (entry for entry in found if self.condition(entry.value))


@dataclass(frozen=True, slots=True)
class Listed:
    """Items that were looked at already, in an order, else in that of their creation."""

    entries: list[Entry]
    order: Order | None

    @property
    def total(self) -> int:
        return len(self.entries)

    def page(self, offset: int, limit: int) -> Sequence[Entry]:
        return self.entries[offset : offset + limit]

    def walk(self, place: Place, *, backward: bool = False, inclusive: bool = False) -> Iterator[Entry]:
        at = bisect_left(self.entries, int(inclusive is backward), key=lambda entry: self._side(entry, place))
        return islice(reversed(self.entries), len(self.entries) - at, None) if backward else iter(self.entries[at:])

    def _side(self, entry: Entry, place: Place) -> int:
        """Below, at or above 0 as an entry comes before, at or after a place."""
        if self.order is not None:
            return self.order.side(entry, place)
        return (entry.sequence > place.sequence) - (entry.sequence < place.sequence)

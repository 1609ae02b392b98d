"""Timers: moves that will happen by themselves, as a part of the immutable state.

They wait in a leftist heap (C. A. Crane, 1972; Knuth, TAOCP 3, §5.2.3) of shared nodes, so a snapshot of them is a
reference like that of everything else. A timer that an item no longer waits for stays in the heap until it comes up or
until such ones are the larger half; ``waiting`` says which ones count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from immutables import Map

from mock_server.model.state import Partition
from mock_server.openapi.quick import quick

_SPARE = 64
"""How many outlived timers are kept whatever their share, so that small heaps are not rebuilt all the time."""


@quick(frozen=True, slots=True)
class Timer:
    """One move of one item. ``order`` decides between timers of one moment: the one set first comes first.

    ``wait`` is the duration it was set for; None for a moment that the item names.
    """

    due: datetime
    order: int
    partition: Partition
    key: str
    transition: str
    wait: timedelta | None


Place: TypeAlias = tuple[str, tuple[str, ...], str, str]
"""What there is at most one timer for: resource, scope, key and transition."""

# Rank, the earliest timer of all below, and two heaps, the left one of no smaller rank.
_Heap: TypeAlias = "tuple[int, Timer, _Heap | None, _Heap | None]"


@quick(frozen=True, slots=True)
class Timers:
    """One version of a universe's timers. ``size`` counts the outlived ones, too; ``set_so_far`` all there were."""

    heap: _Heap | None = None
    waiting: Map[Place, Timer] = Map()
    size: int = 0
    set_so_far: int = 0

    def earliest(self) -> datetime | None:
        """When the next timer comes up, one that nothing waits for included."""
        return self.heap[1].due if self.heap is not None else None

    def of(self, place: Place) -> Timer | None:
        """The timer that an item waits for."""
        return self.waiting.get(place)

    def set(self, partition: Partition, key: str, transition: str, *, due: datetime, wait: timedelta | None) -> Timers:
        """The timers with one more, in place of the one there is for the same move of the same item."""
        timer = Timer(due, self.set_so_far, partition, key, transition, wait)
        waiting = self.waiting.set(place_of(timer), timer)
        return _compact(Timers(_merged(self.heap, _single(timer)), waiting, self.size + 1, self.set_so_far + 1))

    def stopped(self, place: Place) -> Timers:
        """The timers without one, if there is such a one."""
        if place not in self.waiting:
            return self
        return _compact(Timers(self.heap, self.waiting.delete(place), self.size, self.set_so_far))

    def popped(self, now: datetime) -> tuple[Timer | None, Timers]:
        """The first timer that is due, and the timers without it; None when none is."""
        heap, size = self.heap, self.size
        while heap is not None and heap[1].due <= now:
            timer = heap[1]
            heap, size = _merged(heap[2], heap[3]), size - 1
            place = place_of(timer)
            if self.waiting.get(place) is timer:
                return timer, Timers(heap, self.waiting.delete(place), size, self.set_so_far)
        return None, Timers(heap, self.waiting, size, self.set_so_far)

    def __iter__(self) -> Iterator[Timer]:
        """Every timer that counts, in no order."""
        return iter(self.waiting.values())

    def __len__(self) -> int:
        return len(self.waiting)


NO_TIMERS = Timers()


def place_of(timer: Timer) -> Place:
    """What a timer is for."""
    return timer.partition.resource, timer.partition.scope, timer.key, timer.transition


def begun(timers: Timers, now: datetime) -> Timers:
    """The timers of a seed when a universe begins: durations count from now, and no moment is before."""
    return waiting_for(
        (
            Timer(
                now + timer.wait if timer.wait is not None else max(timer.due, now),
                timer.order, timer.partition, timer.key, timer.transition, timer.wait,
            )
            for timer in timers
        ),
        timers.set_so_far,
    )  # fmt: skip


def waiting_for(timers: Iterable[Timer], set_so_far: int) -> Timers:
    """Just these timers, of so many that were ever set."""
    kept = {place_of(timer): timer for timer in timers}
    heaps: list[_Heap | None] = [_single(timer) for timer in kept.values()]
    while len(heaps) > 1:
        heaps = [_merged(*heaps[at : at + 2]) if at + 1 < len(heaps) else heaps[at] for at in range(0, len(heaps), 2)]
    return Timers(heaps[0] if heaps else None, Map(kept), len(kept), set_so_far)


def _compact(timers: Timers) -> Timers:
    if timers.size <= 2 * len(timers.waiting) + _SPARE:
        return timers
    return waiting_for(timers, timers.set_so_far)


def _single(timer: Timer) -> _Heap:
    return 1, timer, None, None


def _merged(one: _Heap | None, other: _Heap | None) -> _Heap | None:
    """One heap of two: along their right edges, which are no longer than the logarithm of their sizes."""
    if one is None or other is None:
        return one if other is None else other
    if (other[1].due, other[1].order) < (one[1].due, one[1].order):
        one, other = other, one
    left, right = one[2], _merged(one[3], other)
    if left is None or (right is not None and right[0] > left[0]):
        left, right = right, left
    return (right[0] if right is not None else 0) + 1, one[1], left, right

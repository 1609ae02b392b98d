"""Indexes of a collection: its items sorted by what a lens sees in them, moved on with each version.

A lens gives the marks of a value: tuples that items are sorted by, none for an item that the index leaves out, several
for one that can be found in several ways. The item's sequence number comes after each, so items of one mark stand in
the order of their creation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol, TypeAlias

from mock_server.model.ranked import Ranked
from mock_server.openapi.values import Json

MOST_INDEXES: Final = 12
"""The most indexes that a collection keeps; whoever asks for more takes the place of the one asked for first."""

_SHARED: Final = 1000
"""How many values are looked out for while an index is made, to keep those that come again once."""

BEYOND: Final = math.inf
"""After a mark it stands for a place behind all items of the mark, since it is above every sequence number."""

ABSENT: Final[Any] = object()
"""Stands for the value of an item that is not there, which is another thing than the value null."""

Marks: TypeAlias = Iterable[tuple[Any, ...]]


class Lens(Protocol):
    """What items are sorted by. Equal lenses see the same."""

    def marks(self, value: Json) -> Marks:
        """The marks of a value, each once; whatever two values have, they compare."""

    def __hash__(self) -> int: ...


Indexes: TypeAlias = Mapping[Lens, Ranked]


def indexed(lens: Lens, items: Iterable[tuple[str, int, Json]]) -> Ranked:
    """The index of many items, given as key, sequence number and value."""
    marks, keys = [], []
    known: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for key, sequence, value in items:
        for mark in lens.marks(value):
            shared = known.get(mark, mark)  # a status that half of the items have is kept once
            if shared is mark and len(known) < _SHARED:
                known[mark] = mark
            marks.append((*shared, sequence))
            keys.append(key)
    order = sorted(range(len(marks)), key=marks.__getitem__)
    return Ranked.of([marks[at] for at in order], [keys[at] for at in order])


def with_index(indexes: Indexes, lens: Lens, index: Ranked) -> Indexes:
    """The indexes with one more, and without the oldest where they would be too many."""
    kept = list(indexes.items())[max(len(indexes) + 1 - MOST_INDEXES, 0) :]
    return {**dict(kept), lens: index}


def moved(indexes: Indexes, key: str, sequence: int, old: Json, new: Json) -> Indexes:
    """The indexes after an item's value became another; ``ABSENT`` stands for no item."""
    return {lens: _moved(lens, index, key, sequence, old, new) for lens, index in indexes.items()}


def _moved(lens: Lens, index: Ranked, key: str, sequence: int, old: Json, new: Json) -> Ranked:
    before = set(lens.marks(old)) if old is not ABSENT else set()
    after = set(lens.marks(new)) if new is not ABSENT else set()
    for mark in before - after:
        index = index.without((*mark, sequence))
    for mark in after - before:
        index = index.with_mark((*mark, sequence), key)
    return index


def sequences(index: Ranked, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """The sequence numbers and keys of the items in some spans of an index; one found twice is told twice."""
    for start, stop in spans:
        for mark, key in index.marked(start, stop):
            yield mark[-1], key

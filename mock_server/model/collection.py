"""An immutable map in insertion order, of which keeping every version is cheap.

State is a value: each write returns a new ``Collection`` and shares nearly everything with the one before.
Three structures make that quick at any size:

- a persistent hash map from key to ``Entry``, for reads and for the values. A collection of many items keeps them as
  texts (``model/packing.py``), which take a fraction of the room;
- the order, which lists keys by the sequence number they got when they were first put. Only its last leaf, the tail,
  grows; everything before lies in a ``Ranked``;
- an index for each way of looking that was asked for once (``model/indexes.py``).

A sequence number is never used again, so it is also a stable cursor: whatever comes and goes in between, the
entries after a sequence number are the ones that follow it.
"""

from __future__ import annotations

import gc
from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Final

from immutables import Map

from mock_server.model.indexes import ABSENT, Indexes, Lens, indexed, moved, with_index
from mock_server.model.packing import Kept, packed, unpacked
from mock_server.model.ranked import Leaf, Ranked
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json

CHUNK: Final = 256
"""How many keys the tail holds at most; an append copies half of that on average."""

MANY: Final = 16_384
"""From so many items on they are kept as texts: smaller collections are quicker to read, and never large."""


@quick(frozen=True, slots=True)
class Entry:
    """One item of a collection.

    ``sequence`` is its place: it rises with every new key and never comes back. ``revision`` counts the
    writes to the key since it was last absent, from 1. The pair of both therefore names one written value for
    ever (an ETag).
    """

    key: str
    sequence: int
    value: Json
    revision: int


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A span in which Python looks for no garbage cycles.

    Building a large map creates none, yet the searches for them would take three quarters of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


_NO_NUMBERS: Final = array("q")
_NO_TAIL: Final = Leaf(_NO_NUMBERS, ())
_NOTHING: Final = Map[Hashable, int]()


@quick(frozen=True, slots=True, eq=False)
class Collection:
    """One version of an ordered map from key to entry; ``Collection()`` is the empty one.

    Two collections are equal when they are the same version, which is a comparison of pointers. Iteration
    gives entries, oldest key first; ``reversed`` gives them newest first. Both are lazy and safe beside later
    writes.
    """

    _entries: Map[str, Entry | Kept] = field(default_factory=Map, repr=False)
    _order: Ranked = field(default_factory=Ranked, repr=False)
    _tail: Leaf = field(default=_NO_TAIL, repr=False)
    next_sequence: int = 1
    _indexes: Indexes | None = field(default=None, repr=False)
    _notes: Map[Hashable, int] = field(default=_NOTHING, repr=False)

    @classmethod
    def of(cls, items: Iterable[tuple[str, Json]]) -> Collection:
        """The collection of many items, written at once; of a key that comes twice the last value counts."""
        keys: list[str] = []
        with _collector_paused(), Map[str, Entry | Kept]().mutate() as entries:
            for key, value in items:
                held = entries.get(key)
                sequence = len(keys) + 1 if held is None else _read(key, held).sequence
                entry = Entry(key, sequence, value, 1)
                entries[key] = entry if len(keys) < MANY else _kept(entry)
                if held is None:
                    keys.append(key)
                    if len(keys) == MANY:
                        for early in keys:
                            entries[early] = _kept(_read(early, entries[early]))
            found = entries.finish()
        return cls(found, *_ordered(range(1, len(keys) + 1), keys), len(keys) + 1)

    @classmethod
    def restored(cls, entries: Iterable[Entry], next_sequence: int) -> Collection:
        """The collection that had these entries, in the order of their sequence numbers, and gives this one next."""
        every = tuple(entries)
        with _collector_paused():
            kept: Map[str, Entry | Kept]
            kept = Map({entry.key: entry if len(every) < MANY else _kept(entry) for entry in every})
        order = _ordered([entry.sequence for entry in every], [entry.key for entry in every])
        return cls(kept, *order, next_sequence)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return self.ascending()

    def __reversed__(self) -> Iterator[Entry]:
        return self.descending()

    def get(self, key: str) -> Entry | None:
        """The entry of a key, or None."""
        found = self._entries.get(key)
        return found if found is None or type(found) is Entry else _read(key, found)

    def put(self, key: str, value: Json) -> Collection:
        """The version in which ``key`` holds ``value``: a known key keeps its place, a new one comes last."""
        held = self.get(key)
        sequence = self.next_sequence if held is None else held.sequence
        entry = Entry(key, sequence, value, 1 if held is None else held.revision + 1)
        entries = self._entries.set(key, entry if len(self._entries) < MANY else _kept(entry))
        indexes = self._indexes
        if indexes is not None:
            indexes = moved(indexes, key, sequence, ABSENT if held is None else held.value, value)
        if held is not None:
            return Collection(entries, self._order, self._tail, self.next_sequence, indexes)
        tail = self._tail
        if len(tail.keys) < CHUNK:
            grown = Leaf(tail.marks + array("q", (sequence,)), (*tail.keys, key))
            return Collection(entries, self._order, grown, sequence + 1, indexes)
        single = Leaf(array("q", (sequence,)), (key,))
        return Collection(entries, self._order.with_leaf(tail), single, sequence + 1, indexes)

    def remove(self, key: str) -> Collection:
        """The version without ``key``: this very one when there is no such key."""
        held = self.get(key)
        if held is None:
            return self
        sequence = held.sequence
        entries = self._entries.delete(key)
        indexes = self._indexes
        if indexes is not None:
            indexes = moved(indexes, key, sequence, held.value, ABSENT)
        if self._tail.keys and sequence >= self._tail.marks[0]:
            return Collection(entries, self._order, self._tail.without(sequence), self.next_sequence, indexes)
        return Collection(entries, self._order.without(sequence), self._tail, self.next_sequence, indexes)

    # In the order of creation

    def ascending(self, *, after: int = 0) -> Iterator[Entry]:
        """The entries whose sequence number is above ``after``, oldest first."""
        return self.each(self._keys(self._before(after + 1)))

    def descending(self, *, before: int | None = None) -> Iterator[Entry]:
        """The entries whose sequence number is below ``before``, newest first; without it all of them."""
        stop = len(self) if before is None else self._before(before)
        return self.each(self._keys_back(stop))

    def after(self, sequence: int, limit: int) -> tuple[Entry, ...]:
        """At most ``limit`` entries that follow the cursor ``sequence``, whose own entry may be gone."""
        return self.entries(self._slice(self._before(sequence + 1), limit))

    def page(self, offset: int, limit: int) -> tuple[Entry, ...]:
        """At most ``limit`` entries after leaving out the ``offset`` oldest ones. Neither may be negative."""
        if offset < 0:
            raise ValueError(f"an offset is not negative, got {offset}")
        return self.entries(self._slice(offset, limit))

    def entries(self, keys: Iterable[str]) -> tuple[Entry, ...]:
        """The entries of some keys, all of which are there."""
        kept = self._entries
        return tuple([one if type(one := kept[key]) is Entry else _read(key, one) for key in keys])

    def each(self, keys: Iterable[str]) -> Iterator[Entry]:
        """The same, read as they are asked for."""
        kept = self._entries
        for key in keys:
            one = kept[key]
            yield one if type(one) is Entry else _read(key, one)

    def _slice(self, start: int, count: int) -> list[str]:
        """At most so many keys from a place on."""
        passed, end = len(self._order), start + count
        keys = self._order.span(start, end) if start < passed else []
        return [*keys, *self._tail.keys[max(start - passed, 0) : end - passed]] if end > passed else keys

    def _before(self, sequence: int) -> int:
        """How many entries have a lower sequence number."""
        tail = self._tail
        if tail.keys and sequence > tail.marks[0]:
            return len(self._order) + bisect_left(tail.marks, sequence)
        return self._order.before(sequence)

    def _keys(self, start: int) -> Iterator[str]:
        passed = len(self._order)
        if start < passed:
            yield from self._order.keys(start, passed)
        yield from self._tail.keys[max(start - passed, 0) :]

    def _keys_back(self, stop: int) -> Iterator[str]:
        passed = len(self._order)
        yield from reversed(self._tail.keys[: max(stop - passed, 0)])
        yield from self._order.keys_back(0, stop)

    # In the order of an index

    def index(self, lens: Lens) -> Ranked:
        """The items as a lens sorts them. The first to ask has it made of all items, and later versions keep it up."""
        found = self._indexes.get(lens) if self._indexes is not None else None
        if found is None:
            with _collector_paused():
                found = indexed(lens, self._read())
            # Whoever else does the same at this moment makes an equal index.
            object.__setattr__(self, "_indexes", with_index(self._indexes or {}, lens, found))
        return found

    def _read(self) -> Iterator[tuple[str, int, Json]]:
        """The key, sequence number and value of every item, for who looks at all of them."""
        entries = self._entries
        for key in self._keys(0):
            kept = entries[key]
            if isinstance(kept, Entry):
                yield key, kept.sequence, kept.value
            else:
                sequence, _, value = unpacked(kept)
                yield key, sequence, value

    # What was found out about this very version

    def noted(self, question: Hashable, otherwise: int) -> int:
        """The answer that was noted to a question about this version."""
        return self._notes.get(question, otherwise)

    def note(self, question: Hashable, answer: int) -> None:
        """Notes an answer that follows from this version alone and took long to find. A seed is asked by every fork."""
        object.__setattr__(self, "_notes", self._notes.set(question, answer))


def _ordered(sequences: Sequence[int], keys: Sequence[str]) -> tuple[Ranked, Leaf]:
    """The order of many keys with their sequence numbers, and its tail."""
    leaves = [
        Leaf(array("q", sequences[at : at + CHUNK]), tuple(keys[at : at + CHUNK])) for at in range(0, len(keys), CHUNK)
    ]
    tail = leaves.pop() if leaves else _NO_TAIL
    return Ranked.joining(leaves), tail


def _read(key: str, kept: Entry | Kept) -> Entry:
    """The entry of a key as it is kept."""
    if isinstance(kept, Entry):
        return kept
    sequence, revision, value = unpacked(kept)
    return Entry(key, sequence, value, revision)


def _kept(entry: Entry) -> Entry | Kept:
    """An entry as a large collection keeps it: as a text, unless its value is none that JSON can tell."""
    return packed(entry.sequence, entry.revision, entry.value) or entry

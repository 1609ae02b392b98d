"""An immutable map in insertion order, of which keeping every version is cheap.

State is a value: each write returns a new ``Collection`` and shares nearly everything with the one before.
Two structures make that quick at any size:

- a persistent hash map from key to ``Entry``, for reads and for the values;
- the order, which lists keys by the sequence number they got when they were first put. It is cut into chunks
  of at most ``CHUNK`` keys. Only the last chunk, the tail, grows; a removal copies one chunk and the tuple of
  chunks.

A sequence number is never used again, so it is also a stable cursor: whatever comes and goes in between, the
entries after a sequence number are the ones that follow it.
"""

from __future__ import annotations

import gc
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, count, islice, repeat
from operator import attrgetter
from typing import Final

from immutables import Map

from mock_server.model.indexes import Indexes, indexed, moved
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json

CHUNK: Final = 512
"""How many keys a chunk holds at most; an append copies half of that on average."""


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


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some neighbouring keys with their sequence numbers, both in rising order of the latter."""

    sequences: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    def appended(self, sequence: int, key: str) -> _Chunk:
        return _Chunk((*self.sequences, sequence), (*self.keys, key))

    def without(self, sequence: int) -> _Chunk:
        at = bisect_left(self.sequences, sequence)
        return _Chunk(self.sequences[:at] + self.sequences[at + 1 :], self.keys[:at] + self.keys[at + 1 :])

    def joined(self, following: _Chunk) -> _Chunk:
        return _Chunk(self.sequences + following.sequences, self.keys + following.keys)


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


def _last_sequence(chunk: _Chunk) -> int:
    return chunk.sequences[-1]


@dataclass(frozen=True)  # no slots: cached_property keeps its value in the instance's __dict__
class _Order:
    """The chunks before the tail, none of them empty; most writes leave the whole object as it is."""

    chunks: tuple[_Chunk, ...] = ()

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """How many keys there are up to the end of each chunk; worked out when a page is first asked for."""
        return tuple(accumulate(map(len, map(attrgetter("keys"), self.chunks))))

    def holding(self, sequence: int) -> int:
        """The index of the first chunk that reaches ``sequence``; the number of chunks when none does."""
        return bisect_left(self.chunks, sequence, key=_last_sequence)

    def appended(self, chunk: _Chunk) -> _Order:
        return _Order((*self.chunks, chunk))

    def without(self, sequence: int) -> _Order:
        """The order without a key that it holds; small neighbours are joined to keep chunks few."""
        at = self.holding(sequence)
        chunks = list(self.chunks)
        rest = chunks[at].without(sequence)
        chunks[at : at + 1] = [rest] if rest else []
        for left in range(max(at - 1, 0), min(at + 1, len(chunks) - 1)):
            if len(chunks[left]) + len(chunks[left + 1]) <= CHUNK // 2:
                chunks[left : left + 2] = [chunks[left].joined(chunks[left + 1])]
                break
        return _Order(tuple(chunks))


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """One version of an ordered map from key to entry; ``Collection()`` is the empty one.

    Two collections are equal when they are the same version, which is a comparison of pointers. Iteration
    gives entries, oldest key first; ``reversed`` gives them newest first. Both are lazy and safe beside later
    writes.
    """

    _entries: Map[str, Entry] = field(default_factory=Map, repr=False)
    _order: _Order = field(default_factory=_Order, repr=False)
    _tail: _Chunk = field(default_factory=_Chunk, repr=False)
    next_sequence: int = 1
    _indexes: Indexes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, items: Iterable[tuple[str, Json]]) -> Collection:
        """The collection of many items, written at once; of a key that comes twice the last value counts."""
        values = dict(items)
        keys = tuple(values)
        with _collector_paused():
            entries = Map(zip(keys, map(Entry, keys, count(1), values.values(), repeat(1)), strict=True))
        chunks = [
            _Chunk(tuple(range(at + 1, min(at + CHUNK, len(keys)) + 1)), keys[at : at + CHUNK])
            for at in range(0, len(keys), CHUNK)
        ]
        tail = chunks.pop() if chunks else _Chunk()
        return cls(entries, _Order(tuple(chunks)), tail, len(keys) + 1)

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
        return self._entries.get(key)

    def put(self, key: str, value: Json) -> Collection:
        """The version in which ``key`` holds ``value``: a known key keeps its place, a new one comes last."""
        held = self._entries.get(key)
        if held is not None:
            written = Entry(key, held.sequence, value, held.revision + 1)
            entries = self._entries.set(key, written)
            indexes = None if self._indexes is None else self._moved(key, held, value)
            return Collection(entries, self._order, self._tail, self.next_sequence, indexes)
        sequence = self.next_sequence
        entries = self._entries.set(key, Entry(key, sequence, value, 1))
        indexes = None if self._indexes is None else self._moved(key, None, value)
        if len(self._tail) < CHUNK:
            return Collection(entries, self._order, self._tail.appended(sequence, key), sequence + 1, indexes)
        order = self._order.appended(self._tail)
        return Collection(entries, order, _Chunk((sequence,), (key,)), sequence + 1, indexes)

    def remove(self, key: str) -> Collection:
        """The version without ``key``: this very one when there is no such key."""
        held = self._entries.get(key)
        if held is None:
            return self
        sequence = held.sequence
        entries = self._entries.delete(key)
        indexes = None if self._indexes is None else self._moved(key, held, None)
        if self._in_tail(sequence):
            return Collection(entries, self._order, self._tail.without(sequence), self.next_sequence, indexes)
        return Collection(entries, self._order.without(sequence), self._tail, self.next_sequence, indexes)

    def ascending(self, *, after: int = 0) -> Iterator[Entry]:
        """The entries whose sequence number is above ``after``, oldest first."""
        at = self._order.holding(after + 1)
        chunk = self._chunk(at)
        return self._forward(at, bisect_right(chunk.sequences, after))

    def descending(self, *, before: int | None = None) -> Iterator[Entry]:
        """The entries whose sequence number is below ``before``, newest first; without it all of them."""
        limit = self.next_sequence if before is None else before
        at = self._order.holding(limit)
        end = bisect_left(self._chunk(at).sequences, limit)
        while True:
            for key in reversed(self._chunk(at).keys[:end]):
                yield self._entries[key]
            if at == 0:
                return
            at -= 1
            end = len(self._chunk(at))

    def after(self, sequence: int, limit: int) -> tuple[Entry, ...]:
        """At most ``limit`` entries that follow the cursor ``sequence``, whose own entry may be gone."""
        return tuple(islice(self.ascending(after=sequence), limit))

    def page(self, offset: int, limit: int) -> tuple[Entry, ...]:
        """At most ``limit`` entries after leaving out the ``offset`` oldest ones. Neither may be negative."""
        if offset < 0:
            raise ValueError(f"an offset is not negative, got {offset}")
        at = bisect_right(self._order.ends, offset)
        passed = self._order.ends[at - 1] if at else 0
        return tuple(islice(self._forward(at, offset - passed), limit))

    def holding(self, path: tuple[str, ...], text: str) -> tuple[Entry, ...]:
        """The entries whose value has this text, or a number written so, at a path, in the order they were indexed.

        The first question about a path makes an index of all entries, which later versions keep up.
        """
        index = self._indexes.get(path) if self._indexes is not None else None
        if index is None:
            index = indexed(path, ((entry.key, entry.value) for entry in self))
            known: Indexes = Map() if self._indexes is None else self._indexes
            # Whoever else does the same at this moment makes an equal index.
            object.__setattr__(self, "_indexes", known.set(path, index))
        return tuple(self._entries[key] for key in index.get(text, ()))

    def _moved(self, key: str, held: Entry | None, value: Json) -> Indexes:
        """The indexes of the version in which a key that held one value holds another."""
        assert self._indexes is not None
        return moved(self._indexes, key, None if held is None else held.value, value)

    def _in_tail(self, sequence: int) -> bool:
        return bool(self._tail) and sequence >= self._tail.sequences[0]

    def _chunk(self, index: int) -> _Chunk:
        chunks = self._order.chunks
        return chunks[index] if index < len(chunks) else self._tail

    def _forward(self, at: int, begin: int) -> Iterator[Entry]:
        """The entries from one place in the order on: a chunk and an index in it."""
        while at <= len(self._order.chunks):
            for key in self._chunk(at).keys[begin:]:
                yield self._entries[key]
            at, begin = at + 1, 0

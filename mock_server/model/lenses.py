"""Ways of looking at items that an index can be made of: by what they hold at a path, or whether they are listed.

``Held`` sorts items by what they hold at a path, so that whatever a filter selects lies in a few runs of neighbours:

    kind of value, value, sequence number

A text that names a moment has two marks, as a text and as the moment, since filters compare dates by the latter. An
item that holds a list has one for each member of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import isnan
from typing import Any, Final, TypeAlias

from mock_server.dataclass import dataclass
from mock_server.model.collection import Collection, Entry
from mock_server.model.comparing import Predicate, Wanted, moment_in, value_at
from mock_server.model.indexes import BEYOND, Marks, sequences
from mock_server.model.outcome import key_text
from mock_server.model.ranked import Ranked
from mock_server.model.state import Partition, State
from mock_server.openapi.values import Json

INDEXED: Final = 256
"""Collections of fewer items are looked through: that takes no longer, and needs no index."""

_FLAG, _NUMBER, _TEXT, _DATED, _MOMENT = range(5)
_IN_LIST: Final = 5
"""What is added to the kind of a value that is a member of a list."""


@dataclass(frozen=True, slots=True)
class Held:
    """The items by what they hold at a path. Those for which ``among`` does not hold are left out."""

    path: tuple[str, ...]
    among: Predicate | None = None

    def marks(self, value: Json) -> Marks:
        """The kind and the value of what an item holds."""
        held = value_at(value, self.path)
        if held is None or (self.among is not None and not self.among(value)):
            return ()
        if isinstance(held, list):
            return dict.fromkeys((kind + _IN_LIST, one) for member in held for kind, one in _marks(member))
        return _marks(held)


def _marks(held: Json) -> tuple[tuple[int, Any], ...]:
    if isinstance(held, str):
        moment = moment_in(held)
        return ((_TEXT, held),) if moment is None else ((_DATED, held), (_MOMENT, moment))
    if isinstance(held, bool):
        return ((_FLAG, held),)
    if isinstance(held, int | float):
        return () if isinstance(held, float) and isnan(held) else ((_NUMBER, held),)
    return ()


@dataclass(frozen=True, slots=True)
class Those:
    """The items for which something holds, in the order of their creation."""

    among: Predicate

    def marks(self, value: Json) -> Marks:
        """One mark for an item that belongs to them."""
        return ((),) if self.among(value) else ()


# Runs

Mark: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The neighbours between two marks of ``Held``: all that a filter selects in one kind of values.

    Where it is not ``exact`` some of them have still to be passed over.
    """

    low: Mark
    high: Mark
    exact: bool = True

    @property
    def is_one_value(self) -> bool:
        """Whether they all hold the same, so that they stand in the order of their creation."""
        return self.high == (*self.low, BEYOND)

    def span(self, index: Ranked) -> tuple[int, int]:
        """Where they are in an index."""
        start = index.before(self.low)
        return start, max(index.before(self.high), start)


def runs(operator: str, values: Iterable[Json], *, in_lists: bool) -> tuple[Run, ...] | None:
    """Where a filter finds what compares so with one of some values; None where only looking at each item tells.

    Operators: eq, gt, gte, lt, lte. ``in_lists`` adds the items that hold such a value in a list.
    """
    found: dict[Run, None] = {}
    for value in values:
        if isinstance(value, dict | list):
            return None
        for run in _runs(operator, Wanted(value)):
            found[run] = None
            if in_lists:
                found[Run(_inside(run.low), _inside(run.high), run.exact)] = None
    return tuple(found)


def runs_of_key(text: str) -> tuple[Run, ...]:
    """Where the items are that hold a key: as a text, or as the number or the flag that is written so."""
    number = Wanted(text).number
    found = [_at(_TEXT, text), _at(_DATED, text)]
    if number is not None and key_text(number) == text:
        found.append(_at(_NUMBER, number))
    if text in {"true", "false"}:
        found.append(_at(_FLAG, text == "true"))
    return tuple(found)


def _at(kind: int, value: object) -> Run:
    return Run((kind, value), (kind, value, BEYOND))


def _inside(mark: Mark) -> Mark:
    return (mark[0] + _IN_LIST, *mark[1:])


def _runs(operator: str, wanted: Wanted) -> Iterator[Run]:
    """The runs by kind, as ``Wanted.compare`` compares with values of the kind."""
    if wanted.flag is not None:
        yield _compared(operator, _FLAG, wanted.flag)
    if wanted.number is not None:
        yield _compared(operator, _NUMBER, wanted.number)
    elif wanted.moment is not None:  # the number may count seconds or milliseconds
        yield Run((_NUMBER,), (_NUMBER + 1,), exact=False)
    yield _compared(operator, _TEXT, wanted.text)
    if wanted.moment is None:
        yield _compared(operator, _DATED, wanted.text)
    elif wanted.is_day:
        yield _on_day(operator, wanted.moment)
    else:
        yield _compared(operator, _MOMENT, wanted.moment)


def _compared(operator: str, kind: int, value: object) -> Run:
    at, after = (kind, value), (kind, value, BEYOND)
    return _between(operator, kind, at, after)


def _on_day(operator: str, midnight: datetime) -> Run:
    at: Mark = (_MOMENT, midnight)
    try:
        after: Mark = (_MOMENT, midnight + timedelta(days=1))
    except OverflowError:  # the last day there is
        after = (_MOMENT + 1,)
    return _between(operator, _MOMENT, at, after)


def _between(operator: str, kind: int, at: Mark, after: Mark) -> Run:
    """What compares so with the values from one mark up to another, in all that there is of a kind."""
    low = {"eq": at, "gte": at, "gt": after}.get(operator, (kind,))
    high = {"eq": after, "lte": after, "lt": at}.get(operator, (kind + 1,))
    return Run(low, high)


# Look-ups


def counted(collection: Collection, among: Predicate | None) -> int:
    """How many items something holds for, all where it is None."""
    if among is None:
        return len(collection)
    if len(collection) < INDEXED:
        return sum(1 for entry in collection if among(entry.value))
    return len(collection.index(Those(among)))


def oldest_first(collection: Collection, index: Ranked, spans: Iterable[tuple[int, int]]) -> Iterable[Entry]:
    """The entries of some spans of an index, each once, in the order of their creation."""
    return collection.each([key for _, key in sorted(set(sequences(index, spans)))])


def likely(
    collection: Collection, path: tuple[str, ...], value: Json, *, beside: Iterable[object] = ()
) -> Iterable[Entry]:
    """At least the entries that hold a value at a path, as Python compares or as keys do: 5 is 5.0, "5", and in [5].

    They come in the order of their creation, and with them the entries of the keys ``beside``, if there are such. Who
    asks looks at each; a large collection gives few others.
    """
    sought = _sought(value) if len(collection) >= INDEXED else None
    if sought is None:
        return collection
    index = collection.index(Held(path))
    found = set(sequences(index, [run.span(index) for run in sought]))
    others = [entry for key in beside if isinstance(key, str) and (entry := collection.get(key)) is not None]
    return collection.each([key for _, key in sorted(found | {(entry.sequence, entry.key) for entry in others})])


def holding(state: State, resource: str, path: tuple[str, ...], text: str) -> Iterator[tuple[Partition, Entry]]:
    """The items of every partition of a resource that have a text, or a number written so, at a path."""
    for partition, collection in state.partitions(resource):
        for entry in likely(collection, path, text):
            held = value_at(entry.value, path)
            if isinstance(held, str | int) and not isinstance(held, bool) and str(held) == text:
                yield partition, entry


def _sought(value: Json) -> list[Run] | None:
    """Where whatever equals a value is; None for one that is in no index."""
    if isinstance(value, str):
        found = runs_of_key(value)
    elif isinstance(value, int) or (isinstance(value, float) and not isnan(value)):
        found = (_at(_FLAG, value), _at(_NUMBER, value), _at(_TEXT, key_text(value)))
    else:
        return None
    return [*found, *(Run(_inside(run.low), _inside(run.high)) for run in found)]

"""The order a list is asked for, and the place of an item in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, TypeAlias

import orjson

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import words
from mock_server.model.collection import Entry
from mock_server.model.comparing import Predicate, value_at
from mock_server.model.indexes import Marks
from mock_server.model.meaning import Listing
from mock_server.openapi.values import Json

Rank: TypeAlias = tuple[int, Any]
"""How a value sorts: missing ones first, then numbers, then text (case aside), then anything else."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: where the item with this sequence number is, or was, which sorted by these ranks."""

    sequence: int
    ranks: tuple[Rank, ...] = ()


_DESCENDING = frozenset({"desc", "descending", "dsc", "-1", "-"})


@dataclass(frozen=True, slots=True)
class Order:
    """A sort by paths of names, each ascending or descending.

    Items that are equal in all come in the order of their creation, the newest first where the first key descends, so
    that "newest first" holds for items of one moment too.
    """

    keys: tuple[tuple[tuple[str, ...], bool], ...]

    def ranks(self, entry: Entry) -> tuple[Rank, ...]:
        """The ranks of an entry under each key."""
        return tuple(rank(value_at(entry.value, path)) for path, _ in self.keys)

    @property
    def descends(self) -> bool:
        """Whether the first key does."""
        return self.keys[0][1]

    def lens(self, among: Predicate | None) -> Sorted:
        """The way of looking that finds items in this order, and in the opposite one."""
        return Sorted(tuple([(path, descending is not self.descends) for path, descending in self.keys]), among)

    def mark(self, ranks: tuple[Rank, ...]) -> tuple[Any, ...]:
        """The mark of these ranks in an index of that lens."""
        return _mark(ranks, [descending is not self.descends for _, descending in self.keys])

    def sorted(self, entries: list[Entry]) -> list[Entry]:
        """The entries in this order; they come in the order of their creation."""
        if self.descends:
            entries = entries[::-1]
        for path, descending in reversed(self.keys):
            entries = _sorted_by(entries, path, descending=descending)
        return entries

    def side(self, entry: Entry, place: Place) -> int:
        """Below, at or above 0 as an entry comes before, at or after a place."""
        for (_, descending), own, other in zip(self.keys, self.ranks(entry), place.ranks, strict=True):
            if own != other:
                return -1 if (own < other) is not descending else 1
        side = (entry.sequence > place.sequence) - (entry.sequence < place.sequence)
        return -side if self.descends else side


@dataclass(frozen=True, slots=True)
class _Down:
    """A rank that sorts the other way."""

    rank: Rank

    def __lt__(self, other: _Down) -> bool:
        return other.rank < self.rank


@dataclass(frozen=True, slots=True)
class Sorted:
    """The items in an order or, where its first key descends, from its end to its beginning; a lens.

    ``keys`` are the paths, each with whether it runs against the first. Those for which ``among`` does not hold are
    left out.
    """

    keys: tuple[tuple[tuple[str, ...], bool], ...]
    among: Predicate | None = None

    def marks(self, value: Json) -> Marks:
        """The ranks of an item under each key."""
        if self.among is not None and not self.among(value):
            return ()
        ranks = [rank(value_at(value, path)) for path, _ in self.keys]
        return (_mark(ranks, [against for _, against in self.keys]),)


def _mark(ranks: Sequence[Rank], against: Sequence[bool]) -> tuple[Any, ...]:
    """Ranks in one tuple, those of keys that run against the first turned round."""
    mark: list[Any] = []
    for one, turned in zip(ranks, against, strict=True):
        mark += [_Down(one)] if turned else one
    return tuple(mark)


@dataclass(frozen=True, slots=True)
class Sort:
    """What a query says about order: the order, None for that of creation, and names that are no
    property's."""

    order: Order | None
    unknown: tuple[str, ...] = ()


def sort_asked(listing: Listing, query: Mapping[str, Json]) -> Sort:
    """The sort of ``sort=-created_at,name``, ``sort=name:desc``, ``sort=name&order=desc`` or a list of objects such as
    ``{"field": "name", "order": "desc"}``, else the list's own."""
    names = (listing.sort, *listing.sort_else) if listing.sort is not None else ()
    asked = next((query[name] for name in names if name in query), None)
    text = ",".join(_spelled(entry) for entry in asked) if isinstance(asked, list) else asked
    if not isinstance(text, str) or not text:
        text = listing.default_sort
    if not text:
        return Sort(None)
    direction = query.get(listing.order) if listing.order else None
    backwards = isinstance(direction, str | int) and str(direction).lower() in _DESCENDING
    keys: list[tuple[tuple[str, ...], bool]] = []
    unknown: list[str] = []
    for entry in text.split(","):
        name, _, suffix = entry.strip().replace(" ", ":").partition(":")
        bare = name.lstrip("+-")
        path = _property(listing, bare)
        if path is None:
            unknown.append(bare)
        else:
            keys.append((path, backwards != (name.startswith("-") or suffix.lower() in _DESCENDING)))
    return Sort(Order(tuple(keys)) if keys else None, tuple(unknown))


_FIELDS = ("field", "name", "property", "key", "by", "column")
_DIRECTIONS = ("order", "direction", "type", "dir", "sort")


def _spelled(entry: Json) -> str:
    """One key of a sort as a text: ``{"field": "name", "type": "desc"}`` is ``name:desc``."""
    if not isinstance(entry, dict):
        return str(entry)
    field = next((entry[name] for name in _FIELDS if name in entry), "")
    direction = next((entry[name] for name in _DIRECTIONS if name in entry), "")
    return f"{field}:{direction}" if direction != "" else str(field)


def _property(listing: Listing, name: str) -> tuple[str, ...] | None:
    if not name:
        return None
    found = listing.sortable.get("".join(words(name)))
    path = tuple(name.split("."))
    if found is None and (not listing.sortable or "".join(words(path[0])) in listing.sortable):
        return path
    return found


def _sorted_by(entries: list[Entry], path: tuple[str, ...], *, descending: bool) -> list[Entry]:
    # ``reverse`` keeps the order of equal entries, as a stable sort does.
    return sorted(entries, key=lambda entry: rank(value_at(entry.value, path)), reverse=descending)


def rank(value: Json) -> Rank:
    """How a value sorts; values of different kinds never raise."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return 0, 0
    if isinstance(value, bool | int | float):
        return 1, value
    if isinstance(value, str):
        return 2, value.casefold()
    return 3, _text(value)


def _text(value: Json) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":"))

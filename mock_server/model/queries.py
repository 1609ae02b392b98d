"""The page of a collection that a query asks for: filtered, searched, sorted and cut, as pure functions.

Cursors name a place, not a count: the sequence number of an entry and, in a sorted list, what it sorts by. So
a walk sees every item that stays exactly once, whatever comes and goes meanwhile.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import orjson

from mock_server.model.collection import Collection, Entry
from mock_server.model.filters import Predicate, predicates
from mock_server.model.meaning import Listing
from mock_server.model.outcome import key_text
from mock_server.model.sorting import Order, Rank, sort_asked
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json, Violation

_LONGEST_CURSOR = 2048
_MOST = 2**40  # more than any list has items, and a number that every counter takes


@quick(frozen=True, slots=True)
class Page:
    """One page of a list. ``total`` counts what the filters select; cursors are None at either end.

    ``unsorted`` are names to sort by that no property goes by, so that they had no effect.
    """

    entries: Sequence[Entry]
    total: int
    offset: int
    limit: int | None
    next_cursor: str | None
    previous_cursor: str | None
    unsorted: tuple[str, ...] = ()

    @property
    def has_more(self) -> bool:
        return self.next_cursor is not None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: after the entry with this sequence number, which sorted by these ranks."""

    sequence: int
    ranks: tuple[Rank, ...] = ()


@dataclass(frozen=True, slots=True)
class _Window:
    """Some neighbouring entries of a list, and whether there are more on either side."""

    entries: Sequence[Entry]
    offset: int
    more_before: bool
    more_after: bool


def select(
    collection: Collection,
    listing: Listing,
    query: Mapping[str, Json],
    *,
    conditions: Sequence[Predicate] = (),
) -> Page | Violation:
    """The page of a collection that a query asks for, or the violation of a cursor that was never given
    out."""
    limit = _number(query, listing.limit, listing.default_limit)
    sort = sort_asked(listing, query)
    narrowed = predicates(listing, query)
    if isinstance(narrowed, Violation):
        return narrowed
    conditions = [*conditions, *narrowed]
    if sort.order is None and not conditions:
        total = len(collection)
        window = _natural_window(collection, listing, query, limit)
    else:
        entries = [entry for entry in collection if all(holds(entry.value) for holds in conditions)]
        entries = sort.order.sorted(entries) if sort.order is not None else entries
        total = len(entries)
        window = _listed_window(entries, sort.order, collection, listing, query, limit)
    if isinstance(window, Violation):
        return window
    kept = window.entries
    return Page(
        entries=kept,
        total=total,
        offset=window.offset,
        limit=limit,
        next_cursor=_cursor_after(kept[-1], sort.order) if window.more_after and kept else None,
        previous_cursor=_cursor_after(kept[0], sort.order) if window.more_before and kept else None,
        unsorted=sort.unknown,
    )


def _natural_window(
    collection: Collection, listing: Listing, query: Mapping[str, Json], limit: int | None
) -> _Window | Violation:
    """A window in order of creation; touches only the entries it returns."""
    after, before = _given(query, listing.after), _given(query, listing.before)
    if after is not None:
        place = _place(after, collection, None)
        if place is None:
            return _bad_cursor(listing.after or "", after)
        found = list(islice(collection.ascending(after=place.sequence), None if limit is None else limit + 1))
        earlier = next(collection.descending(before=place.sequence + 1), None) is not None
        return _Window(found[:limit], 0, earlier, limit is not None and len(found) > limit)
    if before is not None:
        place = _place(before, collection, None)
        if place is None:
            return _bad_cursor(listing.before or "", before)
        taken = list(islice(collection.descending(before=place.sequence), None if limit is None else limit + 1))
        later = next(collection.ascending(after=place.sequence - 1), None) is not None
        return _Window(taken[:limit][::-1], 0, limit is not None and len(taken) > limit, later)
    total = len(collection)
    offset = _offset(listing, query, limit)
    entries = collection.page(offset, total if limit is None else limit)
    return _Window(entries, offset, offset > 0, offset + len(entries) < total)


def _listed_window(
    entries: list[Entry],
    order: Order | None,
    collection: Collection,
    listing: Listing,
    query: Mapping[str, Json],
    limit: int | None,
) -> _Window | Violation:
    """A window of entries that are filtered or sorted already."""
    after, before = _given(query, listing.after), _given(query, listing.before)
    start, end = _offset(listing, query, limit), len(entries)
    if after is not None:
        place = _place(after, collection, order)
        if place is None:
            return _bad_cursor(listing.after or "", after)
        start = _first_after(entries, place, order)
    elif before is not None:
        place = _place(before, collection, order)
        if place is None:
            return _bad_cursor(listing.before or "", before)
        end = _first_after(entries, place, order, inclusive=True)
        start = 0 if limit is None else max(end - limit, 0)
    if limit is not None:
        end = min(start + limit, end)
    return _Window(entries[start:end], start, start > 0, end < len(entries))


def _given(query: Mapping[str, Json], name: str | None) -> Json:
    """The cursor in a query; None for the empty one too, by which clients ask for the first page."""
    given = query.get(name) if name is not None else None
    return None if given == "" else given


def _first_after(entries: list[Entry], place: Cursor, order: Order | None, *, inclusive: bool = False) -> int:
    """The index of the first entry behind a place, or (``inclusive``) at it."""
    for index, entry in enumerate(entries):
        if (inclusive and entry.sequence == place.sequence) or _is_after(entry, place, order):
            return index
    return len(entries)


def _is_after(entry: Entry, place: Cursor, order: Order | None) -> bool:
    if order is None:
        return entry.sequence > place.sequence
    return order.is_after(entry, place.ranks, place.sequence)


# Cursors


def make_cursor(place: Cursor) -> str:
    """An opaque text for a place in a list."""
    raw = orjson.dumps([place.sequence, *place.ranks])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(text: Json) -> Cursor | None:
    """The place in a cursor of ours; None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST_CURSOR:
        return None
    try:
        raw = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    if not isinstance(raw, list) or not raw or type(raw[0]) is not int:
        return None
    ranks = tuple((entry[0], entry[1]) for entry in raw[1:] if isinstance(entry, list) and len(entry) == 2)
    return Cursor(raw[0], ranks) if len(ranks) == len(raw) - 1 else None


def _cursor_after(entry: Entry, order: Order | None) -> str:
    return make_cursor(Cursor(entry.sequence, order.ranks(entry) if order is not None else ()))


def _place(given: Json, collection: Collection, order: Order | None) -> Cursor | None:
    """Where a cursor points: an item's key (``starting_after=cus_1``) or a cursor given out for this
    order."""
    entry = collection.get(key_text(given))
    if entry is not None:
        return Cursor(entry.sequence, order.ranks(entry) if order is not None else ())
    place = read_cursor(given)
    wanted = len(order.keys) if order is not None else 0
    return place if place is not None and len(place.ranks) == wanted and _comparable(place) else None


def _comparable(place: Cursor) -> bool:
    """Whether the ranks in a cursor, which a caller may have made up, can be compared with those of items."""
    kinds: dict[object, type | tuple[type, ...]] = {0: int, 1: (int, float), 2: str, 3: str}
    return all(type(kind) is int and isinstance(value, kinds.get(kind, ())) for kind, value in place.ranks)


def _bad_cursor(parameter: str, got: Json) -> Violation:
    message = "is not a cursor of this list"
    return Violation("query", "", "cursor", got, "a cursor of an earlier page", message, parameter)


# Numbers


def _number(query: Mapping[str, Json], name: str | None, default: int | None) -> int | None:
    value = query.get(name) if name is not None else None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return int(min(max(0, value), _MOST))


def _offset(listing: Listing, query: Mapping[str, Json], limit: int | None) -> int:
    if listing.offset is not None:
        return _number(query, listing.offset, 0) or 0
    if listing.page is not None and limit is not None:
        page = _number(query, listing.page, listing.first_page)
        return max((page if page is not None else listing.first_page) - listing.first_page, 0) * limit
    return 0

"""The page of a collection that a query asks for: filtered, searched, sorted and cut, as pure functions.

Cursors name a place, not a count: the sequence number of an entry and, in a sorted list, what it sorts by. So
a walk sees every item that stays exactly once, whatever comes and goes meanwhile.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from itertools import islice

from mock_server.dataclass import dataclass
from mock_server.model.collection import Collection, Entry
from mock_server.model.filters import Predicate, predicates
from mock_server.model.meaning import Listing
from mock_server.model.outcome import key_text
from mock_server.model.selections import selected
from mock_server.model.sorting import Order, Place, sort_asked
from mock_server.openapi import jsontext
from mock_server.openapi.quick import quick
from mock_server.openapi.undecodable import Undecodable
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
class _Window:
    """Some neighbouring entries of a list, and whether there are more on either side."""

    entries: Sequence[Entry]
    total: int
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
    window = _window(collection, [*conditions, *narrowed], sort.order, listing, query, limit)
    if isinstance(window, Violation):
        return window
    kept = window.entries
    return Page(
        entries=kept,
        total=window.total,
        offset=window.offset,
        limit=limit,
        next_cursor=_cursor_after(kept[-1], sort.order) if window.more_after and kept else None,
        previous_cursor=_cursor_after(kept[0], sort.order) if window.more_before and kept else None,
        unsorted=sort.unknown,
    )


def _window(
    collection: Collection,
    conditions: Sequence[Predicate],
    order: Order | None,
    listing: Listing,
    query: Mapping[str, Json],
    limit: int | None,
) -> _Window | Violation:
    """The window that a query opens: around a cursor, at which nothing is counted, else at an offset."""
    after, before = _given(query, listing.after), _given(query, listing.before)
    name, given = (listing.after, after) if after is not None else (listing.before, before)
    if given is None:
        offset = _offset(listing, query, limit)
        most = None if limit is None else offset + limit
        selection = selected(collection, conditions, order, most=most)
        total = selection.total
        entries = selection.page(offset, total if limit is None else limit)
        return _Window(entries, total, offset, offset > 0, offset + len(entries) < total)
    place = _place(given, collection, order)
    if place is None:
        return _bad_cursor(name or "", given)
    backward = after is None
    selection = selected(collection, conditions, order, most=None if limit is None else limit + 1)
    found = list(islice(selection.walk(place, backward=backward), None if limit is None else limit + 1))
    more = limit is not None and len(found) > limit
    behind = next(selection.walk(place, backward=not backward, inclusive=True), None) is not None
    if backward:
        return _Window(found[:limit][::-1], selection.total, 0, more, behind)
    return _Window(found[:limit], selection.total, 0, behind, more)


def _given(query: Mapping[str, Json], name: str | None) -> Json:
    """The cursor in a query; None for the empty one too, by which clients ask for the first page."""
    given = query.get(name) if name is not None else None
    return None if given == "" else given


# Cursors


def make_cursor(place: Place) -> str:
    """An opaque text for a place in a list."""
    raw = jsontext.dumps([place.sequence, *place.ranks])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(text: Json) -> Place | None:
    """The place in a cursor of ours; None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST_CURSOR:
        return None
    try:
        raw = jsontext.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, Undecodable):
        return None
    if not isinstance(raw, list) or not raw or type(raw[0]) is not int:
        return None
    ranks = tuple((entry[0], entry[1]) for entry in raw[1:] if isinstance(entry, list) and len(entry) == 2)
    return Place(raw[0], ranks) if len(ranks) == len(raw) - 1 else None


def _cursor_after(entry: Entry, order: Order | None) -> str:
    return make_cursor(Place(entry.sequence, order.ranks(entry) if order is not None else ()))


def _place(given: Json, collection: Collection, order: Order | None) -> Place | None:
    """Where a cursor points: an item's key (``starting_after=cus_1``) or a cursor given out for this
    order."""
    entry = collection.get(key_text(given))
    if entry is not None:
        return Place(entry.sequence, order.ranks(entry) if order is not None else ())
    place = read_cursor(given)
    wanted = len(order.keys) if order is not None else 0
    return place if place is not None and len(place.ranks) == wanted and _comparable(place) else None


def _comparable(place: Place) -> bool:
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

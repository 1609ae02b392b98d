"""Filter, search, sort and paginate: what a list operation selects, as pure functions over entries."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mock_server.model.collection import Collection, Entry
from mock_server.model.meaning import Filter, Listing
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Json, Violation

Predicate = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. ``total`` counts what the filters select; cursors are None at either end."""

    entries: Sequence[Entry]
    total: int
    offset: int
    limit: int | None
    next_cursor: str | None
    previous_cursor: str | None

    @property
    def has_more(self) -> bool:
        return self.next_cursor is not None


@dataclass(frozen=True, slots=True)
class Order:
    """A sort: paths of names, each ascending or descending."""

    keys: tuple[tuple[tuple[str, ...], bool], ...]


def select(
    collection: Collection, listing: Listing, query: Mapping[str, Json], *, predicates: Sequence[Predicate] = ()
) -> Page | Violation:
    """The page of a collection that a query asks for, or the violation of a cursor that was never given out."""
    limit = _number(query, listing.limit, listing.default_limit)
    order = _order(listing, query)
    predicates = [*predicates, *_predicates(listing, query)]
    if order is None and not predicates:
        return _natural_page(collection, listing, query, limit)
    entries = [entry for entry in collection if all(holds(entry.value) for holds in predicates)]
    if order is not None:
        entries = _sorted(entries, order)
    return _page_of(entries, listing, query, limit, ordered=order is not None)


def _natural_page(
    collection: Collection, listing: Listing, query: Mapping[str, Json], limit: int | None
) -> Page | Violation:
    """A page in order of creation; touches only the entries it returns."""
    total = len(collection)
    cursor = query.get(listing.after) if listing.after else None
    if cursor is not None:
        sequence = _sequence(cursor, collection)
        if sequence is None:
            return _bad_cursor(listing.after or "", cursor)
        entries = collection.after(sequence, (limit if limit is not None else total) + 1)
        return _cut(entries, total, limit)
    back = query.get(listing.before) if listing.before else None
    if back is not None:
        sequence = _sequence(back, collection)
        if sequence is None:
            return _bad_cursor(listing.before or "", back)
        taken: list[Entry] = []
        for entry in collection.descending(before=sequence):
            taken.append(entry)
            if limit is not None and len(taken) > limit:
                break
        kept = list(reversed(taken[:limit] if limit is not None else taken))
        previous = make_cursor(kept[0]) if limit is not None and len(taken) > limit else None
        return Page(kept, total, 0, limit, make_cursor(kept[-1]) if kept else None, previous)
    offset = _offset(listing, query, limit)
    entries = collection.page(offset, (limit if limit is not None else max(total - offset, 0)) + 1)
    return _cut(entries, total, limit, offset=offset)


def _cut(entries: Sequence[Entry], total: int, limit: int | None, *, offset: int = 0) -> Page:
    more = limit is not None and len(entries) > limit
    kept = entries[:limit] if more else entries
    previous = make_cursor(kept[0]) if offset > 0 and kept else None
    return Page(kept, total, offset, limit, make_cursor(kept[-1]) if more and kept else None, previous)


def _page_of(
    entries: list[Entry], listing: Listing, query: Mapping[str, Json], limit: int | None, *, ordered: bool
) -> Page | Violation:
    total = len(entries)
    offset = _offset(listing, query, limit)
    cursor = query.get(listing.after) if listing.after else None
    if cursor is not None:
        found = _position(entries, cursor, ordered=ordered)
        if found is None:
            return _bad_cursor(listing.after or "", cursor)
        offset = found
    window = entries[offset : None if limit is None else offset + limit + 1]
    return _cut(window, total, limit, offset=offset)


def _position(entries: list[Entry], cursor: Json, *, ordered: bool) -> int | None:
    """The index after the entry a cursor names. In natural order a vanished entry's place is still known."""
    by_key = next((i for i, entry in enumerate(entries) if entry.key == key_text(cursor)), None)
    if by_key is not None:
        return by_key + 1
    sequence = read_cursor(cursor)
    if sequence is None:
        return None
    exact = next((i for i, entry in enumerate(entries) if entry.sequence == sequence), None)
    if exact is not None:
        return exact + 1
    if ordered:
        return 0
    return sum(1 for entry in entries if entry.sequence <= sequence)


def make_cursor(entry: Entry) -> str:
    """An opaque cursor that points behind an entry."""
    return base64.urlsafe_b64encode(b"c:%d" % entry.sequence).decode().rstrip("=")


def read_cursor(text: Json) -> int | None:
    """The sequence number in a cursor of ours; None for anything else."""
    if not isinstance(text, str) or len(text) > 64:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return int(raw[2:]) if raw[:2] == b"c:" and raw[2:].isdigit() else None


def _sequence(cursor: Json, collection: Collection) -> int | None:
    """Where a cursor points: an item's key (``starting_after=cus_1``) or a cursor given out before."""
    entry = collection.get(key_text(cursor))
    return entry.sequence if entry is not None else read_cursor(cursor)


def _bad_cursor(parameter: str, got: Json) -> Violation:
    return Violation("query", "", "cursor", got, "a cursor of an earlier page", "is not a cursor of this list", parameter)


def _number(query: Mapping[str, Json], name: str | None, default: int | None) -> int | None:
    value = query.get(name) if name is not None else None
    if value is None:
        return default
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default
    return max(int(value), 0) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _offset(listing: Listing, query: Mapping[str, Json], limit: int | None) -> int:
    if listing.offset is not None:
        return _number(query, listing.offset, 0) or 0
    if listing.page is not None and limit is not None:
        page = _number(query, listing.page, listing.first_page)
        return max((page if page is not None else listing.first_page) - listing.first_page, 0) * limit
    return 0


# Filters


def _predicates(listing: Listing, query: Mapping[str, Json]) -> list[Predicate]:
    found = [
        _predicate(narrowing, value)
        for narrowing in listing.filters
        if (value := _asked(query, narrowing.parameter)) is not None
    ]
    term = query.get(listing.search) if listing.search else None
    if isinstance(term, str) and term:
        found.append(_searcher(term, listing.search_in))
    return found


def _asked(query: Mapping[str, Json], parameter: str) -> Json:
    """The value asked for; ``filter/status`` is the member ``status`` of the parameter ``filter``."""
    if parameter in query:
        return query[parameter]
    name, slash, member = parameter.partition("/")
    inner = query.get(name) if slash else None
    return inner.get(member) if isinstance(inner, dict) else None


def _predicate(narrowing: Filter, wanted: Json) -> Predicate:
    path, operator = narrowing.property, narrowing.operator
    if operator == "in":
        accepted = [_comparable(entry) for entry in (wanted if isinstance(wanted, list) else str(wanted).split(","))]

        def among(value: Json) -> bool:
            held = value_at(value, path)
            return any(_comparable(one) in accepted for one in (held if isinstance(held, list) else [held]))

        return among
    comparable = _comparable(wanted)
    if operator == "contains":

        def contains(value: Json) -> bool:
            held = value_at(value, path)
            if isinstance(held, list):
                return any(_comparable(one) == comparable for one in held)
            return isinstance(held, str) and str(wanted).lower() in held.lower()

        return contains
    compare = _COMPARISONS[operator]

    def holds(value: Json) -> bool:
        held = value_at(value, path)
        if held is None:
            return operator == "ne"
        return compare(_comparable(held), _limit(comparable, held, operator))

    return holds


def _limit(wanted: Any, held: Json, operator: str) -> Any:
    """A date compared with a date-time covers the whole day: ``date_to=2024-01-31`` includes that day's evening."""
    if operator in {"lte", "gt"} and isinstance(wanted, str) and isinstance(held, str):
        if len(wanted) == 10 < len(held) and held[10:11] in {"T", " "}:
            return wanted + "\uffff"
    return wanted


def _ordered(left: Any, right: Any) -> bool:
    return isinstance(left, str) == isinstance(right, str)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: _ordered(left, right) and left > right,
    "gte": lambda left, right: _ordered(left, right) and left >= right,
    "lt": lambda left, right: _ordered(left, right) and left < right,
    "lte": lambda left, right: _ordered(left, right) and left <= right,
}


def _comparable(value: Json) -> Any:
    """A value as filters compare it: numbers as numbers, everything else as text, so "5" in a URL equals 5."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e300 else str(value)
    if isinstance(value, str):
        try:
            return float(value) if len(value) < 40 and value[:1] in "-0123456789" and value else value
        except ValueError:
            return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def value_at(value: Json, path: Iterable[str]) -> Json:
    """The member at a path of names, None where there is none."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _searcher(term: str, properties: tuple[str, ...]) -> Predicate:
    wanted = term.lower()

    def matches(value: Json) -> bool:
        if properties and isinstance(value, dict):
            return any(_holds_text(value.get(name), wanted) for name in properties)
        return _holds_text(value, wanted)

    return matches


def _holds_text(value: Json, wanted: str) -> bool:
    if isinstance(value, str):
        return wanted in value.lower()
    if isinstance(value, dict):
        return any(_holds_text(member, wanted) for member in value.values())
    return isinstance(value, list) and any(_holds_text(member, wanted) for member in value)


# Sorting

_DESCENDING = frozenset({"desc", "descending", "dsc", "-1", "-"})


def _order(listing: Listing, query: Mapping[str, Json]) -> Order | None:
    """The sort asked for: ``sort=-created_at,name``, ``sort=name:desc``, ``sort=name&order=desc``."""
    asked = query.get(listing.sort) if listing.sort else None
    text = asked if isinstance(asked, str) and asked else listing.default_sort
    if isinstance(asked, list):
        text = ",".join(str(entry) for entry in asked)
    if not text:
        return None
    direction = query.get(listing.order) if listing.order else None
    backwards = isinstance(direction, str | int) and str(direction).lower() in _DESCENDING
    keys = []
    for entry in text.split(","):
        name, _, suffix = entry.strip().replace(" ", ":").partition(":")
        descending = backwards != (name.startswith("-") or suffix.lower() in _DESCENDING)
        keys.append((tuple(name.lstrip("+-").split(".")), descending))
    return Order(tuple(keys))


def _sorted(entries: list[Entry], order: Order) -> list[Entry]:
    for path, descending in reversed(order.keys):
        entries = sorted(entries, key=lambda entry: _rank(value_at(entry.value, path)), reverse=descending)  # noqa: B023 - used at once
    return entries


def _rank(value: Json) -> tuple[int, Any]:
    """Missing values first, then numbers, then text, case aside; mixed types never raise."""
    if value is None:
        return 0, 0
    if isinstance(value, bool | int | float):
        return 1, value
    if isinstance(value, str):
        return 2, value.casefold()
    return 3, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

"""Which items a list's query parameters select: comparisons that go by the type of the value an item
holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from mock_server.model.clock import moment_of
from mock_server.model.meaning import Filter, Listing
from mock_server.model.outcome import key_text
from mock_server.openapi import jsontext
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json, Violation

Predicate = Callable[[Json], bool]

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_DAY = len("2026-01-31")
_EARLIEST = 100_000_000  # seconds: 1973; smaller numbers are not taken for moments
_MILLISECONDS = 100_000_000_000  # epoch times above this count milliseconds


def value_at(value: Json, path: Iterable[str]) -> Json:
    """The member at a path of names, None where there is none."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def predicates(listing: Listing, query: Mapping[str, Json]) -> list[Predicate] | Violation:
    """The conditions that a query puts on the items of a list, or why a parameter that holds several says none."""
    if not query:
        return []
    found: list[Predicate] = []
    for narrowing in listing.filters:
        value = _asked(query, narrowing.parameter)
        if value is None:
            continue
        if narrowing.operator == "conditions":
            several = conditions(narrowing.parameter, value)
            if isinstance(several, Violation):
                return several
            found += [_predicate(condition, wanted) for condition, wanted in several]
        else:
            found.append(_predicate(narrowing, value))
    term = query.get(listing.search) if listing.search else None
    if isinstance(term, str) and term:
        found.append(_searcher(term, listing.search_in))
    return found


_OPERATORS = {f"${name}": name for name in ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains")}
_BOUNDS = {"from_": "gte", "to_": "lte"}


def conditions(parameter: str, value: Json) -> list[tuple[Filter, Json]] | Violation:
    """The conditions in an object, or in the JSON text of one, each with what it compares with."""
    if isinstance(value, str):
        try:
            value = jsontext.loads(value.encode())
        except Undecodable as failure:
            return Violation(
                "query", "", "json", value, "a JSON object", f"is no JSON: {failure.message}", name=parameter
            )
    if not isinstance(value, dict):
        return Violation("query", "", "type", value, "a JSON object", "holds no conditions by property", name=parameter)
    found: list[tuple[Filter, Json]] = []
    for name, wanted in value.items():
        bound = next((prefix for prefix in _BOUNDS if name.startswith(prefix)), None)
        path = tuple(name.removeprefix(bound or "").split("."))
        if bound is not None:
            found.append((Filter(parameter, path, _BOUNDS[bound]), wanted))
        elif isinstance(wanted, dict):
            unknown = next((operator for operator in wanted if operator not in _OPERATORS), None)
            if unknown is not None:
                message = f"{name} is compared by {unknown}"
                return Violation("query", f"/{name}", "enum", unknown, list(_OPERATORS), message, name=parameter)
            found += [(Filter(parameter, path, _OPERATORS[operator]), other) for operator, other in wanted.items()]
        else:
            found.append((Filter(parameter, path, "in" if isinstance(wanted, list) else "eq"), wanted))
    return found


def _asked(query: Mapping[str, Json], parameter: str) -> Json:
    """The value asked for; ``filter/status`` is the member ``status`` of the parameter ``filter``."""
    if parameter in query:
        return query[parameter]
    name, slash, member = parameter.partition("/")
    inner = query.get(name) if slash else None
    return inner.get(member) if isinstance(inner, dict) else None


@dataclass(frozen=True)  # no slots: cached_property keeps its value in the instance's __dict__
class Wanted:
    """A value asked for, readable as what the item holds: a text, a number, a flag or a moment."""

    value: Json

    @cached_property
    def text(self) -> str:
        return key_text(self.value)

    @cached_property
    def number(self) -> float | None:
        if isinstance(self.value, int | float):
            return self.value
        try:
            return int(self.text)
        except ValueError:
            pass
        try:
            return float(self.text)
        except ValueError:
            return None

    @cached_property
    def flag(self) -> bool | None:
        return self.value if isinstance(self.value, bool) else _FLAGS.get(self.text.lower())

    @cached_property
    def moment(self) -> datetime | None:
        if self.number is not None:
            return _moment_since_the_epoch(self.number)
        return _moment(self.text)

    @property
    def is_day(self) -> bool:
        """Whether a whole day is meant."""
        return len(self.text) == _DAY and self.number is None and self.moment is not None

    def compare(self, held: Json) -> int | None:
        """Below, at or above 0 as ``held`` is less than, equal to or more than this; None when they differ in
        kind.

        A day is compared with moments by their day, so that ``date_to=2026-01-31`` includes that evening.
        """
        if isinstance(held, bool):
            return None if self.flag is None else held - self.flag
        if isinstance(held, int | float):
            wanted = self.number if self.number is not None else self._epoch(held)
            return None if wanted is None else (held > wanted) - (held < wanted)
        if isinstance(held, str):
            moment = _moment(held) if self.moment is not None else None
            if moment is None or self.moment is None:
                return (held > self.text) - (held < self.text)
            if self.is_day:
                return (moment.date() > self.moment.date()) - (moment.date() < self.moment.date())
            return (moment > self.moment) - (moment < self.moment)
        return 0 if held == self.value else None

    def _epoch(self, held: float) -> float | None:
        if self.moment is None:
            return None
        return self.moment.timestamp() * (1000 if abs(held) >= _MILLISECONDS else 1)


def _moment_since_the_epoch(count: float) -> datetime | None:
    """The moment that a number of seconds or milliseconds names; None for one too small to be meant as such."""
    if not _EARLIEST <= count < _MILLISECONDS * 1000:
        return None
    return datetime.fromtimestamp(count / 1000 if count >= _MILLISECONDS else count, UTC)


def _moment(text: str) -> datetime | None:
    """The moment that an ISO 8601 date or date-time names, in UTC where it names no zone."""
    if len(text) < _DAY or text[4] != "-" or text[7] != "-":
        return None
    try:
        return moment_of(text)
    except ValueError:
        return None


_COMPARISONS: dict[str, Callable[[int], bool]] = {
    "eq": lambda sign: sign == 0,
    "gt": lambda sign: sign > 0,
    "gte": lambda sign: sign >= 0,
    "lt": lambda sign: sign < 0,
    "lte": lambda sign: sign <= 0,
}


def _predicate(narrowing: Filter, value: Json) -> Predicate:
    path, operator = narrowing.property, narrowing.operator
    if operator == "nin":
        among = _one_of(path, value if isinstance(value, list) else [value])
        return lambda item: not among(item)
    if operator == "in":
        return _one_of(path, value if isinstance(value, list) else str(value).split(","))
    if isinstance(value, list) and operator != "contains":
        return _one_of(path, value)
    wanted = Wanted(value)
    if operator == "contains":
        return lambda item: _contains(value_at(item, path), wanted)
    if operator == "ne":
        return lambda item: wanted.compare(value_at(item, path)) != 0
    holds = _COMPARISONS[operator]

    def compares(item: Json) -> bool:
        held = value_at(item, path)
        sign = wanted.compare(held) if held is not None else None
        return sign is not None and holds(sign)

    return compares


def _one_of(path: tuple[str, ...], values: list[Json]) -> Predicate:
    accepted = [Wanted(value) for value in values]

    def among(item: Json) -> bool:
        held = value_at(item, path)
        each = held if isinstance(held, list) else [held]
        return any(wanted.compare(one) == 0 for one in each if one is not None for wanted in accepted)

    return among


def _contains(held: Json, wanted: Wanted) -> bool:
    if isinstance(held, list):
        each = wanted.value if isinstance(wanted.value, list) else wanted.text.split(",")
        return any(Wanted(value).compare(one) == 0 for one in held for value in each)
    return isinstance(held, str) and wanted.text.lower() in held.lower()


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

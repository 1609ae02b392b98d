"""Which items a list's query parameters select: comparisons that go by the type of the value an item
holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mock_server.dataclass import dataclass
from mock_server.model.comparing import Predicate, Wanted, value_at
from mock_server.model.lenses import Run, runs, runs_of_key
from mock_server.model.meaning import Filter, Listing
from mock_server.model.outcome import key_text
from mock_server.openapi import jsontext
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json, Violation

__all__ = ["Condition", "Predicate", "conditions", "key_is", "predicates", "value_at"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What an item must be to be selected; called with an item, it says whether the item is that.

    ``runs`` are where in an index of the values at ``path`` those items are, None where no index tells. A condition
    that is ``lasting`` is the same for every list of a resource, so that an index may leave out what it refuses.
    """

    holds: Predicate
    path: tuple[str, ...] = ()
    runs: tuple[Run, ...] | None = None
    lasting: bool = False

    def __call__(self, item: Json) -> bool:
        return self.holds(item)


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
        values = value if isinstance(value, list) else str(value).split(",")
        return Condition(_one_of(path, values), path, runs("eq", values, in_lists=True))
    if isinstance(value, list) and operator != "contains":
        return Condition(_one_of(path, value), path, runs("eq", value, in_lists=True))
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

    return Condition(compares, path, runs(operator, [value], in_lists=False))


def key_is(path: tuple[str, ...], wanted: str) -> Condition:
    """That an item holds a key at a path, as a text, a number or a flag."""

    def equals(item: Json) -> bool:
        held = value_at(item, path)
        return held is not None and not isinstance(held, dict | list) and key_text(held) == wanted

    return Condition(equals, path, runs_of_key(wanted))


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

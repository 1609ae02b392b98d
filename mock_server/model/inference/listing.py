"""How a list operation reads its query parameters: paging, sorting, search and filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mock_server.model.anatomy import Anatomy, Member, flatten, types_of, words
from mock_server.model.inference.roles import (
    CREATED,
    DATE_WORDS,
    PAGING_STYLE,
    RANGE_PREFIXES,
    RANGE_SUFFIXES,
    SEARCHED,
    is_moment,
    query_role,
)
from mock_server.model.meaning import Filter, Listing, Reason
from mock_server.openapi.description import Operation, Parameter
from mock_server.openapi.values import Direction, Json

USUAL_LIMIT = 50
"""How many items a page has where neither the caller nor the description says."""

_FILTER_PARAMETER = re.compile(r"(?:filters?|where|search)((?:\[[^\[\]]+\])+)\Z")
_SINCE = frozenset({"since", "until", "from", "to", "after", "before"})


def read_listing(operation: Operation, item: Anatomy) -> tuple[Listing, tuple[Reason, ...]]:
    """The reading of an operation's query parameters, and why each is read so."""
    roles: dict[str, Parameter] = {}
    filters: list[Filter] = []
    reasons: list[Reason] = []
    style = "none"
    for parameter in operation.parameters:
        if parameter.location not in {"query", "querystring"}:
            continue
        role = _role(parameter, item)
        if role is not None and role not in roles:
            roles[role] = parameter
            reasons.append(Reason(f"parameter {parameter.name}", role, "its name"))
            style = PAGING_STYLE.get(role, style) if style == "none" else style
            continue
        for found in match_filters(parameter, item):
            filters.append(found)
            compared = f"{'.'.join(found.property)} {found.operator}"
            reasons.append(Reason(f"parameter {parameter.name}", compared, "named like a property"))
    if style == "none" and "limit" in roles:
        style = "offset"
    default_limit, why = _default_limit(roles.get("limit"), style)
    listing = Listing(
        style=style,
        filters=tuple(filters),
        sortable=sortable(item),
        default_limit=default_limit,
        first_page=_first_page(roles["page"]) if "page" in roles else 1,
        **{role: parameter.name for role, parameter in roles.items()},  # type: ignore[arg-type]  # QUERY_ROLES are str fields
    )
    return listing, (*reasons, *why)


def _role(parameter: Parameter, item: Anatomy) -> str | None:
    """The parameter's role; a property of the same name makes an ambiguous word (``order``, ``start``) a
    filter."""
    role = query_role(parameter.name)
    if role is None:
        return None
    if parameter.name in item.members and role not in {"limit", "page", "sort"}:
        return None
    types = types_of(_schema(parameter))
    if role in {"limit", "offset", "page"} and types and not types & {"integer", "number", "string"}:
        return None
    if role in {"after", "before"} and _schema(parameter).get("format") in {"date", "date-time"}:
        return None
    return role


def _schema(parameter: Parameter) -> Mapping[str, Json]:
    if parameter.schema is None:
        return {}
    bundle = parameter.schema.bundle(Direction.REQUEST)
    return flatten(bundle, bundle)


def _default_limit(parameter: Parameter | None, style: str) -> tuple[int | None, tuple[Reason, ...]]:
    """The page size where the caller names none: the documented default, else the usual one within the
    bounds."""
    if style == "none":
        return None, ()
    schema = _schema(parameter) if parameter is not None else {}
    documented = _whole(schema.get("default"))
    if documented is not None:
        return documented, (Reason("page size", str(documented), "the parameter's documented default"),)
    highest, lowest = _whole(schema.get("maximum")), _whole(schema.get("minimum"))
    size = USUAL_LIMIT if highest is None else max(min(USUAL_LIMIT, highest), 1)
    size = size if lowest is None else max(size, lowest)
    capped = f", within {lowest if lowest is not None else 1} to {highest}" if size != USUAL_LIMIT else ""
    return size, (Reason("page size", str(size), f"no default is documented; the usual {USUAL_LIMIT}{capped}"),)


def _whole(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    return int(value)


def _first_page(parameter: Parameter) -> int:
    schema = _schema(parameter)
    zero_based = schema.get("default") == 0 or ("default" not in schema and schema.get("minimum") == 0)
    return 0 if zero_based else 1


def sortable(item: Anatomy) -> dict[str, tuple[str, ...]]:
    """The properties of an item by what a caller may call them, short names of times included
    (``created``)."""
    found: dict[str, tuple[str, ...]] = {}
    for path, member in searchable(item):
        found.setdefault("".join(words(".".join(path))), path)
        found.setdefault("".join(words(path[-1])), path)
        if is_moment(member) and len(words(path[-1])) > 1:
            found.setdefault(words(path[-1])[0], path)
        if words(path[-1]) in CREATED:
            found.setdefault("created", path)
    return found


def searchable(item: Anatomy) -> Iterator[tuple[tuple[str, ...], Member]]:
    """The properties that queries may name: an item's own, then those of a member such as ``attributes``."""
    for name, member in item.members.items():
        yield (name,), member
    for name, member in item.members.items():
        if name in SEARCHED:
            for inner in member.inner():
                yield (name, inner.name), inner


def match_filters(parameter: Parameter, item: Anatomy) -> list[Filter]:
    """The filters a parameter stands for; a deepObject parameter may stand for several."""
    schema = _schema(parameter)
    inner = schema.get("properties") or {}
    if inner and parameter.style == "deepObject":
        found = []
        for name, value in inner.items():
            narrowing = _filter(f"{parameter.name}/{name}", name, item, is_list="array" in types_of(value))
            found += [narrowing] if narrowing is not None else []
        return found
    narrowing = _filter(parameter.name, _bare(parameter.name), item, is_list="array" in types_of(schema))
    return [narrowing] if narrowing is not None else []


def _bare(name: str) -> str:
    """The property a parameter speaks of: ``filter[status]`` of status, ``tags[]`` of tags."""
    found = _FILTER_PARAMETER.match(name)
    if found is not None:
        return found[1].strip("[]").replace("][", ".")
    return name.removesuffix("[]")


def _filter(parameter: str, name: str, item: Anatomy, *, is_list: bool) -> Filter | None:
    spelled = words(name)
    for path, member in searchable(item):
        if words(path[-1]) == spelled:
            operator = "in" if is_list else "contains" if "array" in member.types else "eq"
            return Filter(parameter, path, operator)
    nested = _nested(item, name)
    if nested is not None:
        return Filter(parameter, nested, "in" if is_list else "eq")
    return _range(parameter, spelled, item)


def _nested(item: Anatomy, name: str) -> tuple[str, ...] | None:
    path = tuple(part for part in name.replace("]", "").replace("[", ".").split(".") if part)
    if len(path) < 2 or path[0] not in item.members:
        return None
    inner = item.members[path[0]].schema.get("properties") or {}
    return path if path[1] in inner else None


def _range(parameter: str, spelled: tuple[str, ...], item: Anatomy) -> Filter | None:
    candidates = []
    if len(spelled) > 1:
        if spelled[-1] in RANGE_SUFFIXES:
            candidates.append((spelled[:-1], RANGE_SUFFIXES[spelled[-1]]))
        if spelled[0] in RANGE_PREFIXES:
            candidates.append((spelled[1:], RANGE_PREFIXES[spelled[0]]))
    elif spelled and spelled[0] in _SINCE:
        candidates.append((("date",), RANGE_PREFIXES[spelled[0]]))
    for rest, operator in candidates:
        path = next((path for path, _ in searchable(item) if words(path[-1]) == rest), None) or _moment(item, rest)
        if path is not None:
            return Filter(parameter, path, operator)
    return None


def _moment(item: Anatomy, rest: tuple[str, ...]) -> tuple[str, ...] | None:
    """The time that ``created_after`` or ``date_from`` means: created_at and its like."""
    moments = [(path, member) for path, member in searchable(item) if is_moment(member)]
    for path, member in moments:
        if words(member.name)[: len(rest)] == rest:
            return path
    if set(rest) <= DATE_WORDS:
        return next((path for path, member in moments if words(member.name) in CREATED), None)
    return None

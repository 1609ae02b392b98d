"""How a list operation reads its query parameters: paging, sorting, search and filters."""

from __future__ import annotations

from mock_server.model.anatomy import Anatomy, Member, anatomy_of, flatten, words
from mock_server.model.inference.roles import (
    CREATED,
    DATE_WORDS,
    PAGING_STYLE,
    RANGE_PREFIXES,
    RANGE_SUFFIXES,
    is_moment,
    query_role,
)
from mock_server.model.meaning import Filter, Listing, Reason
from mock_server.openapi.description import Operation, Parameter
from mock_server.openapi.values import Direction


def read_listing(operation: Operation, item: Anatomy) -> tuple[Listing, tuple[Reason, ...]]:
    """The reading of an operation's query parameters, and why each is read so."""
    roles: dict[str, str] = {}
    filters: list[Filter] = []
    reasons: list[Reason] = []
    style = "none"
    default_limit, first_page = None, 1
    for parameter in operation.parameters:
        if parameter.location not in {"query", "querystring"}:
            continue
        role = _role(parameter, item)
        if role is not None and role not in roles:
            roles[role] = parameter.name
            reasons.append(Reason(f"parameter {parameter.name}", role, "its name"))
            style = PAGING_STYLE.get(role, style) if style == "none" else style
            if role == "limit":
                default_limit = _default(parameter)
            if role == "page":
                first_page = _first_page(parameter)
            continue
        found = match_filters(parameter, item)
        filters += found
        reasons += [
            Reason(f"parameter {parameter.name}", f"{'.'.join(f.property)} {f.operator}", "named like a property")
            for f in found
        ]
    if style == "none" and "limit" in roles:
        style = "offset"
    listing = Listing(
        style=style,
        limit=roles.get("limit"),
        offset=roles.get("offset"),
        page=roles.get("page"),
        after=roles.get("after"),
        before=roles.get("before"),
        sort=roles.get("sort"),
        order=roles.get("order"),
        search=roles.get("search"),
        filters=tuple(filters),
        default_limit=default_limit,
        first_page=first_page,
    )
    return listing, tuple(reasons)


def _role(parameter: Parameter, item: Anatomy) -> str | None:
    """The parameter's role; a property of the same name makes an ambiguous word (``order``, ``start``) a filter."""
    role = query_role(parameter.name)
    if role is None:
        return None
    if parameter.name in item.members and role not in {"limit", "page", "sort"}:
        return None
    types = _types(parameter)
    numeric = {"integer", "number", "string"}
    if role in {"limit", "offset", "page"} and types and not types & numeric:
        return None
    if role in {"after", "before"} and _is_moment(parameter):
        return None
    return role


def _is_moment(parameter: Parameter) -> bool:
    return parameter.schema is not None and _schema(parameter).get("format") in {"date", "date-time"}


def _schema(parameter: Parameter) -> dict[str, object]:
    if parameter.schema is None:
        return {}
    bundle = parameter.schema.bundle(Direction.REQUEST)

    return flatten(bundle, bundle)


def _types(parameter: Parameter) -> frozenset[str]:
    return anatomy_of(parameter.schema, Direction.REQUEST).types


def _default(parameter: Parameter) -> int | None:
    value = _schema(parameter).get("default")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _first_page(parameter: Parameter) -> int:
    schema = _schema(parameter)
    return 0 if schema.get("default") == 0 or schema.get("minimum") == 0 else 1


def match_filters(parameter: Parameter, item: Anatomy) -> list[Filter]:
    """The filters a parameter stands for; a deepObject parameter may stand for several."""
    name = parameter.name.removesuffix("[]")
    inner = anatomy_of(parameter.schema, Direction.REQUEST)
    if inner.members and parameter.style == "deepObject":
        return [
            Filter(f"{parameter.name}/{member}", (member,), "eq") for member in inner.members if member in item.members
        ]
    spelled = words(name)
    exact = _property(item, spelled)
    if exact is not None:
        member = item.members[exact]
        operator = "in" if inner.is_array else "contains" if "array" in member.types else "eq"
        return [Filter(parameter.name, (exact,), operator)]
    nested = _nested(item, name)
    if nested is not None:
        return [Filter(parameter.name, nested, "in" if inner.is_array else "eq")]
    return _range(parameter.name, spelled, item)


def _property(item: Anatomy, spelled: tuple[str, ...]) -> str | None:
    return next((name for name in item.members if words(name) == spelled), None)


def _nested(item: Anatomy, name: str) -> tuple[str, ...] | None:
    path = tuple(part for part in name.replace("]", "").replace("[", ".").split(".") if part)
    if len(path) < 2 or path[0] not in item.members:
        return None
    inner = item.members[path[0]].schema.get("properties") or {}
    return path if path[1] in inner else None


def _range(parameter: str, spelled: tuple[str, ...], item: Anatomy) -> list[Filter]:
    candidates = []
    if len(spelled) > 1:
        if spelled[-1] in RANGE_SUFFIXES:
            candidates.append((spelled[:-1], RANGE_SUFFIXES[spelled[-1]]))
        if spelled[0] in RANGE_PREFIXES:
            candidates.append((spelled[1:], RANGE_PREFIXES[spelled[0]]))
    elif spelled and spelled[0] in {"since", "until", "from", "to", "after", "before"}:
        candidates.append((("date",), RANGE_PREFIXES[spelled[0]]))
    for rest, operator in candidates:
        name = _property(item, rest) or _moment(item, rest)
        if name is not None:
            return [Filter(parameter, (name,), operator)]
    return []


def _moment(item: Anatomy, rest: tuple[str, ...]) -> str | None:
    """The time that ``created_after`` or ``date_from`` means: created_at and its like."""
    moments = [member for member in item.members.values() if is_moment(member)]
    named = [member for member in moments if words(member.name)[: len(rest)] == rest]
    if named:
        return named[0].name
    if set(rest) <= DATE_WORDS:
        created: list[Member] = [member for member in moments if words(member.name) in CREATED]
        return created[0].name if created else None
    return None

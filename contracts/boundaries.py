"""Boundaries: for each place of a request body, values at the ends of what its schema admits, and just beyond them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.drafting import UNSET
from mock_server.dataclass import dataclass
from mock_server.model.anatomy import Member, dissect
from mock_server.openapi import pointers
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json

_DEPTH = 4
_LONGEST = 5000
_MOST_ITEMS = 60
_MOST_VALUES = 8


@dataclass(frozen=True, slots=True)
class Boundary:
    """One end of what a place of a body admits.

    ``path`` is where it is, ``keyword`` what sets the end. ``within`` is the value at the end, UNSET where there is
    none to try; ``beyond`` the next one that is not admitted, UNSET where there is none, ``GONE`` for no value at all.
    """

    path: tuple[str | int, ...]
    keyword: str
    within: Json = UNSET
    beyond: Json = UNSET

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer."""
        return pointers.join("", *map(str, self.path))

    @property
    def name(self) -> str:
        """The member that it is about."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")


GONE: Any = object()
"""In the place of a value: none is sent."""


def boundaries(schema: Schema, body: Json) -> Iterator[Boundary]:
    """The boundaries of what a body holds; whether a value is admitted there is for the schema to say."""
    bundle = schema.bundle(Direction.REQUEST)
    yield from _inside(bundle, bundle, body, ())


def grafted(body: Json, path: tuple[str | int, ...], value: Json) -> Json:
    """A body with another value at a place; without one, where that is ``GONE``."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(body, list):
        return [grafted(one, rest, value) if place == first else one for place, one in enumerate(body)]
    if value is GONE and not rest:
        return {name: one for name, one in body.items() if name != first}
    return {**body, first: grafted(body.get(first), rest, value)}


def at(body: Json, path: tuple[str | int, ...]) -> Json:
    """The value at a place of a body, UNSET where there is none."""
    for part in path:
        try:
            body = body[part]
        except (LookupError, TypeError):
            return UNSET
    return body


def _inside(bundle: Json, schema: Json, value: Json, path: tuple[str | int, ...]) -> Iterator[Boundary]:
    if len(path) > _DEPTH:
        return
    anatomy = dissect(bundle, schema)
    if isinstance(value, list) and anatomy.items is not None and value and isinstance(value[0], dict):
        yield from _inside(bundle, anatomy.items, value[0], (*path, 0))
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        member, here = anatomy.members.get(name), (*path, name)
        if member is None or member.read_only:
            continue
        if name in anatomy.required:
            yield Boundary(here, "required", beyond=GONE)
        yield from _ends(member, held, here)
        if isinstance(held, dict | list):
            yield from _inside(bundle, dict(member.schema), held, here)


def _ends(member: Member, held: Json, path: tuple[str | int, ...]) -> Iterator[Boundary]:
    schema = member.schema
    if member.allowed:
        yield from _enumerated(member, held, path)
    elif isinstance(held, str):
        yield from _lengths(schema, held, path)
        yield Boundary(path, "type", beyond=12345)
    elif isinstance(held, bool):
        yield Boundary(path, "type", beyond=str(held).lower())
    elif isinstance(held, int | float):
        yield from _numbers(schema, held, path, whole="number" not in member.types)
        yield Boundary(path, "type", beyond=str(held))
    elif isinstance(held, list) and held:
        yield from _counts(schema, held, path)


def _enumerated(member: Member, held: Json, path: tuple[str | int, ...]) -> Iterator[Boundary]:
    beyond = f"{held}-and-more" if isinstance(held, str) else UNSET
    yield Boundary(path, "enum", beyond=beyond)
    for value in member.allowed[:_MOST_VALUES]:
        if value != held and isinstance(value, str):
            yield Boundary(path, f"enum {value}", value, beyond)


def _lengths(schema: Mapping[str, Json], held: str, path: tuple[str | int, ...]) -> Iterator[Boundary]:
    if "format" in schema or "pattern" in schema:
        return  # a text that is cut or filled up is another thing
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and least > 0:
        yield Boundary(path, "minLength", _long(held, least), _long(held, least - 1))
    if isinstance(most, int) and 0 < most <= _LONGEST:
        yield Boundary(path, "maxLength", _long(held, most), _long(held, most + 1))


def _long(text: str, length: int) -> str:
    """A text of a certain length, without white space at its ends, which services remove."""
    return (text.replace(" ", "-") or "x").ljust(length, "x")[:length]


def _numbers(
    schema: Mapping[str, Json], held: float, path: tuple[str | int, ...], *, whole: bool
) -> Iterator[Boundary]:
    for keyword, step in (("minimum", -1), ("maximum", 1)):
        end = schema.get(keyword)
        if isinstance(end, int | float) and not isinstance(end, bool):
            yield Boundary(path, keyword, int(end) if whole else end, end + step)
    for keyword in ("exclusiveMinimum", "exclusiveMaximum"):
        end = schema.get(keyword)
        if isinstance(end, int | float) and not isinstance(end, bool):
            yield Boundary(path, keyword, beyond=end)


def _counts(schema: Mapping[str, Json], held: list[Json], path: tuple[str | int, ...]) -> Iterator[Boundary]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if isinstance(least, int) and 0 < least <= len(held):
        yield Boundary(path, "minItems", beyond=held[: least - 1])
    if isinstance(most, int) and most <= _MOST_ITEMS:
        yield Boundary(path, "maxItems", beyond=(held * (most + 1))[: most + 1])

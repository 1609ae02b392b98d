"""The edges of what a member admits, where services go wrong, and texts that they stumble over."""

from __future__ import annotations

from collections.abc import Iterator

from mock_server.model.anatomy import Member
from mock_server.openapi.values import Json

_ODD_TEXTS = (
    "",
    " ",
    "0",
    "null",
    "Zoë Ünïcode 💥",
    "a" * 200,
    "O'Brien; DROP TABLE --",
    "<b>&amp;</b>",
    "line\nbreak",
)


def edges(member: Member) -> Iterator[Json]:
    """Values at the ends of what a member admits, and odd ones; whether they are valid is for the schema to say."""
    schema = member.schema
    yield from member.allowed
    if "null" in member.types:
        yield None
    for name in ("minimum", "maximum"):
        if isinstance(schema.get(name), int | float):
            yield schema[name]
    if "number" in member.types or "integer" in member.types:
        yield from (0, 1, -1, 0.1, 19.99, 1e15 if "number" in member.types else 2**53 - 1)
    if member.is_text:
        low, high = schema.get("minLength"), schema.get("maxLength")
        yield from ("x" * length for length in (low, high) if isinstance(length, int) and 0 < length < 5000)
        yield from _ODD_TEXTS
    if "array" in member.types:
        yield []
    if "boolean" in member.types:
        yield from (False, True)

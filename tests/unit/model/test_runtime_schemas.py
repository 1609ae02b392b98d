"""Schemas that are stored while the double runs."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.model.runtime_schemas import schema_problem, violations

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"shop": {"type": "string", "format": "uri"}, "limit": {"$ref": "#/$defs/count"}},
    "required": ["shop"],
    "additionalProperties": False,
    "$defs": {"count": {"type": "integer", "minimum": 1}},
}


def test_a_value_that_fits_has_no_violations() -> None:
    assert schema_problem(SCHEMA) is None
    assert violations(SCHEMA, {"shop": "https://shop.example", "limit": 3}) == ()


@pytest.mark.parametrize(
    ("value", "pointer", "keyword", "word"),
    [
        ({"limit": 3}, "/variables", "required", "shop"),
        ({"shop": "https://shop.example", "limit": 0}, "/variables/limit", "minimum", "1"),
        ({"shop": "no uri"}, "/variables/shop", "format", "uri"),
        ({"shop": "https://shop.example", "colour": 1}, "/variables/colour", "additionalProperties", "colour"),
    ],
)
def test_a_violation_names_the_place_in_the_request(value: Any, pointer: str, keyword: str, word: str) -> None:
    (found,) = violations(SCHEMA, value, pointer="/variables")
    assert (found.pointer, found.keyword) == (pointer, keyword)
    assert word in f"{found.message} {found.expected}"


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "strang"}, "type"),
        ({"properties": {"a": {"required": "b"}}}, "required"),
        ({"$ref": "https://elsewhere.example/schema.json"}, "elsewhere"),
        ({"$ref": "#/$defs/nothing"}, "nothing"),
        ({"pattern": "("}, "pattern"),
        ([], "object"),
        ("string", "object"),
    ],
)
def test_a_broken_schema_is_refused_with_the_reason(schema: Any, word: str) -> None:
    problem = schema_problem(schema)
    assert problem is not None
    assert word in problem


def test_an_older_draft_is_read_as_it_says() -> None:
    tuple_of_two = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}, {}],
                    "additionalItems": False}  # fmt: skip
    assert schema_problem(tuple_of_two) is None
    assert violations(tuple_of_two, [1, "a"]) == ()
    assert violations(tuple_of_two, ["a"])
    assert violations(tuple_of_two, [1, 2, 3])

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from mock_server.sampling import Unsampleable, mint

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
SCHEMAS: dict[str, dict[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "integer": {"type": "integer", "format": "int32"},
    "bounded integer": {"type": "integer", "minimum": 100, "maximum": 1099},
    "stepped integer": {"type": "integer", "minimum": 5, "multipleOf": 5},
    "pattern": {"type": "string", "pattern": "^lead_[a-zA-Z0-9]+$"},
    "four digits": {"type": "string", "pattern": "^[0-9]{4}$"},
    "plain string": {"type": "string"},
    "short string": {"type": "string", "maxLength": 4},
    "long string": {"type": "string", "minLength": 200},
    "prefixed example": {"type": "string", "example": "cus_9s6XKzkNRiz8i3"},
    "hexadecimal example": {"type": "string", "example": "507f1f77bcf86cd799439011"},
    "digits example": {"type": "string", "example": "12345"},
    "ULID example": {"type": "string", "example": "req_01HZX3K7M8Q9R2T4V6W8Y0A1B2"},
    "email": {"type": "string", "format": "email"},
    "moment": {"type": "string", "format": "date-time"},
}


def minted(schema: Any, *, count: int, seed: int = 3) -> list[Any]:
    return [mint(schema, ordinal=ordinal, seed=seed, name="id", now=NOW) for ordinal in range(count)]


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_1000_ordinals_give_1000_valid_values(schema: dict[str, Any]) -> None:
    values = minted(schema, count=1_000)
    accepts = jsonschema_rs.validator_for(schema, validate_formats=True).is_valid
    assert [value for value in values if not accepts(value)] == []
    assert len(set(values)) == 1_000


def test_integers_ascend_from_1() -> None:
    assert minted({"type": "integer"}, count=4) == [1, 2, 3, 4]


def test_integers_ascend_from_the_example() -> None:
    assert minted({"type": "integer", "example": 1001}, count=3) == [1001, 1002, 1003]


def test_strings_keep_the_prefix_and_length_of_the_example() -> None:
    assert all(re.fullmatch(r"cus_[0-9A-Za-z]{14}", value) for value in minted(SCHEMAS["prefixed example"], count=50))


def test_hexadecimal_examples_lead_to_hexadecimal_strings() -> None:
    assert all(re.fullmatch(r"[0-9a-f]{24}", value) for value in minted(SCHEMAS["hexadecimal example"], count=50))


def test_ulids_carry_the_moment() -> None:
    [value] = minted(SCHEMAS["ULID example"], count=1)
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    milliseconds = 0
    for character in value.removeprefix("req_")[:10]:
        milliseconds = milliseconds * 32 + crockford.index(character)
    assert milliseconds == NOW.timestamp() * 1000


def test_every_string_of_a_small_form_is_used_before_one_recurs() -> None:
    values = minted({"type": "string", "pattern": "^[0-9]{2}$"}, count=100)
    assert sorted(values) == [f"{number:02}" for number in range(100)]


def test_listed_values_are_taken_in_turn() -> None:
    assert minted({"enum": ["a", "b"]}, count=3) == ["a", "b", "a"]


def test_other_seeds_give_other_strings() -> None:
    for schema in (SCHEMAS["uuid"], SCHEMAS["pattern"], SCHEMAS["prefixed example"]):
        assert set(minted(schema, count=20, seed=1)).isdisjoint(minted(schema, count=20, seed=2))


def test_same_arguments_give_the_same_identifier() -> None:
    assert minted(SCHEMAS["pattern"], count=5) == minted(dict(SCHEMAS["pattern"]), count=5)


def test_schema_without_values_is_reported() -> None:
    with pytest.raises(Unsampleable):
        minted({"type": "string", "minLength": 3, "maxLength": 2}, count=1)

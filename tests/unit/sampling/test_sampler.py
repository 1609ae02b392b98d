from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.openapi.values import Direction
from mock_server.sampling import Sampler, Unsampleable, sample
from tests.unit.sampling.schemas import schemas

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
PERSON: dict[str, Any] = {
    "type": "object",
    "required": ["id", "email", "createdAt", "updatedAt"],
    "properties": {
        "id": {"type": "string", "pattern": "^lead_[a-zA-Z0-9]+$"},
        "firstName": {"type": "string"},
        "last_name": {"type": "string", "maxLength": 40},
        "email": {"type": "string", "format": "email"},
        "phone": {"type": ["string", "null"], "pattern": r"^\+[1-9]\d{6,14}$"},
        "company": {"type": "string"},
        "jobTitle": {"type": "string"},
        "status": {"type": "string", "enum": ["new", "contacted"]},
        "score": {"type": "integer", "minimum": 0, "maximum": 100},
        "createdAt": {"type": "string", "format": "date-time"},
        "updatedAt": {"type": "string", "format": "date-time"},
        "isActive": {"type": "boolean"},
        "website": {"type": "string", "format": "uri"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "country": {"type": "string", "minLength": 2, "maxLength": 2},
    },
}
TREE = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "parent": {"$ref": "#/$defs/Node"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
        }
    },
}
PETS: dict[str, Any] = {
    "$ref": "#/$defs/Pet",
    "$defs": {
        "Pet": {
            "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
            "discriminator": {"propertyName": "petType", "mapping": {"kitty": "#/components/schemas/Cat"}},
        },
        "Animal": {"type": "object", "required": ["petType"], "properties": {"petType": {"type": "string"}}},
        "Cat": {
            "allOf": [
                {"$ref": "#/$defs/Animal"},
                {"required": ["lives"], "properties": {"lives": {"type": "integer"}}},
            ]
        },
        "Dog": {
            "allOf": [
                {"$ref": "#/$defs/Animal"},
                {"required": ["bark"], "properties": {"bark": {"type": "boolean"}}},
            ]
        },
    },
}


def made(schema: Any, *, seed: int = 1, name: str = "", variant: int = 0) -> Any:
    value = Sampler(schema).sample(seed=seed, now=NOW, name=name, variant=variant)
    assert jsonschema_rs.validator_for(schema, validate_formats=True, offline=True).is_valid(value)
    return value


def depth_of(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((depth_of(member) for member in members), default=0)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(schemas(), st.integers(0, 2**32))
def test_any_sample_satisfies_two_independent_validators(schema: dict[str, Any], seed: int) -> None:
    value = sample(schema, seed=seed, now=NOW, name="thing")
    assert jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(value)
    judge = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in judge.iter_errors(value)] == []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(schemas(), st.integers(0, 2**32), st.integers(0, 5))
def test_same_arguments_give_the_same_value(schema: dict[str, Any], seed: int, variant: int) -> None:
    sampler = Sampler(schema)
    first = sampler.sample(seed=seed, now=NOW, variant=variant)
    sampler.sample(seed=seed + 1, now=NOW)
    assert sampler.sample(seed=seed, now=NOW, variant=variant) == first
    assert Sampler(schema).sample(seed=seed, now=NOW, variant=variant) == first


def test_another_process_gives_the_same_value() -> None:
    script = (
        "import json, sys; from datetime import datetime, UTC; from mock_server.sampling import sample;"
        "now = datetime(2026, 1, 15, 12, tzinfo=UTC);"
        "print(json.dumps(sample(json.loads(sys.argv[1]), seed=5, now=now)))"
    )
    schema = {"type": "object", "properties": {**PERSON["properties"], "odd": {"pattern": "^[^a-z]{4}$"}}}
    printed = {
        subprocess.run(
            [sys.executable, "-c", script, json.dumps(schema)],
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert [json.loads(text) for text in printed] == [sample(schema, seed=5, now=NOW)]


def test_seeds_give_different_values() -> None:
    assert len({json.dumps(made(PERSON, seed=seed)) for seed in range(20)}) == 20


def test_optional_properties_are_included() -> None:
    assert list(made(PERSON)) == list(PERSON["properties"])


def test_properties_of_one_person_belong_together() -> None:
    person = made(PERSON, name="Lead")
    assert person["email"] == f"{person['firstName']}.{person['last_name']}@example.com".lower()


@pytest.mark.parametrize("seed", range(20))
def test_creation_precedes_change_and_both_lie_in_the_past(seed: int) -> None:
    person = made(PERSON, seed=seed)
    created, updated = (datetime.fromisoformat(person[name]) for name in ("createdAt", "updatedAt"))
    assert created <= updated <= NOW


def test_expiry_lies_in_the_future() -> None:
    value = made({"type": "object", "properties": {"expiresAt": {"type": "string", "format": "date-time"}}})
    assert datetime.fromisoformat(value["expiresAt"]) > NOW


def test_epoch_seconds_suit_integers_named_as_times() -> None:
    value = made({"type": "object", "properties": {"created_at": {"type": "integer"}}})
    assert NOW.timestamp() - 70 * 86_400 < value["created_at"] < NOW.timestamp()


def test_realistic_value_that_is_too_long_gives_way_to_its_abbreviation() -> None:
    assert made(PERSON)["country"] == "US"


def test_money_has_two_decimals() -> None:
    value = made({"type": "object", "properties": {"total_amount": {"type": "number", "multipleOf": 0.01}}})
    assert round(value["total_amount"], 2) == value["total_amount"]
    assert 5 <= value["total_amount"] <= 500


def test_valid_example_is_preferred_to_a_made_value() -> None:
    assert made({"type": "string", "format": "email", "example": "ada@example.org"}) == "ada@example.org"


def test_invalid_example_is_passed_over() -> None:
    assert made({"type": "integer", "example": "seven", "examples": [7]}) == 7


def test_default_of_null_is_not_shown() -> None:
    assert isinstance(made({"type": ["string", "null"], "default": None}), str)


def test_first_listed_value_is_the_usual_one() -> None:
    schema = {"enum": ["new", "open", "closed"]}
    assert made(schema) == "new"
    assert {made(schema, seed=seed, variant=1) for seed in range(30)} == {"new", "open", "closed"}


def test_variants_take_other_branches() -> None:
    assert [sorted(made(PETS, variant=variant)) for variant in (0, 1)] == [
        ["lives", "petType"],
        ["bark", "petType"],
    ]


def test_discriminator_property_names_the_branch() -> None:
    assert [made(PETS, variant=variant)["petType"] for variant in (0, 1)] == ["kitty", "Dog"]


def test_recursion_stops_after_one_return() -> None:
    tree = made(TREE, name="category")
    assert set(tree) == {"name", "parent", "children"}
    assert depth_of(tree) <= 5


def test_recursion_that_is_required_takes_the_branch_that_ends() -> None:
    schema = {
        "$defs": {
            "E": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["l", "r"],
                        "properties": {"l": {"$ref": "#/$defs/E"}, "r": {"$ref": "#/$defs/E"}},
                    },
                    {"type": "integer"},
                ]
            }
        },
        "$ref": "#/$defs/E",
    }
    assert depth_of(made(schema)) < 8


def test_write_only_properties_stay_out_of_responses_and_read_only_ones_out_of_requests() -> None:
    schema = {
        "type": "object",
        "required": ["kept"],
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "password": {"type": "string", "writeOnly": True},
            "kept": {"type": "string", "readOnly": True, "writeOnly": True},
        },
    }
    names = {direction: set(Sampler(schema, direction=direction).sample(seed=1, now=NOW)) for direction in Direction}
    assert names == {Direction.RESPONSE: {"id", "kept"}, Direction.REQUEST: {"password", "kept"}}


def test_example_object_loses_what_does_not_travel_in_this_direction() -> None:
    schema = {
        "type": "object",
        "properties": {"user": {"type": "string"}, "password": {"type": "string", "writeOnly": True}},
        "example": {"user": "ada", "password": "x"},
    }
    assert made(schema) == {"user": "ada"}


def test_maps_get_two_entries_and_plain_objects_none() -> None:
    assert len(made({"type": "object", "additionalProperties": {"type": "integer"}})) == 2
    assert made({"type": "object"}) == {}


def test_all_of_intersects_bounds() -> None:
    schema = {
        "allOf": [{"type": "number", "minimum": 10}, {"type": "integer", "maximum": 12}],
        "exclusiveMinimum": 11,
    }
    assert made(schema) == 12


def test_optional_property_that_cannot_exist_is_left_out() -> None:
    assert made({"type": "object", "properties": {"a": {"type": "string"}, "b": {"not": {}}}}).keys() == {"a"}


def test_unique_items_of_a_listed_kind_are_used_up() -> None:
    schema = {"type": "array", "uniqueItems": True, "minItems": 5, "items": {"enum": [1, 2, 3, 4, 5]}}
    assert sorted(made(schema)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "items",
    [{"type": "integer"}, {"type": "string"}, {"type": "string", "format": "date"}, {"type": "number"}],
)
def test_many_unique_items_are_found(items: dict[str, Any]) -> None:
    made({"type": "array", "uniqueItems": True, "minItems": 200, "items": items})


@pytest.mark.parametrize("schema", [{"type": "array", "minItems": 10**9}, {"type": "object", "minProperties": 10**9}])
def test_sizes_that_are_no_sample_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(Unsampleable, match="it asks for 1,000,000,000"):
        sample(schema, seed=1, now=NOW)


def test_draft_4_boolean_bounds_are_exclusive() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "integer",
        "minimum": 4,
        "exclusiveMinimum": True,
        "maximum": 6,
        "exclusiveMaximum": True,
    }
    assert made(schema) == 5


def test_given_check_decides_what_is_valid() -> None:
    sampler = Sampler({"type": "boolean"}, accepts=lambda value: value is False)
    assert sampler.sample(seed=1, now=NOW, name="is_active") is False


def test_long_strings_are_made() -> None:
    assert len(made({"type": "string", "minLength": 10_000, "maxLength": 10_000})) == 10_000


def test_bounds_of_64_bits_are_kept() -> None:
    made({"type": "integer", "format": "int64", "minimum": 2**62})


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        (False, ""),
        ({"type": "string", "minLength": 5, "maxLength": 2}, ""),
        ({"type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 6}, ""),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, ""),
        ({"type": "object", "required": ["a"], "properties": {"a": {"enum": []}}}, "/properties/a"),
        (
            {
                "$ref": "#/$defs/A",
                "$defs": {"A": {"required": ["b"], "type": "object", "properties": {"b": {"$ref": "#/$defs/A"}}}},
            },
            "/$defs/A/properties/b",
        ),
    ],
)
def test_contradiction_is_reported_with_its_pointer(schema: Any, pointer: str) -> None:
    with pytest.raises(Unsampleable) as caught:
        sample(schema, seed=1, now=NOW)
    assert caught.value.pointer == pointer


def test_schema_that_the_validator_refuses_is_reported_as_such() -> None:
    with pytest.raises(Unsampleable, match="the validator refuses the schema"):
        sample({"type": "string", "pattern": "("}, seed=1, now=NOW)


@pytest.mark.parametrize("required", [[], ["a"]])
def test_500_levels_end_in_a_value_or_in_unsampleable(required: list[str]) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(500):
        schema = {"type": "object", "properties": {"a": schema}, "required": required}
    with pytest.raises(Unsampleable):
        sample(schema, seed=1, now=NOW)


@pytest.mark.parametrize("required", [[], ["next"]])
def test_500_schemas_that_lead_from_one_to_the_next(required: list[str]) -> None:
    steps = {
        f"S{number}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/$defs/S{number + 1}"}},
            "required": required,
        }
        for number in range(500)
    }
    schema = {"$ref": "#/$defs/S0", "$defs": {**steps, "S500": {"type": "string"}}}
    if required:
        with pytest.raises(Unsampleable, match="nests deeper than"):
            sample(schema, seed=1, now=NOW)
    else:
        assert depth_of(made(schema)) > 5


def test_200_references_in_a_row_are_followed() -> None:
    defs: dict[str, Any] = {f"S{number}": {"$ref": f"#/$defs/S{number + 1}"} for number in range(200)}
    assert made({"$ref": "#/$defs/S0", "$defs": {**defs, "S200": {"const": 3}}}) == 3

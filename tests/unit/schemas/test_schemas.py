"""Compiled schemas: verdicts, laziness, places of broken schemas, agreement with an outside judge."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from mock_server.errors import ApidoubleError, DescriptionError
from mock_server.openapi.dialects import dialect_of
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.schemas import Schemas
from mock_server.openapi.values import Direction, Json
from mock_server.openapi.wording import shown
from tests.unit.schemas import REQUEST, compiled, description, reference


def schemas_of(root: Json) -> Schemas:
    return Schemas(Documents.from_value(root, name="openapi.yaml"), dialect_of(root, file="openapi.yaml"))


# Values


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ({"const": 1}, True, False),
        ({"enum": [0]}, False, False),
        ({"type": "integer"}, True, False),
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, 1.5, False),
        ({"type": "integer"}, 10**400, True),
        ({"maximum": 10**30}, 10**30 + 1, False),
        ({"const": 9007199254740993}, 9007199254740992, False),
        ({"multipleOf": 0.1}, 0.3, True),
    ],
)
def test_python_values_are_json_values(schema: Json, value: Json, valid: bool) -> None:
    assert compiled("3.1", A=schema).accepts(value, REQUEST) is valid


# Laziness and memory


def test_a_schema_is_not_read_before_it_is_used() -> None:
    schema = compiled("3.1", A={"$ref": "#/nowhere"})
    assert repr(schema) == "Schema(openapi.yaml#/components/schemas/A)"


def test_one_place_is_one_schema() -> None:
    root = description("3.1", {"A": {"type": "string"}})
    schemas = schemas_of(root)
    located = Located("openapi.yaml", "/components/schemas/A", root["components"]["schemas"]["A"])
    assert schemas.at(located) is schemas.at(located)


def test_keywords_of_a_swagger_parameter_are_a_schema() -> None:
    parameter = {"name": "page", "in": "query", "type": "integer", "minimum": 1, "exclusiveMinimum": True}
    root = {"swagger": "2.0", "parameters": {"page": parameter}}
    schema = schemas_of(root).of(
        {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
        Located("openapi.yaml", "/parameters/page", parameter),
    )
    assert schema.accepts(2, REQUEST)
    assert not schema.accepts(1, REQUEST)
    assert schema.bundle()["exclusiveMinimum"] == 1


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_schema_accepts_all_or_nothing(value: bool) -> None:
    schema = compiled("3.1", A=value)
    assert schema.accepts(None, REQUEST) is value


def test_threads_may_use_a_schema_at_once() -> None:
    schema = compiled("3.1", A={"items": reference("B")}, B={"type": "integer"})
    verdicts: list[bool] = []
    threads = [Thread(target=lambda: verdicts.append(schema.accepts([1], REQUEST))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 8


# Descriptions of schemas


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "pattern": "^lead_"}, "a string matching ^lead_"),
        ({"type": "string", "format": "email"}, "a string that is an email address"),
        ({"type": "object", "required": ["name", "email"]}, "an object with name, email"),
        ({"properties": {"name": {}}}, "an object with name"),
        ({"type": "array", "items": reference("B")}, "an array of B"),
        ({"enum": ["a", "b"]}, "one of a, b"),
        ({"const": 1}, "1"),
        ({"oneOf": [reference("B"), {"type": "null"}]}, "B or null"),
        ({"type": ["integer", "null"]}, "an integer or null"),
        ({}, "any value"),
        (False, "no value"),
        (reference("B"), "a boolean"),
    ],
)
def test_a_schema_is_described_in_a_few_words(schema: Json, words: str) -> None:
    assert compiled("3.1", A=schema, B={"type": "boolean"}).describe() == words


# Broken schemas


@pytest.mark.parametrize(
    ("broken", "pointer", "allowed"),
    [
        ({"type": "strin"}, "/type", "string"),
        ({"type": "string", "pattern": "("}, "/pattern", "regular expression"),
        ({"required": "name"}, "/required", "list"),
        ({"minLength": -1}, "/minLength", None),
        ({"properties": 1}, "/properties", "mapping"),
    ],
)
def test_a_broken_keyword_is_refused_with_its_place(broken: Json, pointer: str, allowed: str | None) -> None:
    root = description("3.0", {"A": {"properties": {"b": reference("B")}}, "B": broken})
    schemas = schemas_of(root)
    located = Located("openapi.yaml", "/components/schemas/A", root["components"]["schemas"]["A"])
    with pytest.raises(DescriptionError) as raised:
        schemas.check(located)
    assert raised.value.place is not None
    assert raised.value.place.pointer == f"/components/schemas/B{pointer}"
    assert raised.value.got == shown(broken[pointer[1:]])
    assert allowed is None or allowed in (raised.value.allowed or "")


def test_a_sound_schema_passes_the_check() -> None:
    root = description("3.1", {"A": {"type": "string"}})
    located = Located("openapi.yaml", "/components/schemas/A", root["components"]["schemas"]["A"])
    schemas_of(root).check(located)


# Agreement with an outside judge on OpenAPI 3.0

_SMALL = st.integers(-3, 3)
_NAMES = st.sampled_from(["a", "b", "c"])
_SCALARS = st.none() | st.booleans() | _SMALL | st.sampled_from(["", "a", "ab", "xyz"])


def _values() -> st.SearchStrategy[Json]:
    return st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
        max_leaves=6,
    )


def _optional(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Json]]:
    return st.fixed_dictionaries({}, optional=keywords)


def _schemas() -> st.SearchStrategy[dict[str, Json]]:
    """OpenAPI 3.0 schemas. No readOnly: the judge is not told the direction."""
    leaves = _optional(
        type=st.sampled_from(["string", "integer", "number", "boolean", "object", "array"]),
        nullable=st.booleans(),
        enum=st.lists(_SCALARS, min_size=1, max_size=3),
        minimum=_SMALL,
        exclusiveMinimum=st.booleans(),
        maximum=_SMALL,
        exclusiveMaximum=st.booleans(),
        multipleOf=st.integers(1, 3),
        minLength=st.integers(0, 2),
        maxLength=st.integers(0, 2),
        pattern=st.sampled_from(["^a", "b$", "^.?$"]),
        maxItems=st.integers(0, 2),
        uniqueItems=st.booleans(),
        required=st.lists(_NAMES, min_size=1, max_size=2, unique=True),
        maxProperties=st.integers(0, 2),
        const=_SCALARS,  # means nothing in OpenAPI 3.0
    )

    def composed(inner: st.SearchStrategy[dict[str, Json]]) -> st.SearchStrategy[dict[str, Json]]:
        several = st.lists(inner, min_size=1, max_size=2)
        applicators = _optional(
            allOf=several,
            anyOf=several,
            oneOf=several,
            items=inner,
            properties=st.dictionaries(_NAMES, inner, max_size=2),
            additionalProperties=st.booleans() | inner,
            **{"not": inner},
        )
        return st.builds(lambda one, other: one | other, leaves, applicators)

    def with_items(schema: dict[str, Json]) -> dict[str, Json]:
        return schema | {"items": schema.get("items", {})} if schema.get("type") == "array" else schema

    return st.recursive(leaves.map(with_items), lambda inner: composed(inner).map(with_items), max_leaves=4)


@settings(max_examples=150, deadline=None)
@given(schema=_schemas(), values=st.lists(_values(), min_size=1, max_size=6))
def test_openapi_3_0_schemas_mean_what_an_outside_judge_says(schema: Json, values: list[Json]) -> None:
    ours = compiled("3.0", A=schema)
    judge = OAS30Validator(schema)
    for value in values:
        verdict = ours.accepts(value, Direction.REQUEST)
        assert verdict is judge.is_valid(value)
        assert bool(ours.violations(value, Direction.REQUEST, where="body")) is not verdict


@settings(max_examples=150, deadline=None)
@given(
    schema=st.dictionaries(
        st.sampled_from(["type", "$ref", "items", "allOf", "properties", "required", "enum", "$id", "format"]),
        st.recursive(
            _SCALARS,
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
            max_leaves=4,
        ),
        max_size=3,
    ),
    version=st.sampled_from(["2.0", "3.0", "3.1"]),
)
def test_whatever_stands_for_a_schema_is_compiled_or_refused_in_words(schema: Json, version: str) -> None:
    ours = compiled(version, A=schema)
    refused: list[ApidoubleError] = []
    try:
        ours.accepts({"a": [1]}, Direction.RESPONSE)
    except ApidoubleError as error:
        refused.append(error)
    assert all(error.place is not None for error in refused)

"""What a schema says about types, and what a text means under it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.shapes import ANYTHING, MAX_DIGITS, Shape, XmlHint, coerce, coercer, shape_of
from mock_server.openapi.values import Json


def shape(schema: Json, **definitions: Json) -> Shape:
    return shape_of({"$defs": definitions}, schema)


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": "integer"}, {"integer"}),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"type": "string", "nullable": True}, {"string", "null"}),
        ({"enum": ["a", 1, None]}, {"string", "integer", "null"}),
        ({"type": "string", "enum": ["1", "2"]}, {"string"}),
        ({"const": True}, {"boolean"}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"integer", "string"}),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, {"number"}),
        ({"allOf": [{"type": "number"}, {"type": "integer"}]}, {"integer"}),
        ({"allOf": [{"type": ["string", "null"]}, {"minLength": 1}]}, {"string", "null"}),
        ({"$ref": "#/$defs/Id"}, {"integer"}),
        ({"$ref": "#/$defs/Id", "nullable": True}, {"integer", "null"}),
        ({"properties": {"a": {}}}, {"object"}),
        ({"items": {"type": "integer"}}, {"array"}),
        ({"type": "file"}, {"string"}),
        ({}, set()),
        (True, set()),
        ({"$ref": "#/$defs/Nowhere"}, set()),
        ({"$ref": "https://example.com/schema"}, set()),
    ],
)
def test_types_are_those_a_value_may_have(schema: Json, types: set[str]) -> None:
    assert shape(schema, Id={"type": "integer"}).types == types


def test_members_of_all_branches_are_known() -> None:
    found = shape(
        {
            "allOf": [{"type": "object", "properties": {"id": {"type": "integer"}}}],
            "oneOf": [
                {"properties": {"size": {"type": "integer"}}},
                {"properties": {"size": {"type": "boolean"}, "name": {"type": "string"}}},
            ],
        }
    )
    assert {name: set(child.types) for name, child in found.properties.items()} == {
        "id": {"integer"},
        "size": {"integer", "boolean"},
        "name": {"string"},
    }


def test_recursive_schema_gives_a_cyclic_shape() -> None:
    node = {"type": "object", "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/N"}}}
    found = shape({"$ref": "#/$defs/N"}, N=node)
    for _ in range(500):
        found = found.properties["next"]
    assert found.properties["value"].types == {"integer"}


def test_schema_that_is_only_itself_allows_anything() -> None:
    found = shape({"$ref": "#/$defs/A"}, A={"allOf": [{"$ref": "#/$defs/A"}]})
    assert found.types == frozenset()


def test_mutual_recursion_through_all_of_ends() -> None:
    found = shape(
        {"$ref": "#/$defs/A"},
        A={"allOf": [{"$ref": "#/$defs/B"}], "properties": {"x": {"$ref": "#/$defs/A"}}},
        B={"type": "object", "properties": {"x": {"$ref": "#/$defs/B"}, "y": {"type": "integer"}}},
    )
    assert found.properties["x"].properties["x"].properties["y"].types == {"integer"}


@pytest.mark.parametrize(
    "schema",
    [
        {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
        {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}},
    ],
)
def test_tuples_of_either_draft_have_a_prefix(schema: Json) -> None:
    found = shape(schema)
    assert (found.item(0).types, found.item(1).types) == (frozenset({"integer"}), frozenset({"string"}))


@pytest.mark.parametrize(
    ("schema", "free_form"),
    [
        ({"type": "object"}, True),
        ({"type": "object", "properties": {"a": {}}}, False),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}}, True),
        ({"type": "object", "additionalProperties": False}, False),
    ],
)
def test_object_invites_members_when_it_says_so_or_names_none(schema: Json, free_form: bool) -> None:
    assert shape(schema).free_form is free_form


@pytest.mark.parametrize(
    "schema",
    [{"type": "string", "format": "binary"}, {"type": "file"}, {"contentMediaType": "image/png"}],
)
def test_strings_that_stand_for_bytes_are_marked(schema: Json) -> None:
    assert shape(schema).binary


def test_older_xml_keywords_read_as_node_types() -> None:
    assert shape({"xml": {"attribute": True, "name": "id"}}).xml == XmlHint("id", node_type="attribute")
    assert shape({"type": "array", "xml": {"wrapped": True}}).xml == XmlHint(node_type="element")


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("5", {"integer"}, 5),
        ("-0", {"integer"}, 0),
        ("5", {"string"}, "5"),
        ("5", {"integer", "string"}, 5),
        ("5", set(), "5"),
        ("1.5", {"number"}, 1.5),
        ("1e3", {"number"}, 1000.0),
        ("1.5", {"integer"}, "1.5"),
        ("true", {"boolean"}, True),
        ("True", {"boolean"}, "True"),
        ("1", {"boolean"}, "1"),
        ("null", {"integer", "null"}, None),
        ("", {"integer", "null"}, None),
        ("null", {"string", "null"}, "null"),
        ("", {"string", "null"}, ""),
        ("abc", {"integer"}, "abc"),
    ],
)
def test_text_takes_the_most_specific_expected_type(text: str, types: set[str], value: Json) -> None:
    found = coerce(text, Shape(frozenset(types)))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "0x1F",
        "1_000",
        " 5",
        "5 ",
        "NaN",
        "Infinity",
        "-Infinity",
        "+5",
        "05",
        "5.",
        ".5",
        "1e400",
        "\u0665",
        "",
        "1\n",
    ],
)
def test_what_rfc_8259_calls_no_number_stays_text(text: str) -> None:
    assert coerce(text, Shape(frozenset({"number"}))) == text


def test_listed_string_stays_a_string_beside_numbers() -> None:
    assert coerce("2", shape({"enum": [1, "2"]})) == "2"
    assert coerce("1", shape({"enum": [1, "2"]})) == 1


@pytest.mark.parametrize(("digits", "type_"), [(MAX_DIGITS, int), (MAX_DIGITS + 1, str)])
def test_integers_are_exact_up_to_the_limit(digits: int, type_: type) -> None:
    assert isinstance(coerce("9" * digits, Shape(frozenset({"integer"}))), type_)


_TYPES = st.sets(st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"]))
_TEXTS = st.one_of(
    st.text(max_size=8), st.integers().map(str), st.floats().map(str), st.sampled_from(["true", "null", ""])
)


@given(_TYPES, _TEXTS)
def test_compiled_coercion_agrees_with_the_rule(types: set[str], text: str) -> None:
    expected = Shape(frozenset(types))
    assert repr(coercer(expected)(text)) == repr(coerce(text, expected))


@given(
    st.recursive(
        st.sampled_from([True, False, {}, {"type": "string"}, {"$ref": "#"}, {"$ref": "#/$defs/A"}, 5, None]),
        lambda children: st.fixed_dictionaries(
            {},
            optional={
                "allOf": st.lists(children, max_size=2),
                "anyOf": st.lists(children, max_size=2),
                "properties": st.dictionaries(st.sampled_from("ab"), children, max_size=2),
                "items": children,
                "additionalProperties": children,
                "type": st.sampled_from(["object", "array", "nonsense"]),
            },
        ),
        max_leaves=12,
    )
)
def test_any_schema_has_a_shape(schema: Any) -> None:
    found = shape_of({"$defs": {"A": schema}}, schema)
    assert found.item(0).member("a") is not None


def test_anything_has_members_that_are_anything() -> None:
    assert ANYTHING.member("a").item(3).member("b") is ANYTHING

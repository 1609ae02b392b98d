"""What a person reads when a value breaks its schema."""

from __future__ import annotations

import pytest

from mock_server.openapi.blame import LARGEST, LIMIT
from mock_server.openapi.values import Json
from tests.unit.schemas import REQUEST, RESPONSE, compiled, messages, reference, violations

CAT = {
    "type": "object",
    "required": ["kind", "claws"],
    "properties": {"kind": {"type": "string"}, "claws": {"type": "integer"}},
}
DOG = {
    "type": "object",
    "required": ["kind", "bark"],
    "properties": {"kind": {"type": "string"}, "bark": {"type": "boolean"}},
}
PET = {
    "oneOf": [reference("Cat"), reference("Dog")],
    "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "Dog"}},
}


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, "abc", "must be an integer, got a string ('abc')"),
        ({"type": ["string", "null"]}, [1], "must be a string or null, got an array"),
        ({"type": "string"}, None, "must be a string, got null"),
        ({"enum": ["new", "won"]}, "New", "'New' is not one of new, won (did you mean 'new'?)"),
        ({"enum": [1, 2]}, "1", "'1' is not one of 1, 2 (did you mean 1?)"),
        ({"enum": [1, None]}, 7, "7 is not one of 1, null"),
        ({"const": "v1"}, 2, "must be 'v1', got 2"),
        ({"minimum": 1}, 0, "must be at least 1, got 0"),
        ({"maximum": 1}, 2, "must be at most 1, got 2"),
        ({"exclusiveMinimum": 0}, 0, "must be greater than 0, got 0"),
        ({"exclusiveMaximum": 9}, 9, "must be less than 9, got 9"),
        ({"multipleOf": 5}, 7, "must be a multiple of 5, got 7"),
        ({"minLength": 1}, "", "must be at least 1 character long, got 0"),
        ({"maxLength": 2}, "abc", "must be at most 2 characters long, got 3"),
        ({"pattern": "^lead_"}, "x", "must match ^lead_, got 'x'"),
        ({"format": "email"}, "x", "must be an email address, got 'x'"),
        ({"minItems": 1}, [], "must have at least 1 item, got 0"),
        ({"maxItems": 1}, [1, 2], "must have at most 1 item, got 2"),
        ({"uniqueItems": True}, [1, True, 1], "must not hold the same item twice: items 0 and 2 are both 1"),
        ({"uniqueItems": True}, [[1], [1]], "must not hold the same item twice"),
        ({"contains": {"const": 3}}, [1], "must have at least 1 among its items that is 3"),
        ({"required": ["email"]}, {}, "'email' is required but missing"),
        ({"minProperties": 1}, {}, "must have at least 1 property, got 0"),
        ({"maxProperties": 0}, {"a": 1}, "must have at most 0 properties, got 1"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "'b' is required beside 'a' but missing"),
        ({"not": {"type": "string"}}, "x", "must not be a string, got 'x'"),
        ({"not": {}}, 1, "must not be any value, got 1"),
        ({"properties": {"a": False}}, {"a": 1}, "'a' is not allowed here"),
        (
            {"prefixItems": [True], "items": False},
            [1, 2],
            "item 1 is one too many: at most 1 item may be here",
        ),
        ({"unevaluatedItems": False}, ["x"], 'holds items that are not expected here: "x"'),
        (
            {"unevaluatedProperties": {"type": "string"}},
            {"a": 1},
            "'a' must be a string",
        ),
        (
            {"propertyNames": {"maxLength": 2}},
            {"abc": 1},
            "property name 'abc': must be at most 2 characters long, got 3",
        ),
        (
            {"oneOf": [{"title": "Short", "maxLength": 2}, {"title": "Text"}]},
            "a",
            "is valid as Short and as Text, but exactly one of Short, Text may apply",
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
            "x",
            "must be an integer or a boolean, got a string ('x')",
        ),
        ({"type": "string", "enum": ["1"]}, 1, "must be a string, got an integer (1)"),
    ],
)
def test_a_broken_keyword_is_told_in_one_sentence(schema: Json, value: Json, message: str) -> None:
    assert messages(compiled("3.1", A=schema), value) == [message]


def test_a_violation_carries_its_facts() -> None:
    schema = compiled("3.1", Lead={"properties": {"a/b": {"items": {"type": "integer"}}}})
    (violation,) = schema.violations({"a/b": [1, "x"]}, REQUEST, where="query", name="filter")
    assert violation.as_json() == {
        "in": "query",
        "name": "filter",
        "pointer": "/a~1b/1",
        "keyword": "type",
        "got": "x",
        "expected": "integer",
        "message": "must be an integer, got a string ('x')",
    }


def test_a_valid_value_has_no_violations() -> None:
    assert violations(compiled("3.1", A={"type": "integer"}), 1) == ()


# Properties


def test_a_missing_property_points_at_its_object_and_lists_what_is_required() -> None:
    schema = compiled("3.1", A={"properties": {"owner": {"required": ["id", "name"]}}})
    first, second = violations(schema, {"owner": {}})
    assert (first.pointer, second.pointer) == ("/owner", "/owner")
    assert first.expected == ["id", "name"]
    assert second.message == "'name' is required but missing"


def test_unexpected_properties_are_told_one_by_one_with_what_was_meant() -> None:
    schema = compiled(
        "3.1",
        A={"properties": {"name": {}, "email": {}}, "required": ["name"], "additionalProperties": False},
    )
    found = violations(schema, {"nmae": "Ada", "zip": 1})
    missing, misspelt, strange = sorted(found, key=lambda violation: violation.pointer)
    assert missing.message == "'name' is required but missing (is 'nmae' a misspelling of it?)"
    assert (misspelt.pointer, misspelt.got) == ("/nmae", "Ada")
    assert misspelt.message == "'nmae' is not a property of this object (did you mean 'name'?)"
    assert strange.message == "'zip' is not a property of this object; known here: name, email"


def test_composed_properties_are_known_to_the_message() -> None:
    schema = compiled(
        "3.1",
        A={"allOf": [reference("B")], "unevaluatedProperties": False},
        B={"properties": {"title": {"type": "string"}}},
    )
    assert messages(schema, {"titel": "x"}) == ["'titel' is not a property of this object (did you mean 'title'?)"]


def test_a_property_of_a_failed_branch_is_not_called_unexpected() -> None:
    schema = compiled(
        "3.1",
        A={"allOf": [reference("B")], "unevaluatedProperties": False},
        B={"properties": {"title": {"type": "string"}}},
    )
    assert messages(schema, {"title": 1}) == ["must be a string, got an integer (1)"]


def test_a_write_only_property_in_a_response_is_named() -> None:
    schema = compiled("3.0", User={"properties": {"password": {"type": "string", "writeOnly": True}}})
    (violation,) = violations(schema, {"password": "secret"}, RESPONSE)
    assert violation.keyword == "writeOnly"
    assert violation.message == "'password' is write-only and must not be in a response"


# Branches


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_the_discriminator_picks_the_branch(version: str) -> None:
    schema = compiled(version, Pet=PET, Cat=CAT, Dog=DOG)
    assert messages(schema, {"kind": "dog"}) == ["'bark' is required but missing (as Dog)"]


def test_an_unknown_discriminator_value_is_the_only_violation() -> None:
    (violation,) = violations(compiled("3.1", Pet=PET, Cat=CAT, Dog=DOG), {"kind": "cta", "claws": "x"})
    assert violation.pointer == "/kind"
    assert violation.keyword == "discriminator"
    assert violation.expected == ["cat", "dog"]
    assert violation.message == "'cta' is not one of cat, dog (did you mean 'cat'?)"


def test_a_missing_discriminator_is_the_only_violation() -> None:
    (violation,) = violations(compiled("3.1", Pet=PET, Cat=CAT, Dog=DOG), {})
    assert violation.message == "'kind' is required, to tell cat, dog apart, but missing"
    assert violation.expected == ["cat", "dog"]


def tagged(tag: Json, **properties: Json) -> Json:
    return {"type": "object", "required": ["t"], "properties": {"t": tag} | properties}


def test_a_constant_picks_the_branch() -> None:
    schema = compiled(
        "3.1",
        A={"anyOf": [reference("Circle"), reference("Square")]},
        Circle=tagged({"const": "circle"}, r={"type": "number"}),
        Square=tagged({"enum": ["square"]}, a={"type": "number"}, b={"type": "number"}),
    )
    assert messages(schema, {"t": "square", "a": "x", "b": "y"}) == [
        "must be a number, got a string ('x') (as Square)",
        "must be a number, got a string ('y') (as Square)",
    ]
    assert messages(schema, {"t": "squre"}) == ["'squre' is not one of circle, square (did you mean 'square'?)"]


def test_a_null_branch_stands_aside() -> None:
    schema = compiled("3.1", A={"anyOf": [reference("Cat"), {"type": "null"}]}, Cat=CAT)
    assert messages(schema, {"kind": 1, "claws": 4}) == ["must be a string, got an integer (1)"]


def test_the_type_picks_the_branch() -> None:
    schema = compiled("3.1", A={"anyOf": [{"type": "string", "maxLength": 1}, {"type": "array", "title": "List"}]})
    assert messages(schema, "ab") == ["must be at most 1 character long, got 2 (as a string)"]


def test_the_branch_with_the_fewest_errors_is_the_closest() -> None:
    schema = compiled(
        "3.1",
        A={"oneOf": [reference("Far"), reference("Near")]},
        Far={"type": "object", "required": ["x", "y", "z"]},
        Near={"type": "object", "required": ["a", "b"]},
    )
    assert messages(schema, {"a": 1}) == ["'b' is required but missing (as Near)"]


def test_branches_within_branches_name_both() -> None:
    schema = compiled(
        "3.1",
        A={
            "oneOf": [
                reference("Pet"),
                {"type": "object", "title": "Car", "required": ["wheels", "doors", "seats"]},
            ]
        },
        Pet=PET,
        Cat=CAT,
        Dog=DOG,
    )
    assert messages(schema, {"kind": "dog", "bark": 1}) == ["must be a boolean, got an integer (1) (as Pet, Dog)"]


# Size


def test_the_number_of_violations_is_limited() -> None:
    schema = compiled("3.1", A={"items": {"type": "string"}})
    assert len(violations(schema, list(range(10_000)))) == LIMIT


def test_a_large_value_is_told_its_first_violation_alone() -> None:
    schema = compiled("3.1", A={"items": {"type": "string"}})
    (first,) = violations(schema, list(range(LARGEST + 1)))
    assert (first.keyword, first.pointer) == ("type", "/0")


def test_a_huge_value_is_not_repeated() -> None:
    schema = compiled("3.1", A={"type": "string", "maxLength": 5})
    (about_text,) = violations(schema, "x" * 1_000_000)
    (about_list,) = violations(schema, list(range(1_000_000)))
    assert len(about_text.got) < 300
    assert about_list.got == "an array of 1000000 items"
    assert len(about_text.message) + len(about_list.message) < 300


def test_a_very_deep_value_is_judged_all_the_same() -> None:
    schema = compiled("3.1", A={"anyOf": [{"type": "array", "items": reference("A")}, {"type": "string"}]})
    sound: Json = "leaf"
    wrong: Json = 1
    for _ in range(900):
        sound, wrong = [sound], [wrong]
    assert violations(schema, sound) == ()
    assert violations(schema, wrong)[0].keyword == "depth"


def test_a_lone_surrogate_is_a_violation() -> None:
    schema = compiled("3.1", A={"type": "string"})
    assert not schema.accepts("\ud800", REQUEST)
    assert violations(schema, "\ud800")[0].keyword == "encoding"

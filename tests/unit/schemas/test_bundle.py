"""Bundles: self-contained, in one draft, with names a person knows."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from mock_server.errors import DescriptionError, UnresolvedReference
from mock_server.openapi.dialects import dialect_of
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.schemas import Schemas
from mock_server.openapi.values import Direction, Json
from tests.unit.schemas import REQUEST, RESPONSE, compiled, compiled_files, description, reference

LEAD = {"type": "object", "required": ["owner"], "properties": {"owner": reference("User")}}
USER = {"type": "object", "properties": {"manager": reference("User"), "name": {"type": "string"}}}


def references_in(value: Json) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references_in(child) for child in value.values()))
    if isinstance(value, list):
        return set().union(*(references_in(child) for child in value))
    return set()


# Shape and names


def test_definitions_keep_the_names_of_components() -> None:
    bundle = compiled("3.0", Lead=LEAD, User=USER).bundle()
    assert bundle["$ref"] == "#/$defs/Lead"
    assert list(bundle["$defs"]) == ["Lead", "User"]


def test_every_reference_leads_into_the_bundle() -> None:
    bundle = compiled("3.1", Lead=LEAD, User=USER).bundle()
    assert references_in(bundle) == {"#/$defs/Lead", "#/$defs/User"}


def test_an_inline_schema_is_inlined() -> None:
    inline = {"type": "array", "items": reference("User")}
    root = description("3.1", {"User": USER}) | {"x": {"schema": inline}}
    documents = Documents.from_value(root)
    schemas = Schemas(documents, dialect_of(root, file="description"))
    bundle = schemas.at(Located(documents.root, "/x/schema", inline)).bundle()
    assert bundle["type"] == "array"
    assert bundle["items"] == {"$ref": "#/$defs/User"}


def test_only_what_is_reached_is_in_the_bundle() -> None:
    bundle = compiled("3.0", Lead={"type": "string"}, Broken={"$ref": "#/nowhere"}).bundle()
    assert list(bundle["$defs"]) == ["Lead"]


def test_components_of_one_name_in_two_files_get_names_of_their_own(tmp_path: Path) -> None:
    files = {
        "a.json": {"$defs": {"Money": {"type": "integer"}}},
        "b.json": {"$defs": {"Money": {"type": "string"}}},
    }
    schema = compiled_files(
        "3.1",
        tmp_path,
        files,
        Order={"properties": {"a": {"$ref": "a.json#/$defs/Money"}, "b": {"$ref": "b.json#/$defs/Money"}}},
    )
    assert set(schema.bundle()["$defs"]) == {"Order", "Money", "Money_2"}
    assert schema.accepts({"a": 1, "b": "1"}, REQUEST)
    assert not schema.accepts({"a": "1", "b": 1}, REQUEST)


def test_a_name_that_would_need_escaping_is_made_plain() -> None:
    schema = compiled("3.1", Root={"$ref": "#/components/schemas/Page%C2%ABLead~1x%C2%BB"}, **{"Page«Lead/x»": {}})
    assert set(schema.bundle()["$defs"]) == {"Root", "Page_Lead_x"}


def test_annotations_stay_and_are_not_walked() -> None:
    written = {
        "type": "object",
        "title": "A lead",
        "example": {"$ref": "#/nowhere"},
        "default": {"$id": "https://example.com/no"},
        "xml": {"name": "lead"},
        "x-table": {"$ref": "#/nowhere", "type": "no type"},
        "enum": [{"$ref": "#/nowhere"}],
    }
    bundle = compiled("3.0", Lead=written).bundle()
    assert bundle["$defs"]["Lead"] == written
    assert compiled("3.0", Lead=written).accepts({"$ref": "#/nowhere"}, REQUEST)


def test_a_bundle_stands_alone_for_any_validator() -> None:
    bundle = compiled("3.0", Lead=LEAD, User=USER).bundle()
    validator = jsonschema_rs.validator_for(json.loads(json.dumps(bundle)), offline=True)
    assert validator.is_valid({"owner": {"name": "Ada", "manager": {"name": "Grace"}}})
    assert not validator.is_valid({"owner": {"manager": {"name": 1}}})


# Languages


def test_boolean_exclusive_bounds_of_3_0_become_numbers() -> None:
    bundle = compiled("3.0", Age={"minimum": 0, "exclusiveMinimum": True, "exclusiveMaximum": False}).bundle()
    assert bundle["$defs"]["Age"] == {"exclusiveMinimum": 0}


def test_nullable_needs_a_type_beside_it() -> None:
    assert compiled("3.0", A={"type": "string", "nullable": True}).accepts(None, REQUEST)
    assert not compiled("3.0", A={"nullable": True, "allOf": [{"type": "string"}]}).accepts(None, REQUEST)
    assert not compiled("3.0", A={"type": "string", "nullable": True, "enum": ["a"]}).accepts(None, REQUEST)
    assert compiled("3.0", A={"type": "string", "nullable": True, "enum": ["a", None]}).accepts(None, REQUEST)


def test_nullable_is_no_keyword_of_3_1() -> None:
    assert not compiled("3.1", A={"type": "string", "nullable": True}).accepts(None, REQUEST)


def test_siblings_of_a_reference_count_from_3_1_on() -> None:
    written = {"$ref": "#/components/schemas/B", "maxLength": 1}
    assert compiled("3.0", A=written, B={"type": "string"}).accepts("long", REQUEST)
    assert not compiled("3.1", A=written, B={"type": "string"}).accepts("long", REQUEST)


@pytest.mark.parametrize("keyword", ["const", "if", "prefixItems", "dependentRequired", "propertyNames"])
def test_later_keywords_mean_nothing_in_3_0(keyword: str) -> None:
    assert keyword not in compiled("3.0", A={"type": "object", keyword: {}}).bundle()["$defs"]["A"]


def test_a_file_in_swagger_2_0_is_any_string() -> None:
    assert compiled("2.0", Upload={"type": "file"}).accepts("\x00\x01", REQUEST)


def test_a_swagger_definition_refers_to_definitions() -> None:
    schema = compiled("2.0", A={"items": {"$ref": "#/definitions/B"}}, B={"type": "integer"})
    assert not schema.accepts(["x"], REQUEST)


def test_a_draft_7_file_keeps_its_language_and_its_base_in_a_3_0_description(tmp_path: Path) -> None:
    lead = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"id": {"const": "lead"}},
        "items": [{"$ref": "#/definitions/id"}],
        "additionalItems": {"$ref": "parts/number.json"},
    }
    files = {"schemas/lead.json": lead, "schemas/parts/number.json": {"type": "number", "nullable": True}}
    schema = compiled_files("3.0", tmp_path, files, Lead={"$ref": "schemas/lead.json"})
    assert schema.accepts(["lead", 1, None], REQUEST)  # number.json names no draft, so it is OpenAPI 3.0
    assert not schema.accepts(["lead", "1"], REQUEST)
    assert not schema.accepts(["deal"], REQUEST)


def test_an_absolute_id_finds_the_file_beside_it(tmp_path: Path) -> None:
    draft = "https://json-schema.org/draft/2020-12/schema"
    files = {
        "schemas/lead.json": {
            "$schema": draft,
            "$id": "https://example.com/v1/lead.json",
            "properties": {"owner": {"$ref": "common/user.json#/$defs/name"}},
        },
        "schemas/common/user.json": {
            "$schema": draft,
            "$id": "https://example.com/v1/common/user.json",
            "$defs": {"name": {"type": "string"}},
        },
    }
    schema = compiled_files("3.1", tmp_path, files, Lead={"$ref": "schemas/lead.json"})
    assert not schema.accepts({"owner": 1}, REQUEST)


def test_a_component_is_found_by_its_id() -> None:
    schema = compiled(
        "3.1",
        Lead={"$ref": "https://example.com/user"},
        User={"$id": "https://example.com/user", "type": "string"},
    )
    assert not schema.accepts(1, REQUEST)


def test_json_schema_dialect_of_the_description_is_the_default() -> None:
    schemas = {"A": {"items": [{"type": "string"}]}}
    root = description("3.1", schemas) | {"jsonSchemaDialect": "http://json-schema.org/draft-07/schema#"}
    documents = Documents.from_value(root)
    schema = Schemas(documents, dialect_of(root, file="description")).at(
        Located(documents.root, "/components/schemas/A", schemas["A"])
    )
    assert not schema.accepts([1], REQUEST)


def test_a_generic_list_is_bound_by_a_dynamic_anchor() -> None:
    schema = compiled(
        "3.1",
        Names={
            "$id": "https://example.com/names",
            "$ref": "https://example.com/list",
            "$defs": {"item": {"$dynamicAnchor": "item", "type": "string"}},
        },
        List={
            "$id": "https://example.com/list",
            "type": "array",
            "items": {"$dynamicRef": "#item"},
            "$defs": {"item": {"$dynamicAnchor": "item", "not": {}}},
        },
    )
    assert schema.accepts(["a"], REQUEST)
    assert not schema.accepts([1], REQUEST)
    assert all(ref.startswith("#/$defs/") for ref in references_in(schema.bundle()))


def test_a_metaschema_can_be_referred_to() -> None:
    schema = compiled("3.1", Schema={"$ref": "https://json-schema.org/draft/2020-12/schema"})
    assert schema.accepts({"properties": {"a": {"type": "string"}}}, REQUEST)
    assert not schema.accepts({"properties": {"a": {"type": "strin"}}}, REQUEST)
    assert all(ref.startswith("#/$defs/") for ref in references_in(schema.bundle()["$defs"]))


# Formats of numbers


def test_int32_narrows_the_bounds_that_are_there() -> None:
    bundle = compiled("3.0", A={"type": "integer", "format": "int32", "minimum": 1}).bundle()
    assert bundle["$defs"]["A"]["minimum"] == 1
    assert bundle["$defs"]["A"]["maximum"] == 2**31 - 1


def test_int64_of_a_string_is_no_bound() -> None:
    assert "maximum" not in compiled("3.0", A={"type": "string", "format": "int64"}).bundle()["$defs"]["A"]


# Directions


def test_read_only_is_not_demanded_of_a_request() -> None:
    schema = compiled(
        "3.0",
        Lead={
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"readOnly": True, "type": "string"}},
        },
    )
    assert schema.accepts({}, REQUEST)
    assert schema.accepts({"id": "lead_1"}, REQUEST)
    assert not schema.accepts({}, RESPONSE)


@pytest.mark.parametrize(
    "composed",
    [
        {"required": ["id"], "properties": {"id": reference("Id")}},
        {"allOf": [{"required": ["id"]}, {"properties": {"id": reference("Id")}}]},
        {"allOf": [reference("Base"), {"required": ["id"]}]},
        {"properties": {"id": reference("Id")}, "allOf": [reference("Needy")]},
        {"required": ["id"], "properties": {"id": {"allOf": [reference("Id")]}}},
    ],
)
def test_a_mark_is_found_wherever_it_was_composed_from(composed: Json) -> None:
    schema = compiled(
        "3.0",
        Lead=composed,
        Id={"type": "string", "readOnly": True},
        Base={"properties": {"id": reference("Id")}},
        Needy={"required": ["id"]},
    )
    assert schema.accepts({}, REQUEST)
    assert not schema.accepts({}, RESPONSE)


def test_a_shared_schema_still_demands_what_only_another_user_marks() -> None:
    schema = compiled(
        "3.0",
        Root={"properties": {"marked": reference("Marked"), "plain": reference("Needy")}},
        Marked={"properties": {"id": {"readOnly": True}}, "allOf": [reference("Needy")]},
        Needy={"required": ["id"]},
    )
    assert schema.accepts({"marked": {}}, REQUEST)
    assert not schema.accepts({"plain": {}}, REQUEST)


def test_a_negated_requirement_is_not_weakened() -> None:
    schema = compiled("3.0", A={"properties": {"id": {"readOnly": True}}, "not": {"required": ["id"]}})
    assert schema.accepts({}, REQUEST)
    assert not schema.accepts({"id": 1}, REQUEST)


def test_write_only_is_refused_in_a_response_and_not_demanded_of_it() -> None:
    schema = compiled(
        "3.0",
        User={"required": ["password"], "properties": {"password": {"type": "string", "writeOnly": True}}},
    )
    assert schema.accepts({}, RESPONSE)
    assert not schema.accepts({"password": "secret"}, RESPONSE)
    assert not schema.accepts({}, REQUEST)
    assert schema.bundle(RESPONSE)["$defs"]["User"]["properties"]["password"] is False


def test_both_directions_share_a_bundle_when_nothing_is_marked() -> None:
    schema = compiled("3.0", Lead=LEAD, User=USER)
    assert schema.bundle(REQUEST) is schema.bundle(RESPONSE)


# Discriminators


def test_a_discriminator_names_every_branch() -> None:
    bundle = compiled(
        "3.0",
        Pet={
            "oneOf": [reference("Cat"), reference("Dog")],
            "discriminator": {"propertyName": "kind", "mapping": {"dog": "#/components/schemas/Dog"}},
        },
        Cat={},
        Dog={},
    ).bundle()
    mapping = bundle["$defs"]["Pet"]["discriminator"]["mapping"]
    assert mapping == {"dog": "#/$defs/Dog", "Cat": "#/$defs/Cat"}


def test_a_mapping_may_give_names_of_components() -> None:
    bundle = compiled(
        "3.0",
        Pet={
            "anyOf": [reference("Cat")],
            "discriminator": {"propertyName": "kind", "mapping": {"c": "Cat"}},
        },
        Cat={},
    ).bundle()
    assert bundle["$defs"]["Pet"]["discriminator"]["mapping"] == {"c": "#/$defs/Cat"}


# What cannot be bundled


def test_a_reference_to_nowhere_names_its_place() -> None:
    schema = compiled("3.0", Lead={"properties": {"owner": reference("Usr")}}, User=USER)
    with pytest.raises(UnresolvedReference, match="User") as raised:
        schema.bundle()
    assert raised.value.place is not None
    assert raised.value.place.file == "openapi.yaml"
    assert raised.value.place.pointer.startswith("/components/schemas/Lead/properties/owner")


def test_a_reference_to_a_file_that_is_not_there_names_its_place(tmp_path: Path) -> None:
    schema = compiled_files("3.0", tmp_path, {"lead.json": {}}, Lead={"items": {"$ref": "leed.json#/a"}})
    with pytest.raises(UnresolvedReference, match=r"lead\.json") as raised:
        schema.bundle()
    assert raised.value.got == "leed.json#/a"
    assert raised.value.place is not None
    assert raised.value.place.pointer == "/components/schemas/Lead/items"


def test_a_mapping_to_nowhere_names_its_place() -> None:
    mapping = {"propertyName": "kind", "mapping": {"c": "Cta"}}
    schema = compiled("3.0", Pet={"oneOf": [reference("Cat")], "discriminator": mapping}, Cat={})
    with pytest.raises(UnresolvedReference, match="mapping") as raised:
        schema.bundle()
    assert raised.value.place is not None
    assert raised.value.place.pointer == "/components/schemas/Pet/discriminator/mapping/c"


def test_references_in_a_circle_are_refused() -> None:
    with pytest.raises(UnresolvedReference, match="leads back to itself"):
        compiled("3.1", A=reference("B"), B=reference("A")).bundle()


def test_what_is_no_schema_is_refused_with_its_place() -> None:
    schema = compiled("3.1", A={"properties": {"a": {"items": "string"}}})
    with pytest.raises(DescriptionError, match="not a schema") as raised:
        schema.accepts([], Direction.REQUEST)
    assert raised.value.place is not None
    assert raised.value.place.pointer == "/components/schemas/A/properties/a/items"

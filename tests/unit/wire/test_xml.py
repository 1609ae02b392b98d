"""XML by the XML Object: the specification's own examples (OAS 3.1 §4.8.26.2), both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.bodies import DecodedBody, body_decoder
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from mock_server.openapi.xml import MAX_DEPTH, xml_dumps
from tests.unit.wire.failures import failure_of, outcome_of

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def animals(*, items: Json = None, xml: Json = None) -> Json:
    item = {"type": "string"} | ({"xml": items} if items else {})
    array = {"type": "array", "items": item} | ({"xml": xml} if xml else {})
    return {"type": "object", "properties": {"animals": array}}


PERSON = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "format": "int32", "xml": {"attribute": True}},
        "name": {
            "type": "string",
            "xml": {"namespace": "https://example.com/schema/sample", "prefix": "sample"},
        },
    },
}


@pytest.mark.parametrize(
    ("schema", "value", "inner"),
    [
        (animals(), {"animals": ["a", "b"]}, "<animals>a</animals><animals>b</animals>"),
        (animals(items={"name": "animal"}), {"animals": ["a", "b"]}, "<animal>a</animal><animal>b</animal>"),
        (
            animals(items={"name": "animal"}, xml={"name": "aliens"}),
            {"animals": ["a", "b"]},
            "<animal>a</animal><animal>b</animal>",
        ),
        (
            animals(xml={"wrapped": True}),
            {"animals": ["a", "b"]},
            "<animals><animals>a</animals><animals>b</animals></animals>",
        ),
        (
            animals(xml={"name": "aliens", "wrapped": True}),
            {"animals": ["a", "b"]},
            "<aliens><aliens>a</aliens><aliens>b</aliens></aliens>",
        ),
        (
            animals(items={"name": "animal"}, xml={"name": "aliens", "wrapped": True}),
            {"animals": ["a", "b"]},
            "<aliens><animal>a</animal><animal>b</animal></aliens>",
        ),
        (
            animals(items={"name": "animal"}, xml={"nodeType": "element"}),
            {"animals": ["a"]},
            "<animals><animal>a</animal></animals>",
        ),
    ],
)
def test_arrays_are_wrapped_and_named_as_in_the_specification(schema: Json, value: Json, inner: str) -> None:
    data = f"{HEAD}<root>{inner}</root>".encode()
    assert xml_dumps(value, schema, schema, "root") == data
    assert body_decoder("application/xml", schema)(data, "").value == value


def test_attributes_prefixes_and_namespaces_are_those_of_the_specification() -> None:
    data = (
        f'{HEAD}<Person id="123"><sample:name xmlns:sample="https://example.com/schema/sample">example'
        "</sample:name></Person>"
    ).encode()
    value = {"id": 123, "name": "example"}
    assert xml_dumps(value, PERSON, PERSON, "Person") == data
    assert body_decoder("application/xml", PERSON)(data, "").value == value


def test_attribute_with_a_prefix_declares_it() -> None:
    attribute = {
        "type": "string",
        "xml": {"attribute": True, "prefix": "x", "namespace": "urn:x", "name": "a"},
    }
    schema = {"type": "object", "properties": {"p": attribute}}
    data = xml_dumps({"p": '"<&\u0001'}, schema, schema, "r")
    assert body_decoder("text/xml", schema)(data, "").value == {"p": '"<&\ufffd'}


def test_text_node_sits_beside_attributes() -> None:
    schema = {
        "type": "object",
        "properties": {
            "lang": {"type": "string", "xml": {"nodeType": "attribute"}},
            "text": {"type": "string", "xml": {"nodeType": "text"}},
        },
    }
    data = f'{HEAD}<t lang="en">hi</t>'.encode()
    assert xml_dumps({"lang": "en", "text": "hi"}, schema, schema, "t") == data
    assert body_decoder("application/xml", schema)(data, "").value == {"lang": "en", "text": "hi"}


@pytest.mark.parametrize(
    ("schema", "inner", "value"),
    [
        ({"properties": {"n": {"type": "integer"}}}, "<n> 5 </n>", {"n": 5}),
        ({"properties": {"n": {"type": "integer"}}}, "<n>x</n><m>1</m>", {"n": "x", "m": "1"}),
        ({"properties": {"n": {"type": "integer"}}}, "<n>1</n><n>2</n>", {"n": [1, 2]}),
        ({"properties": {"s": {"type": "string"}}}, "<s/>", {"s": ""}),
        ({"properties": {"s": {"type": "string"}}}, "<s><x>1</x></s>", {"s": {"x": "1"}}),
        ({"type": "array", "items": {"type": "integer"}}, "<i>1</i><i>2</i>", [1, 2]),
        (True, "<a>1</a><b><c/></b>", {"a": "1", "b": {"c": ""}}),
        (True, "text", "text"),
        ({"type": "object"}, "<!-- c --><a>1</a><?pi x?>", {"a": "1"}),
    ],
)
def test_elements_become_what_the_schema_expects(schema: Json, inner: str, value: Json) -> None:
    assert body_decoder("application/xml", schema)(f"<r>{inner}</r>".encode(), "").value == value


@pytest.mark.parametrize(
    ("data", "keyword"),
    [
        (b"", "xml"),
        (b"<a>", "xml"),
        (b"<a>&nope;</a>", "xml"),
        (b"\xff<a/>", "xml"),
        (b'<?xml version="1.0" encoding="nope"?><a/>', "xml"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "xml"),
        (b'<!DOCTYPE a SYSTEM "urn:elsewhere"><a/>', "xml"),
        (b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1), "maxDepth"),
        (b"<a>" * 50_000 + b"</a>" * 50_000, "maxDepth"),
    ],
)
def test_hostile_xml_is_refused(data: bytes, keyword: str) -> None:
    assert failure_of(lambda: body_decoder("application/xml", True)(data, "")).keyword == keyword


def test_root_of_another_name_is_refused() -> None:
    schema = {"type": "object", "xml": {"name": "pet"}}
    assert failure_of(lambda: body_decoder("application/xml", schema)(b"<dog/>", "")).expected == "pet"


PET = {
    "type": "object",
    "xml": {"name": "pet", "namespace": "urn:pets"},
    "properties": {
        "id": {"type": "integer", "xml": {"attribute": True}},
        "name": {"type": "string"},
        "weight": {"type": ["number", "null"]},
        "good": {"type": "boolean"},
        "tags": {
            "type": "array",
            "items": {"type": "string", "xml": {"name": "tag"}},
            "xml": {"wrapped": True},
        },
        "owners": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "string"}}}},
        "free": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "parent": {"$ref": "#"},
    },
}
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="￾￿"))
PETS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.integers(),
            "name": XML_TEXT,
            "weight": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "good": st.booleans(),
            "tags": st.lists(XML_TEXT),
            "owners": st.lists(st.fixed_dictionaries({"n": XML_TEXT}), min_size=1),
            "free": st.lists(st.lists(st.integers()), min_size=1),
        },
    ),
    lambda pets: st.fixed_dictionaries({"parent": pets}),
    max_leaves=4,
)


@given(PETS)
def test_xml_reads_back(value: Json) -> None:
    data = xml_dumps(value, PET, PET, "ignored")
    assert body_decoder("application/xml", PET)(data, "").value == value


_KEYS = st.text(min_size=1, max_size=4)


@given(st.recursive(st.text() | st.none(), lambda c: st.lists(c) | st.dictionaries(_KEYS, c), max_leaves=6))
def test_whatever_is_written_is_well_formed(value: Json) -> None:
    data = xml_dumps(value, True, True, "root")
    body_decoder("application/xml", True)(data, "")


@given(st.text(alphabet="<>/ab&;!?-=\"' ", max_size=30))
def test_any_xml_decodes_or_is_undecodable(text: str) -> None:
    found = outcome_of(lambda: body_decoder("application/xml", PET)(text.encode(), ""))
    assert isinstance(found, DecodedBody | Undecodable)

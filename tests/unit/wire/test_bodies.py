"""Bodies of each media type: forms, text, binary, sequences, and how a media type chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import ConfigurationError
from mock_server.openapi.bodies import DecodedBody, body_decoder, body_encoder
from mock_server.openapi.forms import FORM, MAX_FIELDS, EncodingSpec
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from tests.unit.wire.failures import failure_of, outcome_of
from tests.unit.wire.test_expansion import TEXT
from tests.unit.wire.test_jsontext import JSON

CHARGE = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer"},
        "capture": {"type": "boolean"},
        "note": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "address": {"$ref": "#/$defs/Address"},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"price": {"type": "integer"}}},
        },
    },
    "$defs": {"Address": {"type": "object", "properties": {"line": {"type": "string"}, "no": {"type": "integer"}}}},
}


def form(text: str, schema: Json = CHARGE, **encoding: EncodingSpec) -> Json:
    return body_decoder(FORM, schema, encoding=encoding)(text.encode(), FORM).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("amount=100&capture=true&note=5", {"amount": 100, "capture": True, "note": "5"}),
        ("note=a+b%26%C3%A9", {"note": "a b&é"}),
        ("amount=ten", {"amount": "ten"}),
        ("tags=a&tags=b%2Cc", {"tags": ["a", "b,c"]}),
        ("tags=a", {"tags": ["a"]}),
        ("tags[]=a&tags[]=b", {"tags": ["a", "b"]}),
        ("metadata[k]=5&metadata%5Bl%5D=v", {"metadata": {"k": "5", "l": "v"}}),
        ("items[0][price]=5&items[1][price]=6", {"items": [{"price": 5}, {"price": 6}]}),
        ("items[][price]=5&items[][price]=6", {"items": [{"price": 5}, {"price": 6}]}),
        ("address[line]=x&address[no]=3", {"address": {"line": "x", "no": 3}}),
        ('address={"line":"x","no":3}', {"address": {"line": "x", "no": 3}}),
        ('items={"price":5}&items={"price":6}', {"items": [{"price": 5}, {"price": 6}]}),
        ("other=1&new[a][]=2", {"other": "1", "new": {"a": ["2"]}}),
    ],
)
def test_forms_are_typed_and_nested_by_the_schema(text: str, value: Json) -> None:
    assert form(text) == value


@pytest.mark.parametrize(
    ("text", "property_", "encoding", "value"),
    [
        ("tags=a,b%2Cc", "tags", EncodingSpec(explode=False), ["a", "b,c"]),
        ("numbers=1%202", "numbers", EncodingSpec(style="spaceDelimited", explode=False), [1, 2]),
        ("numbers=1|2", "numbers", EncodingSpec(style="pipeDelimited"), [1, 2]),
        ("address=line,x,no,3", "address", EncodingSpec(style="form", explode=False), {"line": "x", "no": 3}),
        ("line=x&no=3", "address", EncodingSpec(style="form", explode=True), {"line": "x", "no": 3}),
        ("address[no]=3", "address", EncodingSpec(style="deepObject"), {"no": 3}),
        ("numbers=[1,2]", "numbers", EncodingSpec(content_type="application/json"), [1, 2]),
        ("numbers=1&numbers=2", "numbers", EncodingSpec(content_type="application/json"), [1, 2]),
        ("numbers[]=1", "numbers", EncodingSpec(explode=False), [1]),
    ],
)
def test_encoding_object_states_how_a_property_travels(
    text: str, property_: str, encoding: EncodingSpec, value: Json
) -> None:
    assert form(text, CHARGE, **{property_: encoding}) == {property_: value}


@pytest.mark.parametrize(
    ("text", "keyword", "pointer"),
    [
        ("amount=1&amount=2", "duplicate", "/amount"),
        ("note=%ff", "percentEncoding", "/note"),
        ('address={"line":', "json", "/address"),
        ('items={"price":1}&items={"a":1,"a":2}', "uniqueNames", "/items/1"),
        ("address=1&address[no]=2", "style", "/address"),
        ("&".join(["tags=a"] * (MAX_FIELDS + 1)), "maxParameters", ""),
        ("metadata" + "[a]" * 50 + "=1", "maxDepth", ""),
    ],
)
def test_broken_form_is_refused_at_the_field(text: str, keyword: str, pointer: str) -> None:
    failure = failure_of(lambda: form(text))
    assert (failure.keyword, failure.pointer) == (keyword, pointer)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "amount": st.integers(),
            "capture": st.booleans(),
            "note": TEXT,
            "tags": st.lists(TEXT, min_size=1),
            "address": st.fixed_dictionaries({"line": TEXT, "no": st.integers()}),
            "metadata": st.dictionaries(TEXT.filter(lambda text: text and not set(text) & set("[]")), TEXT, min_size=1),
            "items": st.lists(st.fixed_dictionaries({"price": st.integers()}), min_size=1),
        },
    )
)
def test_forms_read_back(value: Json) -> None:
    data = body_encoder(FORM, CHARGE)(value)
    assert body_decoder(FORM, CHARGE)(data, FORM) == DecodedBody(value)


@given(st.text(alphabet='adresmount[]0=&%+{}":,é', max_size=40))
def test_any_form_decodes_or_is_undecodable(text: str) -> None:
    assert isinstance(outcome_of(lambda: form(text)), dict | Undecodable)


@pytest.mark.parametrize("media_type", ["application/json", "application/problem+json; charset=utf-8"])
@pytest.mark.parametrize(("data", "value"), [(b"false", False), (b"null", None), (b"0", 0), (b'""', "")])
def test_falsy_json_is_a_body(media_type: str, data: bytes, value: Json) -> None:
    found = body_decoder(media_type, True)(data, media_type)
    assert found == DecodedBody(value)
    assert body_encoder(media_type, True)(value) == data


@pytest.mark.parametrize(
    ("content_type", "data", "text"),
    [
        ("text/plain", "é".encode(), "é"),
        ("text/plain; charset=iso-8859-1", b"\xe9", "é"),
        ('text/csv; charset="UTF-8"', b"a,b\n", "a,b\n"),
        ("text/plain; charset=Shift_JIS", "日本".encode("shift_jis"), "日本"),
    ],
)
def test_text_is_read_in_its_charset(content_type: str, data: bytes, text: str) -> None:
    assert body_decoder("text/*", {"type": "string"})(data, content_type).value == text


def test_text_is_typed_by_the_schema() -> None:
    assert body_decoder("text/plain", {"type": "integer"})(b"5", "text/plain").value == 5


@pytest.mark.parametrize(
    ("content_type", "data"),
    [("text/plain", b"\xff"), ("text/plain; charset=zlib", b"x"), ("text/plain; charset=idna", b"x")],
)
def test_text_that_has_no_charset_here_is_refused(content_type: str, data: bytes) -> None:
    assert failure_of(lambda: body_decoder("text/plain", True)(data, content_type)).keyword == "charset"


@pytest.mark.parametrize("media_type", ["application/octet-stream", "image/png", "application/pdf", "*/*", "x"])
@given(data=st.binary(max_size=20))
def test_bytes_stand_as_a_string_of_their_length_and_read_back(media_type: str, data: bytes) -> None:
    value = body_decoder(media_type, True)(data, "application/octet-stream").value
    assert len(value) == len(data)
    assert body_encoder("application/octet-stream", True)(value) == data


def test_content_type_chooses_where_a_range_is_described() -> None:
    decode = body_decoder("*/*", {"type": "object", "properties": {"a": {"type": "integer"}}})
    assert decode(b'{"a": 1}', "application/vnd.x+json").value == {"a": 1}
    assert decode(b"a=1", FORM).value == {"a": 1}
    assert decode(b"<r><a>1</a></r>", "application/xml").value == {"a": 1}
    assert decode(b"a=1", "junk").value == "a=1"


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/jsonl", "application/json-seq"])
@given(items=st.lists(JSON, max_size=4))
def test_json_sequences_read_back(media_type: str, items: list[Json]) -> None:
    data = body_encoder(media_type, True)(items)
    assert repr(body_decoder(media_type, True)(data, media_type).value) == repr(items)


def test_broken_item_of_a_sequence_is_located() -> None:
    failure = failure_of(lambda: body_decoder("application/jsonl", True)(b'{"a":1}\n\n{"a":1,"a":2}\n', ""))
    assert (failure.keyword, failure.pointer) == ("uniqueNames", "/1")


def test_event_streams_read_as_the_html_standard_says() -> None:
    stream = (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
        b"event: add\r\ndata: YHOO\r\ndata: +2\r\nretry: 10\r\n\r\ndata: cut off"
    )
    assert body_decoder("text/event-stream", True)(stream, "").value == [
        {"data": "first event", "id": "1"},
        {"data": "second event", "id": ""},
        {"data": " third event"},
        {"event": "add", "data": "YHOO\n+2", "retry": 10},
    ]


@given(st.lists(st.fixed_dictionaries({"data": st.text(alphabet="a :\né", max_size=6)}), max_size=3))
def test_event_streams_read_back(items: list[Json]) -> None:
    data = body_encoder("text/event-stream", True)(items)
    assert body_decoder("text/event-stream", True)(data, "").value == items


def test_item_that_is_no_event_travels_as_json_in_one() -> None:
    assert body_encoder("text/event-stream", True)([{"n": 1}]) == b'data: {"n":1}\n\n'


def test_multipart_without_a_boundary_is_our_callers_mistake() -> None:
    with pytest.raises(ConfigurationError, match="boundary"):
        body_encoder("multipart/form-data", True)

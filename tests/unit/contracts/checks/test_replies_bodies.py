"""Bodies: what they say they are, what their schemas say, and where there should be none."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.checks.registry import all_checks
from contracts.judging import Judges
from contracts.service import Recorded, Reply
from contracts.wire import WireRequest
from mock_server.openapi import jsontext
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json
from tests.unit.contracts.checks.replying import JSON, PET, PROBLEM, judged, line_of, recorded, seen

COUNTED = JSON | {"X-Total-Count": "1"}
VENDOR = {"Content-Type": "application/vnd.pets.v1+json; charset=utf-8"}
TEXT = {"Content-Type": "text/plain"}
XML = {"Content-Type": "application/xml"}

GOOD = (
    recorded("listPets", 200, [PET], COUNTED),
    recorded("createPet", 201, PET),
    recorded("createPet", 201, PET | {"extra": [1]}, VENDOR),
    recorded("createPet", 422, {"status": 422, "title": "No", "type": "about:blank"}, PROBLEM),
    recorded("createPet", 401, {"message": "no"}, JSON | {"WWW-Authenticate": "Bearer"}),
    recorded("deletePet", 204),
    recorded("deletePet", 200),
    recorded("readNotes", 200, b"abc", TEXT | {"X-Other": "1"}),
    recorded("readNotes", 200, b"", TEXT),
    recorded("readNotes", 200, b"a,b\n1,2\n", {"Content-Type": "text/csv"}),
    recorded("readNotes", 200, b"%PDF\xff\x00", {"Content-Type": "application/pdf"}),
    recorded("readNotes", 200, b"<note><text>a</text></note>", XML),
    recorded("readAnything", 418, {"id": 1}),
    recorded("readAnything", 200, {"id": 1}, {"Content-Type": "application/hal+json"}),
    recorded("readPet", 200, b"", {}, method="HEAD"),
    recorded("readPet", 304, sent={"If-None-Match": '"1"'}),
    recorded("readPet", 200, b"\xef\xbb\xbf" + b'{"id":"1","name":"a"}'),
    recorded("readPet", 200, b'{"id":"1","name":"a","name":"b"}'),  # RFC 8259 §4 advises against it, no more
    recorded("readPet", 200, b'{"id":"1","name":"\\ud800"}'),  # RFC 8259 §8.2: unpredictable, and allowed
    recorded("readPet", 200, b"\x1f\x8b\x08", JSON | {"Content-Encoding": "gzip"}),
)


@pytest.mark.parametrize("reply", GOOD, ids=lambda reply: f"{reply.operation_id}-{reply.status}")
def test_good_replies_are_not_blamed(reply: Recorded) -> None:
    assert judged(reply) == []


@pytest.mark.parametrize(
    ("reply", "pointer", "place"),
    [
        (recorded("readPet", 200, {"id": "p1"}), "", "# one pet"),
        (recorded("readPet", 200, PET | {"age": "old"}), "/age", "# one pet"),
        (recorded("readPet", 200, PET | {"age": -1}), "/age", "# one pet"),
        (recorded("readPet", 200, PET | {"secret": "s3cr3t"}), "/secret", "# one pet"),
        (recorded("listPets", 200, [PET, 1], COUNTED), "/1", "schema: {type: array, items: {$ref:"),
        (recorded("createPet", 201, {"name": 1}, VENDOR), "", "# the vendor's own"),
        (recorded("readNotes", 200, b"abcdef", TEXT), "", "text/plain: {schema"),
        (recorded("readAnything", 500, {}), "", "default: {description: Anything."),
    ],
    ids=str,
)
def test_body_that_breaks_its_schema_is_found(reply: Recorded, pointer: str, place: str) -> None:
    found = judged(reply, "reply_schema")
    assert [(one.check, str(one.side)) for one in found] == [("reply_schema", "service")]
    assert pointer in {difference.pointer for difference in found[0].differences}
    assert found[0].place is not None
    assert found[0].place.line == line_of(place)


def test_sentence_and_differences_say_what_came() -> None:
    (found,) = judged(recorded("readPet", 200, PET | {"age": "old"}), "reply_schema")
    assert "/age" in found.sentence
    assert "integer" in found.sentence
    assert found.differences[0].got == "old"
    assert found.operation_id == "readPet"


@pytest.mark.parametrize("body", [b"{", b"<html>", b'{"id": NaN}', b"\xff\xfe", b"{'id': 1}"])
@pytest.mark.parametrize("status", [200, 404])
def test_json_that_is_none_is_found_whether_described_or_not(body: bytes, status: int) -> None:
    assert seen(recorded("readPet", status, body, JSON), "reply_schema") == [("reply_schema", "service", "")]


def test_missing_body_is_found() -> None:
    found = judged(recorded("readPet", 200, b"", JSON))
    assert [(one.check, str(one.side)) for one in found] == [("reply_schema", "service")]
    assert found[0].place is not None
    assert found[0].place.line == line_of("description: A pet.")


def test_body_of_a_reply_that_has_none_is_found() -> None:
    assert seen(recorded("deletePet", 204, {"gone": True})) == [("reply_schema", "service", "")]


def test_body_that_nobody_described_is_a_question_with_its_answer() -> None:
    (found,) = judged(recorded("deletePet", 200, {"gone": True}))
    assert (found.check, found.side) == ("reply_schema", "description")
    assert "$.paths['/pets/{id}'].delete.responses['200']" in found.remedy
    assert found.place is not None
    assert found.place.line == line_of("{description: Gone.}")


def test_xml_that_breaks_its_schema_is_a_question_and_broken_xml_is_not() -> None:
    assert seen(recorded("readNotes", 200, b"<note><n>1</n></note>", XML)) == [("reply_schema", "description", "")]
    assert seen(recorded("readNotes", 200, b"<note>", XML)) == [("reply_schema", "service", "")]


@pytest.mark.parametrize(
    ("reply", "got"),
    [
        (recorded("readPet", 200, b"<html>", {"Content-Type": "text/html"}), "text/html"),
        (recorded("readPet", 200, b"{}", {}), None),
        (recorded("readPet", 200, b"{}", {"Content-Type": "json"}), "json"),
    ],
    ids=str,
)
def test_other_media_type_is_found(reply: Recorded, got: str | None) -> None:
    (found,) = judged(reply, "reply_media_type", "reply_schema")
    assert (found.check, found.side, found.differences[0].got) == ("reply_media_type", "service", got)
    assert found.differences[0].pointer == "header Content-Type"
    assert found.place is not None
    assert found.place.line == line_of("description: A pet.")


SCHEMAS: tuple[Json, ...] = (
    {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"]}}},
    {"type": "array", "items": {"type": "number", "minimum": 0}, "maxItems": 3},
    {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "object", "additionalProperties": {"type": "boolean"}}]},
    {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]},
    {"enum": [0, "a", None, {"a": 1}]},
    {
        "type": "object",
        "propertyNames": {"maxLength": 1},
        "minProperties": 1,
        "unevaluatedProperties": {"type": "null"},
    },
    {},
    {"not": {}},
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("abc", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "cc"]), inner, max_size=3),
    max_leaves=6,
)


def _judges() -> Judges:
    paths = {
        f"/{number}": {"get": {"operationId": f"read{number}", "responses": {"200": {
            "description": "", "content": {"application/json": {"schema": schema}}}}}}
        for number, schema in enumerate(SCHEMAS)
    }  # fmt: skip
    document = {"openapi": "3.1.0", "info": {"title": "Made up", "version": "1"}, "paths": paths}
    all_checks()
    api = Api(Documents.from_value(document), name="made-up")
    return Judges(api, judge=None, checks=frozenset({"reply_schema"}))


JUDGES = _judges()


@given(number=st.integers(0, len(SCHEMAS) - 1), value=VALUES)
@settings(max_examples=400)
def test_reply_schema_speaks_exactly_when_python_jsonschema_does(number: int, value: Json) -> None:
    request = WireRequest("GET", f"/{number}", {}, b"")
    reply = Reply(200, tuple(JSON.items()), jsontext.dumps(value))
    found = list(JUDGES(Recorded(1, f"read{number}", request, reply)))
    valid = jsonschema.Draft202012Validator(SCHEMAS[number]).is_valid(value)
    assert bool(found) is not valid

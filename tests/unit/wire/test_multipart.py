"""multipart/form-data (RFC 7578, OAS 3.1 §4.8.14.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.bodies import body_decoder, body_encoder
from mock_server.openapi.forms import MULTIPART, EncodingSpec
from mock_server.openapi.multipart import MAX_PARTS, Part
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from tests.unit.wire.failures import failure_of, outcome_of
from tests.unit.wire.test_expansion import TEXT

CONTENT_TYPE = "multipart/form-data; boundary=XX"
UPLOAD = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "count": {"type": "integer"},
        "public": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "owner": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "people": {"type": "array", "items": {"type": "object"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "file": {"type": "string", "format": "binary"},
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "anything": {},
    },
}


def part(name: str, data: bytes, content_type: str = "", filename: str = "") -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    head = f"Content-Disposition: {disposition}\r\n" + (f"Content-Type: {content_type}\r\n" if content_type else "")
    return b"--XX\r\n" + head.encode() + b"\r\n" + data + b"\r\n"


def decoded(*blocks: bytes, **encoding: EncodingSpec) -> Json:
    decode = body_decoder(MULTIPART, UPLOAD, encoding=encoding)
    return decode(b"".join(blocks) + b"--XX--\r\n", CONTENT_TYPE).value


@pytest.mark.parametrize(
    ("blocks", "value"),
    [
        ([part("title", "é".encode())], {"title": "é"}),
        ([part("title", b"\xe9", "text/plain; charset=iso-8859-1")], {"title": "é"}),
        ([part("count", b"5"), part("public", b"true")], {"count": 5, "public": True}),
        ([part("tags", b"a"), part("tags", b"b")], {"tags": ["a", "b"]}),
        ([part("tags[]", b"a"), part("tags[]", b"b")], {"tags": ["a", "b"]}),
        ([part("owner", b'{"id":1}')], {"owner": {"id": 1}}),
        ([part("owner", b'{"id":1}', "application/json")], {"owner": {"id": 1}}),
        ([part("owner[id]", b"1")], {"owner": {"id": 1}}),
        ([part("people", b"{}"), part("people", b'{"a":1}')], {"people": [{}, {"a": 1}]}),
        ([part("people", b'[{"a":1}]', "application/json")], {"people": [{"a": 1}]}),
        ([part("file", b"\x00\xff", "image/png", "a.png")], {"file": "\x00\xff"}),
        ([part("files", b"\xfe"), part("files", b"\xff")], {"files": ["\xfe", "\xff"]}),
        ([part("anything", b"\xff", filename="x")], {"anything": "\xff"}),
        ([part("unknown", b"1")], {"unknown": "1"}),
        ([part("", b"1")], {"": "1"}),
        ([part("unknown", b"[1]", "application/json")], {"unknown": [1]}),
        ([], {}),
    ],
)
def test_parts_are_read_by_schema_and_content_type(blocks: list[bytes], value: Json) -> None:
    assert decoded(*blocks) == value


def test_encoding_makes_a_part_json() -> None:
    assert decoded(part("numbers", b"[1,2]"), numbers=EncodingSpec("application/json")) == {"numbers": [1, 2]}


def test_bytes_of_a_file_stay_reachable() -> None:
    decode = body_decoder(MULTIPART, UPLOAD)
    found = decode(part("file", b"\x00\xff", "image/png", "a b.png") + b"--XX--\r\n", CONTENT_TYPE)
    headers = (
        ("Content-Disposition", 'form-data; name="file"; filename="a b.png"'),
        ("Content-Type", "image/png"),
    )
    assert found.parts == (Part("file", "a b.png", "image/png", headers, b"\x00\xff"),)


@pytest.mark.parametrize(
    ("data", "content_type", "keyword", "pointer"),
    [
        (b"", CONTENT_TYPE, "multipart", ""),
        (b"--XX--\r\n", "multipart/form-data", "multipart", ""),
        (b"--XX--\r\n", "junk", "multipart", ""),
        (b"--XX--\r\n", 'multipart/form-data; boundary="a\nb"', "multipart", ""),
        (part("title", b"x"), CONTENT_TYPE, "multipart", ""),  # truncated
        (b"--YY\r\n\r\nx\r\n--YY--\r\n", CONTENT_TYPE, "multipart", ""),
        (b"--XX\r\n\r\nx\r\n--XX--\r\n", CONTENT_TYPE, "multipart", ""),  # no disposition
        (part("", b"x").replace(b'; name=""', b"") + b"--XX--\r\n", CONTENT_TYPE, "multipart", ""),
        (b"--XX\r\nA: " + b"b" * 100_000 + b"\r\n\r\n\r\n--XX--\r\n", CONTENT_TYPE, "multipart", ""),
        (b"--XX\r\n" + b"A: b\r\n" * 100 + b"\r\n\r\n--XX--\r\n", CONTENT_TYPE, "multipart", ""),
        (part("title", b"\xff") + b"--XX--\r\n", CONTENT_TYPE, "charset", "/title"),
        (part("owner", b"{") + b"--XX--\r\n", CONTENT_TYPE, "json", "/owner"),
        (part("people", b"{}") + part("people", b"{") + b"--XX--\r\n", CONTENT_TYPE, "json", "/people/1"),
        (part("count", b"1") * 2 + b"--XX--\r\n", CONTENT_TYPE, "duplicate", "/count"),
        (part("owner", b"{}") * 2 + b"--XX--\r\n", CONTENT_TYPE, "duplicate", "/owner"),
        (part("tags", b"x") * (MAX_PARTS + 1) + b"--XX--\r\n", CONTENT_TYPE, "maxParameters", ""),
        (part("tags", b"x") * 10_000 + b"--XX--\r\n", CONTENT_TYPE, "maxParameters", ""),
    ],
)
def test_broken_multipart_is_refused_with_its_rule(data: bytes, content_type: str, keyword: str, pointer: str) -> None:
    failure = failure_of(lambda: body_decoder(MULTIPART, UPLOAD)(data, content_type))
    assert (failure.keyword, failure.pointer) == (keyword, pointer)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "title": TEXT,
            "count": st.integers(),
            "public": st.booleans(),
            "tags": st.lists(TEXT, min_size=1),
            "owner": st.fixed_dictionaries({"id": st.integers()}),
            "people": st.lists(st.dictionaries(TEXT, TEXT), min_size=1),
            "file": st.text(st.characters(max_codepoint=255), max_size=9),
            "files": st.lists(st.text(st.characters(max_codepoint=255), max_size=9), min_size=1),
        },
    )
)
def test_multipart_reads_back(value: Json) -> None:
    boundary = "a boundary that no value of this test holds"
    data = body_encoder(MULTIPART, UPLOAD, boundary=boundary)(value)
    found = body_decoder(MULTIPART, UPLOAD)(data, f'{MULTIPART}; boundary="{boundary}"')
    assert found.value == value


@given(st.lists(st.sampled_from([b"--XX", b"--", b"\r\n", b"\n", b"A: b", b"\xff", part("title", b"x")]), max_size=9))
def test_any_multipart_decodes_or_is_undecodable(pieces: list[bytes]) -> None:
    assert isinstance(outcome_of(lambda: decoded(*pieces)), dict | Undecodable)

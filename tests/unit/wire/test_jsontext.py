"""JSON texts (RFC 8259): as the standard library reads them, and stricter where the RFC is."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.jsontext import MAX_DEPTH, dumps, loads
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from tests.unit.wire.failures import failure_of, outcome_of

TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(['":', '\\":"', "1" * 25, "[[", "null"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=20,
)


def typed(value: Json) -> str:
    """Tells 1 from 1.0 and True, and -0.0 from 0."""
    return repr(value)


@given(JSON, st.sampled_from([None, 2]), st.booleans())
def test_values_are_those_of_the_standard_library(value: Json, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, separators=(" , ", "\t:\n"))
    assert typed(loads(text.encode())) == typed(json.loads(text))


@given(JSON)
def test_written_values_read_back(value: Json) -> None:
    assert typed(loads(dumps(value))) == typed(value)
    assert typed(json.loads(dumps(value))) == typed(value)


@given(st.binary(max_size=30) | st.text(alphabet='{}[]",:\\u0d8e1-+.tnf \n', max_size=30).map(str.encode))
def test_bytes_are_read_as_by_the_standard_library_or_refused(data: bytes) -> None:
    found = outcome_of(lambda: loads(data))
    if isinstance(found, Undecodable):
        assert dumps(found.got)  # what is reported can itself be sent
    else:
        assert typed(found) == typed(json.loads(data.decode("utf-8-sig")))


def test_every_scalar_is_a_text() -> None:
    assert [loads(text) for text in (b"false", b"null", b"0", b'""')] == [False, None, 0, ""]


def test_byte_order_mark_is_ignored() -> None:
    assert loads(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**400, int("9" * 4000)])
def test_big_integers_stay_exact(number: int) -> None:
    assert loads(b'{"n": %d}' % number) == {"n": number}
    assert loads(dumps([number])) == [number]


@pytest.mark.parametrize(
    ("data", "keyword", "pointer"),
    [
        (b"", "json", ""),
        (b"{", "json", ""),
        (b"[1,]", "json", ""),
        (b"{'a':1}", "json", ""),
        (b"01", "json", ""),
        (b"1 2", "json", ""),
        (b'"\x01"', "json", ""),
        (b"NaN", "json", ""),
        (b"[Infinity]", "json", ""),
        (b"-Infinity", "json", ""),
        (b'"\\ud800"', "json", ""),
        (b'{"\\udc00\\ud800":1234567890123456789012}', "json", ""),
        (b'"\xff"', "encoding", ""),
        (b'"\xed\xa0\x80"', "encoding", ""),
        ("[1]".encode("utf-16"), "encoding", ""),
        (b"1e400", "number", ""),
        (b"[-1e999]", "number", ""),
        (b"9" * 4001, "number", ""),
        (b'{"a":1,"a":2}', "uniqueNames", ""),
        (b'{"a" :1,"a"\n:2}', "uniqueNames", ""),
        (b'{"a":1,"\\u0061":2}', "uniqueNames", ""),
        (b'{"x":[0,{"a/b":{"c":1,"d":2,"c":3}}]}', "uniqueNames", "/x/1/a~1b"),
        (b'{"a":{"b":1,"b":2},"a":1}', "uniqueNames", "/a"),
        (b"[" * 101 + b"]" * 101, "maxDepth", ""),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "maxDepth", ""),
        (b"[" * 100_000, "maxDepth", ""),
        (b"[1234567890123456789012," * 100_000, "maxDepth", ""),
    ],
)
def test_what_is_not_json_is_refused_with_its_rule(data: bytes, keyword: str, pointer: str) -> None:
    failure = failure_of(lambda: loads(data))
    assert (failure.keyword, failure.pointer) == (keyword, pointer)


def test_repeated_name_is_told() -> None:
    assert failure_of(lambda: loads(b'{"id":1,"id":2}')).got == "id"


def test_syntax_error_is_located() -> None:
    assert "line 2 column 6" in failure_of(lambda: loads(b'{"a": 1,\n"b": }')).message


def test_text_that_looks_like_a_member_is_no_repetition() -> None:
    assert loads(b'{"a":"\\":","b":"x\\": "}') == {"a": '":', "b": 'x": '}


def test_nesting_up_to_the_limit_is_read() -> None:
    value = loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert value != []


def test_limit_of_nesting_is_the_callers() -> None:
    assert loads(b"[[1]]", max_depth=2) == [[1]]
    assert failure_of(lambda: loads(b"[[1]]", max_depth=1)).keyword == "maxDepth"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        dumps({"a": [number]})


def test_unpaired_surrogates_are_written_escaped() -> None:
    assert dumps("\ud800") == b'"\\ud800"'


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 200_000, b'{"a":1,' * 100 + b'"' * 200_001])
def test_long_hostile_texts_end(data: bytes) -> None:
    assert failure_of(lambda: loads(data)).keyword == "json"

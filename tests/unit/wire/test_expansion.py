"""Writing parameters: RFC 6570's own examples, and what is written reads back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import DescriptionError
from mock_server.openapi.expansion import (
    serialize_cookie,
    serialize_header,
    serialize_path,
    serialize_query,
)
from mock_server.openapi.querystrings import query_decoder
from mock_server.openapi.shapes import ANYTHING, Shape, shape_of
from mock_server.openapi.styles import ParameterSpec, cookie_decoder, header_decoder, path_decoder
from mock_server.openapi.values import Json

REFEREE = Path(__file__).parents[4] / "shared" / "referees" / "uri-template"
_STYLES = {"": "simple", ".": "label", ";": "matrix", "?": "form", "&": "form"}
_EXPRESSION = re.compile(r"\{([.;?&]?)([A-Za-z_]+)(\*?)\}")


def rfc_6570_examples() -> Iterator[tuple[str, Json, ParameterSpec, list[str]]]:
    """Expressions of one variable that a parameter style corresponds to, with all expansions allowed."""
    for path in sorted(REFEREE.glob("spec-examples*.json")):
        for group in json.loads(path.read_text("utf-8")).values():
            for template, expected in group["testcases"]:
                found = _EXPRESSION.fullmatch(template)
                value = group["variables"].get(found[2]) if found else None
                if found is None or value is None:
                    continue
                operator, name, explode = found.groups()
                location = "query" if operator in {"?", "&"} else "path"
                spec = ParameterSpec(name, location, _STYLES[operator], bool(explode), shape=ANYTHING)
                allowed = expected if isinstance(expected, list) else [expected]
                yield template, value, spec, [text.lstrip("?&") for text in allowed]


@pytest.mark.skipif(not REFEREE.is_dir(), reason="the RFC 6570 examples are not beside this checkout")
def test_expansions_are_those_of_rfc_6570() -> None:
    examples = list(rfc_6570_examples())
    assert len(examples) > 40
    for template, value, spec, allowed in examples:
        write = serialize_query if spec.location == "query" else serialize_path
        assert write(spec, value) in allowed, template


def test_reserved_characters_pass_where_allowed() -> None:
    spec = ParameterSpec("url", "query", "form", True, allow_reserved=True)
    assert serialize_query(spec, "http://a/b?c&d=e") == "url=http://a/b?c%26d%3De"


@pytest.mark.parametrize("value", [[{"a": 1}], {"a": [1]}, [[1]]])
def test_nested_values_are_refused_by_styles_that_cannot_carry_them(value: Json) -> None:
    with pytest.raises(DescriptionError, match="nests values"):
        serialize_query(ParameterSpec("p", "query", "form", True), value)


def spec(location: str, style: str, explode: bool, schema: Json) -> ParameterSpec:
    return ParameterSpec("p", location, style, explode, shape=shape_of({}, schema))


TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
STRING = ({"type": "string"}, TEXT)
NUMBER = ({"type": "number"}, st.integers() | st.floats(allow_nan=False, allow_infinity=False))
FLAG = ({"type": "boolean"}, st.booleans())
INTEGERS = ({"type": "array", "items": {"type": "integer"}}, st.lists(st.integers(), min_size=1))
STRINGS = ({"type": "array", "items": {"type": "string"}}, st.lists(TEXT, min_size=2))
RECORD = (
    {"type": "object", "properties": {"a": {"type": "integer"}, "b é&": {"type": "string"}}},
    st.fixed_dictionaries({"a": st.integers(), "b é&": TEXT}),
)


@st.composite
def carried(draw: st.DrawFn, *kinds: tuple[Json, st.SearchStrategy[Json]]) -> tuple[Json, Json]:
    """A schema and a value of it."""
    schema, values = draw(st.sampled_from(kinds))
    return schema, draw(values)


@given(
    st.sampled_from(["simple", "matrix"]),
    st.booleans(),
    carried(STRING, NUMBER, FLAG, INTEGERS, STRINGS, RECORD),
)
def test_paths_read_back(style: str, explode: bool, case: tuple[Json, Json]) -> None:
    one = spec("path", style, explode, case[0])
    assert path_decoder(one)(serialize_path(one, case[1])) == case[1]


@given(st.booleans(), carried(INTEGERS, FLAG))
def test_labels_read_back(explode: bool, case: tuple[Json, Json]) -> None:
    one = spec("path", "label", explode, case[0])
    assert path_decoder(one)(serialize_path(one, case[1])) == case[1]


@given(st.booleans(), carried(STRING, NUMBER, FLAG, INTEGERS, STRINGS, RECORD))
def test_form_queries_read_back(explode: bool, case: tuple[Json, Json]) -> None:
    one = spec("query", "form", explode, case[0])
    found = query_decoder([one])(serialize_query(one, case[1]))
    assert (found.values, found.unknown) == ({"p": case[1]}, ())


@given(st.sampled_from(["spaceDelimited", "pipeDelimited", "tabDelimited"]), st.booleans(), carried(INTEGERS))
def test_delimited_queries_read_back(style: str, explode: bool, case: tuple[Json, Json]) -> None:
    one = spec("query", style, explode, case[0])
    assert query_decoder([one])(serialize_query(one, case[1])).values == {"p": case[1]}


_KEYS = st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=1, max_size=4)
_NESTED = st.recursive(
    TEXT,
    lambda children: st.lists(children, min_size=1, max_size=3) | st.dictionaries(_KEYS, children, min_size=1),
)


def exact_schema(value: Json) -> Json:
    """A schema that says which containers are where, as a description would."""
    if isinstance(value, list):
        return {"type": "array", "prefixItems": [exact_schema(item) for item in value]}
    if isinstance(value, dict):
        return {"type": "object", "properties": {key: exact_schema(child) for key, child in value.items()}}
    return {"type": "string"}


@given(st.dictionaries(_KEYS, _NESTED, min_size=1, max_size=3))
def test_deep_objects_of_any_depth_read_back(value: Json) -> None:
    one = spec("query", "deepObject", True, exact_schema(value))
    assert query_decoder([one])(serialize_query(one, value)).values == {"p": value}


@given(st.booleans(), carried(NUMBER, FLAG, INTEGERS))
def test_headers_read_back(explode: bool, case: tuple[Json, Json]) -> None:
    one = spec("header", "simple", explode, case[0])
    assert header_decoder(one)(serialize_header(one, case[1])) == case[1]


@given(st.booleans(), carried(STRING, NUMBER, FLAG, INTEGERS, STRINGS))
def test_cookies_read_back(explode: bool, case: tuple[Json, Json]) -> None:
    one = spec("cookie", "form", explode, case[0])
    assert cookie_decoder([one])(serialize_cookie(one, case[1])) == {"p": case[1]}


@given(st.sampled_from(["path", "query", "header", "cookie"]), RECORD[1])
def test_content_parameters_read_back(location: str, value: Json) -> None:
    shape: Shape = shape_of({}, RECORD[0])
    one = ParameterSpec("p", location, "", False, shape=shape, media_type="application/json")
    if location == "path":
        assert path_decoder(one)(serialize_path(one, value)) == value
    elif location == "query":
        assert query_decoder([one])(serialize_query(one, value)).values == {"p": value}
    elif location == "header":
        assert header_decoder(one)(serialize_header(one, value)) == value
    else:
        assert cookie_decoder([one])(serialize_cookie(one, value)) == {"p": value}

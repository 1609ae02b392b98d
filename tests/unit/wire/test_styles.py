"""The style table of OpenAPI (3.1 §4.8.12.5), read: paths, headers and cookies."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import DescriptionError
from mock_server.openapi.shapes import Shape, shape_of
from mock_server.openapi.styles import ParameterSpec, cookie_decoder, header_decoder, path_decoder
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from tests.unit.wire.failures import failure_of, outcome_of

STRING = shape_of({}, {"type": "string"})
STRINGS = shape_of({}, {"type": "array", "items": {"type": "string"}})
INTEGERS = shape_of({}, {"type": "array", "items": {"type": "integer"}})
COLORS = shape_of({}, {"type": "object", "properties": {name: {"type": "integer"} for name in "RGB"}})

BLACK = ["blue", "black", "brown"]
RGB = {"R": 100, "G": 200, "B": 150}


def spec(
    location: str, style: str, shape: Shape, *, explode: bool = False, media_type: str | None = None
) -> ParameterSpec:
    return ParameterSpec("color", location, style, explode, shape=shape, media_type=media_type)


@pytest.mark.parametrize(
    ("style", "explode", "shape", "text", "value"),
    [
        ("matrix", False, STRING, ";color", ""),
        ("matrix", False, STRING, ";color=blue", "blue"),
        ("matrix", False, STRINGS, ";color=blue,black,brown", BLACK),
        ("matrix", False, COLORS, ";color=R,100,G,200,B,150", RGB),
        ("matrix", True, STRING, ";color=blue", "blue"),
        ("matrix", True, STRINGS, ";color=blue;color=black;color=brown", BLACK),
        ("matrix", True, COLORS, ";R=100;G=200;B=150", RGB),
        ("label", False, STRING, ".", ""),
        ("label", False, STRING, ".blue", "blue"),
        ("label", False, STRINGS, ".blue.black.brown", BLACK),  # up to OAS 3.0.3 and 3.1.0
        ("label", False, STRINGS, ".blue,black,brown", BLACK),  # since OAS 3.0.4 and 3.1.1
        ("label", False, COLORS, ".R.100.G.200.B.150", RGB),
        ("label", False, COLORS, ".R,100,G,200,B,150", RGB),
        ("label", True, STRING, ".blue", "blue"),
        ("label", True, STRINGS, ".blue.black.brown", BLACK),
        ("label", True, COLORS, ".R=100.G=200.B=150", RGB),
        ("simple", False, STRING, "blue", "blue"),
        ("simple", False, STRINGS, "blue,black,brown", BLACK),
        ("simple", False, COLORS, "R,100,G,200,B,150", RGB),
        ("simple", True, STRING, "blue", "blue"),
        ("simple", True, STRINGS, "blue,black,brown", BLACK),
        ("simple", True, COLORS, "R=100,G=200,B=150", RGB),
    ],
)
def test_path_styles_read_as_in_the_specification(
    style: str, explode: bool, shape: Shape, text: str, value: Json
) -> None:
    assert path_decoder(spec("path", style, shape, explode=explode))(text) == value


def test_escaped_separator_is_data() -> None:
    assert path_decoder(spec("path", "simple", STRINGS))("a%2Cb,c%2fd") == ["a,b", "c/d"]


def test_plus_in_a_path_is_a_plus() -> None:
    assert path_decoder(spec("path", "simple", STRING))("a+b%20c") == "a+b c"


def test_scalar_or_array_is_an_array_only_with_a_separator() -> None:
    either = shape_of({}, {"oneOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]})
    decode = path_decoder(spec("path", "simple", either))
    assert (decode("1"), decode("1,2")) == (1, [1, 2])


def test_tuple_items_have_their_own_types() -> None:
    pair = shape_of({}, {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]})
    assert path_decoder(spec("path", "simple", pair))("1,2") == [1, "2"]


@pytest.mark.parametrize(
    ("style", "shape", "text", "keyword"),
    [
        ("simple", STRING, "%ff", "percentEncoding"),
        ("simple", STRING, "%c0%af", "percentEncoding"),  # overlong
        ("simple", STRING, "%ed%a0%80", "percentEncoding"),  # a lone surrogate
        ("simple", STRING, "\ud800", "percentEncoding"),
        ("simple", STRING, "50%", "percentEncoding"),
        ("simple", STRING, "%zz", "percentEncoding"),
        ("simple", COLORS, "R,100,G", "style"),
        ("simple", COLORS, "R,100,R,200", "duplicate"),
        ("label", STRING, "blue", "style"),
        ("matrix", STRING, "color=blue", "style"),
        ("matrix", STRING, ";colour=blue", "style"),
        ("matrix", STRING, ";color=blue;color=red", "duplicate"),
    ],
)
def test_broken_path_text_names_the_parameter_and_the_rule(style: str, shape: Shape, text: str, keyword: str) -> None:
    decode = path_decoder(spec("path", style, shape))
    failure = failure_of(lambda: decode(text))
    assert (failure.keyword, failure.name) == (keyword, "color")


@pytest.mark.parametrize(
    ("explode", "shape", "text", "value"),
    [
        (False, STRING, " blue ", "blue"),
        (False, STRING, "50%", "50%"),
        (False, STRINGS, "blue, black ,brown", BLACK),
        (False, INTEGERS, "", []),
        (False, COLORS, "R,100,G,200,B,150", RGB),
        (True, COLORS, "R=100, G=200, B=150", RGB),
    ],
)
def test_headers_are_simple_and_not_percent_encoded(explode: bool, shape: Shape, text: str, value: Json) -> None:
    assert header_decoder(spec("header", "simple", shape, explode=explode))(text) == value


def test_parameter_described_by_content_is_a_document() -> None:
    decode = header_decoder(spec("header", "", COLORS, media_type="application/json"))
    assert decode('{"R": [1, {"x": 2}]}') == {"R": [1, {"x": 2}]}
    assert failure_of(lambda: decode("{")).name == "color"


@pytest.mark.parametrize(
    ("style", "explode", "shape", "header", "value"),
    [
        ("form", True, STRING, "color=blue", "blue"),
        ("form", True, STRING, 'a=1; color="blue"; b=2', "blue"),
        ("form", True, STRING, "color=a%3Db=c", "a=b=c"),
        ("cookie", True, STRING, "color=50%", "50%"),
        ("form", False, STRINGS, "color=blue,black,brown", BLACK),
        ("form", True, STRINGS, "color=blue&color=black&color=brown", BLACK),
        ("form", True, STRINGS, "color=blue; color=black; color=brown", BLACK),
        ("form", False, COLORS, "color=R,100,G,200,B,150", RGB),
        ("form", True, COLORS, "R=100; G=200; B=150; other=1", RGB),
    ],
)
def test_cookies_read_as_their_style_says(style: str, explode: bool, shape: Shape, header: str, value: Json) -> None:
    assert cookie_decoder([spec("cookie", style, shape, explode=explode)])(header) == {"color": value}


def test_cookie_that_was_not_sent_is_absent() -> None:
    assert cookie_decoder([spec("cookie", "form", STRING, explode=True)])("other=1; ;=; x") == {}


def test_cookie_sent_twice_is_a_duplicate() -> None:
    decode = cookie_decoder([spec("cookie", "form", STRING, explode=True)])
    failure = failure_of(lambda: decode("color=a; color=b"))
    assert (failure.keyword, failure.name) == ("duplicate", "color")


@pytest.mark.parametrize(
    ("factory", "location", "style"),
    [
        (path_decoder, "path", "form"),
        (header_decoder, "header", "matrix"),
        (lambda one: cookie_decoder([one]), "cookie", "deepObject"),
    ],
)
def test_style_of_another_location_is_a_wrong_description(
    factory: Callable[[ParameterSpec], object], location: str, style: str
) -> None:
    with pytest.raises(DescriptionError, match="not defined there"):
        factory(spec(location, style, STRING))


@pytest.mark.parametrize("shape", [STRING, INTEGERS, COLORS, Shape()])
@pytest.mark.parametrize("explode", [False, True])
@given(text=st.text(alphabet=";.,=%&+ aR01é\"'\x00", max_size=20))
def test_hostile_text_fails_only_as_undecodable(shape: Shape, explode: bool, text: str) -> None:
    decoders: list[Callable[[str], Json]] = [
        path_decoder(spec("path", style, shape, explode=explode)) for style in ("simple", "label", "matrix")
    ]
    decoders.append(header_decoder(spec("header", "simple", shape, explode=explode)))
    decoders.append(cookie_decoder([spec("cookie", "form", shape, explode=explode)]))
    for decode in decoders:
        found = outcome_of(partial(decode, text))
        assert not isinstance(found, Undecodable) or found.name == "color"

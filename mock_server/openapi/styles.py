"""Parameter styles: raw text of a path segment, header or cookie to a JSON value (OAS 3.1 §4.8.12.3, RFC
6570).

Every factory decides once, from a parameter's style and shape, what its decoder does per request. Decoders
raise ``Undecodable`` and nothing else. Query strings, where parameters compete for names, are read in
``querystrings``; the way back is in ``expansion``.

What the styles leave open is decided here:
- An array or object sent as an empty text is empty, where the style joins its items in one text.
- ``label`` without explode separates items by commas as RFC 6570 does; without any comma by dots, as the
  tables up to OAS 3.0.3 and 3.1.0 do.
- Header values are not percent-decoded (OAS 3.2 §4.12.3); items lose the white space around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError
from mock_server.openapi import jsontext, percent
from mock_server.openapi.brackets import duplicate
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.shapes import ANYTHING, Shape, coerce, coercer
from mock_server.openapi.undecodable import Undecodable, excerpt
from mock_server.openapi.values import Json

TextDecoder: TypeAlias = Callable[[str], Json]
_Splitter: TypeAlias = Callable[[str], list[str]]

STYLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "path": frozenset({"simple", "label", "matrix"}),
        "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"}),
        "header": frozenset({"simple"}),
        "cookie": frozenset({"form", "cookie"}),
        "querystring": frozenset({"form"}),
    }
)
"""The styles of each location; ``tabDelimited`` is Swagger 2.0's ``collectionFormat: tsv``."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """How one parameter travels.

    ``media_type`` is that of a parameter described by ``content`` instead of a schema with a style (OAS 3.1
    §4.8.12.2); style and explode mean nothing then. Header names keep their case here; the caller finds the
    header.
    """

    name: str
    location: str
    style: str
    explode: bool
    required: bool = False
    allow_reserved: bool = False
    allow_empty_value: bool = False
    shape: Shape = ANYTHING
    media_type: str | None = None


def path_decoder(spec: ParameterSpec) -> TextDecoder:
    """A function from the raw, still percent-encoded text of a path parameter to its value."""
    check_style(spec)
    if spec.media_type is not None or spec.style == "simple":
        return _named(spec.name, joined_decoder(spec, percent.decode))
    return _named(spec.name, _label_decoder(spec) if spec.style == "label" else _matrix_decoder(spec))


def header_decoder(spec: ParameterSpec) -> TextDecoder:
    """A function from a header's value to the parameter's; repeated headers come joined by commas."""
    check_style(spec)
    return _named(spec.name, joined_decoder(spec, str.strip))


def cookie_decoder(specs: Sequence[ParameterSpec]) -> Callable[[str], dict[str, Json]]:
    """A function from a whole Cookie header to the values of the cookie parameters it has, by name.

    The header is split as in RFC 6265 §5.4; a value in double quotes loses them. Style ``form`` is
    percent-decoded, style ``cookie`` of OAS 3.2 is not. An exploded array is a repeated cookie, an exploded
    object one cookie for each of its properties; ``form``'s ``color=a&color=b`` inside one cookie (OAS 3.1
    §4.8.12.4) is understood as well.
    """
    for spec in specs:
        check_style(spec)
    readers = tuple((spec.name, _cookie_reader(spec)) for spec in specs)

    def decode(header: str) -> dict[str, Json]:
        sent: dict[str, list[str]] = {}
        for piece in header.split(";"):
            name, _, raw = piece.strip().partition("=")
            value = raw[1:-1] if len(raw) > 1 and raw[0] == raw[-1] == '"' else raw
            sent.setdefault(name, []).append(value)
        values = {}
        for name, read in readers:
            try:
                found = read(sent)
            except Undecodable as failure:
                raise failure.at("", name=name) from None
            if found:
                values[name] = found[0]
        return values

    return decode


def check_style(spec: ParameterSpec) -> None:
    """Refuses, with a ``DescriptionError``, a style that is not defined where the parameter is."""
    allowed = STYLES.get(spec.location, frozenset())
    if spec.media_type is None and spec.style not in allowed:
        raise DescriptionError(
            f"the {spec.location} parameter {spec.name!r} has a style that is not defined there",
            got=spec.style,
            allowed=", ".join(sorted(allowed)),
            hint="leave the style out to get the default of the location",
        )


def content_decoder(media_type: str, unescape: Callable[[str], str], shape: Shape) -> TextDecoder:
    """A decoder of a parameter that is written as a document of a media type: JSON, or else text."""
    name = parse_media_type(media_type)
    if name is not None and name.suffix == "json":
        return lambda text: jsontext.loads(unescape(text).encode("utf-8", "surrogatepass"))
    return lambda text: coerce(unescape(text), shape)


def joined_decoder(spec: ParameterSpec, unescape: Callable[[str], str]) -> TextDecoder:
    """A decoder of one text that holds a whole value: a scalar, or the joined items of an array or object."""
    shape = spec.shape
    if spec.media_type is not None:
        return content_decoder(spec.media_type, unescape, shape)
    if shape.is_list:
        return list_decoder(shape, _splitter(spec.style), unescape)
    if shape.is_record and spec.style != "deepObject":
        if spec.explode:
            return assignments_decoder(shape, _splitter(spec.style), unescape)
        return _alternating_decoder(shape, _splitter(spec.style), unescape)
    return scalar_decoder(shape, unescape)


def scalar_decoder(shape: Shape, unescape: Callable[[str], str]) -> TextDecoder:
    """A decoder of one text that is one value."""
    convert = coercer(shape)
    if convert is str:
        return unescape
    return lambda text: convert(unescape(text))


def list_decoder(shape: Shape, split: _Splitter, unescape: Callable[[str], str]) -> TextDecoder:
    """A decoder of items joined in one text; a text without separator may be a scalar."""
    item = coercer(shape.items or ANYTHING)
    scalar = scalar_decoder(shape, unescape) if shape.is_scalar else None

    def decode(text: str) -> Json:
        pieces = split(text) if text else []
        if scalar is not None and len(pieces) < 2:
            return scalar(text)
        if shape.prefix:
            return [coerce(unescape(piece), shape.item(index)) for index, piece in enumerate(pieces)]
        return [item(unescape(piece)) for piece in pieces]

    return decode


def assignments_decoder(shape: Shape, split: _Splitter, unescape: Callable[[str], str]) -> TextDecoder:
    """A decoder of an exploded object in one text: ``R=100,G=200``."""

    def decode(text: str) -> Json:
        pairs = [piece.partition("=") for piece in split(text)] if text else []
        if any(not equals for _, equals, _ in pairs):
            raise _bad_style("an exploded object is written as name=value items", "R=100,G=200", text)
        return _record(shape, unescape, ((name, raw) for name, _, raw in pairs))

    return decode


def _alternating_decoder(shape: Shape, split: _Splitter, unescape: Callable[[str], str]) -> TextDecoder:
    """A decoder of an object that is not exploded: ``R,100,G,200``."""

    def decode(text: str) -> Json:
        pieces = split(text) if text else []
        if len(pieces) % 2:
            raise _bad_style("an object is written as names and values in turn", "R,100,G,200", text)
        return _record(shape, unescape, zip(pieces[::2], pieces[1::2], strict=True))

    return decode


def _record(shape: Shape, unescape: Callable[[str], str], pairs: Iterable[tuple[str, str]]) -> dict[str, Json]:
    members: dict[str, Json] = {}
    for raw_name, raw in pairs:
        name = unescape(raw_name)
        if name in members:
            raise duplicate(2).at("/" + name.replace("~", "~0").replace("/", "~1"))
        members[name] = coerce(unescape(raw), shape.member(name))
    return members


def _splitter(style: str) -> _Splitter:
    """How the items of a style are told apart, before percent-decoding, so that escaped separators stay data.

    Space, pipe and tab cannot stand in a URI as they are, so for these the escaped form separates.
    """
    match style:
        case "spaceDelimited":
            return re.compile(r"%20|\+| ").split
        case "pipeDelimited":
            return re.compile(r"\||%7[Cc]").split
        case "tabDelimited":
            return re.compile(r"%09|\t").split
        case _:
            return lambda text: text.split(",")


def _split_label(text: str) -> list[str]:
    return text.split("," if "," in text else ".")


def _split_label_exploded(text: str) -> list[str]:
    return text.split(".")


def _label_decoder(spec: ParameterSpec) -> TextDecoder:
    shape = spec.shape
    split = _split_label_exploded if spec.explode else _split_label
    if shape.is_list:
        inner = list_decoder(shape, split, percent.decode)
    elif shape.is_record and spec.explode:
        inner = assignments_decoder(shape, split, percent.decode)
    elif shape.is_record:
        inner = _alternating_decoder(shape, split, percent.decode)
    else:
        inner = scalar_decoder(shape, percent.decode)

    def decode(text: str) -> Json:
        if not text.startswith("."):
            raise _bad_style("a label parameter starts with a dot", ".value", text)
        return inner(text[1:])

    return decode


def _matrix_decoder(spec: ParameterSpec) -> TextDecoder:
    shape = spec.shape
    joined = joined_decoder(spec, percent.decode)
    item = coercer(shape.items or ANYTHING)

    def decode(text: str) -> Json:
        if not text.startswith(";"):
            raise _bad_style("a matrix parameter starts with a semicolon", f";{spec.name}=value", text)
        pairs = [piece.partition("=") for piece in text[1:].split(";")]
        if spec.explode and shape.is_record:
            return _record(shape, percent.decode, ((name, raw) for name, _, raw in pairs if name))
        if any(percent.decode(name) != spec.name for name, _, _ in pairs):
            raise _bad_style("a matrix parameter repeats its own name", f";{spec.name}=value", text)
        raws = [raw for _, _, raw in pairs]
        if spec.explode and shape.is_list and (len(raws) > 1 or not shape.is_scalar):
            return [item(percent.decode(raw)) for raw in raws]
        if len(raws) > 1:
            raise duplicate(len(raws))
        return joined(raws[0])

    return decode


def _cookie_reader(spec: ParameterSpec) -> Callable[[dict[str, list[str]]], tuple[Json, ...]]:
    """A function from all cookies to the parameter's value, in a tuple that is empty when it was not sent."""
    unescape: Callable[[str], str] = str if spec.style == "cookie" else percent.decode
    shape, name = spec.shape, spec.name
    if spec.explode and shape.is_record and spec.media_type is None:

        def read_members(sent: dict[str, list[str]]) -> tuple[Json, ...]:
            pairs = [(key, raw) for key in shape.properties for raw in sent.get(key, ())]
            return (_record(shape, unescape, pairs),) if pairs else ()

        return read_members
    joined = joined_decoder(spec, unescape)
    item = coercer(shape.items or ANYTHING)
    again = f"&{name}="

    def read(sent: dict[str, list[str]]) -> tuple[Json, ...]:
        raws = sent.get(name)
        if raws is None:
            return ()
        if spec.explode and shape.is_list:
            texts = [text for raw in raws for text in raw.split(again)]
            if len(texts) > 1 or not shape.is_scalar:
                return ([item(unescape(text)) for text in texts],)
        if len(raws) > 1:
            raise duplicate(len(raws))
        return (joined(raws[0]),)

    return read


def _bad_style(rule: str, example: str, text: str) -> Undecodable:
    return Undecodable("style", f"{rule}, as in {example!r}", example, excerpt(text))


def _named(name: str, decode: TextDecoder) -> TextDecoder:
    """The decoder with the parameter's name in its failures."""

    def named(text: str) -> Json:
        try:
            return decode(text)
        except Undecodable as failure:
            raise failure.at("", name=name) from None

    return named

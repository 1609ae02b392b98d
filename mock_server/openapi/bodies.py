"""Bodies by media type: bytes to the value that a schema judges, and back.

A decoder is chosen once for each described media type. Bytes that are no text (images, PDF, octet-stream,
and media types unknown here) stand before the schema as a string of the same length, each byte one
character (ISO 8859-1). An empty body is the caller's business: whether there is a body at all is not a
question of its media type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from mock_server.errors import ConfigurationError
from mock_server.openapi import jsontext, percent, sequences
from mock_server.openapi.charsets import decode_text
from mock_server.openapi.expansion import bracketed, plain
from mock_server.openapi.forms import FORM, MULTIPART, EncodingSpec, form_decoder
from mock_server.openapi.media import MediaTypeName, parse_media_type
from mock_server.openapi.quick import quick
from mock_server.openapi.shapes import Shape, coerce, shape_of
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.openapi.multipart import Part


@quick(frozen=True, slots=True)
class DecodedBody:
    """What a body says: the ``value`` that the schema judges, and the ``parts`` of a multipart body."""

    value: Json
    parts: tuple[Part, ...] = ()


BodyDecoder: TypeAlias = Callable[[bytes, str], DecodedBody]
BodyEncoder: TypeAlias = Callable[[Json], bytes]


class Syntax(Enum):
    """The syntaxes that bodies are written in."""

    JSON = auto()
    JSON_LINES = auto()
    JSON_SEQUENCE = auto()
    EVENTS = auto()
    FORM = auto()
    MULTIPART = auto()
    XML = auto()
    TEXT = auto()
    BINARY = auto()


_BY_ESSENCE: Mapping[str, Syntax] = MappingProxyType(
    {
        FORM: Syntax.FORM,
        MULTIPART: Syntax.MULTIPART,
        sequences.SEQUENCE: Syntax.JSON_SEQUENCE,
        sequences.EVENTS: Syntax.EVENTS,
        **dict.fromkeys(sequences.LINES, Syntax.JSON_LINES),
    }
)

_NO_ENCODING: Mapping[str, EncodingSpec] = MappingProxyType({})


def syntax_of(name: MediaTypeName | None) -> Syntax:
    """The syntax of a media type; binary where none is known."""
    if name is None:
        return Syntax.BINARY
    known = _BY_ESSENCE.get(name.essence)
    if known is not None:
        return known
    if name.suffix == "json":
        return Syntax.JSON
    if name.suffix == "xml" and name.type in {"application", "text"}:
        return Syntax.XML
    return Syntax.TEXT if name.type == "text" else Syntax.BINARY


def body_decoder(media_type: str, bundle: Json, *, encoding: Mapping[str, EncodingSpec] = _NO_ENCODING) -> BodyDecoder:
    """A function from a body and its Content-Type header to what it says, for one described media type.

    ``bundle`` is the body's schema with the ``$defs`` it refers to, or True. Where ``media_type`` is a
    range such as ``*/*``, the Content-Type of each body chooses the syntax. Raises ``Undecodable``; its
    pointer leads to the member that cannot be read.
    """
    name = parse_media_type(media_type)
    if name is not None and not name.is_range:
        return _decoder(syntax_of(name), bundle, encoding)
    by_syntax: dict[Syntax, BodyDecoder] = {}  # filled on first use; at most one decoder for each syntax

    def decode(data: bytes, content_type: str) -> DecodedBody:
        sent = syntax_of(parse_media_type(content_type))
        if sent not in by_syntax:
            by_syntax[sent] = _decoder(sent, bundle, encoding)
        return by_syntax[sent](data, content_type)

    return decode


def _decoder(syntax: Syntax, bundle: Json, encoding: Mapping[str, EncodingSpec]) -> BodyDecoder:
    match syntax:
        case Syntax.JSON:
            loads = jsontext.loads
            return lambda data, _: DecodedBody(loads(data))
        case Syntax.JSON_LINES:
            return lambda data, _: DecodedBody(sequences.loads_lines(data))
        case Syntax.JSON_SEQUENCE:
            return lambda data, _: DecodedBody(sequences.loads_sequence(data))
        case Syntax.EVENTS:
            return lambda data, _: DecodedBody(sequences.loads_events(data))
        case Syntax.BINARY:
            return lambda data, _: DecodedBody(data.decode("latin-1"))
        case _:
            return _typed_decoder(syntax, shape_of(bundle, bundle), encoding)


def _typed_decoder(syntax: Syntax, shape: Shape, encoding: Mapping[str, EncodingSpec]) -> BodyDecoder:
    """The decoder of a syntax that carries no types of its own."""
    if syntax is Syntax.FORM:
        read_form = form_decoder(shape, encoding=encoding)
        return lambda data, content_type: DecodedBody(read_form(decode_text(data, content_type)))
    # Imported where they are used: few APIs have such bodies, and all would wait for their parsers.
    if syntax is Syntax.MULTIPART:
        from mock_server.openapi.multipart import multipart_decoder

        read_multipart = multipart_decoder(shape, encoding=encoding)
        return lambda data, content_type: DecodedBody(*read_multipart(data, content_type))
    if syntax is Syntax.XML:
        from mock_server.openapi.xml import xml_decoder

        read_xml = xml_decoder(shape)
        return lambda data, _: DecodedBody(read_xml(data))
    return lambda data, content_type: DecodedBody(coerce(decode_text(data, content_type), shape))


def body_encoder(
    media_type: str,
    bundle: Json,
    *,
    encoding: Mapping[str, EncodingSpec] = _NO_ENCODING,
    boundary: str | None = None,
    root_name: str = "root",
) -> BodyEncoder:
    """A function from a value to a body of a media type: the inverse of ``body_decoder``.

    ``boundary`` is needed for multipart bodies; ``root_name`` names the root of XML where the schema does
    not. Text is UTF-8. Strings of binary media types hold one byte in each character.
    """
    match syntax_of(parse_media_type(media_type)):
        case Syntax.JSON:
            return jsontext.dumps
        case Syntax.JSON_LINES:
            return sequences.dumps_lines
        case Syntax.JSON_SEQUENCE:
            return sequences.dumps_sequence
        case Syntax.EVENTS:
            return sequences.dumps_events
        case Syntax.FORM:
            return lambda value: bracketed(value, percent.encode).encode("ascii")
        case Syntax.MULTIPART:
            if boundary is None:
                raise ConfigurationError(
                    "a multipart body needs a boundary",
                    got=media_type,
                    hint="pass boundary=... and repeat it in the Content-Type",
                )
            from mock_server.openapi.multipart import multipart_encoder

            return multipart_encoder(shape_of(bundle, bundle), encoding=encoding, boundary=boundary)
        case Syntax.XML:
            from mock_server.openapi.xml import xml_encoder

            return xml_encoder(shape_of(bundle, bundle), root_name=root_name)
        case Syntax.TEXT:
            return lambda value: plain(value).encode("utf-8")
        case Syntax.BINARY:
            return lambda value: plain(value).encode("latin-1", "replace")

"""Replies taken apart: which described body one belongs to, and what it says. Several checks read them, none twice."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn
from weakref import WeakKeyDictionary

from defusedxml import ElementTree

from contracts.judging import Exchange
from mock_server.dataclass import dataclass
from mock_server.exchange.requests import encodings_of
from mock_server.openapi import jsontext
from mock_server.openapi.bodies import BodyDecoder, Syntax, body_decoder, syntax_of
from mock_server.openapi.compile import Api
from mock_server.openapi.description import MediaType, Operation, Response
from mock_server.openapi.media import matches, parse_media_type
from mock_server.openapi.shapes import ANYTHING, Shape, shape_of
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Direction, Json

BODYLESS = frozenset({204, 205, 304})
"""Statuses whose replies have no body (RFC 9110 §15.3.5, §15.3.6, §15.4.5)."""

_PARTIAL = 206


class _Unread:
    def __repr__(self) -> str:
        return "UNREAD"


UNREAD: Final[Any] = _Unread()
"""The value of a body that is not judged: what it says is not beyond doubt, or not known here."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a reply's body says. ``fault`` is why it cannot be read; ``plain`` whether every reader reads it alike.

    ``sure`` is False for XML, of which a description seldom says all that its mapping to JSON takes.
    """

    value: Json = UNREAD
    fault: Undecodable | None = None
    plain: bool = True
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Described:
    """A described media type of a response, with what it takes to read its bodies, decided once."""

    media: MediaType
    shape: Shape
    decode: BodyDecoder

    @classmethod
    def of(cls, media: MediaType) -> Described:
        """The reader of a media type's bodies."""
        bundle: Any = media.schema.bundle(Direction.RESPONSE) if media.schema is not None else True
        shape = shape_of(bundle, bundle) if media.schema is not None else ANYTHING
        return cls(media, shape, body_decoder(media.name, bundle, encoding=encodings_of(media)))


_DESCRIBED: WeakKeyDictionary[Api, dict[tuple[str, str, str], Described]] = WeakKeyDictionary()


def is_answer(exchange: Exchange) -> bool:
    """Whether the request was one of the operation: with another method (HEAD, TRACE) nothing of it is described."""
    return exchange.recorded.request.method == exchange.operation.method


def carries_body(exchange: Exchange) -> bool:
    """Whether the reply is of the kind that has a body."""
    status = exchange.recorded.status
    return status >= 200 and status not in BODYLESS and exchange.recorded.request.method != "HEAD"


def is_coded(exchange: Exchange) -> bool:
    """Whether the body was sent compressed; some transports hand it on as it was, others do not."""
    return (exchange.recorded.header("content-encoding") or "identity").strip().lower() != "identity"


def is_judged(exchange: Exchange) -> bool:
    """Whether the reply has a body that the description can speak of."""
    recorded = exchange.recorded
    return (
        bool(recorded.reply.body)
        and recorded.status != _PARTIAL
        and exchange.response is not None
        and is_answer(exchange)
        and carries_body(exchange)
    )


def described(exchange: Exchange) -> Described | None:
    """The described media type that the reply's Content-Type belongs to."""
    response = exchange.response
    content_type = exchange.recorded.header("content-type")
    if response is None or not response.content or content_type is None:
        return None
    name = matches(content_type, tuple(media.name for media in response.content))
    return _described(exchange, response, name) if name is not None else None


def _described(exchange: Exchange, response: Response, name: str) -> Described:
    known = _DESCRIBED.setdefault(exchange.api, {})
    key = (exchange.operation.id, response.status, name)
    found = known.get(key)
    if found is None:
        found = known.setdefault(key, Described.of(next(m for m in response.content if m.name == name)))
    return found


def syntax(exchange: Exchange) -> Syntax:
    """The syntax that the reply says its body has."""
    return syntax_of(parse_media_type(exchange.recorded.header("content-type") or ""))


def body_of(exchange: Exchange, entry: Described) -> Body:
    """What the body of a reply says, for a described media type."""
    data = exchange.recorded.reply.body
    content_type = exchange.recorded.header("content-type") or ""
    match syntax(exchange):
        case Syntax.JSON:
            return json_body(data)
        case Syntax.XML:
            return _xml(entry, data, content_type)
        case Syntax.TEXT | Syntax.BINARY if entry.shape.is_scalar:
            try:
                return Body(entry.decode(data, content_type).value, plain=False)
            except Undecodable as failure:
                named = parse_media_type(content_type)
                told = named is not None and named.parameter("charset") is not None
                return Body(fault=failure if told else None, plain=False)
        case _:  # streams, forms, and text that is said to be more than a text: descriptions seldom say how
            return Body(plain=False)


def json_body(data: bytes) -> Body:
    """A JSON text. What RFC 8259 allows but advises against (a name twice) is no fault."""
    try:
        return Body(jsontext.loads(data))
    except Undecodable as failure:
        try:
            value = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
        except RecursionError:
            return Body(plain=False)
        except ValueError:
            return Body(fault=failure, plain=False)
        return Body(value if failure.keyword == "uniqueNames" else UNREAD, plain=False)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)  # RFC 8259 §6: neither NaN nor Infinity


def _xml(entry: Described, data: bytes, content_type: str) -> Body:
    try:
        return Body(entry.decode(data, content_type).value, plain=False, sure=False)
    except Undecodable as failure:
        try:
            ElementTree.fromstring(data)
        except ElementTree.ParseError:
            return Body(fault=failure, plain=False)
        except ValueError:  # entities and the like, which are well-formed and not read here
            return Body(plain=False)
        return Body(fault=failure, plain=False, sure=False)


def overlay_target(operation: Operation) -> str:
    """The JSONPath under which an overlay finds an operation."""
    path = operation.path.replace("\\", "\\\\").replace("'", "\\'")
    return f"$.paths['{path}'].{operation.method.lower()}"

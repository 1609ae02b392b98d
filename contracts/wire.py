"""Requests in their wire form: what a described operation's parameters and body become when they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.requests import encodings_of, spec_of
from mock_server.model.outcome import NO_BODY
from mock_server.openapi import jsontext, percent
from mock_server.openapi.bodies import body_encoder
from mock_server.openapi.compile import Api
from mock_server.openapi.description import MediaType, Operation
from mock_server.openapi.expansion import (
    plain,
    serialize_cookie,
    serialize_header,
    serialize_path,
    serialize_query,
)
from mock_server.openapi.media import ANY_BYTES, negotiate
from mock_server.openapi.values import Direction, Json

_BOUNDARY = "apidouble-8f3c1d"

Values = Mapping[tuple[str, str], Json]
"""Parameter values by location (path, query, header, cookie) and name."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as it is sent; ``target`` is path and query, percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def written(
    api: Api, operation: Operation, values: Values, *, body: Json = NO_BODY, content_type: str | None = None
) -> WireRequest:
    """The wire form of a call: every parameter in its described style, the body in its media type.

    A parameter that is not described goes as it is: into the query as text, into a header. A path parameter without a
    value is a ``ConfigurationError``.
    """
    specs = {(p.location, p.name): spec_of(p) for p in operation.parameters}
    headers: dict[str, str] = {}
    query: list[str] = []
    cookies: list[str] = []
    for (location, name), value in values.items():
        spec = specs.get((location, name))
        if location == "query":
            query.append(
                serialize_query(spec, value) if spec else f"{percent.encode(name)}={percent.encode(plain(value))}"
            )
        elif location == "querystring":
            query.append(serialize_query(spec, value) if spec else percent.encode(plain(value)))
        elif location == "header":
            headers[name] = serialize_header(spec, value) if spec else plain(value)
        elif location == "cookie":
            cookies.append(serialize_cookie(spec, value) if spec else f"{name}={plain(value)}")
    path = api.refs[operation.id].template.text
    for name in api.refs[operation.id].template.parameters:
        if ("path", name) not in values:
            raise ConfigurationError(f"{operation.id} needs a value for the path parameter {name!r}")
        value = values[("path", name)]
        spec = specs.get(("path", name))
        text = serialize_path(spec, value) if spec else percent.encode(plain(value))
        # Dots alone are steps in a path (RFC 3986 §5.2.4), even when a value means them.
        path = path.replace("{" + name + "}", text.replace(".", "%2E") if text in {".", ".."} else text)
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    data = b""
    if body is not NO_BODY:
        data, headers["Content-Type"] = encoded(operation, body, content_type)
    joined = "&".join(text for text in query if text)
    return WireRequest(operation.method, path + (f"?{joined}" if joined else ""), headers, data)


def received(request: WireRequest, *, url: str = "http://localhost") -> RawRequest:
    """A request as a double that is reached at ``url`` receives it."""
    path, _, query = request.target.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return RawRequest(request.method, path, query, headers, request.body, url)


def encoded(operation: Operation, body: Json, content_type: str | None) -> tuple[bytes, str]:
    """A body in one of the operation's media types (the first, unless one is named), and its Content-Type."""
    content = operation.request_body.content if operation.request_body is not None else ()
    essence = content_type.partition(";")[0].strip().lower() if content_type is not None else None
    media = next((m for m in content if essence is None or m.name.lower() == essence), None)
    if media is None:
        return jsontext.dumps(body), content_type or "application/json"
    sent = content_type or media.name
    if "*" in sent:  # a range that is described; what is sent is of one type
        chosen = negotiate(None, (sent,))
        sent = chosen.content_type if chosen is not None else ANY_BYTES
        if sent == ANY_BYTES and not isinstance(body, str):
            sent = "application/json"
    encoder = _encoder_of(media, sent)
    if sent.startswith("multipart/"):
        sent = f"{sent}; boundary={_BOUNDARY}"
    return encoder(body), sent


def _encoder_of(media: MediaType, content_type: str) -> Any:
    bundle: Any = media.schema.bundle(Direction.REQUEST) if media.schema is not None else True
    return body_encoder(content_type, bundle, encoding=encodings_of(media), boundary=_BOUNDARY)

"""What a description says, as frozen values: operations, parameters, bodies, responses, security.

``compile.py`` makes these; the rest of the project reads them. Each value carries the JSON pointer of the place it
was read from, so that a message can name the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from mock_server.dataclass import dataclass
from mock_server.openapi.documents import Located
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Example:
    """A documented example value under its name ("" for the singular ``example``)."""

    name: str
    value: Json


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one property of a form or multipart body is written (OAS 3.1 §4.8.15)."""

    content_type: str | None
    style: str | None
    explode: bool | None
    allow_reserved: bool


@dataclass(frozen=True, slots=True)
class MediaType:
    """One entry of a ``content`` map. ``schema`` is None when the description says nothing about the body."""

    name: str
    schema: Schema | None
    examples: tuple[Example, ...]
    encoding: Mapping[str, Encoding]
    located: Located


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation; either ``schema`` or ``media_type`` describes its value."""

    name: str
    location: str
    required: bool
    style: str
    explode: bool
    allow_reserved: bool
    allow_empty_value: bool
    schema: Schema | None
    media_type: MediaType | None
    description: str
    examples: tuple[Example, ...]
    located: Located


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The body an operation takes; ``content`` in the order of the description."""

    required: bool
    content: tuple[MediaType, ...]
    located: Located


@dataclass(frozen=True, slots=True)
class Header:
    """A described response header."""

    name: str
    required: bool
    schema: Schema | None
    explode: bool
    example: Json
    located: Located


@dataclass(frozen=True, slots=True)
class Link:
    """A described link from a response to another operation (OAS 3.1 §4.8.20)."""

    name: str
    operation_id: str | None
    operation_ref: str | None
    parameters: Mapping[str, Json]
    request_body: Json


@dataclass(frozen=True, slots=True)
class Response:
    """What one status code (``"200"``, ``"4XX"`` or ``"default"``) of an operation answers."""

    status: str
    description: str
    headers: tuple[Header, ...]
    content: tuple[MediaType, ...]
    links: tuple[Link, ...]
    located: Located


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """A way to authenticate. ``kind`` is apiKey, http, oauth2, openIdConnect or mutualTLS.

    ``location`` and ``parameter`` say where an API key travels; ``scheme`` is the HTTP authentication scheme in lower
    case (``bearer`` for oauth2 and openIdConnect as well, RFC 6750).
    """

    name: str
    kind: str
    location: str
    parameter: str
    scheme: str
    scopes: tuple[str, ...]
    description: str
    extensions: Mapping[str, Json]


SecurityRequirement = tuple[tuple[SecurityScheme, tuple[str, ...]], ...]
"""Schemes (with the scopes asked for) that must all be satisfied; () is the anonymous alternative."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, compiled. ``security`` lists alternatives, of which one must hold; () means open."""

    id: str
    method: str
    path: str
    summary: str
    tags: tuple[str, ...]
    deprecated: bool
    parameters: tuple[Parameter, ...]
    request_body: RequestBody | None
    responses: Mapping[str, Response]
    security: tuple[SecurityRequirement, ...]
    extensions: Mapping[str, Json]
    located: Located = field(repr=False)

    def response_for(self, status: int) -> Response | None:
        """The response described for a status: exact, then ``4XX``, then ``default`` (OAS 3.1 §4.8.16)."""
        responses = self.responses
        found = responses.get(str(status))
        if found is None:
            found = responses.get(f"{status // 100}XX")
        return responses.get("default") if found is None else found

    def describes(self, status: int) -> bool:
        """Whether the status itself is described, by its number or its class (not by ``default``)."""
        return str(status) in self.responses or f"{status // 100}XX" in self.responses

    @property
    def success(self) -> tuple[int, Response | None]:
        """The status and response of the normal case: the lowest described 2xx, else the lowest 3xx, else 200 by
        ``default``."""
        codes = sorted(int(code) for code in self.responses if code.isdigit() and code.startswith("2"))
        if codes:
            return codes[0], self.responses[str(codes[0])]
        if "2XX" in self.responses:
            return 200, self.responses["2XX"]
        redirects = sorted(int(code) for code in self.responses if code.isdigit() and code.startswith("3"))
        if redirects:
            return redirects[0], self.responses[str(redirects[0])]
        if "3XX" in self.responses:
            return 302, self.responses["3XX"]
        return 200, self.responses.get("default")

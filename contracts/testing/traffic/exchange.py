"""One request and its answer, as tests look at them: everything decoded, but nothing before somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from contracts.service import NOT_JSON
from contracts.testing.traffic.described import Described, body_value, cookie_texts, described, query_texts
from contracts.testing.traffic.expecting import ABSENT, Place
from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError
from mock_server.exchange.journal import Entry
from mock_server.exchange.matching import Matcher
from mock_server.exchange.messages import RawResponse
from mock_server.model.redaction import Secrets
from mock_server.openapi import jsontext
from mock_server.openapi.compile import Api
from mock_server.openapi.undecodable import Undecodable, excerpt
from mock_server.openapi.values import Json, Violation

Value = TypeVar("Value")

_EMPTY_IS_A_VALUE = ("application/x-www-form-urlencoded", "text/plain")


class Headers(Mapping[str, Value]):
    """Headers by name, whatever the case of the name; never changed. Repeated ones are joined (RFC 9110 §5.3)."""

    def __init__(self, headers: Mapping[str, Value]) -> None:
        self._named = dict(headers)
        self._spelled = {name.lower(): name for name in self._named}

    def __getitem__(self, name: str) -> Value:
        return self._named[self._spelled[name.lower()]]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._spelled

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._named)})"  # names only: values may be credentials


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request by location and name, typed as the description has them.

    What is not described is there as text, and so is what cannot be read. ``header`` holds the described ones.
    """

    path: Mapping[str, Json]
    query: Mapping[str, Json]
    header: Mapping[str, Json]
    cookie: Mapping[str, Json]


@dataclass(frozen=True)  # not slotted: what has been decoded is kept in the instance
class Response:
    """What the double answered."""

    raw: RawResponse

    @property
    def status(self) -> int:
        return self.raw.status

    @cached_property
    def headers(self) -> Headers[str]:
        """The headers; repeated ones are joined by commas."""
        found: dict[str, str] = {}
        for name, value in self.raw.headers:
            known = next((other for other in found if other.lower() == name.lower()), None)
            found[known or name] = f"{found[known]}, {value}" if known is not None else value
        return Headers(found)

    @property
    def body(self) -> bytes:
        return self.raw.body

    @cached_property
    def json(self) -> Any:
        """The body as JSON; ``NOT_JSON`` when it is none."""
        return _json(self.raw.body)

    def __repr__(self) -> str:
        return f"<{self.status}, {len(self.body)} bytes>"


@dataclass(frozen=True, eq=False, repr=False)  # not slotted: what has been decoded is kept in the instance
class Exchange:
    """One request and what was answered. ``operation_id`` is None where no operation was found.

    ``entry`` is the journal's own record, ``api`` and its ``matcher`` say how to read it, and ``secrets`` are what
    texts must not show.
    """

    entry: Entry
    api: Api
    matcher: Matcher
    secrets: Callable[[], Secrets]

    @property
    def id(self) -> str:
        """What the journal calls it: r1, r2, …"""
        return self.entry.id

    @property
    def operation_id(self) -> str | None:
        return self.entry.trace.operation_id

    @property
    def method(self) -> str:
        return self.entry.request.method

    @property
    def path(self) -> str:
        """The path as it was sent, percent-encoded, below the API's mount point."""
        return self.entry.request.path

    @property
    def query(self) -> str:
        """The query as it was sent, without the question mark."""
        return self.entry.request.query

    @cached_property
    def headers(self) -> Headers[str]:
        """The request's headers, as they were sent."""
        return Headers(self.entry.request.headers)

    @property
    def body(self) -> bytes:
        """The request's body, as it was sent."""
        return self.entry.request.body

    @cached_property
    def json(self) -> Any:
        """The request's body as JSON, whatever its media type says; ``NOT_JSON`` when it is none."""
        return _json(self.body)

    @cached_property
    def value(self) -> Any:
        """The request's body in its media type: JSON, forms and XML as values typed by the description, else text.

        ``ABSENT`` when none was sent; the body as text when it cannot be read in its media type.
        """
        content_type = self.entry.request.headers.get("content-type", "")
        if not self.body and not content_type.lower().startswith(_EMPTY_IS_A_VALUE):
            return ABSENT
        try:
            if self.described is None:
                return body_value(self.body, content_type)
            return self.described.body(self.body, content_type)
        except Undecodable:
            return self.body.decode("utf-8", "replace")

    @cached_property
    def described(self) -> Described | None:
        """The operation, None where none was found or its description is broken."""
        if self.operation_id is None:
            return None
        try:
            return described(self.api, self.operation_id)
        except DescriptionError:
            return None

    @cached_property
    def parameters(self) -> Parameters:
        """The path, query, header and cookie parameters."""
        request, cookies = self.entry.request, self.entry.request.headers.get("cookie", "")
        if self.described is None:
            return Parameters({}, query_texts(request.query), Headers({}), cookie_texts(cookies))
        return Parameters(
            self.described.path(self.matcher.match(request.method, request.path)[0].values),
            self.described.query(request.query),
            Headers(self.described.headers(request.headers)),
            self.described.cookies(cookies),
        )

    @cached_property
    def response(self) -> Response:
        """What was answered."""
        return Response(self.entry.response)

    @property
    def status(self) -> int:
        """The status that was answered."""
        return self.entry.response.status

    @property
    def outcome(self) -> str:
        """The status as text, or that a fault broke the connection instead."""
        return "connection reset" if self.entry.response.reset else str(self.status)

    @property
    def time(self) -> datetime:
        """When it was, by the double's clock."""
        return self.entry.time

    @property
    def principal(self) -> str | None:
        """The name of the credential that the request came with, None where nobody was asked for one."""
        return self.entry.trace.principal

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What was found wrong with the request."""
        return self.entry.trace.violations

    @property
    def refused(self) -> str | None:
        """Why it was refused: the kind of problem and a sentence; None when it was not."""
        problem = self.entry.trace.refused
        return f"{problem.kind}: {problem.detail}" if problem is not None else None

    @property
    def explanation(self) -> dict[str, Json]:
        """Why the answer is what it is, as ``Prefer: explain`` tells it."""
        return self.entry.trace.as_json()

    def at(self, place: Place) -> object:
        """The decoded value at a place, ``ABSENT`` where there is none."""
        root, steps = place.root, place.steps
        if root == "status":
            return self.status
        if root == "principal":
            return self.principal
        if root == "body":
            return _below(self.value, steps)
        if root == "header":
            return _below(self._header(steps[0]), steps[1:])
        return _below(getattr(self.parameters, root), steps)

    def has(self, place: Place) -> bool:
        """Whether there is a value at a place."""
        return self.at(place) is not ABSENT

    def _header(self, name: str) -> object:
        for known in (self.parameters.header, self.headers):
            for spelled, value in known.items():
                if spelled.lower().replace("_", "-") == name.lower().replace("_", "-"):
                    return value
        return ABSENT

    def __repr__(self) -> str:
        path = self.secrets().hidden_in(self.path)
        return f"{self.operation_id or '(no operation)'} {excerpt(self.method)} {excerpt(path)} -> {self.outcome}"


def _json(body: bytes) -> Any:
    try:
        return jsontext.loads(body)
    except Undecodable:
        return NOT_JSON


def _below(value: object, steps: tuple[str, ...]) -> object:
    for step in steps:
        if isinstance(value, Mapping):
            value = value.get(step, ABSENT)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ABSENT
    return value

"""Hypothesis strategies of an API: valid requests, for tests of one's server, and valid answers, for one's client."""

from __future__ import annotations

import json as jsontext
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from hypothesis import strategies as st

from contracts.testing.contracting.default import default_api, root_folder
from contracts.testing.contracting.values import parameter_values, values
from contracts.testing.setup import located
from contracts.wire import Values, WireRequest, received, written
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, ConfigurationError, did_you_mean
from mock_server.exchange.requests import Reading, RequestReader, value_schema
from mock_server.model.outcome import NO_BODY
from mock_server.openapi.compile import Api
from mock_server.openapi.description import MediaType, Operation
from mock_server.openapi.documents import Documents
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.values import Direction, Json
from mock_server.packs import source_of

if TYPE_CHECKING:
    from contracts.testing.api import MockApi

    Described: TypeAlias = str | Path | Api | MockApi

_PLACES = ("path", "query", "header", "cookie", "body")
_KEPT = 16
_SHOWN = 400
_UNWRITABLE = (ApidoubleError, ValueError, TypeError, LookupError)
"""What writing a request raises for values that a wire format has no words for."""


@dataclass(frozen=True, slots=True, repr=False)
class ValidRequest:
    """A request that an operation's description allows, as it goes over the wire.

    ``path`` (percent-encoded) begins below the API's base URL, ``query`` is what stands behind the question mark.
    ``json`` is the body's value as a server reads it, None where there is no ``body``. ``parameters`` are values by
    place (path, query, header, cookie) and name. It carries no credential: that is for the client that sends it.
    """

    operation_id: str
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    json: Json = None
    parameters: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def send(self, client: Any, *, base_url: str = "") -> Any:
        """The response of a client: of ``requests``, of ``httpx`` (awaitable from an asynchronous one), or werkzeug's.

        ``base_url`` is what stands before the description's paths, for clients that do not know it themselves.
        """
        url, headers = base_url.rstrip("/") + self.target, dict(self.headers)
        if hasattr(client, "open"):  # werkzeug's and Flask's test client
            return client.open(url, method=self.method, headers=headers, data=self.body)
        content = "content" if hasattr(client, "build_request") else "data"  # httpx, else requests
        return client.request(self.method, url, headers=headers, **{content: self.body or None})

    def __repr__(self) -> str:
        parts = [f"{self.operation_id}: {self.method} {self.target}"]
        parts += [f"{name}: {value}" for name, value in self.headers.items() if name != "Content-Type"]
        if self.body:
            told = self.headers.get("Content-Type", "")
            parts += [told] if told != "application/json" else []
            parts.append(_told(self))
        return f"<{'  '.join(parts)}>"


def _told(request: ValidRequest) -> str:
    """A body, short enough to be read."""
    try:
        text = jsontext.dumps(request.json, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(request.body)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def from_operation(operation_id: str, *, api: Described | None = None, **fixed: Any) -> st.SearchStrategy[ValidRequest]:
    """Valid requests of an operation, each valid as it goes over the wire; small ones where a test fails.

    ``api`` is a pack's name, the path of a description (in pytest's root folder), or a ``mock_api``; without one it is
    the default of the ini file. ``fixed`` members have values of their own, plain ones or strategies:
    ``body__name="Jane"``, ``query__limit=st.just(5)``, ``body__items__0__price=…``. A ``ConfigurationError`` about an
    operation or parameter that there is not comes with the first draw.
    """
    return st.deferred(lambda: _requests(_api(api), operation_id, fixed))


def from_response(operation_id: str, *, status: int = 200, api: Described | None = None) -> st.SearchStrategy[Json]:
    """Valid bodies of an operation's response, as JSON values: what a client must be able to read.

    A ``ConfigurationError`` when no such response is described, or none of JSON, comes with the first draw.
    """
    return st.deferred(lambda: _responses(_api(api), operation_id, status))


# Which API


def _api(api: Described | None) -> Api:
    wanted = api if api is not None else default_api.get()
    if wanted is None:
        raise ConfigurationError("nothing says which API this is about", allowed="api=… with a pack's name or a file",
                                 hint="or set mock_api in the ini file of pytest")  # fmt: skip
    if isinstance(wanted, str | Path):
        return _loaded(located(wanted, [root_folder.get()]))
    return wanted if isinstance(wanted, Api) else wanted.served.api


@lru_cache(maxsize=_KEPT)
def _loaded(text: str) -> Api:
    source = source_of(text)
    documents = Documents.load(source.description, overlays=source.overlays, allow_remote=source.allow_remote,
                               allow_outside=source.allow_outside)  # fmt: skip
    return Api(documents, name=source.name)


def _operation(api: Api, operation_id: str) -> Operation:
    if operation_id not in api.refs:
        raise ConfigurationError("the description has no such operation", got=operation_id,
                                 hint=did_you_mean(operation_id, api.refs))  # fmt: skip
    return api.operation(operation_id)


# Requests

_Drawn: TypeAlias = tuple[dict[tuple[str, str], Json], tuple[str | None, Json]]
_kept: WeakKeyDictionary[Api, dict[str, st.SearchStrategy[_Drawn]]] = WeakKeyDictionary()


def _requests(api: Api, operation_id: str, fixed: Mapping[str, Any]) -> st.SearchStrategy[ValidRequest]:
    operation = _operation(api, operation_id)
    reader = RequestReader(operation)
    places = {_place(operation, name): value for name, value in fixed.items()}
    known = _kept.setdefault(api, {})
    drawn = known.get(operation_id)
    if drawn is None:
        drawn = known[operation_id] = st.tuples(_parameters(operation), _bodies(operation))
    chosen = st.fixed_dictionaries(
        {place: value if isinstance(value, st.SearchStrategy) else st.just(value) for place, value in places.items()}
    )

    def made(both: tuple[_Drawn, dict[tuple[str, ...], Json]]) -> ValidRequest | None:
        (parameters, (content_type, body)), members = both
        try:
            for place, value in members.items():
                if place[0] != "body":
                    parameters = {**parameters, (place[0], place[1]): value}
                else:
                    body = _with(body, place[1:], value)
            return _read(api, operation, reader, parameters, body, content_type)
        except _UNWRITABLE:
            return None

    return st.tuples(drawn, chosen).map(made).filter(lambda request: request is not None)  # type: ignore[return-value]  # mypy does not narrow by filter


def _parameters(operation: Operation) -> st.SearchStrategy[dict[tuple[str, str], Json]]:
    """Values of all that is required and of some that is not; what is left out is simpler."""
    found = {
        (each.location, each.name): (parameter_values(value_schema(each), each.location), each.required)
        for each in operation.parameters
        if each.location in _PLACES
    }
    return st.fixed_dictionaries(
        {place: drawn for place, (drawn, required) in found.items() if required or place[0] == "path"},
        optional={place: drawn for place, (drawn, required) in found.items() if not required and place[0] != "path"},
    )


def _bodies(operation: Operation) -> st.SearchStrategy[tuple[str | None, Json]]:
    """The media type of a body and its value: JSON first, which reads best, and none where it may be absent."""
    none: st.SearchStrategy[tuple[str | None, Json]] = st.just((None, NO_BODY))
    body = operation.request_body
    if body is None or not body.content:
        return none
    several = sorted(body.content, key=lambda media: "json" not in media.name)
    drawn = [st.tuples(st.just(_concrete(media.name)), _contents(media)) for media in several]
    return st.one_of(*drawn) if body.required else st.one_of(none, *drawn)


def _contents(media: MediaType) -> st.SearchStrategy[Json]:
    if media.schema is not None:
        return values(media.schema, Direction.REQUEST)
    return st.text() if "json" not in media.name else st.dictionaries(st.text(), st.text() | st.integers(), max_size=3)


def _concrete(name: str) -> str:
    """A media type that can be sent: of a range, the one that comes first to mind."""
    parsed = parse_media_type(name)
    if parsed is None or not parsed.is_range:
        return name
    if parsed.type in {"*", "application"}:
        return "application/json"
    return "text/plain" if parsed.type == "text" else f"{parsed.type}/octet-stream"


def _read(
    api: Api, operation: Operation, reader: RequestReader, drawn: Values, body: Json, content_type: str | None
) -> ValidRequest | None:
    """The request that some values come to, None where it is none that the description allows."""
    wire = written(api, operation, drawn, body=body, content_type=content_type)
    path = wire.target.partition("?")[0]
    if any(step in {"", ".", "..", "%2E", "%2E%2E"} for step in path.split("/")[1:]) and path != "/":
        return None  # clients and servers take such steps out of a path
    match = api.match(wire.method, path)
    if match.target != operation.id:
        return None
    reading = reader.read(received(wire), match.values)
    return _told_as(operation, wire, reading) if isinstance(reading, Reading) else None


def _told_as(operation: Operation, wire: WireRequest, reading: Reading) -> ValidRequest:
    path, _, query = wire.target.partition("?")
    names = {each.name.lower(): each.name for each in operation.parameters if each.location == "header"}
    headers = {names.get(name, name): value for name, value in reading.headers.items()}
    found = {"path": reading.path, "query": reading.query, "header": headers, "cookie": reading.cookies}
    json = reading.body if reading.body is not NO_BODY else None
    return ValidRequest(operation.id, wire.method, path, query, MappingProxyType(dict(wire.headers)), wire.body, json,
                        MappingProxyType(found))  # fmt: skip


# Fixed members


def _place(operation: Operation, name: str) -> tuple[str, ...]:
    """Where a fixed member goes: ``body__name`` or ``query__limit``."""
    where, *rest = name.split("__")
    if where not in _PLACES or not rest:
        raise ConfigurationError("a fixed member names its place first", got=name,
                                 allowed=", ".join(f"{place}__name" for place in _PLACES),
                                 hint=did_you_mean(where, _PLACES))  # fmt: skip
    if where == "body":
        return (where, *rest)
    wanted = "__".join(rest)
    known = [each.name for each in operation.parameters if each.location == where]
    found = next((each for each in known if _plain(each) == _plain(wanted)), None)
    if found is None:
        raise ConfigurationError(f"{operation.id} has no such {where} parameter", got=wanted,
                                 allowed=", ".join(known) or "it has none",
                                 hint=did_you_mean(wanted, known))  # fmt: skip
    return where, found


def _plain(name: str) -> str:
    """A parameter's name as Python can write it."""
    return "".join(character if character.isalnum() else "_" for character in name).lower()


def _with(value: Json, path: tuple[str, ...], member: Json) -> Json:
    """A body with another value at a place; ``LookupError`` where it has no such place."""
    if not path:
        return member
    name, *rest = path
    if isinstance(value, dict):
        return {**value, name: _with(value.get(name, {}) if rest else None, tuple(rest), member)}
    if isinstance(value, list) and name.isdigit() and int(name) < len(value):
        return [_with(each, tuple(rest), member) if index == int(name) else each for index, each in enumerate(value)]
    raise LookupError(name)


# Responses


def _responses(api: Api, operation_id: str, status: int) -> st.SearchStrategy[Json]:
    operation = _operation(api, operation_id)
    response = operation.response_for(status)
    if response is None:
        raise ConfigurationError(f"{operation_id} describes no response of this status", got=status,
                                 allowed=", ".join(operation.responses))  # fmt: skip
    schemas = [media.schema for media in response.content if "json" in media.name and media.schema is not None]
    if not schemas:
        described = ", ".join(media.name for media in response.content) or "no content at all"
        raise ConfigurationError(f"{operation_id} describes no JSON in its response of status {status}", got=described)
    first = schemas[0]
    return values(first, Direction.RESPONSE).filter(lambda value: first.accepts(value, Direction.RESPONSE))


def operations_of(api: Described | None = None) -> Iterator[str]:
    """The operation ids that requests can be drawn of, for parametrized tests."""
    yield from _api(api).refs

"""A double behind httpx: clients and transports that end at a door instead of a socket.

What httpx itself does (redirects, cookies, decoding, streaming, hooks) is above the transport and stays as it is; what
its default transport would refuse to write is refused here too.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Mapping
from time import sleep
from urllib.parse import urlencode

import anyio
import httpx

from contracts.testing.clients.door import Door
from contracts.testing.clients.routes import (
    Finder,
    Route,
    content,
    phrase,
    replaced,
    route,
    sent_headers,
    suggestion,
    without_secrets,
)
from mock_server.errors import ApidoubleError
from mock_server.exchange.concealing import hides
from mock_server.exchange.journal import REDACTED_HEADERS
from mock_server.exchange.messages import RawResponse

# What h11 writes (RFC 9110 §5.1, §5.5, §9.1); httpx' default transport refuses everything else.
_TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_VALUE = re.compile(rb"(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?")


class RequestRefused(ApidoubleError, httpx.ConnectError):
    """A request to a URL that no double is behind; nothing was sent. For httpx it is a ``ConnectError``."""


def client(
    door: Door,
    base_url: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> httpx.Client:
    """An ``httpx.Client`` that reaches a door at ``base_url`` and nothing else.

    Relative URLs ("/customers" and "customers" alike) are below ``base_url``; ``headers`` and ``query`` go with every
    request. Environment and proxies do not count.
    """
    return _client(route(base_url), headers, query, DoorTransport(door, base_url))


def async_client(
    door: Door,
    base_url: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> httpx.AsyncClient:
    """An ``httpx.AsyncClient`` that reaches a door at ``base_url`` and nothing else; under asyncio and trio alike."""
    return _async_client(route(base_url), headers, query, AsyncDoorTransport(door, base_url))


def live_client(
    base_url: str, *, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> httpx.Client:
    """An ``httpx.Client`` for a server that listens: relative URLs are below ``base_url``, the rest is httpx."""
    return _client(route(base_url), headers, query, None)


def live_async_client(
    base_url: str, *, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """An ``httpx.AsyncClient`` for a server that listens: relative URLs are below ``base_url``."""
    return _async_client(route(base_url), headers, query, None)


class DoorTransport(httpx.BaseTransport):
    """A transport for ``httpx.Client``: URLs below ``base_url`` reach the door, all others are refused."""

    def __init__(self, door: Door, base_url: str) -> None:
        self._door = door
        self._route = route(base_url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The door's answer."""
        _check(request, self._route)
        return answered(request, self._door, self._route)


class AsyncDoorTransport(httpx.AsyncBaseTransport):
    """A transport for ``httpx.AsyncClient``; a delay lets other tasks go on."""

    def __init__(self, door: Door, base_url: str) -> None:
        self._door = door
        self._route = route(base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The door's answer."""
        _check(request, self._route)
        return await answered_async(request, self._door, self._route)


def intercept_transports(find: Finder) -> Callable[[], None]:
    """Has httpx' own transports ask ``find`` for a door before they open a connection; what is returned undoes it."""
    sync, concurrent = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def handle_request(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        target = find(request.method, str(request.url), RequestRefused)
        return sync(transport, request) if target is None else answered(request, target.door, target.route)

    async def handle_async_request(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        target = find(request.method, str(request.url), RequestRefused)
        if target is None:
            return await concurrent(transport, request)
        return await answered_async(request, target.door, target.route)

    undo_sync = replaced(httpx.HTTPTransport, "handle_request", handle_request)
    undo_concurrent = replaced(httpx.AsyncHTTPTransport, "handle_async_request", handle_async_request)

    def undo() -> None:
        undo_sync()
        undo_concurrent()

    return undo


def answered(request: httpx.Request, door: Door, at: Route) -> httpx.Response:
    """What a door answers to a request of httpx, once it would have arrived."""
    assert isinstance(request.stream, httpx.SyncByteStream)
    answer = _asked(request, b"".join(request.stream), door, at)
    patience = _patience(request)
    if answer.delay:
        sleep(answer.delay if patience is None else min(answer.delay, patience))
    return _response(request, answer, patience)


async def answered_async(request: httpx.Request, door: Door, at: Route) -> httpx.Response:
    """The same for an asynchronous client; the door itself is quick and is called as it is."""
    assert isinstance(request.stream, httpx.AsyncByteStream)
    answer = _asked(request, b"".join([part async for part in request.stream]), door, at)
    patience = _patience(request)
    if answer.delay:
        await anyio.sleep(answer.delay if patience is None else min(answer.delay, patience))
    return _response(request, answer, patience)


def _asked(request: httpx.Request, body: bytes, door: Door, at: Route) -> RawResponse:
    method = request.method
    if _TOKEN.fullmatch(method.encode("utf-8")) is None:
        raise httpx.LocalProtocolError(f"a method is a token (RFC 9110 §9.1), not {method!r}")
    for name, value in request.headers.raw:
        if _TOKEN.fullmatch(name) is None:
            raise httpx.LocalProtocolError(f"a header's name is a token (RFC 9110 §5.1), not {name!r}")
        if _VALUE.fullmatch(value) is None:
            told = "" if hides(name.decode("latin-1"), REDACTED_HEADERS) else f": {value!r}"
            raise httpx.LocalProtocolError(
                f"the header {name.decode('latin-1')} has a value that cannot be sent (RFC 9110 §5.5){told}"
            )
    stated = request.headers.get("content-length")
    if stated is not None and stated != str(len(body)):
        raise httpx.LocalProtocolError(f"Content-Length says {stated}, but the body has {len(body)} bytes")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    return door(at.request(method, request.url.raw_path.decode("ascii"), headers, body))


def _patience(request: httpx.Request) -> float | None:
    """How many seconds the client waits for an answer; None for ever."""
    read: float | None = request.extensions.get("timeout", {}).get("read")
    return read


def _response(request: httpx.Request, answer: RawResponse, patience: float | None) -> httpx.Response:
    if patience is not None and answer.delay > patience:
        raise httpx.ReadTimeout("The read operation timed out", request=request)
    if answer.reset:
        raise httpx.ReadError(f"[Errno {errno.ECONNRESET}] Connection reset by peer", request=request)
    return httpx.Response(
        answer.status,
        headers=sent_headers(answer),
        stream=httpx.ByteStream(content(request.method, answer)),
        request=request,
        extensions={"http_version": b"HTTP/1.1", "reason_phrase": phrase(answer.status).encode()},
    )


def _client(
    base: Route, headers: Mapping[str, str] | None, query: Mapping[str, str] | None, transport: DoorTransport | None
) -> httpx.Client:
    def complete(request: httpx.Request) -> None:
        _complete(request, base, query)

    return httpx.Client(
        base_url=base.url,
        transport=transport,
        headers=headers,
        event_hooks={"request": [complete]} if query else None,
        trust_env=False,
    )


def _async_client(
    base: Route,
    headers: Mapping[str, str] | None,
    query: Mapping[str, str] | None,
    transport: AsyncDoorTransport | None,
) -> httpx.AsyncClient:
    async def complete(request: httpx.Request) -> None:
        _complete(request, base, query)

    return httpx.AsyncClient(
        base_url=base.url,
        transport=transport,
        headers=headers,
        event_hooks={"request": [complete]} if query else None,
        trust_env=False,
    )


def _complete(request: httpx.Request, base: Route, query: Mapping[str, str] | None) -> None:
    """Adds what goes with every request below the base; ``params`` of httpx would take the URL's own query away."""
    if query and base.covers(str(request.url)):
        missing = urlencode([(name, value) for name, value in query.items() if name not in request.url.params])
        parts = [part for part in (request.url.query, missing.encode()) if part]
        request.url = request.url.copy_with(query=b"&".join(parts))


def _check(request: httpx.Request, at: Route) -> None:
    url = str(request.url)
    if not at.covers(url):
        raise RequestRefused(
            f"this client reaches {at.url} only, so {request.method} {without_secrets(url)} was not sent",
            hint=suggestion(url, [at]) or "for other URLs, make a client of your own",
        )

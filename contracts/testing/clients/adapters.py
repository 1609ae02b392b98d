"""A double behind requests: a session and a transport adapter whose connections end at a door instead of a socket.

How a request is written, retries, redirects, bodies, decoding and timeouts are urllib3's and requests' own: only the
connections of the pool differ, which have a door in the place of a socket.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from time import sleep
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.util.retry import Retry

from contracts.testing.clients.door import Door
from contracts.testing.clients.routes import (
    Finder,
    Route,
    Target,
    content,
    phrase,
    replaced,
    resolved,
    route,
    sent_headers,
    suggestion,
    without_secrets,
)
from mock_server.errors import ApidoubleError
from mock_server.exchange.messages import RawRequest, RawResponse

_CONNECTIONS = 100  # kept for reuse; more at a time are made and thrown away


class RequestRefused(ApidoubleError, requests.ConnectionError):
    """A request to a URL that no double is behind; nothing was sent. For requests it is a ``ConnectionError``."""


def session(
    door: Door,
    base_url: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    retries: Retry | None = None,
) -> requests.Session:
    """A ``requests.Session`` that reaches a door at ``base_url`` and nothing else.

    Relative URLs ("/customers" and "customers" alike) are below ``base_url``. ``headers`` and ``query`` go with every
    request, ``retries`` is what ``HTTPAdapter`` takes as ``max_retries``. Environment, netrc and proxies do not count.
    """
    made = _BaseUrlSession(route(base_url))
    adapter = DoorAdapter(door, base_url, retries=retries)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return _with_defaults(made, headers, query)


def live_session(
    base_url: str, *, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> requests.Session:
    """A ``requests.Session`` for a server that listens: relative URLs are below ``base_url``, the rest is requests."""
    return _with_defaults(_BaseUrlSession(route(base_url)), headers, query)


class DoorAdapter(HTTPAdapter):
    """A transport adapter for ``Session.mount``: URLs below ``base_url`` reach the door, all others are refused."""

    def __init__(self, door: Door, base_url: str, *, retries: Retry | None = None) -> None:
        self._route = route(base_url)
        self._pool = pool_for(door, self._route)
        if retries is None:
            super().__init__()
        else:
            super().__init__(max_retries=retries)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool of connections to the door."""
        url = request.url or ""
        if not self._route.covers(url):
            refused = RequestRefused(
                f"this session reaches {self._route.url} only, so {request.method} {without_secrets(url)} was not sent",
                hint=suggestion(url, [self._route]) or "for other URLs, make a session of your own",
            )
            refused.request = request
            raise refused
        return self._pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: there is no certificate to look at."""

    def close(self) -> None:
        """Nothing that would have to be closed; the session can be used again, as with sockets."""


def intercept_adapters(find: Finder) -> Callable[[], None]:
    """Has the adapters of requests ask ``find`` for a door before they look for a connection; what is returned undoes
    it. Retries stay each adapter's own."""
    original = HTTPAdapter.get_connection_with_tls_context
    pools: dict[Target, HTTPConnectionPool] = {}

    def get_connection_with_tls_context(
        adapter: HTTPAdapter, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        try:
            target = find(request.method or "", request.url or "", RequestRefused)
        except RequestRefused as refused:
            refused.request = request
            raise
        if target is None:
            return original(adapter, request, verify, proxies=proxies, cert=cert)
        pool = pools.get(target)
        return pool if pool is not None else pools.setdefault(target, pool_for(target.door, target.route))

    return replaced(HTTPAdapter, "get_connection_with_tls_context", get_connection_with_tls_context)


class DoorPool(HTTPConnectionPool):
    """A pool of connections that end at one door."""


def pool_for(door: Door, at: Route) -> HTTPConnectionPool:
    """The connection pool of a route; urllib3's rules for retries and reuse hold for it as for any other."""
    scheme, host, port = at.origin
    pool = DoorPool(host, port, maxsize=_CONNECTIONS, door=door, at=at)
    pool.scheme = scheme
    return pool


class _DoorConnection(HTTPConnection):
    """A connection of urllib3 that is open while a request is written to it; the door gives the answer."""

    def __init__(self, host: str, port: int | None = None, *, door: Door, at: Route, **options: Any) -> None:
        super().__init__(host, port, **options)
        self.default_port = 443 if at.origin[0] == "https" else 80  # type: ignore[misc]  # decides the Host header
        self._door = door
        self._at = at
        self._wire = _Wire()
        self._asked: dict[str, Any] = {}

    def connect(self) -> None:
        """Puts in place what takes the bytes."""
        wire: Any = _Wire()
        self.sock = self._wire = wire

    @property
    def is_connected(self) -> bool:
        """True: nobody at the other end hangs up."""
        return True

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        """Writes a request."""
        chunked = options.pop("chunked", False)
        self._asked = {"request_method": method, "request_url": url, **options}
        super().request(method, url, body, headers, chunked=chunked)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own connection has it
        """The answer to what was written, once it would have arrived. Raises what a socket would."""
        request, timeout = _read(self._wire.sent, self._at), self.timeout
        self.close()
        answer = self._door(request)
        _wait(answer, timeout)
        headers = HTTPHeaderDict()
        for name, value in sent_headers(answer):
            headers.add(name, value)
        body = _Body(content(request.method, answer), headers)
        return HTTPResponse(
            body=body,
            headers=headers,
            status=answer.status,
            version=11,
            reason=phrase(answer.status),
            original_response=body,  # type: ignore[arg-type]  # what urllib3 and requests use of http.client's
            **self._asked,
        )


DoorPool.ConnectionCls = _DoorConnection


class _Wire:
    """What a connection has in the place of a socket while it writes a request."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def settimeout(self, timeout: float | None) -> None:
        """Nothing: writing takes no time."""

    def sendall(self, data: bytes) -> None:
        """Keeps what is written."""
        self.sent += data

    def close(self) -> None:
        """Nothing is held."""


class _Body(io.BytesIO):
    """The body of an answer, as ``http.client``'s response gives it to urllib3: closed once it is read to its end."""

    def __init__(self, data: bytes, headers: HTTPHeaderDict) -> None:
        super().__init__(data)
        self._size = len(data)
        self._ended = False
        self.msg = Message()  # where requests looks for cookies
        for value in headers.getlist("set-cookie"):
            self.msg["Set-Cookie"] = value

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to ``size`` bytes, all of them without one."""
        data = super().read(size)
        self._ended = self.tell() >= self._size
        return data

    def read1(self, size: int | None = -1, /) -> bytes:
        """The same; nothing here comes in parts."""
        return self.read(size)

    def isclosed(self) -> bool:
        """Whether nothing is left; the connection is free again then."""
        return self._ended or self.closed


def _read(sent: bytearray, at: Route) -> RawRequest:
    """The request that was written, its body out of its chunks."""
    head, _, rest = bytes(sent).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers = [_header(line) for line in lines]
    chunked = any(name.lower() == "transfer-encoding" for name, _ in headers)
    return at.request(method, _origin_form(target), headers, b"".join(_chunks(rest)) if chunked else rest)


def _wait(answer: RawResponse, timeout: float | None) -> None:
    """Waits as long as the answer takes, at most as long as the client would."""
    if answer.delay:
        if timeout is not None and answer.delay > timeout:
            sleep(timeout)
            raise TimeoutError("timed out")
        sleep(answer.delay)
    if answer.reset:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" \t")


def _origin_form(target: str) -> str:
    """The path and query of a target; for a proxy requests writes the whole URL (RFC 9112 §3.2.2)."""
    if target.startswith("/"):
        return target
    slash = target.find("/", target.find("://") + 3)
    return target[slash:] if slash >= 0 else "/"


def _chunks(framed: bytes) -> Iterator[bytes]:
    """The parts of a chunked body (RFC 9112 §7.1)."""
    at = 0
    while True:
        end = framed.index(b"\r\n", at)
        size = int(framed[at:end], 16)
        if size == 0:
            return
        yield framed[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


class _BaseUrlSession(requests.Session):
    """A session with a base URL, and without an environment."""

    def __init__(self, base: Route) -> None:
        super().__init__()
        self.trust_env = False
        self._base = base

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """The request as it is sent, its URL below the base URL."""
        if isinstance(request.url, str):
            request.url = resolved(self._base, request.url)
        return super().prepare_request(request)


def _with_defaults(
    made: requests.Session, headers: Mapping[str, str] | None, query: Mapping[str, str] | None
) -> requests.Session:
    made.headers.update(headers or {})
    made.params = dict(query or {})
    return made

"""Ways to a service: over HTTP, into a WSGI application, or into one universe of a double."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from werkzeug.test import EnvironBuilder, run_wsgi_app

from contracts.service import Reply, Transport, Unreachable, Unsendable
from contracts.wire import WireRequest, received
from mock_server.dataclass import dataclass
from mock_server.exchange.universe import Universe
from mock_server.sandbox import Sandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TIMEOUT = 10.0
"""Seconds that one request may take."""

LARGEST = 64 * 1024 * 1024
"""Bytes of a reply's body, unpacked."""

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """How HTTPS is spoken: whether certificates are checked, by which bundle, and with which certificate of our own."""

    verify: bool = True
    ca_bundle: str | None = None
    client_certificate: tuple[str, str] | None = None


def over_http(
    base_url: str, *, headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT, tls: Tls | None = None
) -> Transport:
    """A service behind a URL, under which the description's paths are. One connection for each thread is kept alive.

    ``headers`` go with every request. A connection that is refused or breaks twice is ``Unreachable``.
    """
    # Prepared by hand: the path is sent as it is written, and nothing (cookies, netrc, proxies) is added to it.
    session = requests.Session()
    session.trust_env = False
    security = tls or Tls()
    session.verify = (security.ca_bundle or True) if security.verify else False
    session.cert = security.client_certificate
    base = base_url.rstrip("/")
    common = dict(headers or {})

    def send(method: str, target: str, sent: Mapping[str, str], body: bytes) -> Reply:
        headers = {**common, **sent}
        try:
            wire = requests.Request(method, base, headers=headers, data=body or None).prepare()
        except (requests.exceptions.InvalidHeader, UnicodeError):
            raise _unsendable(headers) from None
        wire.url = base + target
        if body == b"" and method in {"POST", "PUT", "PATCH"}:
            wire.headers["Content-Length"] = "0"
        begun = time.perf_counter()
        try:
            answer, content = _answered(session, wire, begun + timeout, timeout)
        except requests.ConnectionError:
            try:  # a kept connection that the service has closed meanwhile
                answer, content = _answered(session, wire, begun + timeout, timeout)
            except requests.RequestException as error:
                raise _unreachable(base, error) from None
        except requests.RequestException as error:
            raise _unreachable(base, error) from None
        except UnicodeError:
            raise _unsendable(headers) from None
        session.cookies.clear()
        raw: Any = answer.raw
        return Reply(answer.status_code, tuple(raw.headers.items()), content, time.perf_counter() - begun)

    return send


def _answered(
    session: requests.Session, wire: requests.PreparedRequest, until: float, timeout: float
) -> tuple[requests.Response, bytes]:
    """The answer and its body. One that is endless, or unpacks to gigabytes, is a failure."""
    answer = session.send(wire, timeout=timeout, allow_redirects=False, stream=True)
    body = bytearray()
    try:
        for piece in answer.iter_content(_PIECE):
            body += piece
            if len(body) > LARGEST:
                raise requests.exceptions.ContentDecodingError(f"the body has more than {LARGEST:,} bytes")
            if time.perf_counter() > until:
                raise requests.ReadTimeout(f"the body did not come within {timeout:g} seconds")
    except BaseException:
        answer.close()
        raise
    return answer, bytes(body)


def _unsendable(headers: Mapping[str, str]) -> Unsendable:
    """What is wrong with a request, without the value that is wrong: it may be a credential."""
    odd = [name for name, value in headers.items() if not _is_plain(value)]
    return Unsendable("this request cannot be sent", got=f"the headers {', '.join(odd or headers)}",
                      allowed="Latin-1 without spaces around it or line breaks in it")  # fmt: skip


def _is_plain(value: str) -> bool:
    return value == value.strip() and value.isprintable() and all(character <= "\xff" for character in value)


def _unreachable(url: str, error: Exception) -> Unreachable:
    return Unreachable(
        f"{url} gives no answer",
        got=f"{type(error).__name__}: {error}",
        hint="is the service running, and is this its base URL, the part before the description's paths?",
    )


def into_wsgi(app: WSGIApplication, *, base_url: str = "http://localhost") -> Transport:
    """A WSGI application in this process. An exception that it lets through is a 500 with its text."""
    parts = urlsplit(base_url)
    root = parts.path.rstrip("/")

    def send(method: str, target: str, sent: Mapping[str, str], body: bytes) -> Reply:
        path, _, query = (root + target).partition("?")
        # REQUEST_URI has the path as it was sent, which PATH_INFO has not (an encoded slash).
        builder = EnvironBuilder(path=path, method=method, query_string=query, base_url=f"{parts.scheme}://{parts.netloc}",
                                 headers=list(sent.items()), data=body or None)  # fmt: skip
        environ = builder.get_environ()
        environ["REQUEST_URI"] = environ["RAW_URI"] = root + target
        begun = time.perf_counter()
        try:
            content, status, headers = run_wsgi_app(app, environ, buffered=True)
            reply = Reply(int(status.split()[0]), tuple(headers), b"".join(content), time.perf_counter() - begun)
        except Exception as error:
            text = f"{type(error).__name__}: {error}".encode()
            return Reply(500, (("Content-Type", "text/plain"),), text, time.perf_counter() - begun)
        return reply

    return send


def into_universe(sandbox: Sandbox, api: str, universe: Universe) -> Transport:
    """One API in one universe of a sandbox, without a server between."""
    line = sandbox.api(api).line

    def send(method: str, target: str, sent: Mapping[str, str], body: bytes) -> Reply:
        request = received(WireRequest(method, target, sent, body))
        begun = time.perf_counter()
        response = line.answer(request, universe)
        content = response.body if method != "HEAD" else b""  # which a server would not send
        return Reply(response.status, tuple(response.headers), content, time.perf_counter() - begun)

    return send

"""The WSGI entry: mocked traffic goes from here straight into the line, everything else to Flask.

Flask documents ``app.wsgi_app`` as the place to wrap an application. Its dispatch costs several times what the whole
validated, stateful exchange does, so mocked requests do not take part in it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes

from mock_server.errors import ConfigurationError, visible
from mock_server.exchange.errorbodies import PROBLEM_JSON
from mock_server.exchange.line import Line
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.openapi import jsontext
from mock_server.openapi.undecodable import excerpt
from mock_server.sandbox import Sandbox
from mock_server.web.heads import BROKEN_LENGTH, Refusal, oversized

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTROL = "/__mock__"
SESSION = "/__session__/"

_log = logging.getLogger("apidouble")
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
# Percent-encoding that is left as it is when a decoded path has to be encoded again (RFC 3986 §3.3).
_PATH_SAFE = "/:@!$&'()*+,;=-._~"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/:@!$&'()*+,;=._~-]*")


class MockEntry:
    """Wraps Flask's WSGI application."""

    def __init__(self, flask: WSGIApplication, sandbox: Sandbox) -> None:
        self._flask = flask
        self._sandbox = sandbox

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = self.answer(environ)
        if response is None:
            return self._to_flask(environ, start_response)
        head = environ["REQUEST_METHOD"] == "HEAD"
        if response.delay or response.reset:
            return sent(response, start_response, head=head)
        headers, body = framed(response, head=head)
        start_response(_STATUS_LINES.get(response.status) or f"{response.status} Unknown", headers)
        return [body]

    def answer(self, environ: WSGIEnvironment) -> RawResponse | None:
        """The response to mocked traffic; None for a request that is Flask's: control API, index, no such API."""
        session, prefix, path = addressed(environ)
        mounted = self._mounted(path) if path != CONTROL and not path.startswith(CONTROL + "/") else None
        if mounted is None:
            return None
        line, mount, path = mounted
        try:
            universe = self._sandbox.universes.get(session) if session is not None else self._sandbox.universes.default
        except ConfigurationError as error:
            return problem(400, f"{error.problem}: {excerpt(str(error.got))!r} is not {error.allowed}")
        try:
            request = received(environ, path, prefix + mount, max_body=line.max_body)
            return refused(request) if isinstance(request, Refusal) else line.answer(request, universe)
        except Exception:
            _log.exception("unexpected failure while answering %s %s", environ.get("REQUEST_METHOD"), self._told(path))
            return problem(500, "apidouble failed; the server's log has the details")

    def _told(self, path: str) -> str:
        """A path as the log has it: without secrets, and with nothing in it that a terminal would obey."""
        hidden = self._sandbox.secrets(self._sandbox.universes.default).hidden_in(path)
        return visible(str(hidden))

    def _to_flask(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        session, prefix, path = addressed(environ)
        if path != CONTROL and not path.startswith(CONTROL + "/"):
            environ["PATH_INFO"] = path
        elif prefix:
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + unquote_to_bytes(prefix).decode("latin-1")
            environ["HTTP_MOCK_SESSION"] = session
            environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")  # PEP 3333
        return self._flask(environ, start_response)

    def _mounted(self, path: str) -> tuple[Line, str, str] | None:
        """The line for a path, its mount point, and the path below that; one API alone is at the root."""
        apis = self._sandbox.apis
        if len(apis) == 1:
            return next(iter(apis.values())).line, "", path
        name, slash, rest = path[1:].partition("/")
        served = apis.get(name)
        return (served.line, "/" + name, slash + rest or "/") if served is not None else None


def addressed(environ: WSGIEnvironment) -> tuple[str | None, str, str]:
    """Whom a request is for: the universe's name, the prefix of the path that names it, and the path behind that."""
    path = raw_path(environ)
    if not path.startswith(SESSION):
        return environ.get("HTTP_MOCK_SESSION") or None, "", path
    named, _, rest = path[len(SESSION) :].partition("/")
    return unquote(named), f"{SESSION}{named}", "/" + rest


def received(environ: WSGIEnvironment, path: str, mount: str, *, max_body: int) -> RawRequest | Refusal:
    """The request of a WSGI environment, or why it is none. ``mount`` is the raw path before ``path``."""
    headers = _headers(environ)
    refusal = oversized(len(path) + len(environ.get("QUERY_STRING", "")), headers)
    if refusal is not None:
        return refusal
    body = _body(environ, max_body)
    if body is None:
        return BROKEN_LENGTH
    host = headers.get("host") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}"
    return RawRequest(
        environ["REQUEST_METHOD"],
        path,
        environ.get("QUERY_STRING", ""),
        headers,
        body,
        f"{environ['wsgi.url_scheme']}://{host}{mount}",
    )


def sent(response: RawResponse, start_response: StartResponse, *, head: bool) -> Iterable[bytes]:
    """The response as WSGI gives it to a server, once a fault's delay is over; HEAD is answered without a body."""
    if response.delay:
        time.sleep(response.delay)
    if response.reset:
        start_response("200 OK", [("Content-Length", "100")])
        return _broken()
    return _send(start_response, response, head=head)


def raw_path(environ: WSGIEnvironment) -> str:
    """The request's path as it was sent, percent-encoded.

    Servers that keep it have it in RAW_URI or REQUEST_URI; elsewhere the decoded path is encoded again, and only a
    slash that was sent as ``%2F`` can no longer be told from a real one.
    """
    uri = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if uri:
        path = str(uri).partition("?")[0]
        if not path.startswith("/") and "://" in path:  # absolute form (RFC 9112 §3.2.2), whatever its authority
            path = "/" + path.partition("://")[2].partition("/")[2]
        return path
    decoded: str = environ.get("PATH_INFO", "") or "/"
    return decoded if _PLAIN_PATH.fullmatch(decoded) else quote(decoded.encode("latin-1"), safe=_PATH_SAFE)


class _HeaderNames(dict[str, str]):
    """From a key of a WSGI environment to the lower-case name of the header it holds; "" for all else."""

    def __missing__(self, key: str) -> str:
        name = key[5:].replace("_", "-").lower() if key.startswith("HTTP_") else ""
        if len(self) < 1000:  # clients make up names; remember only so many
            self[key] = name
        return name


_HEADER_NAMES = _HeaderNames(CONTENT_TYPE="content-type", CONTENT_LENGTH="content-length")


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    headers: dict[str, str] = dict(zip(map(_HEADER_NAMES.__getitem__, environ), environ.values(), strict=True))
    headers.pop("", None)
    # Not sent, and sent empty, look the same in these two (PEP 3333).
    if not headers.get("content-type", "-"):
        del headers["content-type"]
    if not headers.get("content-length", "-"):
        del headers["content-length"]
    return headers


def _body(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """The body, at most one byte more than the limit so that the line can refuse it; None when the length is a lie."""
    length = environ.get("CONTENT_LENGTH")
    if not length:
        if "HTTP_TRANSFER_ENCODING" not in environ:
            return b""
        chunked: bytes = environ["wsgi.input"].read(limit + 1)
        return chunked
    if not (length.isascii() and length.isdigit()):
        return None
    wanted = min(int(length), limit + 1)
    if wanted == 0:
        return b""
    body: bytes = environ["wsgi.input"].read(wanted)
    return body if len(body) == wanted else None


def _send(start_response: StartResponse, response: RawResponse, *, head: bool) -> list[bytes]:
    headers, body = framed(response, head=head)
    start_response(_STATUS_LINES.get(response.status) or f"{response.status} Unknown", headers)
    return [body]


def framed(response: RawResponse, *, head: bool) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body as they go over the wire: with the length where one is due, without a body where none is."""
    status, body = response.status, response.body
    if status == 204 or status == 304 or status < 200:
        return list(response.headers), body if status < 200 and not head else b""
    return [*response.headers, ("Content-Length", str(len(body)))], b"" if head else body


def _broken() -> Iterator[bytes]:
    """A body that fails before its first byte, which makes every server close the connection."""
    yield _lost()


def _lost() -> bytes:
    raise ConnectionResetError(0, "a fault was set for this operation")


def refused(refusal: Refusal) -> RawResponse:
    """The answer to what is no request to any API."""
    return problem(refusal.status, refusal.detail)


def problem(status: int, detail: str) -> RawResponse:
    """A problem document (RFC 9457) for what no API is asked about."""
    body = jsontext.dumps(
        {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    )
    return RawResponse(status, (("Content-Type", PROBLEM_JSON),), body)

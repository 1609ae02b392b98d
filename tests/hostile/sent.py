"""Requests as a server hands them on (PEP 3333), and what an application makes of them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. ``target`` is path and query as on the wire, its bytes as ISO 8859-1.

    ``length`` is what Content-Length says: None for what is true, "" for no such header. ``chunked`` sends the body
    without a length; ``raw`` is a server that keeps the path as it was sent (``MockServer``'s does, granian's WSGI
    interface does not).
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    length: str | None = None
    chunked: bool = False
    raw: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next((value for known, value in self.headers if known.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Got:
    """One answer, or none where the server was made to break the connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, "" for none."""
        return next((value for known, value in self.headers if known.lower() == name), "")


def environ_of(sent: Sent) -> WSGIEnvironment:
    """The environment that a server makes of a request: header names as variables, the path decoded into a tunnel."""
    path, _, query = sent.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1", "replace")).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    if sent.raw:
        environ["RAW_URI"] = sent.target
    for name, value in sent.headers:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]}, {value}" if key in environ else value
    if sent.chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    elif sent.length is not None:
        environ["CONTENT_LENGTH"] = sent.length
    elif sent.body:
        environ["CONTENT_LENGTH"] = str(len(sent.body))
    return environ


def answer(application: WSGIApplication, sent: Sent) -> Got:
    """The application's answer, its body read to the end."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        started.append((status, headers))
        return lambda _data: None

    body = b"".join(_pieces(application(environ_of(sent), start_response)))
    assert len(started) == 1, started
    status, headers = started[0]
    return Got(int(status[:3]), tuple(headers), body)


def _pieces(iterable: Any) -> Iterator[bytes]:
    if not hasattr(iterable, "close"):
        yield from iterable
        return
    with closing(iterable):
        yield from iterable

"""Bytes on a socket as nobody's client would send them, and what comes back."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from dataclasses import dataclass

from mock_server.web.heads import MAX_HEADERS, MAX_URL

SOON = 10.0
"""Seconds that an answer may take on a slow machine; most are there within a millisecond."""

_END = b"Host: a\r\nConnection: close\r\n\r\n"
_JSON = b"Content-Type: application/json\r\n"
_REX = b'{"name":"Rex"}'


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes, and the status they are answered with; 0 where the server closes the connection without a word.

    ``ends`` closes our side after them, as a client does that dies half-way. ``served`` is the status from
    ``apidouble serve`` where that differs from ``MockServer``'s.
    """

    name: str
    status: int
    sent: bytes
    ends: bool = False
    served: int | None = None


def _get(target: bytes, headers: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + headers + _END


def _post(headers: bytes, body: bytes = _REX) -> bytes:
    return b"POST /pets HTTP/1.1\r\n" + _JSON + headers + _END + body


_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_CHUNK = b"e\r\n" + _REX + b"\r\n"

RAW = (
    # request lines
    Raw("line noise", 400, b"\x00\xff\x80" * 20 + b"\r\n\r\n"),
    Raw("the start of a TLS handshake", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    Raw("the preface of HTTP/2", 0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Raw("HTTP/0.9", 400, b"GET /pets\r\n"),
    Raw("HTTP/1.0", 200, b"GET /pets HTTP/1.0\r\n\r\n"),
    Raw("HTTP/3.7", 400, b"GET /pets HTTP/3.7\r\n" + _END),
    Raw("a method in lower case", 405, b"get /pets HTTP/1.1\r\n" + _END),
    Raw("a space in the path", 400, _get(b"/pe ts")),
    Raw("a zero byte in the path", 400, _get(b"/pets\x00")),
    Raw("a raw byte beyond ASCII in the path", 400, _get(b"/pets/\xff")),
    Raw("bad percent-encoding in the path", 400, _get(b"/pets/%zz"), served=404),
    Raw("overlong UTF-8 in the path", 400, _get(b"/pets/%c0%af")),
    Raw("a zero byte, encoded", 404, _get(b"/pets/%00")),
    Raw("a URL of 40,000 characters", 414, _get(b"/pets?q=" + b"x" * 40_000)),
    Raw("a URL of 70,000 characters", 414, _get(b"/pets?q=" + b"x" * 70_000)),
    Raw("absolute form", 200, _get(b"http://other.test/pets")),
    Raw("OPTIONS *", 404, b"OPTIONS * HTTP/1.1\r\n" + _END),
    Raw("CONNECT", 404, b"CONNECT a.test:443 HTTP/1.1\r\n" + _END),
    Raw("an HTTP/1.1 request without Host", 200, b"GET /pets HTTP/1.1\r\nConnection: close\r\n\r\n"),
    # headers
    Raw("80 headers", 431, _get(b"/pets", b"".join(b"X-%d: 1\r\n" % n for n in range(80)))),
    Raw("200 headers", 431, _get(b"/pets", b"".join(b"X-%d: 1\r\n" % n for n in range(200)))),
    Raw("a header of 100 kB", 431, _get(b"/pets", b"X-A: " + b"x" * 100_000 + b"\r\n")),
    Raw("a header of 1 MB", 431, _get(b"/pets", b"X-A: " + b"x" * 1_000_000 + b"\r\n")),
    Raw("a zero byte in a header", 400, _get(b"/pets", b"X-A: a\x00b\r\n")),
    Raw("a folded header", 400, _get(b"/pets", b"X-A: a\r\n b\r\n")),
    Raw("white space before a colon", 400, _get(b"/pets", b"X-A : a\r\n")),
    Raw("a header without a name", 400, _get(b"/pets", b": a\r\n")),
    Raw("bytes beyond ASCII in a header", 200, _get(b"/pets", b"X-A: \xff\xfe\r\n")),
    # lengths
    Raw("two different Content-Lengths", 400, _post(b"Content-Length: 3\r\nContent-Length: 14\r\n")),
    Raw("the same Content-Length twice", 201, _post(b"Content-Length: 14\r\nContent-Length: 14\r\n")),
    Raw("Content-Length with a sign", 400, _post(b"Content-Length: +14\r\n")),
    Raw("Content-Length below zero", 400, _post(b"Content-Length: -14\r\n")),
    Raw("Content-Length beyond 64 bits", 400, _post(b"Content-Length: 99999999999999999999\r\n")),
    Raw("both a length and chunks", 201, _post(b"Content-Length: 3\r\n" + _CHUNKED, _CHUNK + b"0\r\n\r\n")),
    Raw("a transfer encoding that is none", 400, _post(b"Transfer-Encoding: xchunked\r\n", _CHUNK + b"0\r\n\r\n")),
    Raw("half a body", 400, _post(b"Content-Length: 30\r\n"), ends=True),
    Raw("half of a chunked body", 400, _post(_CHUNKED, _CHUNK[:9]), ends=True),
    Raw("a chunked body without its end", 400, _post(_CHUNKED, _CHUNK), ends=True, served=201),
    Raw("a chunk of no number", 400, _post(_CHUNKED, b"zz\r\n" + _REX), served=422),
    Raw("half a head", 0, b"GET /pets HTTP/1.1\r\nHost: a\r\nX-", ends=True),
    Raw("nothing at all", 0, b"", ends=True),
)
"""Each is sent to ``tests/acceptance/descriptions/pets.yaml``."""

assert MAX_URL < 40_000
assert MAX_HEADERS < 80


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: the status (0 for nothing), and what it says in words, "" where it says nothing."""

    status: int
    words: str
    whole: bytes = b""


def heard(port: int, sent: bytes, *, ends: bool, seconds: float = SOON) -> Heard:
    """What a server answers until it closes the connection; an ``AssertionError`` when it does neither in time."""
    whole = b""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        # A server that has refused what came first closes without reading the rest.
        with contextlib.suppress(OSError):
            connection.sendall(sent)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65_536):
                whole += piece
    status = re.match(rb"HTTP/1\.[01] (\d{3}) ", whole)
    return Heard(int(status[1]) if status else 0, _words(whole.partition(b"\r\n\r\n")[2]), whole)


def _words(body: bytes) -> str:
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    return str(value.get("detail", "")) if isinstance(value, dict) else ""

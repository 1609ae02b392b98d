"""A WSGI application under an ASGI server, for servers inside another process (ASGI 3.0, PEP 3333)."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, TypeAlias

from mock_server.exchange.messages import RawResponse
from mock_server.web.entry import framed, refused
from mock_server.web.heads import CUT_OFF

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


Answer: TypeAlias = "Callable[[WSGIEnvironment], RawResponse | None]"
"""The response to a request where it takes no time worth a thread; None for requests that the application is to get."""


def asgi(
    application: WSGIApplication, *, threads: Executor, max_body: int, answer: Answer = lambda _: None
) -> ASGIApplication:
    """The application as an ASGI one; its requests run on ``threads``, but for those that ``answer`` answers.

    Handing a request to a thread and back takes several times as long as most answers of a double. Of a body larger
    than ``max_body`` the application sees one byte more than that, enough to refuse it.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive, max_body + 1)
        if body is None:
            await _respond(refused(CUT_OFF), send, head=scope["method"] == "HEAD")
            return
        environ = _environ(scope, body)
        response = answer(environ)
        if response is not None:
            await _respond(response, send, head=scope["method"] == "HEAD")
            return
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started.update(status=int(status[:3]), headers=headers)
            return lambda _data: None  # PEP 3333's write(); nothing here uses it

        def run() -> bytes:
            return b"".join(application(environ, start_response))

        try:
            payload = await asyncio.get_running_loop().run_in_executor(threads, run)
        except ConnectionResetError:
            await _break(send)
            return
        await _write(send, started["status"], started["headers"], payload)

    return serve


async def _respond(response: RawResponse, send: Send, *, head: bool) -> None:
    """Sends a double's response, once a fault's delay is over."""
    if response.delay:
        await asyncio.sleep(response.delay)
    if response.reset:
        await _break(send)
        return
    headers, body = framed(response, head=head)
    await _write(send, response.status, headers, body)


async def _write(send: Send, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body, read to its end so that the client hears the answer, kept up to ``limit`` bytes; None when it is cut
    off, since half a request must not be done."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")[: limit - len(body)]
        if not message.get("more_body", False):
            return bytes(body)


async def _break(send: Send) -> None:
    """An answer cut off after its first byte: the client sees the connection close."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
    await send({"type": "http.response.body", "body": b" ", "more_body": True})
    raise ConnectionResetError(0, "a fault was set for this operation")


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    host, port = scope.get("server") or ("127.0.0.1", 80)
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "replace").decode("latin-1"),
        "RAW_URI": raw.decode("latin-1") + ("?" + query.decode("latin-1") if query else ""),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": str(len(body)) if body else "",
    }
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        if name == "CONTENT_TYPE":
            environ[name] = value
        elif name not in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
            key = f"HTTP_{name}"
            joiner = "; " if name == "COOKIE" else ", "
            environ[key] = f"{environ[key]}{joiner}{value}" if key in environ else value
    return environ

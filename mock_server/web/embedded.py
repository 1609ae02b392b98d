"""A live server inside this process, for tests: on a free port within milliseconds, gone as quickly."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from mock_server.errors import ConfigurationError
from mock_server.exchange.messages import RawResponse
from mock_server.openapi.compile import Api
from mock_server.packs import ApiSource
from mock_server.sandbox import Options, Sandbox
from mock_server.web.app import create_app, sandbox_of
from mock_server.web.bridge import Answer, asgi
from mock_server.web.connections import IDLE_SECONDS, most_connections, patience
from mock_server.web.entry import MockEntry
from mock_server.web.ports import check_port, reserved_port, url_host
from mock_server.webhooks.addresses import is_loopback_name

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_LINGER_SECONDS = 0.1  # granian's own threads give back what they hold of Python within milliseconds of its end
_BACKLOG = 1024
_THREADS = 32  # a request that waits (a fault's delay) holds up only its own thread


class _Lingering:
    """Holds up the end of the process until what a server left running has ended, too.

    A thread of granian's that asks for the interpreter while that is being taken down aborts the process.
    """

    def __init__(self) -> None:
        self.until = 0.0
        atexit.register(self.wait)

    def wait(self) -> None:
        """Waits for the rest of the time, which after all but the shortest scripts is none."""
        time.sleep(max(0.0, self.until - time.monotonic()))


_LINGERING = _Lingering()


class EmbeddedServer:
    """A WSGI application on a port of this process, served by granian in a thread.

    ``port`` 0 finds a free one when it starts. Of a body larger than ``max_body`` bytes the application sees one more.
    What ``answer`` answers by itself waits for no thread. A connection is closed when the headers of its next request
    are not all there after ``idle_seconds``.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        max_body: int = 10 * 1024 * 1024,
        answer: Answer = lambda _: None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.host = host
        self.port = port
        self._application = application
        self._max_body = max_body
        self._answer = answer
        self._patience = idle_seconds
        self._reserved: socket.socket | None = None
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://{url_host(self.host)}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._thread is not None

    def start(self) -> Self:
        """Serves until ``stop``; returns when the port answers."""
        if self._thread is not None:
            raise ConfigurationError("this server is running already", got=self.url)
        if self.port == 0:
            self._reserved, self.port = reserved_port(self.host)
        else:
            check_port(self.host, self.port)
        self._thread = threading.Thread(target=self._run, name="apidouble", daemon=True)
        self._thread.start()
        self._wait()
        return self

    def stop(self) -> None:
        """Stops serving; waits at most five seconds for requests that a fault delays."""
        if self._thread is None:
            return
        if self._loop is not None and self._server is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed when the server ended by itself
                self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(_STOP_SECONDS)
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if self._reserved is not None:
            self._reserved.close()
        self._thread = self._server = self._loop = self._threads = self._reserved = None
        _LINGERING.until = time.monotonic() + _LINGER_SECONDS

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # handed to the thread that waits for the start
            self._failure = error

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apidouble-request")
        self._server = Server(
            asgi(self._application, threads=self._threads, max_body=self._max_body, answer=self._answer),
            address=self.host,
            port=self.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,  # see web/serving.py
            backlog=_BACKLOG,
            backpressure=most_connections(),
            http1_settings=patience(self._patience),
            log_enabled=False,
        )
        await self._server.serve()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._failure is None:
            try:
                socket.create_connection((self.host, self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.002)
        failure, url = self._failure, self.url
        self.stop()
        raise ConfigurationError(f"the server did not start on {url}", got=str(failure or "no answer"))


class MockServer:
    """A double on a loopback port, as a context manager.

        with MockServer("petstore.yaml") as server:
            requests.get(server.url + "/pets")

    Takes what ``create_app`` takes. ``port`` 0 finds a free one. Off loopback the control API wants a token, which is
    ``control_token``: the given one or, when none is given, one made up.
    """

    def __init__(
        self,
        *sources: str | Path | ApiSource | Api,
        overlays: Sequence[Path] = (),
        seed: Path | None = None,
        options: Options | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        control_token: str | None = None,
    ) -> None:
        if not is_loopback_name(host):
            control_token = control_token or secrets.token_urlsafe(18)
            options = options if options is not None else Options()
            options = replace(options, webhooks=options.webhooks.beyond_loopback())
        self.control_token = control_token
        self.app: Flask = create_app(
            *sources, overlays=overlays, seed=seed, options=options, control_token=control_token
        )
        self._server = EmbeddedServer(
            self.app, host=host, port=port, max_body=self.sandbox.options.max_body, answer=self._answer
        )

    def _answer(self, environ: WSGIEnvironment) -> RawResponse | None:
        """What the entry answers, unless somebody has wrapped it."""
        entry = self.app.wsgi_app
        return entry.answer(environ) if isinstance(entry, MockEntry) else None

    @property
    def sandbox(self) -> Sandbox:
        """The APIs and their universes, to look at and to change directly."""
        return sandbox_of(self.app)

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self._server.host

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before it is started, where a free one is to be found."""
        return self._server.port

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash; with several APIs each is below its own name."""
        return self._server.url

    def start(self) -> Self:
        """Serves until ``stop``; returns when the port answers."""
        self._server.start()
        self.sandbox.courier.start()
        return self

    def stop(self) -> None:
        """Stops serving; waits at most five seconds for requests that a fault delays."""
        if self._server.running:
            self._server.stop()
            self.sandbox.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

"""A live server inside this process, for tests: on a free port within milliseconds, gone as quickly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from flask import Flask
from granian.constants import Interfaces
from granian.server.embed import Server

from mock_server.errors import ConfigurationError
from mock_server.openapi.compile import Api
from mock_server.packs import ApiSource
from mock_server.sandbox import Options, Sandbox
from mock_server.web.app import create_app, sandbox_of
from mock_server.web.bridge import asgi

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class MockServer:
    """A double on a loopback port, as a context manager.

        with MockServer("petstore.yaml") as server:
            requests.get(server.url + "/pets")

    Takes what ``create_app`` takes. ``port`` 0 finds a free one.
    """

    def __init__(
        self,
        *sources: str | Path | ApiSource | Api,
        overlays: Sequence[Path] = (),
        seed: Path | None = None,
        options: Options | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.app: Flask = create_app(*sources, overlays=overlays, seed=seed, options=options)
        self.host = host
        self.port = port
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def sandbox(self) -> Sandbox:
        """The APIs and their universes, to look at and to change directly."""
        return sandbox_of(self.app)

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash; with several APIs each is below its own name."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Serves until ``stop``; returns when the port answers."""
        if self._thread is not None:
            raise ConfigurationError("this server is running already", got=self.url)
        if self.port == 0:
            self.port = _free_port(self.host)
        self._thread = threading.Thread(target=self._run, name="apidouble", daemon=True)
        self._thread.start()
        self._wait()
        return self

    def stop(self) -> None:
        """Stops serving; requests under way are cut off."""
        if self._thread is None:
            return
        if self._loop is not None and self._server is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed when the server ended by itself
                self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(_STOP_SECONDS)
        self._thread = self._server = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self._failure = error

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(
            asgi(self.app.wsgi_app),
            address=self.host,
            port=self.port,
            interface=Interfaces.ASGINL,
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
        raise ConfigurationError(f"the server did not start on {self.url}", got=str(self._failure))


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port

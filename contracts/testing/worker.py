"""What the tests of one process share: the sandboxes that were asked for, and one live server for all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.testing.setup import Setup
from mock_server.exchange.messages import RawResponse
from mock_server.exchange.universe import Universe
from mock_server.sandbox import Sandbox
from mock_server.web.entry import SESSION, MockEntry, addressed, problem, sent

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from contracts.testing.clients.intercepting import Interception
    from mock_server.web.embedded import EmbeddedServer

_MAX_BODY = 64 * 1024 * 1024  # what a sandbox takes is its own matter


class Worker:
    """The sandboxes and the server of one test process. ``cache`` is a folder for parsed descriptions.

    Safe to share between threads.
    """

    def __init__(self, *, cache: Path | None = None) -> None:
        self._cache = cache
        self._sandboxes: dict[Setup, Sandbox] = {}
        self._applications: dict[int, WSGIApplication] = {}
        self._numbers = count(1)
        self._lock = threading.RLock()
        self._switchboard = Switchboard()
        self._server: EmbeddedServer | None = None
        self._interceptions: list[Interception] = []

    def sandbox(self, setup: Setup) -> Sandbox:
        """The sandbox of a setup, made when it is first asked for."""
        with self._lock:
            found = self._sandboxes.get(setup)
            if found is None:
                found = self._sandboxes[setup] = setup.sandbox(cache=self._cache)
            return found

    def universe(self, sandbox: Sandbox) -> Universe:
        """A universe of its own for one test, as the seed has it."""
        return sandbox.universes.get(f"t{next(self._numbers)}")

    def leave(self, sandbox: Sandbox, universe: Universe) -> None:
        """Forgets a universe; whoever still asks for it over HTTP is told that its test is over."""
        self._switchboard.take_off(universe.name)
        sandbox.universes.drop(universe.name)

    def application(self, sandbox: Sandbox) -> WSGIApplication:
        """A sandbox as a WSGI application, control API included."""
        with self._lock:
            found = self._applications.get(id(sandbox))
            if found is None:
                from mock_server.web.app import app_for  # Flask, for live use alone

                found = self._applications[id(sandbox)] = app_for(sandbox).wsgi_app
            return found

    def url(self, name: str, application: WSGIApplication) -> str:
        """The base URL under which an application answers from now on; the server starts at first use.

        ``name`` is a universe's, or begins with that and a dot. The application sees the whole path.
        """
        with self._lock:
            if self._server is None:
                from mock_server.web.embedded import EmbeddedServer  # granian, for live use alone

                self._server = EmbeddedServer(
                    self._switchboard, max_body=_MAX_BODY, answer=self._switchboard.answer
                ).start()
                for interception in self._interceptions:
                    interception.let_through(self._server.url)
        self._switchboard.put_through(name, application)
        return f"{self._server.url}{SESSION}{name}"

    @contextmanager
    def letting_through(self, interception: Interception) -> Iterator[None]:
        """While it lasts, an interception lets requests through to the live server, even if that starts meanwhile."""
        with self._lock:
            self._interceptions.append(interception)
            if self._server is not None:
                interception.let_through(self._server.url)
        try:
            yield
        finally:
            with self._lock:
                self._interceptions.remove(interception)

    def close(self) -> None:
        """Stops the server and what sandboxes have going on."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._sandboxes.clear()
        self._applications.clear()


class Switchboard:
    """A WSGI application that leads each request to the application of its universe.

    The universe is named by the path ``/__session__/<name>/`` or by the header ``Mock-Session``.
    """

    def __init__(self) -> None:
        self._applications: dict[str, WSGIApplication] = {}

    def put_through(self, name: str, application: WSGIApplication) -> None:
        """Requests that name this go to an application from now on."""
        self._applications[name] = application

    def take_off(self, universe: str) -> None:
        """Requests for a universe get nowhere from now on."""
        for name in [name for name in self._applications if name.partition(".")[0] == universe]:
            self._applications.pop(name, None)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = addressed(environ)[0] or ""
        application = self._applications.get(name)
        if application is not None:
            return application(environ, start_response)
        known = ", ".join(self._applications) or "none"
        detail = f"no test {name!r} is running here" if name else "the path names no test: use api.url as the base URL"
        gone = problem(410, f"{detail} (running: {known}); a client outlived its test, or keeps its URL")
        return sent(gone, start_response, head=environ["REQUEST_METHOD"] == "HEAD")

    def answer(self, environ: WSGIEnvironment) -> RawResponse | None:
        """What a double answers by itself; None for everything else, recorders among it, which wait for somebody."""
        application = self._applications.get(addressed(environ)[0] or "")
        return application.answer(environ) if isinstance(application, MockEntry) else None

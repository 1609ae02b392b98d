"""``apidouble serve``: one worker process under granian, which was the fastest WSGI server measured."""

from __future__ import annotations

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import field
from functools import partial
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError
from mock_server.packs import ApiSource
from mock_server.sandbox import MAX_BODY, Options, Sandbox
from mock_server.web.connections import allow_connections, most_connections, patience
from mock_server.web.late import late_application
from mock_server.webhooks.options import WebhookOptions

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from mock_server.web.statefile import StateFile

_REQUEST_VARIABLES = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH", "RAW_URI", "REQUEST_URI"})
_WATCH_SECONDS = 0.5
_SAVE_SECONDS = 60  # what a worker has at its end to write the state, before it is killed
# A request that waits (a fault's delay, a body that drips) holds up only its own thread. Threads are started when the
# others are busy and end when they have nothing to do: eight connections at once are served by about a dozen.
_THREADS = 64
# Python looks for cycles after so many new objects. What requests leave are journal entries and versions of the state,
# which have none, and looking through them took an eighth of the time of a POST.
_COLLECTIONS = (20_000, 20, 50)


@dataclass(frozen=True, slots=True)
class Serving:
    """What to serve and where; picklable, since the worker is another process."""

    sources: tuple[ApiSource, ...]
    host: str
    port: int
    seed: int
    cache: Path | None
    control_token: str | None = field(repr=False)
    watch: bool
    limits: bool = True
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)
    state: Path | None = None
    max_body: int = MAX_BODY

    def options(self) -> Options:
        """The sandbox's options."""
        return Options(
            seed=self.seed, cache=self.cache, max_body=self.max_body, limits=self.limits, webhooks=self.webhooks
        )


# Where workers are forked (Linux), the one here finds the sandbox that its parent has built and checked already;
# where they are spawned, the module is imported afresh and this is None; so is the file that the state is kept in.
_prepared: Sandbox | None = None
_kept: StateFile | None = None


def serve(serving: Serving, sandbox: Sandbox, *, kept: StateFile | None = None) -> None:
    """Serves until SIGINT or SIGTERM; ``sandbox`` and ``kept`` are what ``serving`` describes."""
    global _prepared, _kept
    _prepared, _kept = sandbox, kept
    logging.getLogger("_granian").setLevel(logging.ERROR)
    allow_connections()
    server = Server(
        "apidouble",
        address=serving.host,
        port=serving.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=_THREADS,
        http=HTTPModes.http1,  # over HTTP/2, or while either may come, nothing would end a silent connection
        backpressure=most_connections(),
        http1_settings=patience(),
        log_enabled=False,
        workers_kill_timeout=_end_seconds(serving),
    )
    server.serve(target_loader=partial(_load, serving), wrap_loader=False)


def _load(serving: Serving, *_: Any) -> WSGIApplication:
    sandbox = _prepared if _prepared is not None else Sandbox(serving.sources, options=serving.options())
    _leave_out_of_requests()
    if serving.watch:
        Watcher(sandbox, say=_say).start()
    if serving.state is not None:
        _keep(sandbox, serving.state)
    _end_with_server(_end_seconds(serving))
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    return late_application(sandbox, control_token=serving.control_token)


def _end_seconds(serving: Serving) -> int:
    """What a worker has to end in, before it is killed."""
    return 2 if serving.state is None else _SAVE_SECONDS


def _end_with_server(seconds: int) -> None:
    """Lets the worker end when the process that started it was killed; else it would go on to answer on the port."""
    server = multiprocessing.parent_process()
    if server is None:
        return

    def wait() -> None:
        server.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(seconds)  # what is still waited for then (a body that never comes) is given up
        os._exit(1)

    threading.Thread(target=wait, name="apidouble-server", daemon=True).start()


def _keep(sandbox: Sandbox, path: Path) -> None:
    """Keeps the state in its file until the worker ends."""
    kept = _kept if _kept is not None else state_file(path, sandbox)
    kept.start()
    Finalize(None, kept.stop, exitpriority=1)  # a worker process runs these at its end, and no atexit functions


def state_file(path: Path, sandbox: Sandbox) -> StateFile:
    """The file that the state is kept in, once it was read; a ``ConfigurationError`` when it cannot be."""
    from mock_server.web.statefile import StateFile  # for those who want one

    kept = StateFile(path, sandbox, say=_say)
    kept.load()
    return kept


def _leave_out_of_requests() -> None:
    """Takes away the variables that would be parts of every request.

    The server puts the variables of its process into the environment of each request (PEP 3333), where ``HTTP_PROXY``
    is a header named Proxy: the journal would show it, password and all.
    """
    for name in [name for name in os.environ if name.startswith("HTTP_") or name in _REQUEST_VARIABLES]:
        value = os.environ.pop(name)
        if name == "HTTP_PROXY":
            os.environ.setdefault("http_proxy", value)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class Watcher:
    """Reloads a sandbox when one of its files changes; a broken edit is reported and the last good one stays."""

    def __init__(self, sandbox: Sandbox, *, say: Callable[[str], None]) -> None:
        self._sandbox = sandbox
        self._say = say
        self._times = self._look()

    def start(self) -> None:
        """Watches on a thread of its own until the process ends."""
        threading.Thread(target=self._watch, name="apidouble-watch", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_WATCH_SECONDS)
            self.check()

    def check(self) -> bool:
        """Reloads if a file has changed since the last look; whether it did."""
        before, self._times = self._times, self._look()
        # A file that was not known before was read for the first time by a request: that is no change.
        if all(self._times.get(path) == status for path, status in before.items()):
            return False
        try:
            self._sandbox.reload()
        except ApidoubleError as error:
            self._say(f"not reloaded, still serving what was read before: {error}")
            return False
        self._times = self._look()
        self._say("reloaded; the state is kept")
        return True

    def _look(self) -> dict[Path, tuple[int, int] | None]:
        """Every file with its time and size; None for one that is missing."""
        found: dict[Path, tuple[int, int] | None] = {}
        for path in self._sandbox.files():
            found[path] = None
            with contextlib.suppress(OSError):
                status = path.stat()
                found[path] = (status.st_mtime_ns, status.st_size)
        return found

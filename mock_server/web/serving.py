"""``apidouble serve``: one worker process under granian, which was the fastest WSGI server measured."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import Interfaces
from granian.server import Server

from mock_server.errors import ApidoubleError
from mock_server.packs import ApiSource
from mock_server.sandbox import Options, Sandbox
from mock_server.web.app import app_for
from mock_server.webhooks.options import WebhookOptions

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_WATCH_SECONDS = 0.5
_THREADS = 8  # a request that waits (a fault's delay) holds up only its own thread


@dataclass(frozen=True, slots=True)
class Serving:
    """What to serve and where; picklable, since the worker is another process."""

    sources: tuple[ApiSource, ...]
    host: str
    port: int
    seed: int
    cache: Path | None
    control_token: str | None
    watch: bool
    limits: bool = True
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)

    def options(self) -> Options:
        """The sandbox's options."""
        return Options(seed=self.seed, cache=self.cache, limits=self.limits, webhooks=self.webhooks)


# Where workers are forked (Linux), the one here finds the sandbox that its parent has built and checked already;
# where they are spawned, the module is imported afresh and this is None.
_prepared: Sandbox | None = None


def serve(serving: Serving, sandbox: Sandbox) -> None:
    """Serves until SIGINT or SIGTERM; ``sandbox`` is what ``serving`` describes."""
    global _prepared
    _prepared = sandbox
    logging.getLogger("_granian").setLevel(logging.ERROR)
    server = Server(
        "apidouble",
        address=serving.host,
        port=serving.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=_THREADS,
        log_enabled=False,
        workers_kill_timeout=2,
    )
    server.serve(target_loader=partial(_load, serving), wrap_loader=False)


def _load(serving: Serving, *_: Any) -> WSGIApplication:
    sandbox = _prepared if _prepared is not None else Sandbox(serving.sources, options=serving.options())
    if serving.watch:
        Watcher(sandbox, say=_say).start()
    application: WSGIApplication = app_for(sandbox, control_token=serving.control_token).wsgi_app
    return application


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
        seen = self._look()
        if seen == self._times:
            return False
        self._times = seen
        try:
            self._sandbox.reload()
        except ApidoubleError as error:
            self._say(f"not reloaded, still serving what was read before: {error}")
            return False
        self._times = self._look()
        self._say("reloaded; the state is kept")
        return True

    def _look(self) -> dict[Path, tuple[int, int]]:
        """Every file with its time and size, without those that are missing."""
        found = {}
        for path in self._sandbox.files():
            with contextlib.suppress(OSError):
                status = path.stat()
                found[path] = (status.st_mtime_ns, status.st_size)
        return found

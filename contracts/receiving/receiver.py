"""A receiver of webhooks on loopback: keeps what it gets, and answers what it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from contracts.service import NOT_JSON
from mock_server.dataclass import dataclass

_LARGEST = 4 * 1024 * 1024
_MOST = 10_000
_READ_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it arrived, at ``moment`` (epoch seconds). Header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    moment: float

    @property
    def json(self) -> Any:
        """The body as JSON; ``NOT_JSON`` when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return NOT_JSON

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def __str__(self) -> str:
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items()), ""]
        return "\n".join([*lines, self.body.decode("utf-8", "replace")[:2000]])


class Receiver:
    """Deliveries by the path that they came to; every attempt has a path of its own, so that none gets another's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._got: dict[str, list[Delivery]] = {}
        self._failures: dict[str, int] = {}
        self._numbers = count(1)
        self._changed = threading.Condition()

    def fresh(self, *, failures: int = 0) -> str:
        """A path that nothing has come to yet; its first ``failures`` deliveries are answered with 500."""
        path = f"/hook/{next(self._numbers)}"
        with self._changed:
            self._failures[path] = failures
        return path

    def take(self, delivery: Delivery) -> int:
        """Keeps a delivery; the status to answer."""
        with self._changed:
            path = _own_part(delivery.path)
            kept = self._got.setdefault(path, [])
            if len(kept) < _MOST:
                kept.append(delivery)
            self._changed.notify_all()
            if self._failures.get(path, 0) > 0:
                self._failures[path] -= 1
                return 500
            return 204

    def got(self, path: str) -> list[Delivery]:
        """What has come to a path, and below it, so far."""
        with self._changed:
            return list(self._got.get(path, ()))

    def wait(self, path: str, enough: Callable[[list[Delivery]], bool], seconds: float) -> list[Delivery]:
        """What has come to a path once it is enough, or once the time is up."""
        until = time.monotonic() + seconds
        with self._changed:
            while not enough(self._got.get(path, [])):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return list(self._got.get(path, ()))


def _own_part(path: str) -> str:
    """The path that was handed out, without what a callback's URL has after it."""
    return "/".join(path.partition("?")[0].split("/")[:3])


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of 127.0.0.1, stopped at the end."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _READ_SECONDS

        def _take(self) -> None:
            length = self.headers.get("Content-Length", "0")
            size = min(int(length) if length.isdigit() else 0, _LARGEST)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(size)
            status = receiver.take(Delivery(self.command, self.path, headers, body, time.time()))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = do_PATCH = do_GET = do_DELETE = _take

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A webhook receiver on loopback: keeps what it gets, answers what it is told to, and verifies signatures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

SOON = 10.0  # seconds that a slow machine may take; what is waited for is mostly there at once


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; header names are lower-case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """Whether the receiver's own library accepts the signature."""
        try:
            Webhook(secret).verify(self.body, dict(self.headers))
        except WebhookVerificationError:
            return False
        return True


class Receiver:
    """``answers`` are the statuses (and Retry-After) of the next requests; when there are none left, 204."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[tuple[int, Mapping[str, str]]] = []
        self._received: list[Received] = []
        self._changed = threading.Condition()

    def take(self, request: Received) -> tuple[int, Mapping[str, str]]:
        """Keeps a request; what it is to be answered."""
        with self._changed:
            self._received.append(request)
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else (204, {})

    def got(self, number: int) -> list[Received]:
        """What arrived, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._received) >= number, SOON), f"got {len(self._received)}"
            return list(self._received)

    def __len__(self) -> int:
        return len(self._received)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = receiver.take(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **more}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Pacing: no more requests than a rate allows, and none while the service asks to be left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from pyrate_limiter import Limiter
from pyrate_limiter import Rate as Allowed

from contracts.options import Rate
from contracts.service import LONGEST_WAIT, Reply, Transport, retry_after


class Pace:
    """The pace of a run, which all its workers share."""

    def __init__(
        self,
        rate: Rate | None = None,
        *,
        wait: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limiter = Limiter(Allowed(rate.requests, round(rate.seconds * 1000))) if rate is not None else None
        self._wait = wait
        self._now = now
        self._lock = threading.Lock()
        self._quiet_until = 0.0

    def paced(self, transport: Transport) -> Transport:
        """A transport that keeps the pace."""

        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
            self._hold()
            if self._limiter is not None:
                self._limiter.try_acquire("requests")
            reply = transport(method, target, headers, body)
            if reply.status == 429:
                self._asked(reply)
            return reply

        return send

    def _hold(self) -> None:
        """Waits until the service takes requests again."""
        with self._lock:
            left = self._quiet_until - self._now()
        if left > 0:
            self._wait(left)

    def _asked(self, reply: Reply) -> None:
        """Remembers how long the service asks for, within reason: what it asks of one worker, it asks of all."""
        told = next((value for name, value in reply.headers if name.lower() == "retry-after"), None)
        seconds = min(retry_after(told) or 0.0, LONGEST_WAIT)
        with self._lock:
            self._quiet_until = max(self._quiet_until, self._now() + seconds)

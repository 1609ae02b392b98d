"""What an attempt makes of a delivery: delivered, due again later, or given up. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from mock_server.dataclass import dataclass
from mock_server.webhooks.delivery import Attempt, Delivery, Standing
from mock_server.webhooks.message import Message

_LONGEST_WAIT = timedelta(days=7)
_ASKS_TO_WAIT = frozenset({429, 503})  # RFC 6585 §4, RFC 9110 §15.6.4


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a POST: a status, or the ``error`` instead of one. ``latency`` is in seconds.

    ``retry_after`` is the header as it was sent. A ``refused`` message was not sent at all and never will be.
    """

    status: int | None
    error: str = ""
    latency: float = 0.0
    retry_after: str | None = None
    refused: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message."""
        return self.status is not None and 200 <= self.status < 300


Send: TypeAlias = Callable[[Message], Reply]
"""How messages leave: ``posting.Poster(...)`` over HTTP; a test may give a function of its own that keeps them."""


def attempted(
    delivery: Delivery, reply: Reply, *, retries: tuple[timedelta, ...], now: datetime, moment: datetime
) -> Delivery:
    """The delivery after an attempt at the virtual time ``now``, which was the real time ``moment``."""
    if reply.refused:
        return failed(delivery, reply.error)
    tries = delivery.tries + 1
    attempt = Attempt(now, reply.status, reply.error, reply.latency)
    tried = replace(delivery, attempts=(*delivery.attempts, attempt), tries=tries)
    if reply.is_success:
        return replace(tried, standing=Standing.DELIVERED, reason="")
    if tries > len(retries):
        return failed(tried, f"{_said(reply)}, and there are no more retries")
    wait = max(retries[tries - 1], _asked_to_wait(reply, moment))
    return replace(tried, due=now + wait)


def failed(delivery: Delivery, reason: str) -> Delivery:
    """The delivery given up."""
    return replace(delivery, standing=Standing.FAILED, reason=reason)


def _said(reply: Reply) -> str:
    if reply.status is None:
        return reply.error
    note = ", and redirects are not followed" if 300 <= reply.status < 400 else ""
    return f"the receiver answered {reply.status}{note}"


def _asked_to_wait(reply: Reply, moment: datetime) -> timedelta:
    """How long the receiver asks to wait (RFC 9110 §10.2.3), as a date or in seconds; zero when it does not."""
    text = (reply.retry_after or "").strip()
    if not text or reply.status not in _ASKS_TO_WAIT:
        return timedelta()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text[:12]), 10**9)), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return timedelta()
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max(until - moment, timedelta()), _LONGEST_WAIT)

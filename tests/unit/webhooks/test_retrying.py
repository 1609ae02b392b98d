"""What an attempt makes of a delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mock_server.model.events import Event
from mock_server.webhooks.delivery import Delivery, Recipient, Standing
from mock_server.webhooks.retrying import Reply, attempted

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REAL = datetime(2030, 6, 1, tzinfo=UTC)
WAITS = (timedelta(seconds=5), timedelta(minutes=5))


def after(*replies: Reply) -> Delivery:
    delivery = Delivery("shop", Event("ping", {}), Recipient("target:t1", "http://localhost/"), NOW, NOW)
    for reply in replies:
        delivery = attempted(delivery, reply, retries=WAITS, now=NOW, moment=REAL)
    return delivery


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_success_delivers(status: int) -> None:
    assert after(Reply(status)).standing is Standing.DELIVERED


@pytest.mark.parametrize("reply", [Reply(199), Reply(302), Reply(404), Reply(500), Reply(None, "no answer within 5 s")])
def test_anything_else_waits_for_the_first_retry(reply: Reply) -> None:
    found = after(reply)
    assert (found.standing, found.due) == (Standing.PENDING, NOW + WAITS[0])


def test_last_retry_gives_up_and_says_why() -> None:
    found = after(Reply(500), Reply(500), Reply(301))
    assert found.standing is Standing.FAILED
    assert found.reason == "the receiver answered 301, and redirects are not followed, and there are no more retries"
    assert [attempt.status for attempt in found.attempts] == [500, 500, 301]


def test_refused_message_was_not_an_attempt() -> None:
    found = after(Reply(None, "not allowed", refused=True))
    assert (found.standing, found.reason, found.attempts) == (Standing.FAILED, "not allowed", ())


@pytest.mark.parametrize(
    ("status", "text", "wait"),
    [
        (429, "60", timedelta(seconds=60)),
        (503, " 60 ", timedelta(seconds=60)),
        (503, "1", WAITS[0]),
        (503, "Sat, 01 Jun 2030 00:02:00 GMT", timedelta(minutes=2)),
        (503, "Sat, 01 Jun 2019 00:02:00 GMT", WAITS[0]),
        (503, "9" * 400, timedelta(days=7)),
        (503, "soon", WAITS[0]),
        (503, "-60", WAITS[0]),
        (500, "60", WAITS[0]),
    ],
)
def test_retry_after_of_429_and_503_prolongs_the_wait(status: int, text: str, wait: timedelta) -> None:
    assert after(Reply(status, retry_after=text)).due == NOW + wait

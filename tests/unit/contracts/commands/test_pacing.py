"""The pace of a run: a service that asks to be left alone is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from contracts.pacing import Pace
from contracts.service import LONGEST_WAIT, Reply


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    ("status", "header", "waits"),
    [
        (429, "7", [7.0]),
        (429, "100000", [LONGEST_WAIT]),
        (429, "Wed, 21 Oct 2015 07:28:00 GMT", []),
        (429, "Wed, 21 Oct 2015 07:28:00 -0000", []),  # a date without a zone
        (429, "soon", []),
        (429, "\N{SUPERSCRIPT TWO}", []),
        (200, "7", []),
    ],
)
def test_every_request_waits_as_one_reply_asked(status: int, header: str, waits: list[float]) -> None:
    clock = _Clock()
    replies = [Reply(status, (("retry-after", header),), b""), Reply(200, (), b""), Reply(200, (), b"")]

    def transport(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return replies.pop(0)

    pace = Pace(wait=clock.wait, now=lambda: clock.now)
    one, another = pace.paced(transport), pace.paced(transport)
    for send in (one, another, one):
        send("GET", "/", {}, b"")
    assert clock.waits == waits

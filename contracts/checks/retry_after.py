"""Who is refused for the time being is told for how long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding, Side
from contracts.judging import Exchange, judges_reply
from contracts.service import Recorded

CHECK = check(
    "retry_after",
    Family.CONFORMANCE,
    summary="A refusal for too many requests (429) says when to try again.",
    source="RFC 6585 §4, RFC 9110 §10.2.3: Retry-After; or RateLimit, RateLimit-Reset, X-RateLimit-Reset",
    example="a 429 that leaves clients to guess how long to wait",
)

_TOO_MANY = 429
_UNAVAILABLE = 503
_OTHERS = ("RateLimit", "RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset")
_SECONDS = re.compile(r"[0-9]+")
_STOCK = re.compile(rb"quota|limit.?reached|allows? (?:only )?\d|maximum number", re.IGNORECASE)
_RATE = re.compile(rb"\brate|requests|retry|again|\bwait|(?:per|this|a) (?:second|minute|hour|day)", re.IGNORECASE)


@judges_reply(CHECK)
def says_when_to_return(exchange: Exchange) -> Iterator[Finding]:
    """A 429 without a word on when, and a Retry-After that is neither seconds nor a date.

    A 503 may leave it open (RFC 9110 §15.6.4): where it is described without Retry-After, that is a question.
    """
    recorded = exchange.recorded
    if recorded.status not in {_TOO_MANY, _UNAVAILABLE}:
        return
    located = exchange.response.located if exchange.response is not None else None
    said = recorded.header("retry-after")
    if said is not None:
        if not _is_when(said.strip()):
            difference = Difference("header Retry-After", "seconds, or a date (RFC 9110 §5.6.7)", said, "is neither")
            sentence = f"Retry-After of the reply with {recorded.status} is neither seconds nor a date"
            yield exchange.finding(CHECK, sentence, difference, located=located)
        return
    if any(recorded.header(name) for name in _OTHERS) or _is_about_a_stock(recorded):
        return
    if recorded.status == _UNAVAILABLE and str(_UNAVAILABLE) not in exchange.operation.responses:
        return  # a failure, which is for another check to tell
    side = Side.SERVICE if recorded.status == _TOO_MANY else Side.DESCRIPTION
    yield exchange.finding(
        CHECK,
        f"the reply with {recorded.status} does not say when to try again",
        Difference("header Retry-After", "seconds, or a date", None, "is missing"),
        side=side,
        located=located,
        remedy="" if side is Side.SERVICE else "describe a Retry-After header for 503, or say that there is none",
    )


def _is_about_a_stock(recorded: Recorded) -> bool:
    """Whether the refusal is for too many things rather than too many requests: no waiting helps against it."""
    body = recorded.reply.body
    return recorded.status == _TOO_MANY and bool(_STOCK.search(body)) and not _RATE.search(body)


def _is_when(text: str) -> bool:
    if _SECONDS.fullmatch(text):
        return True
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return False
    return True

"""Who has to authenticate is told how."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding
from contracts.judging import Exchange, judges_reply

CHECK = check(
    "www_authenticate",
    Family.CONFORMANCE,
    summary="A refusal for want of credentials (401) carries WWW-Authenticate.",
    source="RFC 9110 §15.5.2: the server generating a 401 response MUST send a WWW-Authenticate header field",
    example="a 401 without WWW-Authenticate",
)

_UNAUTHORIZED = 401


@judges_reply(CHECK)
def says_how_to_authenticate(exchange: Exchange) -> Iterator[Finding]:
    """A 401 without a challenge."""
    recorded = exchange.recorded
    if recorded.status != _UNAUTHORIZED or (recorded.header("www-authenticate") or "").strip():
        return
    schemes = {scheme.scheme or scheme.name for requirement in exchange.operation.security for scheme, _ in requirement}
    expected = f"a challenge, as in {sorted(schemes)[0].capitalize()}" if schemes else "a challenge"
    difference = Difference("header WWW-Authenticate", expected, None, "is missing")
    located = exchange.response.located if exchange.response is not None else None
    yield exchange.finding(CHECK, "the reply with 401 does not say how to authenticate", difference, located=located)

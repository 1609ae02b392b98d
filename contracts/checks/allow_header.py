"""Who uses a method that a resource does not take is told which it takes."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding
from contracts.judging import Exchange, judges_reply

CHECK = check(
    "allow_header",
    Family.CONFORMANCE,
    summary="A refusal of a method (405) names the methods that are allowed.",
    source="RFC 9110 §15.5.6: the origin server MUST generate an Allow header field in a 405 response",
    example="a 405 without Allow",
)

_NOT_ALLOWED = 405


@judges_reply(CHECK)
def names_allowed_methods(exchange: Exchange) -> Iterator[Finding]:
    """A 405 without Allow, or one whose Allow names the very method that was refused."""
    recorded = exchange.recorded
    if recorded.status != _NOT_ALLOWED:
        return
    allow = recorded.header("allow")
    method = recorded.request.method
    if allow is None:
        difference = Difference("header Allow", "the allowed methods, maybe none", None, "is missing")
        yield exchange.finding(CHECK, "the reply with 405 does not say which methods are allowed", difference)
    elif method in {name.strip() for name in allow.split(",")}:
        message = f"names {method}, which was refused"
        difference = Difference("header Allow", f"methods other than {method}", allow, message)
        yield exchange.finding(CHECK, f"{method} is refused with 405 although Allow names it", difference)

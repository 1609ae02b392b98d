"""What calls itself problem details is one."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding
from contracts.judging import Exchange, judges_reply
from contracts.replies import UNREAD, carries_body, is_coded, json_body

CHECK = check(
    "problem_details",
    Family.CONFORMANCE,
    summary="A body of application/problem+json is a problem details object, and tells the status of its reply.",
    source="RFC 9457 §3.1",
    fault=101,
    example='a 404 whose problem says "status": 500',
)

_MEDIA_TYPE = "application/problem+json"
_TEXTS = ("type", "title", "detail", "instance")


@judges_reply(CHECK)
def is_problem(exchange: Exchange) -> Iterator[Finding]:
    """A problem that is no object, tells another status, or has one of the standard members as something else."""
    recorded = exchange.recorded
    if recorded.media_type != _MEDIA_TYPE or not carries_body(exchange) or is_coded(exchange):
        return
    value = json_body(recorded.reply.body).value
    if value is UNREAD:
        return  # no JSON at all, which is for reply_schema to tell
    located = exchange.response.located if exchange.response is not None else None
    if not isinstance(value, dict):
        difference = Difference("", "a JSON object", value, "is none (RFC 9457 §3)")
        yield exchange.finding(CHECK, "the problem details are no object", difference, located=located)
        return
    found = [
        Difference(f"/{name}", "a string", value[name], f"{name} is a string (RFC 9457 §3.1)")
        for name in _TEXTS
        if name in value and not isinstance(value[name], str)
    ]
    status = value.get("status", recorded.status)
    if isinstance(status, bool) or status != recorded.status:
        found.append(Difference("/status", recorded.status, status, "is not the status of the reply (RFC 9457 §3.1.2)"))
    if found:
        sentence = f"the problem of the reply with {recorded.status} is not as RFC 9457 says: {found[0].message}"
        yield exchange.finding(CHECK, sentence, *found, located=located)

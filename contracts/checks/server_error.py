"""A service does not fail: whatever it is sent, its answer is not a 500."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding
from contracts.judging import Exchange, judges_reply
from contracts.replies import is_answer

CHECK = check(
    "server_error",
    Family.CONFORMANCE,
    summary="No request makes the service fail (5xx).",
    source="RFC 9110 §15.6: 5xx says that the server is aware of having erred",
    fault=100,
    example="a 500 for a text that is longer than its column",
)

_FAILED = 500
_NOT_IMPLEMENTED = 501


@judges_reply(CHECK)
def is_no_server_error(exchange: Exchange) -> Iterator[Finding]:
    """A 500 is never right, described or not; another 5xx is where the description names it (a 503 when busy)."""
    status = exchange.recorded.status
    if status < _FAILED:
        return
    if status != _FAILED and str(status) in exchange.operation.responses:
        return
    if status == _NOT_IMPLEMENTED and not is_answer(exchange):
        return  # RFC 9110 §15.6.2: a method that the server does not know
    yield exchange.finding(
        CHECK,
        f"{exchange.operation.id} fails with {status}",
        Difference("status", "below 500", status, "is a failure of the service, whatever the request was"),
    )

"""A service answers with the statuses that its description names."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding, Side
from contracts.judging import Exchange, judges_reply
from contracts.replies import is_answer, overlay_target

CHECK = check(
    "undescribed_status",
    Family.CONFORMANCE,
    summary="The status of every reply is described.",
    source="OAS 3.1 §4.8.16: the Responses Object covers a successful reply and any known errors",
    fault=101,
    example="a create that answers 200 where 201 is described",
)

_MEANT = {
    304: ("if-none-match", "if-modified-since"),
    412: ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since"),
    206: ("range",),
    416: ("range",),
    417: ("expect",),
}
"""Statuses that a header of the request asks for, whatever is described (RFC 9110 §13.2, §14.2, §10.1.1)."""


@judges_reply(CHECK)
def is_described(exchange: Exchange) -> Iterator[Finding]:
    """An undescribed success breaks the description; an undescribed refusal is a gap in it, and a question."""
    status = exchange.recorded.status
    if exchange.response is not None or status >= 500 or status < 200 or not is_answer(exchange):
        return
    sent = {name.lower() for name in exchange.recorded.request.headers}
    if not sent.isdisjoint(_MEANT.get(status, ())):
        return
    known = exchange.operation.responses
    kind = f"{status // 100}"
    of_kind = [code for code in known if code.startswith(kind)]
    expected = ", ".join(known) or "none is described"
    breaks = kind == "2" and bool(of_kind)
    yield exchange.finding(
        CHECK,
        f"{status} is not described" + _told(kind, of_kind),
        Difference("status", expected, status, "is none of the described statuses"),
        side=Side.SERVICE if breaks else Side.DESCRIPTION,
        remedy="" if breaks else _remedy(exchange),
    )


def _told(kind: str, of_kind: list[str]) -> str:
    if of_kind:
        return f"; {', '.join(of_kind)} {'is' if len(of_kind) == 1 else 'are'}"
    return {"2": ", nor is any success", "4": ", nor is any refusal"}.get(kind, "")


def _remedy(exchange: Exchange) -> str:
    """The overlay action that adds the status to the description."""
    status = exchange.recorded.status
    return (
        f"- target: {overlay_target(exchange.operation)}.responses\n"
        f"  update:\n"
        f'    "{status}": {{description: {_phrase(status)}}}\n'
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "To be described"

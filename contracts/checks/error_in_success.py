"""What failed does not answer with a success."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding, Side
from contracts.judging import Exchange, judges_reply
from contracts.replies import UNREAD, Described, body_of, described, is_coded, is_judged, syntax
from mock_server.openapi.bodies import Syntax
from mock_server.openapi.values import Direction, Json

CHECK = check(
    "error_in_success",
    Family.CONFORMANCE,
    summary="A reply with a 2xx status does not say in its body that the request failed.",
    source="RFC 9110 §15.3: 2xx says that the request was received, understood, and accepted",
    fault=101,
    example='a 200 with {"error": {"code": "not_found"}}',
)

_MULTI_STATUS = 207
_WORDS = frozenset({"error", "fail", "failure"})
_BESIDE = ("error", "errors", "message", "code", "detail", "reason")


@judges_reply(CHECK)
def tells_no_error(exchange: Exchange) -> Iterator[Finding]:
    """A member that says that it failed, which the schema does not name.

    Beyond doubt where the body has nothing of what is described, or breaks its schema; a question where the schema
    takes any member.
    """
    recorded = exchange.recorded
    if not recorded.ok or recorded.status == _MULTI_STATUS or not is_judged(exchange) or is_coded(exchange):
        return
    entry = described(exchange)
    if entry is None or syntax(exchange) is not Syntax.JSON:
        return
    value = body_of(exchange, entry).value
    if value is UNREAD or not isinstance(value, dict):
        return
    name = next((name for name in _telling(value) if not _is_normal(name, entry) and not _sent(exchange, name)), None)
    if name is None:
        return
    schema = entry.media.schema
    difference = Difference(f"/{name}", "what is described for a success", value[name], "says that the request failed")
    yield exchange.finding(
        CHECK,
        f"the reply with {recorded.status} says in {name} that the request failed",
        difference,
        side=Side.SERVICE if _is_beyond_doubt(value, entry) else Side.DESCRIPTION,
        located=schema.located if schema is not None else entry.media.located,
    )


def _telling(value: Mapping[str, Json]) -> Iterator[str]:
    """The members that say that something failed."""
    for name in ("error", "errors"):
        told = value.get(name)
        if told and isinstance(told, str | list | dict):
            yield name
    for name in ("success", "ok"):
        if value.get(name) is False:
            yield name
    status = value.get("status")
    if isinstance(status, str) and status.lower() in _WORDS and any(value.get(name) for name in _BESIDE):
        yield "status"


def _is_normal(name: str, entry: Described) -> bool:
    """Whether the schema knows the member."""
    return name in entry.shape.properties


def _sent(exchange: Exchange, name: str) -> bool:
    """Whether the request had the member: then it is the client's own."""
    request = exchange.recorded.request
    return b'"%s"' % name.encode() in request.body or f"{name}=" in request.target


def _is_beyond_doubt(value: Mapping[str, Json], entry: Described) -> bool:
    schema = entry.media.schema
    if schema is None:
        return False
    if not schema.accepts(value, Direction.RESPONSE):
        return True
    known = entry.shape.properties
    return bool(known) and all(value.get(name) is None for name in known)

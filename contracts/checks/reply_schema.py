"""A reply's body is what the description says it is."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding, Side
from contracts.judging import Exchange, judges_reply
from contracts.replies import (
    BODYLESS,
    UNREAD,
    Body,
    Described,
    body_of,
    carries_body,
    described,
    is_answer,
    is_coded,
    is_judged,
    json_body,
    overlay_target,
    syntax,
)
from mock_server.openapi.bodies import Syntax, syntax_of
from mock_server.openapi.description import Response
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Direction, Violation

CHECK = check(
    "reply_schema",
    Family.CONFORMANCE,
    summary="A reply's body satisfies the schema that is described for its status and media type.",
    source="OAS 3.1 §4.8.14 schema, §4.8.24.1 writeOnly; RFC 9110 §6.4.1: which replies have a body",
    fault=101,
    example="a number where a string is described, a required member that is missing, a password that is shown",
)

_NEEDS_BODY = frozenset({Syntax.JSON, Syntax.XML})
"""Syntaxes in which no body at all is no value."""


@judges_reply(CHECK)
def has_described_body(exchange: Exchange) -> Iterator[Finding]:
    """A body that is not what it says, that breaks its schema, that is missing, or that should not be there."""
    if not exchange.recorded.reply.body:
        yield from _without_body(exchange)
        return
    status = exchange.recorded.status
    if status in BODYLESS and is_answer(exchange):
        difference = Difference("", "no body", _excerpt(exchange), f"a reply with {status} has none (RFC 9110 §6.4.1)")
        yield exchange.finding(CHECK, f"the reply with {status} has a body", difference)
    elif carries_body(exchange):
        yield from _with_body(exchange)


def violations(exchange: Exchange) -> tuple[Violation, ...]:
    """How the body of a reply breaks its schema; nothing where there is no body, or none that is judged."""
    entry = described(exchange) if is_judged(exchange) and not is_coded(exchange) else None
    return _broken(entry, body_of(exchange, entry)) if entry is not None else ()


def _broken(entry: Described, body: Body) -> tuple[Violation, ...]:
    schema = entry.media.schema
    if schema is None or body.value is UNREAD or schema.accepts(body.value, Direction.RESPONSE):
        return ()
    return schema.violations(body.value, Direction.RESPONSE, where="response-body")


def _with_body(exchange: Exchange) -> Iterator[Finding]:
    status = exchange.recorded.status
    if is_coded(exchange):
        return
    response = exchange.response
    entry = described(exchange) if is_judged(exchange) else None
    if entry is None:
        # Whether its status and media type are described or not, JSON is JSON.
        fault = json_body(exchange.recorded.reply.body).fault if syntax(exchange) is Syntax.JSON else None
        if fault is not None:
            yield _unreadable(exchange, fault, Side.SERVICE)
        elif response is not None and not response.content and exchange.recorded.ok and is_judged(exchange):
            yield _not_described(exchange, response)
        return
    body = body_of(exchange, entry)
    side = Side.SERVICE if body.sure else Side.DESCRIPTION
    if body.fault is not None:
        yield _unreadable(exchange, body.fault, side)
        return
    broken = _broken(entry, body)
    if broken:
        assert entry.media.schema is not None
        first = broken[0]
        where = f" at {first.pointer}" if first.pointer else ""
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        yield exchange.finding(
            CHECK,
            f"the reply with {status} is not as described{where}: {first.message}{more}",
            *(Difference(one.pointer, one.expected, one.got, one.message) for one in broken),
            side=side,
            located=entry.media.schema.located,
            notes=() if body.sure else ("the description may not say all about its XML (OAS 3.1 §4.8.26)",),
        )


def _unreadable(exchange: Exchange, fault: Undecodable, side: Side) -> Finding:
    media_type = exchange.recorded.media_type
    return exchange.finding(
        CHECK,
        f"the reply with {exchange.recorded.status} cannot be read as {media_type}: {fault.message}",
        Difference(fault.pointer, fault.expected, _excerpt(exchange), fault.message),
        side=side,
        located=exchange.response.located if exchange.response is not None else None,
    )


def _not_described(exchange: Exchange, response: Response) -> Finding:
    """No ``content`` says that there is no body, or that nobody has written down which: a question."""
    status = exchange.recorded.status
    return exchange.finding(
        CHECK,
        f"the reply with {status} has a body, and none is described",
        Difference("", "no body", _excerpt(exchange), "is not described"),
        side=Side.DESCRIPTION,
        located=response.located,
        remedy=(
            f"- target: {overlay_target(exchange.operation)}.responses['{response.status}']\n"
            f"  update:\n"
            f"    content: {{{exchange.recorded.media_type or 'application/json'}: {{schema: {{}}}}}}\n"
        ),
    )


def _without_body(exchange: Exchange) -> Iterator[Finding]:
    """No body where each described one has a schema, and a syntax in which nothing is not a value."""
    response, status = exchange.response, exchange.recorded.status
    if response is None or not response.content or not is_answer(exchange) or not carries_body(exchange):
        return
    if 300 <= status < 400:
        return  # a redirect has done its work with Location
    if all(m.schema is not None and syntax_of(parse_media_type(m.name)) in _NEEDS_BODY for m in response.content):
        names = ", ".join(media.name for media in response.content)
        difference = Difference("", f"a body ({names})", None, "is missing")
        yield exchange.finding(CHECK, f"the reply with {status} has no body", difference, located=response.located)


def _excerpt(exchange: Exchange) -> str:
    body = exchange.recorded.reply.body
    return body[:200].decode("utf-8", "replace") + ("..." if len(body) > 200 else "")

"""What makes a test fail although its own assertions passed: requests that are not as described, and loose ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contracts.testing.traffic.calls import Calls
from contracts.testing.traffic.exchange import Exchange
from contracts.testing.traffic.expecting import Expectation
from contracts.testing.traffic.telling import MOST_LINES, Teller, counted, indented, often, shortened
from mock_server.errors import did_you_mean
from mock_server.exchange.faults import Fault
from mock_server.model.problem import Kind, Problem
from mock_server.model.redaction import REDACTED
from mock_server.openapi.values import Violation

OPT_OUT = "@pytest.mark.mock_api(allow_invalid=True)"
"""How a test says that it sends invalid requests on purpose."""

MOST_MATTERS = 20
"""So many matters of a test are told; the rest are counted."""

_MOST_VIOLATIONS = 5  # of one request
_LONGEST = 3000  # characters of one matter

_CLIENTS = frozenset(
    {Kind.NO_ROUTE, Kind.METHOD_NOT_ALLOWED, Kind.UNSUPPORTED_MEDIA_TYPE, Kind.NOT_ACCEPTABLE}
)  # whatever the state is, no request like this is described
_OF_READING = frozenset({Kind.INVALID, Kind.MISSING, Kind.MALFORMED})
_OWN = frozenset({Kind.SELF_VIOLATION, Kind.DESCRIPTION, Kind.INTERNAL})


def verdict(
    calls: Calls,
    *,
    faults: Sequence[Fault] = (),
    expectations: Sequence[Expectation] = (),
    allow_invalid: bool = False,
) -> tuple[str, ...]:
    """A text for each matter that fails a test; none when there is nothing to say.

    The double's own answers that break its description; requests that violate the description, equal ones told once,
    unless ``allow_invalid``; faults that are still to strike; expectations that are not met.
    """
    exchanges, tell = tuple(calls), calls.teller
    matters = list(_own_mistakes(exchanges, tell))
    if not allow_invalid:
        matters += _violations(exchanges, tell)
    matters += _unused(faults, exchanges, calls)
    matters += [expectation.told(calls) for expectation in expectations if not expectation.met(calls)]
    told = [shortened(matter, longest=_LONGEST) for matter in matters[:MOST_MATTERS]]
    if len(matters) > MOST_MATTERS:
        told.append(f"and {len(matters) - MOST_MATTERS} more like these")
    return tuple(told)


def violates(exchange: Exchange) -> bool:
    """Whether the request breaks the description: its path, method, parameters, body or media types.

    What depends on the state or the caller (401, 403, 404 of an item, 409, 412, 429) does not, nor do faults and what
    ``Prefer`` asks for.
    """
    trace = exchange.entry.trace
    if trace.refused is None:
        return False
    # An operation's meaning is looked up once a request has been read, so what is refused later depends on the state.
    return trace.refused.kind in _CLIENTS or (trace.refused.kind in _OF_READING and trace.meaning is None)


# Requests


def _violations(exchanges: Sequence[Exchange], tell: Teller) -> Iterator[str]:
    groups: dict[tuple[object, ...], list[Exchange]] = {}
    for exchange in exchanges:
        if violates(exchange):
            groups.setdefault(_likeness(exchange), []).append(exchange)
    for alike in groups.values():
        first, problem = alike[0], alike[0].entry.trace.refused
        assert problem is not None
        what = first.operation_id or "a request"
        lines = [f"{what} violates the description:" if first.operation_id else f"{what} is not described:"]
        lines += indented([tell.exchange(first)])
        lines += indented(_told(problem, tell), by=4)
        lines += indented(_others(alike))
        lines += indented([f"a test that means to send this is marked {OPT_OUT}"])
        yield "\n".join(lines)


def _likeness(exchange: Exchange) -> tuple[object, ...]:
    """What two requests that are told as one have in common."""
    problem = exchange.entry.trace.refused
    assert problem is not None
    found = tuple((v.where, v.name, v.pointer, v.keyword) for v in problem.violations)
    where = exchange.operation_id or exchange.path
    return where, exchange.method, problem.kind, found or problem.detail


def _others(alike: Sequence[Exchange]) -> Iterator[str]:
    if len(alike) > 1:
        listed = ", ".join(each.id for each in alike[1 : MOST_LINES + 1])
        more = f" and {len(alike) - 1 - MOST_LINES} more" if len(alike) - 1 > MOST_LINES else ""
        yield f"{often(len(alike))} in all; the others are {listed}{more}" if len(alike) > 2 else f"so does {listed}"


def _told(problem: Problem, tell: Teller) -> Iterator[str]:
    if not problem.violations:
        yield shortened(tell.hide(problem.detail), longest=400)
    for violation in problem.violations[:_MOST_VIOLATIONS]:
        yield from _violation(violation, tell)
    if len(problem.violations) > _MOST_VIOLATIONS:
        yield f"and {len(problem.violations) - _MOST_VIOLATIONS} more violations"


def _violation(violation: Violation, tell: Teller) -> Iterator[str]:
    name = f" {violation.name}" if violation.name else ""
    place = f"{violation.where}{name}{violation.pointer}"
    if violation.name is not None and tell.hides(violation.where, violation.name):
        yield f"{place}: expected {violation.keyword} {tell.value(violation.expected)}, got {REDACTED}"
        return
    yield f"{place}: {shortened(tell.hide(violation.message), longest=400)}"
    got = "nothing" if violation.got is None and violation.keyword == "required" else tell.value(violation.got)
    yield f"  got {got}, expected {violation.keyword} {tell.value(violation.expected)}"


# The double


def _own_mistakes(exchanges: Sequence[Exchange], tell: Teller) -> Iterator[str]:
    groups: dict[tuple[str | None, Kind, str], list[Exchange]] = {}
    for exchange in exchanges:
        problem = exchange.entry.trace.refused
        if problem is not None and problem.kind in _OWN:
            groups.setdefault((exchange.operation_id, problem.kind, problem.detail), []).append(exchange)
    for (_, kind, detail), alike in groups.items():
        lines = ["the double could not answer as its description says:"]
        lines += indented([tell.exchange(alike[0])])
        lines += indented([shortened(tell.hide(detail), longest=600)], by=4)
        lines += indented(_others(alike))
        if kind is not Kind.INTERNAL:
            lines += indented(["this is a mistake of the description, an overlay or the seed, not of the client"])
        yield "\n".join(lines)


# Faults


def _unused(faults: Sequence[Fault], exchanges: Sequence[Exchange], calls: Calls) -> Iterator[str]:
    called = [exchange.operation_id for exchange in exchanges]
    for fault in faults:
        if not fault.count or fault.api not in {None, calls.api.name}:
            continue
        if fault.probability < 1.0 and (fault.operation_id in called or (called and fault.operation_id == "*")):
            continue  # it was left to chance whether it strikes
        what = "any operation" if fault.operation_id == "*" else fault.operation_id
        struck = f"struck {often(fault.struck)}" if fault.struck else "never struck"
        left = "1 more request" if fault.count == 1 else f"{fault.count} more requests"
        lines = [f"the fault for {what} ({_effect(fault)}) {struck} and still waits for {left}"]
        refs = calls.api.refs
        if fault.operation_id != "*" and fault.operation_id not in refs:
            hint = did_you_mean(fault.operation_id, refs)
            lines.append(f"  {calls.api.name} has no such operation{f'; {hint}' if hint else ''}")
        lines.append(f"  what was called: {counted(called) or 'nothing'}")
        yield "\n".join(lines)


def _effect(fault: Fault) -> str:
    if fault.reset:
        return "the connection is reset"
    said = [f"status {fault.status}"] if fault.status is not None else []
    said += [f"{fault.delay:g} s late"] if fault.delay else []
    return ", ".join(said) or "without effect"

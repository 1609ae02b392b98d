"""The limit stage: requests counted in windows of the virtual clock, and refused when there are too many.

The ``limits`` package has these strategies too, but asks ``time.time()`` itself and forgets by a timer thread. Here
time is a universe's own (it stands still, jumps ahead, differs from session to session), and counts have to come and
go with a universe's reset and snapshots. What is left to write is a counter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from mock_server.exchange.ledger import MOST_CALLERS
from mock_server.exchange.messages import HeaderList, RawResponse
from mock_server.exchange.turn import Turn
from mock_server.model.clock import rfc3339
from mock_server.model.limits import Limit
from mock_server.model.meaning import Reason
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.description import Response
from mock_server.openapi.quick import quick

_FORMS = {
    "ratelimit": ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
    "x-ratelimit": ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
}
_SECOND = timedelta(seconds=1)


@quick(frozen=True, slots=True)
class Standing:
    """How a caller stands with a limit after a request: what is left of how many, until when."""

    limit: Limit
    ceiling: int
    remaining: int
    until: datetime
    now: datetime

    @property
    def seconds(self) -> int:
        """Whole seconds until the next window, at least 1 (RFC 9110 §10.2.3)."""
        return max(1, -((self.now - self.until) // _SECOND))

    @property
    def headers(self) -> HeaderList:
        """The headers that tell of it."""
        names = _FORMS.get(self.limit.headers)
        if names is None:
            return ()
        reset = ceil(self.until.timestamp()) if self.limit.reset_at else self.seconds
        return tuple(zip(names, (str(self.ceiling), str(self.remaining), str(reset)), strict=True))

    @property
    def reason(self) -> Reason:
        """What the explanation says of it."""
        limit = self.limit
        why = f"{limit.window.text} per {limit.per}, until {rfc3339(self.until)}"
        return Reason(f"limit {limit.name}", f"{self.remaining} of {self.ceiling} left", why)


class Limiter:
    """Counts the requests of one API against its limits."""

    def __init__(self, api: str, limits: Iterable[Limit]) -> None:
        self._api = api
        self._by_operation: dict[str, list[Limit]] = {}
        for limit in limits:
            for operation_id in limit.operations:
                self._by_operation.setdefault(operation_id, []).append(limit)

    def admit(self, operation_id: str, turn: Turn) -> Problem | None:
        """Counts a request, and notes in the turn how its caller stands; a problem when a limit has been reached.

        A request that any of its limits refuses counts for none of them.
        """
        limits = self._by_operation.get(operation_id)
        if limits is None:
            return None
        universe, principal = turn.universe, turn.principal
        standings: list[Standing] = []
        with universe.lock:
            # Asked again under the lock: between two threads, the later request must not be in the earlier window.
            now = universe.clock.now()
            counts = []
            for limit in limits:
                ceiling = limit.ceiling(principal)
                if ceiling is None:
                    continue
                count = universe.ledger.count(self._api, limit.name, limit.window.number(now)).by_caller
                caller = limit.counted_for(principal)
                standing = Standing(limit, ceiling, ceiling - count.get(caller, 0) - 1, limit.window.end(now), now)
                standings.append(standing)
                counts.append((count, caller))
            exceeded = [standing for standing in standings if standing.remaining < 0]
            if not exceeded:
                for count, caller in counts:
                    count[caller] = count.get(caller, 0) + 1
                    if len(count) > MOST_CALLERS:
                        del count[next(iter(count))]
        if exceeded:
            return _refusal(max(exceeded, key=lambda standing: standing.until), turn)
        turn.standings = turn.trace.standings = tuple(standings)
        return None


def _refusal(standing: Standing, turn: Turn) -> Problem:
    """Beyond a limit: 429 (RFC 6585 §4), with the seconds to wait."""
    limit = standing.limit
    plan = turn.principal.plan if turn.principal is not None else None
    if limit.detail is not None:
        values = {
            "limit": str(standing.ceiling),
            "window": limit.window.text,
            "seconds": str(standing.seconds),
            "plan": plan or "",
        }
        detail = limit.detail.filled(values.__getitem__)
    else:
        whose = f" on the plan {plan}" if plan is not None and plan in limit.plans else ""
        detail = (
            f"the limit {limit.name!r} allows {standing.ceiling} requests in {limit.window.text}{whose}; "
            f"the next are taken in {standing.seconds} s"
        )
    spent = Standing(limit, standing.ceiling, 0, standing.until, standing.now)
    turn.trace.standings = (spent,)
    return Problem(
        Kind.RATE_LIMITED,
        detail,
        headers=(("Retry-After", str(standing.seconds)), *spent.headers),
        code=limit.code,
    )


def told(standings: tuple[Standing, ...], response: Response) -> HeaderList:
    """The headers about limits that the description declares for a response, from the limit that leaves least."""
    declared = {header.name.lower() for header in response.headers}
    if not declared:
        return ()
    return tuple((name, value) for name, value in _closest(standings).items() if name.lower() in declared)


def told_anew(standings: tuple[Standing, ...], response: RawResponse) -> RawResponse:
    """An answer that was given before, with what it says of limits as it is now."""
    current = _closest(standings)
    headers = tuple((name, current.get(name, value)) for name, value in response.headers)
    return RawResponse(response.status, headers, response.body)


def _closest(standings: tuple[Standing, ...]) -> dict[str, str]:
    """The headers about limits; where several limits have the same ones, those of the one that leaves least."""
    found: dict[str, str] = {}
    for standing in sorted(standings, key=lambda standing: (standing.remaining, -standing.until.timestamp())):
        for name, value in standing.headers:
            found.setdefault(name, value)
    return found

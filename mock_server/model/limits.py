"""Limits on requests: so many in a window of time, for each caller, each tenant or everyone together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mock_server.dataclass import dataclass
from mock_server.model.call import Principal
from mock_server.model.sentences import Sentence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """A window of time that repeats: ``length`` from the epoch on, or whole calendar months when that is None."""

    text: str
    length: timedelta | None
    months: int = 0

    def number(self, now: datetime) -> int:
        """Which of the windows a moment is in; every one has a number of its own."""
        if self.length is None:
            return (now.year * 12 + now.month - 1) // self.months
        return (now - _EPOCH) // self.length

    def end(self, now: datetime) -> datetime:
        """When the window that a moment is in is over."""
        following = self.number(now) + 1
        if self.length is None:
            year, month = divmod(following * self.months, 12)
            return datetime(year, month + 1, 1, tzinfo=UTC)
        return _EPOCH + following * self.length


@dataclass(frozen=True, slots=True)
class Limit:
    """How many requests to some operations are answered in a window (``x-mock-limits``).

    ``plans`` gives the number by the caller's plan and ``limit`` that for all others; None is without limit. ``per``
    is caller, tenant or everyone. ``headers`` is the form in which answers tell of it: ratelimit, x-ratelimit or none;
    ``reset_at`` says that their reset is a moment in epoch seconds and no number of seconds. ``operations`` are ids.
    """

    name: str
    window: Window
    limit: int | None
    plans: Mapping[str, int | None]
    per: str
    operations: frozenset[str]
    headers: str
    reset_at: bool
    code: str | None
    detail: Sentence | None

    def ceiling(self, principal: Principal | None) -> int | None:
        """How many requests a caller has in a window, None for any number."""
        plan = principal.plan if principal is not None else None
        return self.plans[plan] if plan is not None and plan in self.plans else self.limit

    def counted_for(self, principal: Principal | None) -> tuple[str, ...]:
        """Whose requests count together; callers that nobody knows are one caller, () stands for everyone."""
        if self.per == "everyone":
            return ()
        if principal is None:
            return ("anonymous",)
        if self.per == "tenant" and principal.tenant is not None:
            return ("tenant", principal.tenant)
        return ("caller", *principal.identity)

"""The double's clock in a test: read, moved and stopped; what becomes due on the way is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.testing.hooks.mailbox import deliver
from mock_server.errors import ConfigurationError
from mock_server.exchange import timekeeping
from mock_server.exchange.committing import MOST_MOVES
from mock_server.exchange.universe import Universe
from mock_server.model.clock import Clock as ClockValue
from mock_server.model.clock import parse_duration, parse_instant, rfc3339
from mock_server.sandbox import Sandbox


class Clock:
    """The clock of one test's double.

    However far it is moved, what lies between is done at its own moment: timed transitions, webhooks that are due, and
    the retries of those that fail. Nothing outside of the double is slowed down, sped up or stopped.
    """

    def __init__(self, sandbox: Sandbox, universe: Universe) -> None:
        self._sandbox = sandbox
        self._universe = universe

    def __repr__(self) -> str:
        return f"<Clock at {rfc3339(self.now)}>"

    @property
    def now(self) -> datetime:
        """The double's time, in UTC."""
        return self._universe.clock.now()

    def advance(
        self,
        duration: str | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Moves the clock on and gives the new time: ``advance("PT1H")`` (ISO 8601) or ``advance(hours=1)``.

        Raises ``ConfigurationError`` for what is no duration, and where it leads out of the years 1000 to 9000.
        """
        __tracebackhide__ = True
        try:
            by = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except (OverflowError, ValueError) as error:
            raise ConfigurationError(f"the clock cannot be moved by that: {error}") from None
        if duration is not None:
            by += parse_duration(duration)
        elif not by:
            raise ConfigurationError("advance says by how much", allowed='"PT1H", hours=1 and the like')
        return self._set(lambda clock: timekeeping.advanced(clock, by))

    def travel(self, to: datetime | str) -> datetime:
        """Takes the clock to a moment, later or earlier; a clock that runs goes on from there."""
        __tracebackhide__ = True
        moment = _moment(to)

        def there(clock: ClockValue) -> ClockValue:
            __tracebackhide__ = True
            stopped = timekeeping.frozen(clock, moment)
            return stopped if clock.frozen_at is not None else stopped.running()

        return self._set(there)

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Has the clock stand still, at its present time or at a moment; ``advance`` moves it all the same."""
        __tracebackhide__ = True
        moment = _moment(at) if at is not None else self.now
        return self._set(lambda clock: timekeeping.frozen(clock, moment))

    def unfreeze(self) -> datetime:
        """Lets the clock go on from where it stands, as fast as real time does."""
        return self._set(lambda clock: replace(clock, source=_running(clock.source)).frozen().running())

    def _set(self, change: Callable[[ClockValue], ClockValue]) -> datetime:
        """Puts a changed clock in place, by way of every moment at which something is due before it."""
        __tracebackhide__ = True
        universe = self._universe
        after = change(universe.clock)
        target = after.now()
        try:
            for _ in range(MOST_MOVES):
                due = self._next_due()
                if due is None or due >= target:
                    break
                with universe.lock:
                    if due > universe.clock.now():
                        universe.clock = universe.clock.frozen(due)
                deliver(self._sandbox, universe)
        finally:
            with universe.lock:
                universe.clock = after
        deliver(self._sandbox, universe)
        return universe.clock.now()

    def _next_due(self) -> datetime | None:
        timers = self._universe.state.timers
        moments = (self._universe.outbox.next_due(), timers.earliest() if timers is not None else None)
        return min((moment for moment in moments if moment is not None), default=None)


def _running(source: Callable[[], float]) -> Callable[[], float]:
    """A source that goes on from where another stands, which may be one that always gives the same time."""
    if source is time.time:
        return source
    begun, started = source(), time.monotonic()
    return lambda: begun + time.monotonic() - started


def _moment(given: datetime | str) -> datetime:
    __tracebackhide__ = True
    if isinstance(given, str):
        return parse_instant(given)
    if given.tzinfo is None:
        raise ConfigurationError("a moment names its time zone", got=given.isoformat(),
                                 allowed="for example datetime(2026, 1, 31, 12, tzinfo=UTC)")  # fmt: skip
    return given.astimezone(UTC)

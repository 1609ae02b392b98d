"""Where a virtual clock may be set to: only to times from which others can be reckoned. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from mock_server.errors import ConfigurationError
from mock_server.model.clock import Clock

EARLIEST, LATEST = 1000, 9000
"""Years; from far outside of them no time can be reckoned further, and RFC 3339 has four digits for the year."""


def frozen(clock: Clock, at: datetime) -> Clock:
    """The clock standing still at a moment; a ``ConfigurationError`` for one that is out of reach."""
    return _within_reach(clock.frozen(at), at)


def advanced(clock: Clock, by: timedelta) -> Clock:
    """The clock moved by a duration; a ``ConfigurationError`` where that leads out of reach."""
    try:
        return _within_reach(clock.advanced(by), by)
    except OverflowError:
        raise _too_far(by) from None


def _within_reach(clock: Clock, asked: datetime | timedelta) -> Clock:
    try:
        year = clock.now().year
    except OverflowError:
        raise _too_far(asked) from None
    if not EARLIEST <= year < LATEST:
        raise _too_far(asked)
    return clock


def _too_far(asked: datetime | timedelta) -> ConfigurationError:
    return ConfigurationError(
        "the clock cannot go that far", got=str(asked), allowed=f"a time between the years {EARLIEST} and {LATEST}"
    )

"""The virtual clock: real time plus what was advanced, or a moment that stands still."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import isodate

from mock_server.errors import ConfigurationError
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock as a value. ``source`` gives real time as seconds since the epoch; it comes from outside the
    model."""

    source: Callable[[], float]
    offset: timedelta = timedelta()
    frozen_at: datetime | None = None

    def now(self) -> datetime:
        """The current virtual time, in UTC, to the microsecond."""
        if self.frozen_at is not None:
            return self.frozen_at
        return datetime.fromtimestamp(self.source(), UTC) + self.offset

    def advanced(self, by: timedelta) -> Clock:
        """The clock moved by a duration; a frozen one stays frozen at the later moment."""
        if self.frozen_at is not None:
            return replace(self, frozen_at=self.frozen_at + by)
        return replace(self, offset=self.offset + by)

    def frozen(self, at: datetime | None = None) -> Clock:
        """The clock standing still, at ``at`` or at its current time."""
        return replace(self, frozen_at=at if at is not None else self.now())

    def running(self) -> Clock:
        """The clock going on from its current virtual time."""
        if self.frozen_at is None:
            return self
        real = datetime.fromtimestamp(self.source(), UTC)
        return replace(self, offset=self.frozen_at - real, frozen_at=None)


# What the library takes for nothing at all: designators without a number, and fractions of years and months.
_NOT_MEASURABLE = re.compile(r"[PT]\Z|\A-?P[^T]*[.,]\d+[YM]")


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration (``PT1H``, ``P30D``, ``-PT5M``); months and years are whole and count as average ones."""
    try:
        if _NOT_MEASURABLE.search(text):
            raise ValueError(text)
        duration = isodate.parse_duration(text)
        if isinstance(duration, isodate.Duration):
            months = int(duration.years) * 12 + int(duration.months)
            rest: timedelta = duration.tdelta
            return timedelta(days=months * 30.436875) + rest
    except (isodate.ISO8601Error, TypeError, ValueError, OverflowError):
        raise ConfigurationError(
            "this is not an ISO 8601 duration", got=text, allowed="for example PT90S, PT1H, P30D"
        ) from None
    assert isinstance(duration, timedelta)
    return duration


def parse_instant(text: str) -> datetime:
    """An RFC 3339 date-time with an offset, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigurationError(
            "this is not an RFC 3339 date-time", got=text, allowed="for example 2026-01-31T12:00:00Z"
        )
    return moment.astimezone(UTC)


def moments(now: datetime) -> dict[str, Json]:
    """What expressions know of the time: ``$now`` in RFC 3339, and ``$clock`` in its other notations."""
    seconds = now.timestamp()
    clock = {"seconds": int(seconds), "milliseconds": int(seconds * 1000), "date": now.date().isoformat(),
             "year": now.year}  # fmt: skip
    return {"now": rfc3339(now), "clock": clock}


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T12:00:00Z``, with milliseconds when they are not zero."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds")
    return text.replace("+00:00", "Z")


_MILLISECONDS = 100_000_000_000  # epoch times above this count milliseconds: as seconds they would be in the year 5138


def instant_of(value: object) -> datetime | None:
    """The moment that a member holds: an RFC 3339 text, a date, or epoch seconds or milliseconds; None for another."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None

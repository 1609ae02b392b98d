"""The virtual clock: real time plus what was advanced, or a moment that stands still."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import isodate

from mock_server.dataclass import dataclass
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
_LONGEST = 200  # characters of a duration; the library takes time that grows with the square of the digits


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration (``PT1H``, ``P30D``, ``-PT5M``); months and years are whole and count as average ones."""
    try:
        if len(text) > _LONGEST or _NOT_MEASURABLE.search(text):
            raise ValueError(text)
        duration = isodate.parse_duration(text)
        if isinstance(duration, isodate.Duration):
            months = int(duration.years) * 12 + int(duration.months)
            rest: timedelta = duration.tdelta
            return timedelta(days=months * 30.436875) + rest
    except (isodate.ISO8601Error, TypeError, ValueError, OverflowError):
        raise ConfigurationError(
            "this is not an ISO 8601 duration", got=text[:_LONGEST], allowed="for example PT90S, PT1H, P30D"
        ) from None
    assert isinstance(duration, timedelta)
    return duration


def parse_instant(text: str) -> datetime:
    """An RFC 3339 date-time with an offset, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except OverflowError:
        raise ConfigurationError(
            "the clock cannot go that far", got=text, allowed="a moment of the years 1 to 9999"
        ) from None
    except (TypeError, ValueError):
        pass
    raise ConfigurationError("this is not an RFC 3339 date-time", got=text, allowed="for example 2026-01-31T12:00:00Z")


def moments(now: datetime) -> dict[str, Json]:
    """What expressions know of the time: ``$now`` in RFC 3339, and ``$clock`` in its other notations."""
    seconds = now.timestamp()
    clock = {"seconds": int(seconds), "milliseconds": int(seconds * 1000), "date": now.date().isoformat(),
             "year": now.year}  # fmt: skip
    return {"now": rfc3339(now), "clock": clock}


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T12:00:00Z``, with milliseconds when they are not zero."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat("T", "milliseconds" if moment.microsecond >= 1000 else "seconds")[:-6] + "Z"


_MILLISECONDS = 100_000_000_000  # epoch times above this count milliseconds: as seconds they would be in the year 5138


_SECOND_60 = re.compile(r"(:\d\d):60")


def _in_pythons_calendar(text: str) -> str:
    """A valid RFC 3339 text as Python reads it, which knows neither small letters, nor second 60, nor year 0."""
    text = _SECOND_60.sub(r"\1:59", text.upper())
    return "0001" + text[4:] if text.startswith("0000-") else text


def moment_of(text: str) -> datetime:
    """The moment that an RFC 3339 date-time or date names, in UTC where it names no zone; a ``ValueError`` for others.

    Every text that is valid names one: what is beyond Python's calendar is brought to its edge.
    """
    moment = datetime.fromisoformat(_in_pythons_calendar(text))
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def day_of(text: str) -> date:
    """The day that an RFC 3339 date names, the first of Python's calendar for one of year 0."""
    return date.fromisoformat(_in_pythons_calendar(text))


def instant_of(value: object) -> datetime | None:
    """The moment that a member holds: an RFC 3339 text, a date, or epoch seconds or milliseconds; None for another."""
    try:
        if isinstance(value, str):
            return moment_of(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None

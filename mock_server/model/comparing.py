"""A value that a query asks for, compared with what items hold: by the type of the latter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cached_property
from math import isnan
from typing import TypeAlias

from mock_server.dataclass import dataclass
from mock_server.model.clock import moment_of
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Json

Predicate: TypeAlias = Callable[[Json], bool]

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_DAY = len("2026-01-31")
_EARLIEST = 100_000_000  # seconds: 1973; smaller numbers are not taken for moments
_MILLISECONDS = 100_000_000_000  # epoch times above this count milliseconds


def value_at(value: Json, path: Iterable[str]) -> Json:
    """The member at a path of names, None where there is none."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


@dataclass(frozen=True)  # no slots: cached_property keeps its value in the instance's __dict__
class Wanted:
    """A value asked for, readable as what the item holds: a text, a number, a flag or a moment."""

    value: Json

    @cached_property
    def text(self) -> str:
        return key_text(self.value)

    @cached_property
    def number(self) -> float | None:
        if isinstance(self.value, int | float):
            return self.value
        try:
            return int(self.text)
        except ValueError:
            pass
        try:
            number = float(self.text)
        except ValueError:
            return None
        return None if isnan(number) else number  # "nan" is a text; as a number it would be like all others

    @cached_property
    def flag(self) -> bool | None:
        return self.value if isinstance(self.value, bool) else _FLAGS.get(self.text.lower())

    @cached_property
    def moment(self) -> datetime | None:
        if self.number is not None:
            return moment_since_the_epoch(self.number)
        return moment_in(self.text)

    @property
    def is_day(self) -> bool:
        """Whether a whole day is meant."""
        return len(self.text) == _DAY and self.number is None and self.moment is not None

    def compare(self, held: Json) -> int | None:
        """Below, at or above 0 as ``held`` is less than, equal to or more than this; None when they differ in
        kind.

        A day is compared with moments by their day, so that ``date_to=2026-01-31`` includes that evening.
        """
        if isinstance(held, bool):
            return None if self.flag is None else held - self.flag
        if isinstance(held, int | float):
            wanted = self.number if self.number is not None else self._epoch(held)
            return None if wanted is None else (held > wanted) - (held < wanted)
        if isinstance(held, str):
            moment = moment_in(held) if self.moment is not None else None
            if moment is None or self.moment is None:
                return (held > self.text) - (held < self.text)
            if self.is_day:
                return (moment.date() > self.moment.date()) - (moment.date() < self.moment.date())
            return (moment > self.moment) - (moment < self.moment)
        return 0 if held == self.value else None

    def _epoch(self, held: float) -> float | None:
        if self.moment is None:
            return None
        return self.moment.timestamp() * (1000 if abs(held) >= _MILLISECONDS else 1)


def moment_since_the_epoch(count: float) -> datetime | None:
    """The moment that a number of seconds or milliseconds names; None for one too small to be meant as such."""
    if not _EARLIEST <= count < _MILLISECONDS * 1000:
        return None
    return datetime.fromtimestamp(count / 1000 if count >= _MILLISECONDS else count, UTC)


def moment_in(text: str) -> datetime | None:
    """The moment that an ISO 8601 date or date-time names, in UTC where it names no zone."""
    if len(text) < _DAY or text[4] != "-" or text[7] != "-":
        return None
    try:
        return moment_of(text)
    except ValueError:
        return None

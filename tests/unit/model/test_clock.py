"""The virtual clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from mock_server.errors import ConfigurationError
from mock_server.model.clock import Clock, day_of, moment_of, parse_duration, parse_instant, rfc3339

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_frozen_clock_stands_still_until_it_is_advanced() -> None:
    clock = Clock(lambda: 0.0).frozen(NOON)
    assert clock.now() == NOON
    assert clock.advanced(timedelta(hours=1)).now() == NOON + timedelta(hours=1)


def test_running_again_goes_on_from_the_frozen_moment() -> None:
    assert Clock(lambda: 5.0).frozen(NOON).running().now() == NOON


@pytest.mark.parametrize(
    ("text", "days"),
    [("PT1H", 1 / 24), ("P30D", 30), ("-P1D", -1), ("P1Y", 365.2425), ("P1M1D", 31.436875)],
)
def test_durations_are_iso_8601(text: str, days: float) -> None:
    assert parse_duration(text) / timedelta(days=1) == pytest.approx(days)


@pytest.mark.parametrize("text", ["", "1h", "PT", "P", "P0.5Y", "tomorrow", "P9999999999999D"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T12:00:00", "noon", "9999-12-31T23:59:59-23:59"])
def test_an_instant_needs_an_offset(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_instant(text)


def test_times_are_written_as_rfc_3339_with_milliseconds_only_when_there_are_any() -> None:
    assert rfc3339(NOON) == "2026-01-31T12:00:00Z"
    assert rfc3339(NOON + timedelta(milliseconds=250)) == "2026-01-31T12:00:00.250Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31t13:00:00+01:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T11:59:60Z", "2026-01-31T11:59:59Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("0000-02-01T00:00:00Z", "0001-02-01T00:00:00Z"),
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"),
    ],
)
def test_every_moment_that_rfc_3339_allows_is_one(text: str, moment: str) -> None:
    assert rfc3339(moment_of(text)) == moment


def test_every_day_that_rfc_3339_allows_is_one() -> None:
    assert day_of("2024-02-29") == date(2024, 2, 29)
    assert day_of("0000-01-01") == date.min

"""The virtual clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mock_server.errors import ConfigurationError
from mock_server.model.clock import Clock, parse_duration, parse_instant, rfc3339

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


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T12:00:00", "noon"])
def test_an_instant_needs_an_offset(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_instant(text)


def test_times_are_written_as_rfc_3339_with_milliseconds_only_when_there_are_any() -> None:
    assert rfc3339(NOON) == "2026-01-31T12:00:00Z"
    assert rfc3339(NOON + timedelta(milliseconds=250)) == "2026-01-31T12:00:00.250Z"

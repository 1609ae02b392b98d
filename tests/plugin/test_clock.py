"""``api.clock``: the double's time, and what becomes due while it is moved."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.testing.clock import Clock
from contracts.testing.hooks.mailbox import Receiver, answering, mailbox_of
from mock_server import ApiSource, ConfigurationError, DescriptionError, Options, Sandbox, compile_api
from mock_server.exchange.universe import Universe
from mock_server.openapi.values import Json
from mock_server.packs import source_of
from tests.unit.webhooks.shop import NOW, Shop

START = datetime.fromtimestamp(NOW, UTC)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return Clock(shop.sandbox, shop.universe)


def test_clock_tells_the_doubles_time_with_its_zone(clock: Clock) -> None:
    assert clock.now == START
    assert clock.now.tzinfo is UTC
    assert repr(clock) == "<Clock at 2026-01-02T03:04:05Z>"


def test_advance_gives_the_new_time(clock: Clock) -> None:
    assert clock.advance("PT1H") == START + timedelta(hours=1) == clock.now
    assert clock.advance(days=1, minutes=2) == START + timedelta(days=1, hours=1, minutes=2)


def test_clock_of_another_test_stays_as_it_is(shop: Shop, clock: Clock) -> None:
    clock.advance("P1D")
    assert Clock(shop.sandbox, shop.sandbox.universes.get("other")).now == START


@pytest.mark.parametrize(
    "to", ["2030-01-01T01:00:00+01:00", datetime(2030, 1, 1, tzinfo=UTC),
           datetime(2030, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))],
)  # fmt: skip
def test_travel_goes_to_a_moment_in_any_zone(clock: Clock, to: datetime | str) -> None:
    assert clock.travel(to) == datetime(2030, 1, 1, tzinfo=UTC)


def test_travel_goes_back_too(clock: Clock) -> None:
    assert clock.travel("2020-01-01T00:00:00Z") == datetime(2020, 1, 1, tzinfo=UTC)


def _ticking() -> tuple[Clock, list[float]]:
    """A clock of a sandbox whose real time is the last of a list."""
    times = [NOW]
    shop = Shop()
    sandbox = Sandbox([shop.sandbox.api("shop").api], options=Options(clock=lambda: times[-1]))
    return Clock(sandbox, sandbox.universes.default), times


def test_frozen_clock_stands_still_until_it_is_moved() -> None:
    clock, times = _ticking()
    clock.freeze()
    times.append(NOW + 60)
    assert clock.now == START
    assert clock.advance("PT1H") == clock.now == START + timedelta(hours=1)


def test_clock_can_be_frozen_at_a_moment() -> None:
    clock, times = _ticking()
    assert clock.freeze("2030-01-01T00:00:00Z") == datetime(2030, 1, 1, tzinfo=UTC)
    times.append(NOW + 60)
    assert clock.now == datetime(2030, 1, 1, tzinfo=UTC)


def test_running_clock_goes_on_after_it_was_moved() -> None:
    clock, times = _ticking()
    clock.travel("2030-01-01T00:00:00Z")
    times.append(NOW + 60)
    assert clock.now == datetime(2030, 1, 1, 0, 1, tzinfo=UTC)


def test_unfrozen_clock_runs_though_its_source_stands_still(clock: Clock) -> None:
    clock.freeze("2030-01-01T00:00:00Z")
    before = clock.unfreeze()
    until = time.monotonic() + 5
    while clock.now == before and time.monotonic() < until:
        pass
    assert timedelta() < clock.now - datetime(2030, 1, 1, tzinfo=UTC) < timedelta(minutes=1)


@pytest.mark.parametrize("duration", ["P99999Y", "-P3000Y"])
def test_clock_does_not_leave_the_reckonable_years(clock: Clock, duration: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot go that far") as failure:
        clock.advance(duration)
    assert failure.value.allowed == "a time between the years 1000 and 9000"
    assert clock.now == START


def test_moment_out_of_reach_is_refused(clock: Clock) -> None:
    with pytest.raises(ConfigurationError, match="cannot go that far"):
        clock.freeze(datetime(9999, 12, 31, tzinfo=UTC))
    assert clock.now == START


@pytest.mark.parametrize(("duration", "said"), [("an hour", "not an ISO 8601 duration"), (None, "by how much")])
def test_advance_wants_a_duration(clock: Clock, duration: str | None, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        clock.advance(duration)


@pytest.mark.parametrize("days", [1e12, float("nan")])
def test_numbers_that_are_no_duration_are_refused(clock: Clock, days: float) -> None:
    with pytest.raises(ConfigurationError, match="cannot be moved by that"):
        clock.advance(days=days)


def test_moment_without_a_zone_is_refused(clock: Clock) -> None:
    with pytest.raises(ConfigurationError, match="names its time zone"):
        clock.travel(datetime(2030, 1, 1))


# What is due on the way


def _subscribed(shop: Shop, *, failing: int) -> Universe:
    """The shop with a target whose first answers are failures, and one order."""
    shop.universe.outbox.add_target("http://app.test/in")
    mailbox_of(shop.universe).add(Receiver("http://app.test", answering(500), "answer", failing))
    shop.made("/orders", {"item": "table"})
    return shop.universe


def test_webhook_goes_out_when_the_clock_is_moved(shop: Shop, clock: Clock) -> None:
    universe = _subscribed(shop, failing=0)
    clock.advance("PT1S")
    (delivery,) = universe.outbox.listed(lambda each: each)
    assert [attempt.status for attempt in delivery.attempts] == [200]
    assert shop.sent == []


def test_retries_are_made_at_their_own_moments(shop: Shop, clock: Clock) -> None:
    universe = _subscribed(shop, failing=5)
    clock.advance("P1D")
    (delivery,) = universe.outbox.listed(lambda each: each)
    assert [attempt.time - START for attempt in delivery.attempts] == [
        timedelta(), timedelta(seconds=5), timedelta(minutes=5, seconds=5),
    ]  # fmt: skip
    assert delivery.standing == "failed"


def test_clock_that_is_moved_less_far_leaves_the_rest_to_be_done(shop: Shop, clock: Clock) -> None:
    universe = _subscribed(shop, failing=1)
    clock.advance("PT4S")
    (delivery,) = universe.outbox.listed(lambda each: each)
    assert len(delivery.attempts) == 1
    clock.advance("PT1S")
    (delivery,) = universe.outbox.listed(lambda each: each)
    assert [attempt.status for attempt in delivery.attempts] == [500, 200]


def _timed(after: str, target: str) -> tuple[Universe, Clock]:
    """An API with an order that moves by itself, in a state of its own."""
    shop = Shop()
    root: Json = dict(shop.sandbox.api("shop").api.root)
    events = root["x-mock-resources"]["orders"]["events"]
    states = {
        "property": "status",
        "initial": "open",
        "transitions": {"go": {"from": ["open"], "to": target, "after": after}},
    }
    root["x-mock-resources"] = {**root["x-mock-resources"], "orders": {"events": events, "states": states}}
    found = Shop(root)
    found.made("/orders", {"item": "table"})
    return found.universe, Clock(found.sandbox, found.universe)


def test_timed_transition_is_made_and_told_of_at_its_own_moment() -> None:
    universe, clock = _timed("PT10M", "late")
    universe.outbox.add_target("http://app.test/in")
    clock.advance("PT1H")
    (delivery,) = universe.outbox.listed(lambda each: each)
    assert delivery.event.data["data"]["status"] == "late"
    assert [attempt.time - START for attempt in delivery.attempts] == [timedelta(minutes=10)]


def test_transition_without_an_end_is_told_and_the_clock_has_moved() -> None:
    _, clock = _timed("PT0S", "open")
    with pytest.raises(DescriptionError, match="go on without an end"):
        clock.advance("PT1H")
    assert clock.now == START + timedelta(hours=1)


def test_pack_moves_a_message_through_its_states() -> None:
    source: ApiSource = source_of("kirimdev")
    sandbox = Sandbox([source], options=Options(clock=lambda: NOW, eager=False))
    universe = sandbox.universes.get("t1")
    clock = Clock(sandbox, universe)
    before = universe.state
    clock.advance("P365D")
    assert universe.state is not before
    assert clock.now == START + timedelta(days=365)


def test_api_without_anything_due_is_just_moved() -> None:
    sandbox = Sandbox([compile_api({"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}})])
    clock = Clock(sandbox, sandbox.universes.default)
    before = clock.now
    assert clock.advance(hours=1) - before >= timedelta(hours=1)

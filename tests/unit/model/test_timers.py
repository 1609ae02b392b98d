"""Timers: a persistent queue that agrees with a sorted list, whatever is set, stopped and taken from it."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mock_server.model.state import Partition
from mock_server.model.timers import NO_TIMERS, Place, Timers, begun
from tests.unit.model.doubles import NOW

THINGS = Partition("test/things")
KEYS = st.sampled_from("abcde")
MOVES = st.sampled_from(["send", "expire"])
SECONDS = st.integers(0, 20)


def at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def place(key: str, move: str) -> Place:
    return THINGS.resource, THINGS.scope, key, move


def put(timers: Timers, key: str, second: int, move: str = "send") -> Timers:
    return timers.set(THINGS, key, move, due=at(second), wait=None)


def drained(timers: Timers, now: datetime) -> list[tuple[datetime, str, str]]:
    """Everything that is due, in the order in which it comes up."""
    found: list[tuple[datetime, str, str]] = []
    while True:
        timer, timers = timers.popped(now)
        if timer is None:
            return found
        found.append((timer.due, timer.key, timer.transition))


class QueueMachine(RuleBasedStateMachine):
    """The timers beside a plain list of ``(due, order, key, move)``."""

    def __init__(self) -> None:
        super().__init__()
        self.timers = NO_TIMERS
        self.naive: list[tuple[datetime, int, str, str]] = []
        self.order = 0
        self.kept: list[tuple[Timers, list[tuple[datetime, int, str, str]]]] = []

    @rule(key=KEYS, move=MOVES, second=SECONDS)
    def set(self, key: str, move: str, second: int) -> None:
        self.timers = put(self.timers, key, second, move)
        self.naive = [entry for entry in self.naive if entry[2:] != (key, move)]
        self.naive.append((at(second), self.order, key, move))
        self.order += 1

    @rule(key=KEYS, move=MOVES)
    def stop(self, key: str, move: str) -> None:
        self.timers = self.timers.stopped(place(key, move))
        self.naive = [entry for entry in self.naive if entry[2:] != (key, move)]

    @rule(second=SECONDS)
    def pop(self, second: int) -> None:
        timer, self.timers = self.timers.popped(at(second))
        due = sorted(entry for entry in self.naive if entry[0] <= at(second))
        if not due:
            assert timer is None
            return
        assert timer is not None
        assert (timer.due, timer.order, timer.key, timer.transition) == due[0]
        self.naive.remove(due[0])

    @rule()
    def keep(self) -> None:
        self.kept.append((self.timers, list(self.naive)))

    @invariant()
    def as_many_wait(self) -> None:
        assert len(self.timers) == len(self.naive)

    @invariant()
    def kept_versions_stay_as_they_were(self) -> None:
        for timers, naive in self.kept[-2:]:
            expected = [(due, key, move) for due, _, key, move in sorted(naive)]
            assert drained(timers, at(1000)) == expected


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.lists(SECONDS, max_size=60))
def test_timers_come_up_by_moment_and_those_of_one_moment_in_the_order_they_were_set(seconds: list[int]) -> None:
    timers = NO_TIMERS
    for number, second in enumerate(seconds):
        timers = put(timers, str(number), second)
    expected = sorted((at(second), number) for number, second in enumerate(seconds))
    assert [(due, int(key)) for due, key, _ in drained(timers, at(100))] == expected


def test_timers_that_are_set_again_and_again_do_not_pile_up() -> None:
    timers = NO_TIMERS
    for second in range(5000):
        timers = put(timers, "a", second)
    assert timers.size < 200
    assert drained(timers, at(10_000)) == [(at(4999), "a", "send")]


def test_very_many_timers_fit_on_the_stack() -> None:
    timers = NO_TIMERS
    for number in range(20_000):
        timers = put(timers, str(number), number)
    assert len(drained(timers, at(20_000))) == 20_000


def test_a_seeds_durations_count_from_when_a_universe_begins_and_its_moments_stay() -> None:
    timers = NO_TIMERS.set(THINGS, "a", "send", due=at(10), wait=timedelta(seconds=10))
    timers = put(put(timers, "b", 200), "c", 5)
    assert drained(begun(timers, at(100)), at(1000)) == [
        (at(100), "c", "send"), (at(110), "a", "send"), (at(200), "b", "send"),
    ]  # fmt: skip

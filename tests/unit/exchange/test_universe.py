"""Universes: isolated, forked from the seed, bounded in number."""

from __future__ import annotations

import pytest

from mock_server.errors import ConfigurationError
from mock_server.exchange.universe import DEFAULT_SESSION, MOST_EVENTS, RecordedEvent, Universes
from mock_server.model.clock import Clock
from mock_server.model.collection import Collection
from mock_server.model.events import Event
from mock_server.model.state import Fill, Partition, Put, State, commit

THINGS = Partition("shop/things")
SEED = commit(State(), [Fill(THINGS, Collection.of([("1", {"id": 1})]))])


def universes(*, capacity: int = 10) -> Universes:
    return Universes(SEED, clock=Clock(lambda: 0.0), seed=0, tables={}, capacity=capacity)


def test_a_new_universe_is_the_seed_itself_not_a_copy() -> None:
    assert universes().get("a").state is SEED


def test_writes_stay_in_their_universe() -> None:
    known = universes()
    known.get("a").state = commit(known.get("a").state, [Put(THINGS, "2", {"id": 2})])
    assert known.get("b").state is SEED
    assert len(known.get("a").state.collection(THINGS) or ()) == 2


def test_reset_is_the_seed_again() -> None:
    universe = universes().get("a")
    universe.state = commit(universe.state, [Put(THINGS, "2", {"id": 2})])
    universe.reset()
    assert universe.state is SEED


def test_snapshots_survive_a_reset() -> None:
    universe = universes().get("a")
    universe.state = changed = commit(universe.state, [Put(THINGS, "2", {"id": 2})])
    universe.snapshot("before")
    universe.reset()
    universe.restore("before")
    assert universe.state is changed


def test_only_the_newest_events_are_kept() -> None:
    universe = universes().get("a")
    told = [RecordedEvent(universe.clock.now(), "shop", Event(str(number), None)) for number in range(MOST_EVENTS + 3)]
    universe.events += told
    assert [each.event.type for each in (universe.events[0], universe.events[-1])] == ["3", str(MOST_EVENTS + 2)]


def test_the_one_idle_longest_is_dropped() -> None:
    known = universes(capacity=3)
    for name in ("a", "b", "a", "c"):
        known.get(name)
    assert known.names() == (DEFAULT_SESSION, "a", "c")


def test_the_default_universe_is_never_dropped_even_alone() -> None:
    known = universes(capacity=1)
    known.get("a")
    assert DEFAULT_SESSION in known.names()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "x" * 129, "a\n"])
def test_impossible_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        universes().get(name)

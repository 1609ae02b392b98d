"""Universes: isolated states on one server, each forked from the seed when its name is first seen."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from random import Random
from threading import RLock
from typing import TypeAlias

from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.exchange.faults import Fault
from mock_server.exchange.journal import Journal
from mock_server.exchange.ledger import Ledger
from mock_server.model.clock import Clock
from mock_server.model.events import Event
from mock_server.model.state import State
from mock_server.model.timers import begun
from mock_server.openapi.values import Json, Violation
from mock_server.webhooks.outbox import Outbox

DEFAULT_SESSION = "default"
Watch: TypeAlias = "Callable[[Universe], None]"

MOST_EVENTS = 10_000
"""So many events are kept to be listed, the newest; timers alone can bring any number of them."""

MOST_SNAPSHOTS = 1000
"""So many snapshots one universe keeps; another is refused, since none of them may be forgotten unasked."""

_NAME = re.compile(r"[A-Za-z0-9._~:@-]{1,128}\Z")


@dataclass(slots=True)
class RecordedEvent:
    """An event that was emitted, when, and by which API. ``violations`` are how its payload breaks the description."""

    time: datetime
    api: str
    event: Event
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state that was kept, with the requests counted and the answers kept until then."""

    state: State
    ledger: Ledger


@dataclass(slots=True)
class Universe:
    """One isolated world: its state, clock, journal and faults. ``lock`` guards step and commit.

    ``watch`` is told whenever state or time have changed.
    """

    name: str
    seed_state: State
    state: State
    clock: Clock
    journal: Journal
    seed: int
    tables: Mapping[str, Json]
    lock: RLock = field(default_factory=RLock)
    faults: list[Fault] = field(default_factory=list)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    events: deque[RecordedEvent] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))
    outbox: Outbox = field(default_factory=Outbox)
    watch: Watch = field(default=lambda _: None, repr=False)
    chance: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - decides about faults, guards nothing

    def reset(self) -> None:
        """Back to the seed: state, clock, counts and kept answers, journal, faults and events; snapshots stay."""
        with self.lock:
            self.clock = Clock(self.clock.source)
            self.state = _begun(self.seed_state, self.clock)
            self.ledger = Ledger()
            self.journal.clear()
            self.faults.clear()
            self.events.clear()
            self.outbox.clear()

    def snapshot(self, name: str) -> None:
        """Keeps the current state under a name, with what has been counted and kept against limits and keys.

        A ``ConfigurationError`` when there are ``MOST_SNAPSHOTS`` under other names.
        """
        with self.lock:
            if len(self.snapshots) >= MOST_SNAPSHOTS and name not in self.snapshots:
                raise ConfigurationError(
                    f"this universe has {MOST_SNAPSHOTS} snapshots already",
                    got=name,
                    allowed=f"at most {MOST_SNAPSHOTS}",
                    hint="drop one that is not needed any more, or save under a name that there is",
                )
            self.snapshots[name] = Snapshot(self.state, self.ledger.copy())

    def restore(self, name: str) -> None:
        """Goes back to a snapshot; a ``ConfigurationError`` when there is none of that name."""
        with self.lock:
            if name not in self.snapshots:
                raise ConfigurationError(f"there is no snapshot {name!r}", hint=did_you_mean(name, self.snapshots))
            self.state = self.snapshots[name].state
            self.ledger = self.snapshots[name].ledger.copy()


def _begun(seed_state: State, clock: Clock) -> State:
    """The seed as a universe begins with it: what waits in it waits from now on."""
    if seed_state.timers is None:
        return seed_state
    return State(seed_state.resources, seed_state.counters, begun(seed_state.timers, clock.now()))


class Universes:
    """The universes of one server by name; beyond ``capacity`` the one that was idle longest is dropped."""

    def __init__(
        self,
        seed_state: State,
        *,
        clock: Clock,
        seed: int,
        tables: Mapping[str, Json],
        capacity: int = 1000,
        journal_capacity: int = 1000,
        watch: Watch = lambda _: None,
    ) -> None:
        self._seed_state = seed_state
        self._clock = clock
        self._seed = seed
        self._tables = tables
        self._capacity = capacity
        self._journal_capacity = journal_capacity
        self._watch = watch
        self._known: OrderedDict[str, Universe] = OrderedDict()
        self._lock = RLock()
        self.default = self.get(DEFAULT_SESSION)

    def get(self, name: str) -> Universe:
        """The universe of a name, forked from the seed at first sight."""
        with self._lock:
            found = self._known.get(name)
            if found is None:
                found = self._fork(name)
            self._known.move_to_end(name)
            return found

    def _fork(self, name: str) -> Universe:
        if not _NAME.match(name):
            raise ConfigurationError(
                "this is no session name", got=name, allowed="1 to 128 letters, digits and . _ ~ : @ -"
            )
        universe = Universe(
            name=name,
            seed_state=self._seed_state,
            state=_begun(self._seed_state, self._clock),
            clock=self._clock,
            journal=Journal(capacity=self._journal_capacity),
            seed=self._seed,
            tables=self._tables,
            watch=self._watch,
        )
        self._known[name] = universe
        while len(self._known) > self._capacity:
            oldest = next((other for other in self._known if other not in {DEFAULT_SESSION, name}), None)
            if oldest is None:
                break
            self._forget(oldest)
        return universe

    def _forget(self, name: str) -> bool:
        """Whether there was such a universe; it waits for nothing any more and sends nothing."""
        gone = self._known.pop(name, None)
        if gone is not None:
            with gone.lock:
                # A request that found the universe before it was dropped is still answered by what it held.
                gone.state = State(gone.state.resources, gone.state.counters)
                gone.outbox.clear()
        return gone is not None

    def drop(self, name: str) -> bool:
        """Forgets a universe; the default one is only reset."""
        with self._lock:
            if name == DEFAULT_SESSION:
                self.default.reset()
                return True
            return self._forget(name)

    def known(self) -> tuple[Universe, ...]:
        """The universes that exist, the one idle longest first; looking at them this way keeps none from being idle."""
        with self._lock:
            return tuple(self._known.values())

    def names(self) -> tuple[str, ...]:
        """The universes that exist, the one idle longest first."""
        with self._lock:
            return tuple(self._known)

    def reseed(self, seed_state: State, tables: Mapping[str, Json]) -> None:
        """Takes another seed for resets and new universes; existing states stay as they are."""
        with self._lock:
            self._seed_state, self._tables = seed_state, tables
            for universe in self._known.values():
                universe.seed_state, universe.tables = seed_state, tables

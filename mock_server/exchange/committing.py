"""Committing: the one way in which the state of a universe changes.

    changes → consequences (effects, events, timers) → state, and whoever listens is told

The line, the control API and timers come through here. Timers that are due run before anybody looks at a universe, each
at its own moment and in the order of these moments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from mock_server.errors import DescriptionError
from mock_server.exchange.universe import RecordedEvent, Universe
from mock_server.model.call import Principal
from mock_server.model.clock import rfc3339
from mock_server.model.consequences import Consequences, consequences, settled
from mock_server.model.effects import Circumstances
from mock_server.model.events import Event, identified
from mock_server.model.meaning import Reason
from mock_server.model.model import Model
from mock_server.model.moves import timed_move
from mock_server.model.problem import Problem
from mock_server.model.rules import Rules, rules_of
from mock_server.model.state import Change, State, commit
from mock_server.model.timers import Place, Timer, place_of

MOST_MOVES = 100_000
"""How many timers run before one look at a universe; more are taken for a loop."""

MOST_MOVES_AT_ONCE = 100
"""How often one item may make the same move at one moment."""

_TOLD = 20

Listener: TypeAlias = Callable[[Universe, Sequence[RecordedEvent]], None]
"""Is told of events when they are committed, under the universe's lock: it queues them and returns."""


class Committing:
    """Commits to universes by the rules of all the APIs that share them. Safe to share: the state is elsewhere."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = tuple(models)
        self._listeners: list[Listener] = []

    @cached_property
    def rules(self) -> Rules:
        """What follows from which write; an ``AnnotationError`` when an annotation cannot be followed."""
        return rules_of(self._models)

    def compile(self) -> None:
        """Works the rules out now, so that a mistake in them shows before the first request."""
        assert self.rules is not None

    def listen(self, listener: Listener) -> None:
        """Tells somebody of every event from now on."""
        self._listeners.append(listener)

    def commit(
        self,
        universe: Universe,
        changes: Sequence[Change],
        *,
        now: datetime,
        principal: Principal | None = None,
        emits: Sequence[Event] = (),
        api: str = "",
    ) -> tuple[Reason, ...] | Problem:
        """Commits changes with all that follows from them; or refuses, and nothing happens. The caller has the lock.

        ``emits`` are events that the changes bring themselves, in the name of ``api``. The reasons say what followed.
        """
        if not emits and not self.rules.by_resource:
            universe.state = commit(universe.state, changes)
            return ()
        circumstances = _circumstances(universe, now, principal)
        found = consequences(self.rules, universe.state, changes, circumstances)
        if isinstance(found, Problem):
            return found
        events, state = identified(emits, seed=universe.seed, state=found.state, principal=principal)
        self._take(universe, replace(found, state=state), now, [(api, event) for event in events])
        return found.reasons

    def settle(self, state: State, now: datetime, *, names: Iterable[str] | None = None) -> State:
        """A state into which the items of some resources (by qualified name; None is all) were put wholesale.

        They begin to wait for their timers now. No event is emitted and no effect follows: this is how a seed goes in.
        """
        rules = self.rules
        if not rules.by_resource:
            return state
        return settled(rules, state, tuple(rules.by_resource if names is None else names), now)

    # Timers

    def catch_up(self, universe: Universe, now: datetime) -> tuple[Reason, ...]:
        """Runs the timers that are due, and says which; a ``DescriptionError`` for one that cannot run.

        What ran before such a one stays, and it is not tried again.
        """
        timers = universe.state.timers
        earliest = timers.earliest() if timers is not None else None
        if earliest is None or earliest > now:
            return ()
        with universe.lock:
            return self._run(universe, now)

    def _run(self, universe: Universe, now: datetime) -> tuple[Reason, ...]:
        reasons: list[Reason] = []
        total, moment, at_once = 0, now, Counter[Place]()
        while universe.state.timers is not None:
            state = universe.state
            assert state.timers is not None
            timer, rest = state.timers.popped(now)
            universe.state = State(state.resources, state.counters, rest if len(rest) else None)
            if timer is None:
                break
            if timer.due != moment:
                moment, at_once = timer.due, Counter()
            total += 1
            at_once[place_of(timer)] += 1
            if total > MOST_MOVES or at_once[place_of(timer)] > MOST_MOVES_AT_ONCE:
                raise DescriptionError(
                    f"timed transitions go on without an end: {total} of them, the last was {_name(timer)}",
                    got=f"due {rfc3339(timer.due)}",
                    hint="let one of them take some time, or advance the clock in smaller steps",
                )
            reasons += self._move(universe, timer)
        more = len(reasons) - _TOLD
        if more > 0:
            reasons = [*reasons[:_TOLD], Reason("timer", f"{more} more", "all of them were due")]
        return tuple(reasons)

    def _move(self, universe: Universe, timer: Timer) -> tuple[Reason, ...]:
        """Makes the move of a timer at its moment, where the item is still there to be moved."""
        ruled = self.rules.by_resource.get(timer.partition.resource)
        transition = ruled.timed.get(timer.transition) if ruled is not None else None
        if ruled is None or transition is None:
            return ()
        circumstances = _circumstances(universe, timer.due, None)
        changes = timed_move(ruled.model, ruled.resource, transition, timer, universe.state, circumstances)
        if not changes:
            return ()
        found = consequences(self.rules, universe.state, changes, circumstances, moved=place_of(timer))
        if isinstance(found, Problem):
            raise DescriptionError(
                f"a timed transition cannot be made: {found.detail}",
                got=f"{_name(timer)}, due {rfc3339(timer.due)}",
                hint="it is not tried again; correct the transition or the effects of the move",
            )
        self._take(universe, found, timer.due, ())
        what = f"{_name(timer)} to {transition.target}"
        return (Reason("timer", what, f"due {rfc3339(timer.due)}"), *found.reasons)

    def _take(self, universe: Universe, found: Consequences, now: datetime, emits: Sequence[tuple[str, Event]]) -> None:
        universe.state = found.state
        if found.events or emits:
            recorded = [RecordedEvent(now, api, event) for api, event in (*found.events, *emits)]
            universe.events += recorded
            for listener in self._listeners:
                listener(universe, recorded)
        universe.watch(universe)


def _circumstances(universe: Universe, now: datetime, principal: Principal | None) -> Circumstances:
    return Circumstances(now, universe.seed, principal.as_json() if principal is not None else None, universe.tables)


def _name(timer: Timer) -> str:
    return f"{timer.transition} of {timer.partition}/{timer.key}"

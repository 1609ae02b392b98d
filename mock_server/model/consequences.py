"""What a commit brings about: effects and effects of effects, events, timers, and counters that keep up.

    changes → state → effects, until none is left → events of all writes → timers of all writes

Pure, so a contract check can follow a real service by the same rules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from mock_server.model.clock import instant_of, moments
from mock_server.model.effects import Circumstances, applied, holds
from mock_server.model.events import Event, emitted, event_ids, ids_used
from mock_server.model.filters import value_at
from mock_server.model.meaning import Reason, Transition
from mock_server.model.problem import Kind, Problem
from mock_server.model.rules import Ruled, Rules
from mock_server.model.serials import Serial
from mock_server.model.state import Change, Partition, State, commit
from mock_server.model.timers import NO_TIMERS, Place, Timers
from mock_server.model.world import is_soft_deleted
from mock_server.model.writes import Write, writes
from mock_server.openapi.expressions import Context
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json

DEEPEST = 16
"""How many effects may follow from one another before they are taken to have no end."""


@quick(frozen=True, slots=True)
class Consequences:
    """The state after a commit, the events with the API that declares each, and the effects as reasons."""

    state: State
    events: tuple[tuple[str, Event], ...] = ()
    reasons: tuple[Reason, ...] = ()


def consequences(
    rules: Rules,
    before: State,
    changes: Sequence[Change],
    circumstances: Circumstances,
    *,
    moved: Place | None = None,
) -> Consequences | Problem:
    """What committing some changes comes to, or the problem that one of their effects runs into.

    ``moved`` is the timer that made the changes: its move begins anew where it leads back to its own source.
    """
    after = commit(before, changes)
    resources = rules.resources
    written = writes(resources, before, after, changes) if resources else ()
    if not written:
        return Consequences(after)
    found = _with_effects(rules, after, written, circumstances)
    if isinstance(found, Problem):
        return found
    after, written, reasons = found
    events, told = _events(rules, after, written, circumstances)
    if events:
        after = commit(after, (ids_used(after, len(events)),))
    for write in written:
        ruled = rules.by_resource[write.partition.resource]
        if ruled.timed:
            after = _with_timers(after, _scheduled(after.timers or NO_TIMERS, ruled, write, circumstances.now, moved))
        for serial in ruled.resource.serials:
            after = _counted(after, serial, write.partition, write.after)
    return Consequences(after, events, (*reasons, *told))


def _events(
    rules: Rules, state: State, written: tuple[Write, ...], circumstances: Circumstances
) -> tuple[tuple[tuple[str, Event], ...], tuple[Reason, ...]]:
    """The events of some writes, and why each of them happened."""
    ids = event_ids(circumstances.seed, state)
    found: list[tuple[str, Event]] = []
    reasons: list[Reason] = []
    for write in written:
        if told := rules.by_resource[write.partition.resource].events:
            new = tuple(emitted(told, write, circumstances.context(write), ids))
            found += new
            reasons += [Reason("event", event.type, f"{write} was {write.what}") for _, event in new]
    return tuple(found), tuple(reasons)


def _with_effects(
    rules: Rules, state: State, written: tuple[Write, ...], circumstances: Circumstances
) -> tuple[State, tuple[Write, ...], tuple[Reason, ...]] | Problem:
    """The state after the effects of some writes and theirs, with all the writes there were, and why."""
    done: list[Write] = []
    reasons: list[Reason] = []
    waiting = deque((write, 0) for write in written)
    while waiting:
        write, depth = waiting.popleft()
        done.append(write)
        effects = rules.by_resource[write.partition.resource].effects
        if not effects:
            continue
        context = circumstances.context(write)
        for model, rule in effects:
            if not holds(rule, write, context):
                continue
            made = applied(model, rule, write, state, circumstances)
            if isinstance(made, Problem):
                return made
            if not made:
                continue
            if depth == DEEPEST:
                detail = f"effects follow from effects without an end: {rule.action} {rule.target} because of {write}"
                return Problem(Kind.DESCRIPTION, detail)
            reasons.append(Reason("effect", f"{rule.action} {rule.target}", f"{write} was {write.what}"))
            later = commit(state, made)
            waiting += [(more, depth + 1) for more in writes(rules.resources, state, later, made)]
            state = later
    return state, tuple(done), tuple(reasons)


# Timers


def _with_timers(state: State, timers: Timers) -> State:
    return State(state.resources, state.counters, timers if len(timers) else None)


def _scheduled(timers: Timers, ruled: Ruled, write: Write, now: datetime, moved: Place | None) -> Timers:
    """The timers after a write: set for what comes into a source state, stopped for what leaves it."""
    states = ruled.resource.states
    assert states is not None
    old, new = _state_of(ruled, write.before), _state_of(ruled, write.after)
    for name, transition in ruled.timed.items():
        place = (write.partition.resource, write.partition.scope, write.key, name)
        if new is None or not transition.leaves(new):
            timers = timers.stopped(place)
        elif old != new or place == moved or transition.at is not None:
            timers = _set(timers, transition, write.partition, write.key, write.after, now)
    return timers


def _state_of(ruled: Ruled, item: Json) -> Json:
    """The state of an item; None for one that is not there, or is there for nobody."""
    states, deleted = ruled.resource.states, ruled.resource.soft_delete
    if states is None or not isinstance(item, dict):
        return None
    if deleted is not None and deleted.hidden and is_soft_deleted(ruled.resource, item):
        return None
    return item.get(states.property)


def _set(timers: Timers, transition: Transition, partition: Partition, key: str, item: Json, now: datetime) -> Timers:
    place = (partition.resource, partition.scope, key, transition.name)
    if transition.after is not None:
        return timers.set(partition, key, transition.name, due=now + transition.after, wait=transition.after)
    assert transition.at is not None
    named = instant_of(transition.at.evaluate(Context(bindings={"resource": item, **moments(now)})))
    if named is None:
        return timers.stopped(place)
    due = max(named, now)
    known = timers.of(place)
    if known is not None and known.due == due:
        return timers
    return timers.set(partition, key, transition.name, due=due, wait=None)


def _counted(state: State, serial: Serial, partition: Partition, item: Json) -> State:
    """The state with a serial's counter at least where an item's number is, whoever gave it that."""
    found = serial.reached(partition, value_at(item, serial.path))
    return state if found is None else commit(state, (found,))


# Wholesale


def settled(rules: Rules, state: State, names: Sequence[str], now: datetime) -> State:
    """The state after the items of some resources (by qualified name) were put there wholesale, as a seed does.

    Whatever was waiting before is forgotten; every item begins to wait now, and serials count on from the highest.
    """
    chosen = frozenset(names)
    timers = state.timers or NO_TIMERS
    for timer in tuple(timers):
        if timer.partition.resource in chosen:
            timers = timers.stopped((timer.partition.resource, timer.partition.scope, timer.key, timer.transition))
    for name in names:
        ruled = rules.by_resource.get(name)
        if ruled is None or not (ruled.timed or ruled.resource.serials):
            continue
        for partition, collection in state.partitions(name):
            for entry in collection:
                held = _state_of(ruled, entry.value)
                for transition in ruled.timed.values():
                    if held is not None and transition.leaves(held):
                        timers = _set(timers, transition, partition, entry.key, entry.value, now)
                for serial in ruled.resource.serials:
                    state = _counted(state, serial, partition, entry.value)
    return _with_timers(state, timers) if timers is not state.timers and (len(timers) or state.timers) else state

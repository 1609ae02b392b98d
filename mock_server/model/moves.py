"""Moves: what making a transition does to an item, whoever makes it."""

from __future__ import annotations

from typing import Any

from mock_server.model.behaviours.updating import touched
from mock_server.model.effects import Circumstances
from mock_server.model.meaning import Resource, Transition
from mock_server.model.minter import realize
from mock_server.model.model import Model
from mock_server.model.outcome import Outcome
from mock_server.model.settings import with_settings
from mock_server.model.state import Change, Put, State
from mock_server.model.timers import Timer
from mock_server.model.world import World
from mock_server.model.writes import UPDATED, Write


def timed_move(
    model: Model,
    resource: Resource,
    transition: Transition,
    timer: Timer,
    state: State,
    circumstances: Circumstances,
) -> tuple[Change, ...]:
    """The changes of a move that is due; none where the item is gone, is elsewhere, or the condition does not hold."""
    world = World(model, state, circumstances.now, circumstances.tables or {})
    entry = world.entry(resource, timer.partition.scope, timer.key)
    if entry is None or not isinstance(entry.value, dict) or resource.states is None:
        return ()
    old: dict[str, Any] = entry.value
    if not transition.leaves(old.get(resource.states.property)):
        return ()
    write = Write(resource, timer.partition, timer.key, old, old, UPDATED)
    context = circumstances.context(write)
    if transition.guard is not None and not transition.guard.holds(context):
        return ()
    moved = {**with_settings(resource, old, transition.set, context), resource.states.property: transition.target}
    put = Put(timer.partition, timer.key, touched(resource, moved, entry))
    outcome = Outcome(0, changes=(put,), has_holes=True)
    return realize(outcome, state=state, seed=circumstances.seed, now=circumstances.now).changes

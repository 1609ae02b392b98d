"""State machines: which moves a resource's state property allows."""

from __future__ import annotations

from typing import Any

from mock_server.model.call import Call
from mock_server.model.meaning import Resource, States, Transition
from mock_server.model.problem import Kind, Problem
from mock_server.model.settings import with_settings
from mock_server.model.world import World
from mock_server.openapi.values import Json, Violation


def refused_move(world: World, resource: Resource, old: Json, new: Json, call: Call) -> Problem | None:
    """A 409 when a written value moves the state in a way that no transition allows.

    Without declared transitions every value that the schema admits may follow every other.
    """
    states = resource.states
    if states is None or not states.transitions or not isinstance(old, dict) or not isinstance(new, dict):
        return None
    source, target = old.get(states.property), new.get(states.property)
    if source == target:
        return None
    fitting = _fitting(states, source, target)
    if not fitting:
        reachable = sorted({t.target for t in states.transitions.values() if not t.sources or source in t.sources})
        message = f"cannot follow {source!r}; allowed next: {', '.join(reachable) or 'nothing'}"
        violation = Violation("body", f"/{states.property}", "transition", target, reachable, message)
        return Problem(Kind.WRONG_STATE, f"{resource.name} is {source}, which cannot become {target}", (violation,))
    refusals = [guard_refusal(world, transition, resource, old, call) for transition in fitting]
    return None if None in refusals else refusals[0]


def _fitting(states: States, source: Json, target: Json) -> list[Transition]:
    """The moves that lead from one state to another."""
    return [
        transition
        for transition in states.transitions.values()
        if transition.target == target and (not transition.sources or source in transition.sources)
    ]


def with_move(world: World, resource: Resource, old: Json, new: Any, call: Call) -> Any:
    """A written value with what the move sets that it makes, where it makes one."""
    states = resource.states
    if states is None or not states.transitions or not isinstance(old, dict) or not isinstance(new, dict):
        return new
    source, target = old.get(states.property), new.get(states.property)
    if source == target:
        return new
    for transition in _fitting(states, source, target):
        if transition.set and guard_refusal(world, transition, resource, old, call) is None:
            return with_settings(resource, new, transition.set, world.context(call, resource=old))
    return new


def guard_refusal(world: World, transition: Transition, resource: Resource, value: Json, call: Call) -> Problem | None:
    """A 409 when a transition's guard does not hold, saying what it compared."""
    if transition.guard is None:
        return None
    context = world.context(call, resource=value)
    if transition.guard.holds(context):
        return None
    detail = transition.refusal or f"{transition.name} is not possible: {transition.guard.explain(context)}"
    return Problem(Kind.WRONG_STATE, detail)

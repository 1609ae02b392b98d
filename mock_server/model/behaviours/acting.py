"""An action on an item: a verb that moves its state or sets members."""

from __future__ import annotations

from typing import Any

from mock_server.model.behaviours.creating import given_members
from mock_server.model.behaviours.reading import existing, name_of
from mock_server.model.behaviours.updating import touched
from mock_server.model.call import Call
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import Change, Partition, Put
from mock_server.model.states import guard_refusal, refused_move
from mock_server.model.world import World
from mock_server.openapi.values import Json, Violation


def act(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The item after the action: what the action sets, and those of the caller's members that the item
    has."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    resource, scope, key, entry = found
    old = entry.value if isinstance(entry.value, dict) else {}
    value: dict[str, Any] = {**old, **_sent(world, meaning, call, resource)}
    if meaning.transition is not None:
        moved = _moved(world, meaning, call, resource, old)
        if isinstance(moved, Problem):
            return moved
        value |= moved
    if meaning.set:
        context = world.context(call, resource=old)
        value |= {name: template.evaluate(context) for name, template in meaning.set.items()}
    if meaning.transition is None:
        refusal = refused_move(world, resource, old, value, call)
        if refusal is not None:
            return refusal
    changes: tuple[Change, ...] = ()
    if value != old:
        value = touched(resource, value, entry)
        changes = (*world.settle(resource, scope), Put(Partition(resource.qualified, scope), key, value))
    reasons = () if changes else (Reason("action", "nothing changes", "no member goes with this verb"),)
    return Outcome(
        meaning.status,
        world.model.answers.about(meaning, call, value),
        changes=changes,
        reads=(name_of(resource, scope, key),),
        has_holes=True,
        reasons=reasons,
    )


def _sent(world: World, meaning: Meaning, call: Call, resource: Resource) -> dict[str, Json]:
    own = world.model.resource_facts(resource).own
    return {
        name: member
        for name, member in given_members(meaning, call).items()
        if name in resource.anatomy.members and name not in own and name not in resource.assigned
    }


def _moved(
    world: World, meaning: Meaning, call: Call, resource: Resource, old: dict[str, Json]
) -> dict[str, Json] | Problem:
    states = resource.states
    assert states is not None
    assert meaning.transition is not None
    transition = states.transitions[meaning.transition]
    source = old.get(states.property)
    if transition.sources and source not in transition.sources:
        allowed = ", ".join(transition.sources)
        violation = Violation("body", f"/{states.property}", "transition", source, list(transition.sources),
                              f"{transition.name} needs {allowed}")  # fmt: skip
        detail = transition.refusal or f"{resource.name} is {source}; {transition.name} is possible from {allowed} only"
        return Problem(Kind.WRONG_STATE, detail, (violation,))
    refusal = guard_refusal(world, transition, resource, old, call)
    return refusal if refusal is not None else {states.property: transition.target}

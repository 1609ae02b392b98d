"""An action on an item: a verb that moves its state or sets members."""

from __future__ import annotations

from typing import Any

from mock_server.model.assigning import with_kept_serials
from mock_server.model.behaviours.creating import given_members
from mock_server.model.behaviours.reading import added, existing, name_of
from mock_server.model.behaviours.updating import touched
from mock_server.model.call import Call
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.members import with_increases
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.settings import with_settings
from mock_server.model.state import Advance, Change, Partition, Put
from mock_server.model.states import guard_refusal, refused_move, with_move
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
        moved = _moved(world, meaning, call, resource, old, value)
        if isinstance(moved, Problem):
            return moved
        value = moved
    if meaning.renews:
        value |= {name: world.model.samples.hole(resource, name) for name in meaning.renews}
    if meaning.set or meaning.increase:
        context = world.context(call, resource=old)
        value = with_increases(with_settings(resource, value, meaning.set, context), meaning.increase, context)
    if meaning.transition is None:
        refusal = refused_move(world, resource, old, value, call)
        if refusal is not None:
            return refusal
        value = with_move(world, resource, old, value, call)
    if resource.serials:
        value = with_kept_serials(resource, value, old)
    changes: tuple[Change, ...] = ()
    if value != old:
        value = touched(resource, value, entry)
        changes = (*world.settle(resource, scope), Put(Partition(resource.qualified, scope), key, value))
    if meaning.renews:
        made = f"{resource.qualified}#made"  # what is drawn next is another value again
        changes = (*changes, Advance(made, world.state.counter(made) + 1))
    reasons = () if changes else (Reason("action", "nothing changes", "no member goes with this verb"),)
    about = world.model.answers.about(meaning, call, value, context=world.context(call, resource=value))
    return Outcome(
        meaning.status,
        added(world, meaning, call, about, value),
        changes=changes,
        reads=(name_of(resource, scope, key),),
        has_holes=True,
        reasons=reasons,
    )


def _sent(world: World, meaning: Meaning, call: Call, resource: Resource) -> dict[str, Json]:
    own = world.model.resource_facts(resource).own
    # What is gathered has no place of its own in the item: an action keeps of it what its annotation sets.
    gathered = resource.intake.gather if resource.intake is not None else None
    return {
        name: member
        for name, member in given_members(meaning, call).items()
        if name in resource.anatomy.members and name not in own and name not in resource.assigned and name != gathered
    }


def _moved(
    world: World, meaning: Meaning, call: Call, resource: Resource, old: dict[str, Json], value: dict[str, Any]
) -> dict[str, Any] | Problem:
    """The value in the state that the action leads to, with what the move sets."""
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
    if refusal is not None:
        return refusal
    moved = {**value, states.property: transition.target}
    return (
        with_settings(resource, moved, transition.set, world.context(call, resource=old)) if transition.set else moved
    )

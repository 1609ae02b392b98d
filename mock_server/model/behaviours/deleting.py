"""Delete one item, or clear a list."""

from __future__ import annotations

from dataclasses import replace

from mock_server.model.behaviours.reading import added, existing, name_of, selection
from mock_server.model.behaviours.updating import touched
from mock_server.model.call import Call
from mock_server.model.constraints import cascade
from mock_server.model.inference.bodies import has_content
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.model.preconditions import refused_precondition
from mock_server.model.problem import Kind, Problem
from mock_server.model.queries import Page, select
from mock_server.model.state import Change, Partition, Put, Remove
from mock_server.model.world import World, missing_parent, scope_of


def delete(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The item gone, with what depends on it; or marked as gone where an annotation says so."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    resource, scope, key, entry = found
    refusal = refused_precondition(world.model.facts(meaning), call, entry)
    if refusal is not None:
        return refusal
    partition = Partition(resource.qualified, scope)
    answer = entry.value
    if resource.soft_delete is not None:
        context = world.context(call, resource=entry.value)
        marks = {name: template.evaluate(context) for name, template in resource.soft_delete.set.items()}
        answer = touched(resource, {**entry.value, **marks}, entry)
        changes: tuple[Change, ...] = (Put(partition, key, answer),)
    else:
        dependants = cascade(world, resource, scope, key)
        if isinstance(dependants, Problem):
            return dependants
        changes = (*world.settle(resource, scope), Remove(partition, key), *dependants)
        if resource.open_world:
            changes = (*changes, Put(Partition(f"{resource.qualified}~gone", scope), key, {}))
    about = world.model.answers.about(meaning, call, answer, context=world.context(call, resource=answer))
    return Outcome(
        meaning.status,
        added(world, meaning, call, about, answer),
        changes=changes,
        reads=(name_of(resource, scope, key),),
        has_holes=True,
        reasons=(Reason("delete", "marked", "the resource is deleted softly"),) if resource.soft_delete else (),
    )


def clear(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Every item that the path and query select, gone."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope = scope_of(world, meaning, call)
    everything = replace(meaning.listing, style="none", default_limit=None)
    conditions = selection(world, meaning, call)
    chosen = select(world.collection(resource, scope), everything, call.query, conditions=conditions)
    if not isinstance(chosen, Page):
        return Problem(Kind.INVALID, f"query parameter {chosen.name}: {chosen.message}", (chosen,))
    changes: list[Change] = list(world.settle(resource, scope))
    for entry in chosen.entries:
        dependants = cascade(world, resource, scope, entry.key)
        if isinstance(dependants, Problem):
            return dependants
        changes += [Remove(Partition(resource.qualified, scope), entry.key), *dependants]
    body = NO_BODY
    if has_content(meaning.response):
        view = world.model.answers.view(meaning)
        body = view.body([]) if view.is_list else world.model.answers.sampled(meaning, call)
    return Outcome(
        meaning.status,
        body,
        changes=tuple(changes),
        reads=(name_of(resource, scope),),
        reasons=(Reason("clear", f"{len(chosen.entries)} removed", "all that the request selects"),),
    )

"""Delete one item, or clear a list."""

from __future__ import annotations

from mock_server.model.behaviours.reading import existing, name_of, selection
from mock_server.model.behaviours.updating import touched
from mock_server.model.call import Call
from mock_server.model.constraints import cascade
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import NO_BODY, Event, Outcome
from mock_server.model.preconditions import etag_of, unmet
from mock_server.model.problem import Problem
from mock_server.model.queries import Page, select
from mock_server.model.state import Change, Partition, Put, Remove
from mock_server.model.world import World, missing_parent, scope_of


def delete(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The item gone, with what depends on it; or marked as gone where an annotation says so."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    resource, scope, key, entry = found
    if world.model.uses_etags(meaning.operation_id):
        refusal = unmet(call, etag_of(entry), required=world.model.wants_preconditions(meaning.operation_id))
        if refusal is not None:
            return refusal
    partition = Partition(resource.qualified, scope)
    answer = entry.value
    if resource.soft_delete is not None:
        context = world.context(call, resource=entry.value)
        marks = {name: template.evaluate(context) for name, template in resource.soft_delete.set.items()}
        answer = touched(world, resource, {**entry.value, **marks}, entry)
        changes: tuple[Change, ...] = (Put(partition, key, answer),)
    else:
        dependants = cascade(world, resource, scope, key)
        if isinstance(dependants, Problem):
            return dependants
        changes = (*world.settle(resource, scope), Remove(partition, key), *dependants)
        if resource.open_world:
            changes = (*changes, Put(Partition(f"{resource.qualified}~gone", scope), key, {}))
    return Outcome(
        meaning.status,
        world.model.answer_about(meaning, call, answer),
        changes=changes,
        reads=(name_of(resource, scope, key),),
        events=tuple(Event(event, answer, resource.name, key) for event in meaning.emits),
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
    scope = scope_of(meaning, call)
    chosen = select(world.collection(resource, scope), meaning.listing, call.query, predicates=selection(meaning, call))
    assert isinstance(chosen, Page)  # a clearing operation takes no cursor
    changes: list[Change] = list(world.settle(resource, scope))
    for entry in chosen.entries:
        dependants = cascade(world, resource, scope, entry.key)
        if isinstance(dependants, Problem):
            return dependants
        changes += [Remove(Partition(resource.qualified, scope), entry.key), *dependants]
    has_body = meaning.response is not None and bool(meaning.response.content)
    body = world.model.sampled_answer(meaning, call) if has_body else NO_BODY
    return Outcome(meaning.status, body, changes=tuple(changes), reads=(name_of(resource, scope),),
                   reasons=(Reason("clear", f"{len(chosen.entries)} removed", "all that the request selects"),))  # fmt: skip

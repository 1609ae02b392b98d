"""A test delivery: an event for one subscription alone, whatever it is subscribed to."""

from __future__ import annotations

from dataclasses import replace

from mock_server.model.behaviours.reading import added, existing, name_of
from mock_server.model.call import Call
from mock_server.model.events import Event, event_ids, ids_used
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.state import Partition
from mock_server.model.tenants import tenant_in
from mock_server.model.world import World
from mock_server.openapi.expressions import MISSING


def deliver_test(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """What an action on the subscription would answer, with an event that goes to it and nobody else."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    resource, scope, key, entry = found
    assert meaning.event is not None
    known = world.context(call, resource=entry.value)
    event_id = next(event_ids(world.model.seed, world.state))
    event_type = meaning.event.type.evaluate(known)
    context = replace(known, bindings={**known.bindings, "event": {"id": event_id, "type": event_type}})
    payload = meaning.event.payload.evaluate(context)
    place = (Partition(resource.qualified, scope), key)
    event = Event(
        str(event_type),
        None if payload is MISSING else payload,
        resource.name,
        key,
        tenant=tenant_in(resource, scope),
        place=place,
        to=place,
        id=event_id,
    )
    about = world.model.answers.about(meaning, call, entry.value, context=context)
    return Outcome(
        meaning.status,
        added(world, meaning, call, about, entry.value),
        changes=(ids_used(world.state, 1),),
        reads=(name_of(resource, scope, key),),
        reasons=(Reason("event", event.type, "a test delivery, for this subscription alone"),),
        events=(event,),
    )

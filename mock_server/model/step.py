"""One step of the model: what a call does to a state. Pure; nothing is stored until the outcome is
committed."""

from __future__ import annotations

from dataclasses import replace

from mock_server.model.behaviours import BEHAVIOURS
from mock_server.model.behaviours.reading import existing
from mock_server.model.call import Call
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.members import with_member
from mock_server.model.outcome import Hole, Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.related import related_items
from mock_server.model.tenants import refused_entrance
from mock_server.model.world import World
from mock_server.openapi.values import Json

_ON_AN_ITEM = frozenset({"read", "update", "delete", "act", "deliver-test"})


def step(world: World, call: Call) -> Outcome | Problem:
    """The outcome of a valid call, with holes for what the server assigns, or why it is refused."""
    meaning = world.model.meaning(call.operation_id)
    if meaning.entrance is not None:
        refusal = refused_entrance(meaning.entrance, call, lambda: world.context(call))
        if refusal is not None:
            return refusal
    if meaning.guards or meaning.related:
        admitted = _admitted(world, meaning, call)
        if isinstance(admitted, Problem):
            return admitted
        call = admitted
    outcome = BEHAVIOURS[meaning.behaviour](world, meaning, call)
    ids = world.model.facts(meaning).exchange_ids
    return _identified(outcome, ids, meaning) if ids and isinstance(outcome, Outcome) else outcome


def _identified(outcome: Outcome, ids: tuple[tuple[tuple[str, ...], Hole], ...], meaning: Meaning) -> Outcome:
    """The outcome whose body says which exchange it belongs to.

    What a computed answer or a template says stands; what an envelope has is only a sample.
    """
    authored = meaning.behaviour == "compute" or meaning.body is not None
    body = outcome.body
    if not isinstance(body, dict):
        return outcome
    for path, hole in ids:
        if authored and value_at(body, path) is not None:
            continue
        if len(path) == 1 or isinstance(body.get(path[0]), dict):
            body = with_member(body, path, hole)
    return replace(outcome, body=body, has_holes=True)


def _admitted(world: World, meaning: Meaning, call: Call) -> Call | Problem:
    """The call with its related items known, where every guard lets it pass.

    Conditions may speak of the item that the call is about, so that one must exist first.
    """
    item: Json = None
    if meaning.behaviour in _ON_AN_ITEM and meaning.resource is not None:
        found = existing(world, meaning, call)
        if isinstance(found, Problem):
            return found
        item = found[3].value
    if meaning.related:
        related = related_items(world, meaning.related, call, resource=item)
        if isinstance(related, Problem):
            return related
        call = replace(call, related=related)
    for guard in meaning.guards:
        if not guard.criterion.holds(world.context(call, resource=item)):
            why = Reason("guard", guard.kind, f"{guard.criterion.text} does not hold")
            return Problem(Kind(guard.kind), guard.detail, status=guard.status, code=guard.code, reasons=(why,))
    return call

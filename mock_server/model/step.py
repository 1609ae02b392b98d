"""One step of the model: what a call does to a state. Pure; nothing is stored until the outcome is
committed."""

from __future__ import annotations

from mock_server.model.behaviours import BEHAVIOURS
from mock_server.model.call import Call
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.world import World


def step(world: World, call: Call) -> Outcome | Problem:
    """The outcome of a valid call, with holes for what the server assigns, or why it is refused."""
    meaning = world.model.meaning(call.operation_id)
    for guard in meaning.guards:
        context = world.context(call)
        if not guard.criterion.holds(context):
            return Problem(Kind(guard.kind), guard.detail, status=guard.status, code=guard.code)
    return BEHAVIOURS[meaning.behaviour](world, meaning, call)

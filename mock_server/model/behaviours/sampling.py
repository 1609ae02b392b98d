"""Answers without state of their own: the documented example, a sample, a template, or a computed value."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import COMPUTED
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.model.problem import Problem
from mock_server.model.world import World, missing_parent


def sample(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The documented example if there is one, else a sample; the same for the same call."""
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    if meaning.response is None or not meaning.response.content:
        return Outcome(meaning.status, NO_BODY, reasons=(Reason("body", "none", "the response describes no content"),))
    if meaning.body is not None:
        body = meaning.body.evaluate(world.context(call))
        return Outcome(meaning.status, body, reasons=(Reason("body", "template", "x-mock-operation gives the body"),))
    body, why = world.model.answers.documented(meaning, call)
    return Outcome(meaning.status, body, reasons=(Reason("body", *why),))


def compute(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """What a registered function computes from the state and the call."""
    assert meaning.compute is not None
    return COMPUTED[meaning.compute](world, meaning, call)

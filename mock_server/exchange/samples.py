"""Answers asked for by ``Prefer``: a status, a named example, a generated sample. They change no state."""

from __future__ import annotations

from mock_server.errors import did_you_mean
from mock_server.exchange.preferences import Preferences
from mock_server.model.inference.bodies import json_media
from mock_server.model.meaning import Reason
from mock_server.model.model import Model
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.model.presentation import sampled_body
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.description import MediaType, Operation
from mock_server.openapi.undecodable import excerpt
from mock_server.openapi.values import Direction, Json


def preferred(model: Model, operation: Operation, preferences: Preferences) -> Outcome | Problem:
    """The described answer that the preferences pick; a problem that lists what there is when none fits."""
    status = preferences.code if preferences.code is not None else _status_of(operation, preferences)
    response = operation.response_for(status)
    if response is None:
        known = ", ".join(operation.responses)
        return Problem(Kind.PREFERENCE, f"Prefer: code={status}: {operation.id} describes {known}", status=404)
    media = json_media(response.content) or next(iter(response.content), None)
    if media is None:
        return Outcome(status, NO_BODY, reasons=(Reason("status", str(status), "Prefer: code"),))
    body = _body(model, operation, media, preferences)
    if isinstance(body, Problem):
        return body
    return Outcome(status, body, reasons=(Reason("status", str(status), "Prefer"),))


def _status_of(operation: Operation, preferences: Preferences) -> int:
    """The success status; or with ``example=`` alone, the status whose response has the example."""
    if preferences.example is not None:
        for code, response in operation.responses.items():
            names = {example.name for media in response.content for example in media.examples}
            if preferences.example in names and code.isdigit():
                return int(code)
    return operation.success[0]


def _body(model: Model, operation: Operation, media: MediaType, preferences: Preferences) -> Json | Problem:
    if preferences.example is not None:
        for example in media.examples:
            if example.name == preferences.example:
                return example.value
        names = [example.name for example in media.examples if example.name]
        hint = did_you_mean(preferences.example, names)
        listed = ", ".join(names) or "no named example"
        asked = f"Prefer: example={excerpt(preferences.example)}"
        detail = f"{asked}: {operation.id} describes {listed}" + (f"; {hint}" if hint else "")
        return Problem(Kind.PREFERENCE, detail, status=404)
    if not preferences.dynamic:
        for example in media.examples:
            if media.schema is None or media.schema.accepts(example.value, Direction.RESPONSE):
                return example.value
    if media.schema is None:
        return ""
    return sampled_body(media.schema, seed=model.seed, now=model.epoch, name=operation.id)

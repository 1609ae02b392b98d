"""Mending an inferred answer that the description does not admit.

Requests and responses are often described by schemas that differ in small ways. Where the meaning of an
operation is only inferred, what the caller sent may therefore not be what the response admits; the offending
members are then replaced by samples, and the explanation says so. Annotated operations are never mended:
their author is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mock_server.model.inference.bodies import response_schema
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.model import Model
from mock_server.model.outcome import Outcome
from mock_server.model.presentation import sampled_body
from mock_server.model.state import Change, Put
from mock_server.openapi import pointers
from mock_server.openapi.values import Direction, Json, Violation

_ROUNDS = 4
_ABSENT: Any = object()


def mended(
    model: Model, meaning: Meaning, outcome: Outcome, violations: tuple[Violation, ...], *, pointer: str = ""
) -> Outcome | None:
    """The outcome with offending members replaced, in the answer and in what is stored; None when that
    fails. ``pointer`` leads to the media type whose schema was broken, or to the response."""
    response = model.api.operation(meaning.operation_id).response_for(outcome.status)
    told = (media.schema for media in response.content if media.located.pointer == pointer) if response else ()
    schema = next((each for each in told if each is not None), None) or response_schema(response)
    if schema is None:
        return None
    sample = sampled_body(schema, seed=model.seed, now=model.epoch, name=meaning.operation_id)
    body = outcome.body
    touched: list[str] = []
    for _ in range(_ROUNDS):
        if schema.accepts(body, Direction.RESPONSE):
            break
        for violation in schema.violations(body, Direction.RESPONSE, where="response-body") or violations:
            body, changed = _mend(body, sample, violation)
            touched += changed
    if not schema.accepts(body, Direction.RESPONSE):
        if sample is None or not schema.accepts(sample, Direction.RESPONSE):
            return None
        body, touched, changes = sample, ["/"], outcome.changes
    else:
        changes = tuple(_mended_change(change, outcome.body, body, meaning) for change in outcome.changes)
    why = "the response schema does not admit what the request schema let in"
    return replace(
        outcome,
        body=body,
        changes=changes,
        reasons=(*outcome.reasons, Reason("mended", ", ".join(dict.fromkeys(touched)), why)),
    )


def _mend(body: Json, sample: Json, violation: Violation) -> tuple[Json, list[str]]:
    """One violation put right: a missing member added, an unexpected one dropped, a wrong one replaced."""
    path = pointers.split(violation.pointer)
    if violation.keyword == "required" and isinstance(violation.expected, list):
        held = _at(sample, path)
        present = _at(body, path)
        for name in violation.expected:
            if isinstance(held, dict) and name in held and not (isinstance(present, dict) and name in present):
                body = _placed(body, (*path, name), held[name])
        return body, [violation.pointer or "/"]
    if violation.keyword in {"additionalProperties", "unevaluatedProperties", "writeOnly"} and path:
        return _placed(body, path, _ABSENT), [violation.pointer]
    value = _at(sample, path)
    return (_placed(body, path, value), [violation.pointer]) if path else (body, [])


def _at(value: Json, path: tuple[str, ...]) -> Any:
    for token in path:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and value:
            value = value[min(int(token), len(value) - 1)] if token.isdigit() else value[0]
        else:
            return _ABSENT
    return value


def _placed(value: Json, path: tuple[str, ...], member: Any) -> Json:
    """A copy with one nested member set, or left out when there is nothing to set."""
    if not path:
        return value if member is _ABSENT else member
    if isinstance(value, list) and path[0].isdigit() and int(path[0]) < len(value):
        index = int(path[0])
        return [*value[:index], _placed(value[index], path[1:], member), *value[index + 1 :]]
    if not isinstance(value, dict):
        return value
    if len(path) == 1 and member is _ABSENT:
        return {name: m for name, m in value.items() if name != path[0]}
    return {**value, path[0]: _placed(value.get(path[0]), path[1:], member)}


def _mended_change(change: Change, before: Json, after: Json, meaning: Meaning) -> Change:
    """The stored item with the members that were mended in the answer; those that it may not show stay
    stored."""
    if not isinstance(change, Put) or not isinstance(change.value, dict):
        return change
    old, new = _at(before, meaning.envelope.path), _at(after, meaning.envelope.path)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return change
    changed = {name: member for name, member in new.items() if old.get(name, _ABSENT) != member}
    return replace(change, value={**change.value, **changed})

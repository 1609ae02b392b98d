"""Replace (PUT) and update (PATCH, by merge patch or JSON Patch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as altered
from typing import Any

from mock_server.model.behaviours.creating import assign, build
from mock_server.model.behaviours.reading import existing, key_of, name_of
from mock_server.model.call import Call
from mock_server.model.collection import Entry
from mock_server.model.constraints import broken_constraint
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.outcome import NO_BODY, Event, Outcome
from mock_server.model.patches import PatchFailure, json_patch, merge_patch
from mock_server.model.preconditions import etag_of, unmet
from mock_server.model.problem import Kind, Problem
from mock_server.model.queries import value_at
from mock_server.model.state import Change, Partition, Put
from mock_server.model.states import refused_move
from mock_server.model.world import World, missing_parent, scope_of
from mock_server.openapi.values import Json, Violation

JSON_PATCH = "application/json-patch+json"


def replace(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The item as the caller sent it, server-assigned members kept; created where the description lets PUT create."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope, key = scope_of(meaning, call), key_of(meaning, call)
    entry = world.entry(resource, scope, key)
    conditional = world.model.uses_etags(meaning.operation_id)
    etag = etag_of(entry) if entry is not None else None
    refusal = unmet(call, etag, required=world.model.wants_preconditions(meaning.operation_id)) if conditional else None
    if refusal is not None:
        return refusal
    if entry is None:
        if not world.model.may_create(meaning):
            return Problem(Kind.NOT_FOUND, f"{resource.name} {key!r} does not exist")
        return _put_new(world, meaning, call, scope, key)
    given = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else {}
    value, _ = assign(world, meaning, call, dict(given) if isinstance(given, dict) else {}, Partition(resource.qualified, scope))
    old = entry.value if isinstance(entry.value, dict) else {}
    for name, rule in resource.assigned.items():
        if rule != "updated" and name in old:
            value[name] = old[name]
        elif rule != "updated":
            value.pop(name, None)
    value = {name: m for name, m in value.items() if name not in world.model.read_only(resource) or name in old or name in resource.assigned}
    return _stored(world, meaning, call, scope, key, entry, value)


def _put_new(world: World, meaning: Meaning, call: Call, scope: tuple[str, ...], key: str) -> Outcome | Problem:
    resource = meaning.resource
    assert resource is not None
    given = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else {}
    given = dict(given) if isinstance(given, dict) else {}
    if resource.key is not None and meaning.key_parameter is not None:
        given[resource.key] = call.path[meaning.key_parameter]
    pinned = altered(resource, assigned={n: r for n, r in resource.assigned.items() if r != "key"})
    if meaning.key_parameter is not None or resource.singleton or key:
        built = build(world, altered(meaning, resource=pinned), call, given, scope)
    else:
        built = build(world, meaning, call, given, scope)
    if isinstance(built, Problem):
        return built
    made_key, value, changes = built
    if key and resource.key is None:
        # The representation does not carry the key; the path does.
        changes = (Put(Partition(resource.qualified, scope), key, value), *changes[1:])
        made_key = key
    operation = world.model.api.operation(meaning.operation_id)
    status = 201 if operation.describes(201) else meaning.status
    view = world.model.view(meaning)
    response = operation.response_for(status)
    body = NO_BODY if response is None or not response.content else view.body(view.item(value))
    return Outcome(
        status,
        body,
        changes=(*world.settle(resource, scope), *changes),
        reads=(name_of(resource, scope, key),),
        location_key=made_key,
        has_holes=True,
        events=tuple(Event(event, value, resource.name, made_key) for event in meaning.emits),
        reasons=(Reason("replace", "created", "there was none, and PUT may create it"),),
    )


def update(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The item with the patch applied; what the server assigns stays as it was."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    resource, scope, key, entry = found
    if world.model.uses_etags(meaning.operation_id):
        refusal = unmet(call, etag_of(entry), required=world.model.wants_preconditions(meaning.operation_id))
        if refusal is not None:
            return refusal
    patched = _patched(world, meaning, call, resource, entry)
    if isinstance(patched, Problem):
        return patched
    return _stored(world, meaning, call, scope, key, entry, patched)


def _patched(
    world: World, meaning: Meaning, call: Call, resource: Resource, entry: Entry
) -> dict[str, Any] | Problem:
    old = entry.value if isinstance(entry.value, dict) else {}
    patch = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else _from_query(resource, call.query)
    if call.media_type == JSON_PATCH:
        result = json_patch(old, patch)
        if isinstance(result, PatchFailure):
            return _failed_patch(result)
    else:
        result = merge_patch(old, patch)
    if not isinstance(result, dict):
        violation = Violation("body", "", "type", result, "object", "would leave no object")
        return Problem(Kind.INVALID, "the patch would leave no object", (violation,))
    fixed = world.model.read_only(resource) | {n for n, r in resource.assigned.items() if r != "initial"}
    kept: dict[str, Any] = {name: m for name, m in result.items() if name not in fixed}
    kept |= {name: old[name] for name in fixed if name in old}
    return kept


def _failed_patch(failure: PatchFailure) -> Problem:
    kinds = {400: Kind.MALFORMED, 409: Kind.CONFLICT}
    violation = Violation("body", failure.pointer, failure.keyword, None, None, failure.message)
    return Problem(kinds.get(failure.status, Kind.INVALID), f"the JSON Patch was not applied: {failure.message}", (violation,))


def _from_query(resource: Resource, query: Mapping[str, Json]) -> dict[str, Json]:
    """Members given as query parameters, as form-like updates without a body do."""
    return {name: value for name, value in query.items() if name in resource.anatomy.members}


def _stored(
    world: World,
    meaning: Meaning,
    call: Call,
    scope: tuple[str, ...],
    key: str,
    entry: Entry,
    value: dict[str, Any],
) -> Outcome | Problem:
    """The outcome of writing a changed item: times and revision moved on, states and constraints respected."""
    resource = meaning.resource
    assert resource is not None
    refusal = refused_move(world, resource, entry.value, value, call) or broken_constraint(
        world, resource, scope, value, key=key
    )
    if refusal is not None:
        return refusal
    unchanged = value == entry.value
    if not unchanged:
        value = touched(world, resource, value, entry)
        invalid = _breaks_schema(world, meaning, resource, value)
        if invalid is not None:
            return invalid
    if resource.key is not None and resource.key in value and not resource.singleton:
        value[resource.key] = entry.value.get(resource.key, value[resource.key])
    ordered = {name: value[name] for name in resource.anatomy.members if name in value}
    ordered |= {name: m for name, m in value.items() if name not in ordered}
    view = world.model.view(meaning)
    body = NO_BODY if meaning.response is None or not meaning.response.content else view.body(view.item(ordered))
    changes: tuple[Change, ...] = (
        *world.settle(resource, scope),
        Put(Partition(resource.qualified, scope), key, ordered),
    )
    return Outcome(
        meaning.status,
        body,
        changes=changes if not unchanged or entry.revision == 0 else (),
        reads=(name_of(resource, scope, key),),
        has_holes=True,
        events=tuple(Event(event, ordered, resource.name, key) for event in meaning.emits),
        reasons=(Reason("write", "unchanged", "the item already is as asked"),) if unchanged else (),
    )


def touched(world: World, resource: Resource, value: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """The value with its time of change and its revision moved on."""
    moved = dict(value)
    for name, rule in resource.assigned.items():
        if rule == "updated":
            moved[name] = world.model.time_hole(resource, name)
        elif rule == "revision":
            old = entry.value.get(name) if isinstance(entry.value, dict) else None
            moved[name] = old + 1 if isinstance(old, int) else 1
    return moved


def _breaks_schema(world: World, meaning: Meaning, resource: Resource, value: dict[str, Any]) -> Problem | None:
    """A 422 when a partial change leaves a whole that the request schema of the resource would not admit."""
    if meaning.behaviour != "update":
        return None
    violations = world.model.item_violations(resource, value)
    return Problem(Kind.INVALID, "the change would leave an invalid resource", violations) if violations else None


__all__ = ["JSON_PATCH", "replace", "touched", "update"]

"""Replace (PUT) and update (PATCH, by merge patch or JSON Patch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as altered
from typing import Any

from mock_server.model.assigning import ordered, time_hole, with_kept_serials
from mock_server.model.behaviours.creating import build, given_members, taken
from mock_server.model.behaviours.reading import answered, existing, key_of, name_of, without_key
from mock_server.model.call import Call
from mock_server.model.collection import Entry
from mock_server.model.constraints import broken_constraint
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.model.patches import PatchFailure, json_patch, merge_patch
from mock_server.model.preconditions import etag_after, etag_of, refused_precondition
from mock_server.model.problem import Kind, Problem
from mock_server.model.quotas import refused_quota
from mock_server.model.state import Change, Partition, Put
from mock_server.model.states import refused_move, with_move
from mock_server.model.world import World, missing_parent, scope_of
from mock_server.openapi.values import Json, Violation

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


def replace(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The item as the caller sent it, server-assigned members kept; created where the description lets PUT
    create."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope, key = scope_of(world, meaning, call), key_of(meaning, call)
    facts = world.model.facts(meaning)
    if not key and not resource.singleton:
        return _put_new(world, meaning, call, scope, None) if facts.may_create else without_key(resource)
    entry = world.entry(resource, scope, key)
    refusal = refused_precondition(facts, call, entry)
    if refusal is not None:
        return refusal
    if entry is None:
        if not facts.may_create:
            return Problem(Kind.NOT_FOUND, f"{resource.name} {key!r} does not exist")
        return _put_new(world, meaning, call, scope, key)
    return _stored(world, meaning, call, scope, key, entry, _replaced(world, meaning, call, entry))


def _replaced(world: World, meaning: Meaning, call: Call, entry: Entry) -> dict[str, Any]:
    """What a full representation makes of an item: what it leaves out is gone, unless no request could send
    it."""
    resource = meaning.resource
    assert resource is not None
    facts, kept = world.model.facts(meaning), world.model.resource_facts(resource)
    given = {n: m for n, m in given_members(meaning, call).items() if n not in kept.own and n not in facts.ignored}
    value: dict[str, Any] = {**facts.defaults, **given}
    old = entry.value if isinstance(entry.value, dict) else {}
    for name, member in old.items():
        servers = name in kept.own or (name in resource.assigned and name not in given)
        if servers or (facts.writable is not None and name not in facts.writable):
            value[name] = member
    return value


def _put_new(world: World, meaning: Meaning, call: Call, scope: tuple[str, ...], key: str | None) -> Outcome | Problem:
    resource = meaning.resource
    assert resource is not None
    built = build(world, meaning, call, given_members(meaning, call), scope, pinned=key)
    if isinstance(built, Problem):
        return built
    refusal = refused_quota(world, resource, scope, call.principal, built.value)
    if refusal is not None:
        return refusal
    status = world.model.facts(meaning).created
    response = world.model.api.operation(meaning.operation_id).response_for(status)
    return Outcome(
        status,
        world.model.answers.shown(altered(meaning, status=status, response=response), built.value),
        changes=(*world.settle(resource, scope), *built.changes),
        reads=(name_of(resource, scope, key or ""),),
        location_key=built.key,
        etag=etag_after(world, meaning, scope, None),
        has_holes=True,
        reasons=(Reason("replace", "created", "there was none, and PUT may create it"),),
    )


def update(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The item with the patch applied; what the server assigns stays as it was."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    _, scope, key, entry = found
    refusal = refused_precondition(world.model.facts(meaning), call, entry)
    if refusal is not None:
        return refusal
    patched = _patched(world, meaning, call, entry)
    if isinstance(patched, Problem):
        return patched
    return _stored(world, meaning, call, scope, key, entry, patched)


def _patched(world: World, meaning: Meaning, call: Call, entry: Entry) -> dict[str, Any] | Problem:
    resource = meaning.resource
    assert resource is not None
    old = entry.value if isinstance(entry.value, dict) else {}
    result = _applied(old, call, meaning, resource)
    if isinstance(result, PatchFailure):
        return _failed_patch(result)
    if not isinstance(result, dict):
        violation = Violation("body", "", "type", result, "object", "would leave no object")
        return Problem(Kind.INVALID, "the patch would leave no object", (violation,))
    facts, kept = world.model.facts(meaning), world.model.resource_facts(resource)
    fixed = kept.own | facts.ignored
    if facts.writable is not None:
        fixed = fixed | {n for n, rule in resource.assigned.items() if rule != "initial" and n not in facts.writable}
    patched = {name: member for name, member in result.items() if name not in fixed}
    patched |= {name: member for name, member in old.items() if name in fixed}
    return patched


def _applied(old: dict[str, Json], call: Call, meaning: Meaning, resource: Resource) -> Json | PatchFailure:
    if call.body is NO_BODY:
        return {**old, **_from_query(resource, call.query)}
    patch = value_at(call.body, meaning.request_path)
    if call.media_type == JSON_PATCH:
        return json_patch(old, patch)
    if resource.intake is not None and isinstance(patch, dict):
        patch = taken(resource, patch)
    merged = merge_patch(old, patch)
    if not isinstance(merged, dict):
        return merged
    return {**merged, **_nulls(resource, patch, strict=call.media_type == MERGE_PATCH)}


def _nulls(resource: Resource, patch: Mapping[str, Json], *, strict: bool) -> dict[str, Json]:
    """The members that a patch sets to null rather than removes, because they may be null.

    In JSON Merge Patch proper (``strict``, RFC 7396 §2) null removes, unless the item could not be without
    the member.
    """
    anatomy = resource.anatomy
    return {
        name: None
        for name, sent in patch.items()
        if sent is None
        and name in anatomy.members
        and "null" in anatomy.members[name].types
        and (name in anatomy.required or not strict)
    }


def _failed_patch(failure: PatchFailure) -> Problem:
    kinds = {400: Kind.MALFORMED, 409: Kind.CONFLICT}
    violation = Violation("body", failure.pointer, failure.keyword, None, None, failure.message)
    detail = f"the JSON Patch was not applied: {failure.message}"
    return Problem(kinds.get(failure.status, Kind.INVALID), detail, (violation,))


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
    """The outcome of writing a changed item: times and revision moved on, states and constraints
    respected."""
    resource = meaning.resource
    assert resource is not None
    refusal = refused_move(world, resource, entry.value, value, call) or broken_constraint(
        world, resource, scope, value, key=key
    )
    if refusal is not None:
        return refusal
    value = with_move(world, resource, entry.value, value, call)
    if resource.serials:
        value = with_kept_serials(resource, value, entry.value)
    unchanged = value == entry.value
    changes: tuple[Change, ...] = ()
    if not unchanged:
        value = ordered(resource, touched(resource, value, entry))
        violations = world.model.item_violations(resource, value) if meaning.behaviour == "update" else ()
        if violations:
            return Problem(Kind.INVALID, "the change would leave an invalid resource", violations)
    if not unchanged or entry.revision == 0:
        changes = (*world.settle(resource, scope), Put(Partition(resource.qualified, scope), key, value))
    return Outcome(
        meaning.status,
        answered(world, meaning, call, value),
        changes=changes,
        reads=(name_of(resource, scope, key),),
        etag=etag_after(world, meaning, scope, entry) if changes else etag_of(world, meaning, entry),
        has_holes=True,
        reasons=(Reason("write", "unchanged", "the item already is as asked"),) if unchanged else (),
    )


def touched(resource: Resource, value: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """The value with its time of change and its revision moved on."""
    moved = dict(value)
    for name, rule in resource.assigned.items():
        if rule == "updated":
            moved[name] = time_hole(resource, name)
        elif rule == "revision":
            old = entry.value.get(name) if isinstance(entry.value, dict) else None
            moved[name] = old + 1 if isinstance(old, int) else 1
    return moved

"""Create: what the caller sent, completed by what the server assigns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mock_server.dataclass import dataclass
from mock_server.model.assigning import assign, key_hole
from mock_server.model.behaviours.reading import answered, name_of
from mock_server.model.call import Call
from mock_server.model.constraints import broken_constraint
from mock_server.model.filters import value_at
from mock_server.model.inference.bodies import has_content
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.outcome import NO_BODY, Hole, Outcome, key_text
from mock_server.model.preconditions import etag_after
from mock_server.model.problem import Kind, Problem
from mock_server.model.quotas import refused_quota
from mock_server.model.state import Advance, Change, Partition, Put
from mock_server.model.world import World, missing_parent, scope_of
from mock_server.openapi import pointers
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Built:
    """A new item before it is stored; ``key`` is a ``Hole`` where the server chooses it."""

    key: str | Hole
    value: dict[str, Any]
    changes: tuple[Change, ...]


def create(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One new item, stored under a key that the server chooses unless the caller may and does."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope = scope_of(world, meaning, call)
    built = build(world, meaning, call, given_members(meaning, call), scope)
    if isinstance(built, Problem):
        return built
    refusal = refused_quota(world, resource, scope, call.principal, built.value)
    if refusal is not None:
        return refusal
    return Outcome(
        meaning.status,
        answered(world, meaning, call, built.value),
        changes=(*world.settle(resource, scope), *built.changes),
        reads=(name_of(resource, scope),),
        location_key=built.key,
        etag=etag_after(world, meaning, scope, None),
        has_holes=True,
        reasons=(assigned_reason(resource),),
    )


def assigned_reason(resource: Resource) -> Reason:
    """Which members a server gives to a new item."""
    return Reason("assigned", ", ".join(resource.assigned) or "nothing", "see the resource's fields")


def create_many(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Several new items, all of them or none."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope = scope_of(world, meaning, call)
    given = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else []
    values: list[Json] = []
    changes: list[Change] = list(world.settle(resource, scope))
    keys: set[str] = set()
    for index, member in enumerate(given if isinstance(given, list) else [given]):
        built = build(world, meaning, call, taken(resource, member if isinstance(member, dict) else {}), scope)
        if isinstance(built, Problem):
            return built
        if isinstance(built.key, str):
            if built.key in keys:
                return Problem(Kind.CONFLICT, f"item {index} has the key {built.key!r} of one before it")
            keys.add(built.key)
        values.append(built.value)
        changes += built.changes
    refusal = refused_quota(world, resource, scope, call.principal, *values)
    if refusal is not None:
        return refusal
    return Outcome(
        meaning.status,
        _many_shown(world, meaning, call, values),
        changes=tuple(changes),
        reads=(name_of(resource, scope),),
        has_holes=True,
    )


def _many_shown(world: World, meaning: Meaning, call: Call, values: list[Json]) -> Json:
    """The body after several were created: all of them where the answer is a list, else a sample."""
    if not has_content(meaning.response):
        return NO_BODY
    view = world.model.answers.view(meaning)
    if not view.is_list:
        return world.model.answers.sampled(meaning, call)
    return view.body([view.item(value) for value in values])


def given_members(meaning: Meaning, call: Call) -> dict[str, Json]:
    """The members that a call sends of its resource, under the names that the resource has for them."""
    given = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else None
    if not isinstance(given, dict):
        return {}
    return taken(meaning.resource, given)


def taken(resource: Resource | None, given: dict[str, Json]) -> dict[str, Json]:
    """What a request's members are to an item of a resource."""
    if resource is None or resource.intake is None:
        return given
    return resource.intake.taken(given, resource.anatomy.members)


def build(
    world: World,
    meaning: Meaning,
    call: Call,
    given: Mapping[str, Json],
    scope: tuple[str, ...],
    *,
    pinned: str | None = None,
) -> Built | Problem:
    """A new item; ``pinned`` is the key that the path gives it, "" for a thing without a key."""
    resource = meaning.resource
    assert resource is not None
    partition = Partition(resource.qualified, scope)
    value = assign(world, meaning, call, given, partition, pinned=pinned)
    if resource.intake is not None:
        # What was sent flat is judged again where it has come to stand.
        violations = [found for found in world.model.item_violations(resource, value)
                      if not isinstance(value_at(value, pointers.split(found.pointer)), Hole)]  # fmt: skip
        if violations:
            return Problem(Kind.INVALID, f"this would be no valid {resource.name}", tuple(violations))
    return placed(world, resource, partition, value, pinned=pinned)


def placed(
    world: World, resource: Resource, partition: Partition, value: dict[str, Any], *, pinned: str | None = None
) -> Built | Problem:
    """A complete item as what storing it takes, or why it cannot be: its key is in use, a constraint breaks."""
    key: str | Hole
    if pinned is not None:
        key = pinned
    else:
        held = value.get(resource.key) if resource.key is not None else None
        if held is None:
            key = key_hole(world.model.resource_facts(resource), resource, partition)
        else:
            key = held if isinstance(held, Hole) else key_text(held)
    if isinstance(key, str) and not resource.singleton and key in world.collection(resource, partition.scope):
        return Problem(Kind.CONFLICT, f"{resource.name} {key!r} exists already")
    problem = broken_constraint(world, resource, partition.scope, value, key=key if isinstance(key, str) else None)
    if problem is not None:
        return problem
    made = f"{resource.qualified}#made"
    return Built(key, value, (Put(partition, cast("str", key), value), Advance(made, world.state.counter(made) + 1)))

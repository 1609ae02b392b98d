"""Create: what the caller sent, completed by what the server assigns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from mock_server.model.behaviours.reading import name_of
from mock_server.model.call import Call
from mock_server.model.constraints import broken_constraint
from mock_server.model.facts import ResourceFacts, member_schema, typed
from mock_server.model.filters import value_at
from mock_server.model.inference.bodies import has_content
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.outcome import NO_BODY, Hole, Outcome, key_text
from mock_server.model.preconditions import etag_after
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import Advance, Change, Partition, Put
from mock_server.model.world import World, missing_parent, scope_of
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
    return Outcome(
        meaning.status,
        world.model.answers.shown(meaning, built.value),
        changes=(*world.settle(resource, scope), *built.changes),
        reads=(name_of(resource, scope),),
        location_key=built.key,
        etag=etag_after(world, meaning, scope, None),
        has_holes=True,
        reasons=(Reason("assigned", ", ".join(resource.assigned) or "nothing", "see the resource's fields"),),
    )


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
        built = build(world, meaning, call, member if isinstance(member, dict) else {}, scope)
        if isinstance(built, Problem):
            return built
        if isinstance(built.key, str):
            if built.key in keys:
                return Problem(Kind.CONFLICT, f"item {index} has the key {built.key!r} of one before it")
            keys.add(built.key)
        values.append(built.value)
        changes += built.changes
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
    """The members that a call sends of its resource."""
    given = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else None
    return given if isinstance(given, dict) else {}


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
    key: str | Hole
    if pinned is not None:
        key = pinned
    else:
        held = value.get(resource.key) if resource.key is not None else None
        if held is None:
            key = key_hole(world.model.resource_facts(resource), resource, partition)
        else:
            key = held if isinstance(held, Hole) else key_text(held)
    if isinstance(key, str) and not resource.singleton:
        held_already = key in world.collection(resource, scope)
        if held_already:
            return Problem(Kind.CONFLICT, f"{resource.name} {key!r} exists already")
    problem = broken_constraint(world, resource, scope, value, key=key if isinstance(key, str) else None)
    if problem is not None:
        return problem
    made = f"{resource.qualified}#made"
    return Built(key, value, (Put(partition, cast("str", key), value), Advance(made, world.state.counter(made) + 1)))


def key_hole(facts: ResourceFacts, resource: Resource, partition: Partition) -> Hole:
    """A hole for a key that must be fresh in its collection."""
    name = resource.key or "id"
    return Hole("key", name, facts.key_schema, partition, f"{resource.qualified}#key", mint=facts.mint)


def assign(
    world: World,
    meaning: Meaning,
    call: Call,
    given: Mapping[str, Json],
    partition: Partition,
    *,
    pinned: str | None,
) -> dict[str, Any]:
    """The caller's members and the server's, in the order of the schema."""
    resource = meaning.resource
    assert resource is not None
    facts, kept = world.model.facts(meaning), world.model.resource_facts(resource)
    accepted = {name: m for name, m in given.items() if name not in kept.read_only}
    value: dict[str, Any] = {**facts.defaults, **accepted}
    for parameter, (name, *inner) in facts.narrowing.items():
        if inner:
            value[name] = {**value.get(name, {}), parameter: key_text(call.path[parameter])}
        elif name not in value:
            value[name] = typed(resource, name, call.path[parameter])
    for name, rule in resource.assigned.items():
        if rule == "key":
            if pinned is not None:
                value[name] = typed(resource, name, pinned)
            elif not (name in accepted and facts.takes_key):
                value[name] = key_hole(kept, resource, partition)
        elif name not in accepted or facts.writable is not None or name in kept.own:
            made = _assigned(world, resource, name, rule, call)
            if made is not _OMIT:
                value[name] = made
    _fill_from_annotations(world, resource, call, accepted, value)
    for name, rule in kept.needed.items():
        if name not in value:
            value[name] = _assigned(world, resource, name, rule, call)
    return ordered(resource, value)


def _fill_from_annotations(
    world: World, resource: Resource, call: Call, accepted: Mapping[str, Json], value: dict[str, Any]
) -> None:
    if resource.defaults or resource.values:
        context = world.context(call, resource=dict(accepted))
        for name, template in resource.defaults.items():
            if name not in accepted:
                value[name] = template.evaluate(context)
        for name, template in resource.values.items():
            value[name] = template.evaluate(context)
    states = resource.states
    if states is not None and states.initial is not None and states.transitions:
        value[states.property] = states.initial


def ordered(resource: Resource, value: Mapping[str, Any]) -> dict[str, Any]:
    """The members in the order of the schema, those that it does not name last."""
    known = {name: value[name] for name in resource.anatomy.members if name in value}
    return known if len(known) == len(value) else {**known, **value}


_OMIT: Any = object()
_SIMPLE: dict[str, Any] = {"zero": 0, "false": False, "empty": [], "null": None}


def _assigned(world: World, resource: Resource, name: str, rule: str, call: Call) -> Any:
    """The value that a rule gives a member of a new item; ``_OMIT`` where it gives none."""
    if rule in {"created", "updated"}:
        return time_hole(resource, name)
    if rule in _SIMPLE:
        return _SIMPLE[rule]
    if rule == "revision":
        return 1
    if rule.startswith("parent:"):
        parameter = rule.removeprefix("parent:")
        return typed(resource, name, call.path[parameter]) if parameter in call.path else _OMIT
    if rule == "initial" and resource.states is not None:
        return resource.states.initial
    schema = member_schema(resource, name)
    if rule == "default" and "default" in schema:
        return schema["default"]
    return world.model.samples.hole(resource, name)


def time_hole(resource: Resource, name: str) -> Hole:
    """A hole for the time of a write."""
    return Hole("time", name, member_schema(resource, name))

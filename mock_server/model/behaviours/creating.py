"""Create: what the caller sent, completed by what the server assigns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from mock_server.model.behaviours.reading import answered, name_of
from mock_server.model.call import Call
from mock_server.model.constraints import broken_constraint
from mock_server.model.facts import ResourceFacts, member_schema, repeated_tenant, typed
from mock_server.model.filters import value_at
from mock_server.model.inference.bodies import has_content
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.members import evaluated, with_member, with_templates
from mock_server.model.outcome import NO_BODY, Hole, Outcome, key_text
from mock_server.model.patches import merge_patch
from mock_server.model.preconditions import etag_after
from mock_server.model.problem import Kind, Problem
from mock_server.model.quotas import refused_quota
from mock_server.model.state import Advance, Change, Partition, Put
from mock_server.model.world import World, missing_parent, scope_of
from mock_server.openapi import pointers
from mock_server.openapi.expressions import Context
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
    accepted = {name: m for name, m in given.items() if name not in kept.read_only and name not in facts.ignored}
    value: dict[str, Any] = {**facts.defaults, **accepted}
    if resource.intake is not None:
        value = merge_patch(taken(resource, dict(facts.defaults)), accepted)
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
    if resource.tenancy is not None:
        with_tenant(resource, partition.scope, value)
    _fill_from_annotations(world, resource, call, accepted, value)
    if meaning.stores:
        value = with_templates(value, meaning.stores, world.context(call, resource=value))
    for name, rule in kept.needed.items():
        if name not in value:
            value[name] = _assigned(world, resource, name, rule, call)
    if resource.serials:
        value = numbered(resource, value, partition, world.context(call, resource=value))
    return ordered(resource, value)


def _fill_from_annotations(
    world: World, resource: Resource, call: Call, accepted: Mapping[str, Json], value: dict[str, Any]
) -> None:
    if resource.defaults or resource.values:
        context = world.context(call, resource={**value, **accepted})
        absent = {name: template for name, template in resource.defaults.items() if name not in accepted}
        value |= evaluated(absent, context)
        value |= evaluated(resource.values, context)
    states = resource.states
    if states is not None and states.initial is not None and states.transitions:
        value[states.property] = states.initial


def completed(
    world: World, resource: Resource, given: Mapping[str, Any], partition: Partition, context: Context
) -> dict[str, Any]:
    """An item made without an operation of its own (by a computed answer, by an effect): the given members stand,
    and the resource's rules and templates add what is missing."""
    parents = dict(zip((parent.parameter for parent in resource.parents), partition.scope[-len(resource.parents) :],
                       strict=False))  # fmt: skip
    kept = world.model.resource_facts(resource)
    value = dict(given)
    if resource.tenancy is not None:
        with_tenant(resource, partition.scope, value)
    for name, rule in resource.assigned.items():
        if name not in value and not (rule == "sample" and name in resource.defaults):
            key = rule == "key"
            made = key_hole(kept, resource, partition) if key else _ruled(world, resource, name, rule, parents)
            if made is not _OMIT:
                value[name] = made
    known = replace(context, bindings={**context.bindings, "resource": value})
    value = {**evaluated({**resource.defaults, **resource.values}, known), **value}
    states = resource.states
    if states is not None and states.initial is not None:
        value.setdefault(states.property, states.initial)
    for name, rule in kept.needed.items():
        if name not in value:
            value[name] = _ruled(world, resource, name, rule, parents)
    if resource.serials:
        value = numbered(resource, value, partition, replace(context, bindings={**context.bindings, "resource": value}),
                         given=given)  # fmt: skip
    return ordered(resource, value)


def numbered(
    resource: Resource, value: dict[str, Any], partition: Partition, context: Context, *, given: Json = None
) -> dict[str, Any]:
    """A new item with holes for its serial numbers; those that are ``given`` stand."""
    for serial in resource.serials:
        if value_at(given, serial.path) is None:
            hole = Hole("serial", serial.path[-1], {}, partition, serial=serial.about(context))
            value = with_member(value, serial.path, hole)
    return value


def with_kept_serials(resource: Resource, value: Any, old: Json) -> Any:
    """A changed item with the serial numbers that it had, whatever the caller sent."""
    for serial in resource.serials:
        held = value_at(old, serial.path)
        if held is not None:
            value = with_member(value, serial.path, held)
    return value


def with_tenant(resource: Resource, scope: tuple[str, ...], value: dict[str, Any]) -> None:
    """Sets the member that repeats the tenant, whatever the caller or a rule put there."""
    assert resource.tenancy is not None
    if resource.tenancy.property is not None:
        value.pop(resource.tenancy.property, None)
        value |= repeated_tenant(resource, scope)


def ordered(resource: Resource, value: Mapping[str, Any]) -> dict[str, Any]:
    """The members in the order of the schema, those that it does not name last."""
    known = {name: value[name] for name in resource.anatomy.members if name in value}
    return known if len(known) == len(value) else {**known, **value}


_OMIT: Any = object()
_SIMPLE: dict[str, Any] = {"zero": 0, "false": False, "empty": [], "null": None}


def _assigned(world: World, resource: Resource, name: str, rule: str, call: Call) -> Any:
    return _ruled(world, resource, name, rule, call.path)


def _ruled(world: World, resource: Resource, name: str, rule: str, parents: Mapping[str, Json]) -> Any:
    """The value that a rule gives a member of a new item; ``_OMIT`` where it gives none.

    ``parents`` are the parents' keys by the path parameters that carry them.
    """
    if rule in {"created", "updated"}:
        return time_hole(resource, name)
    if rule == "serial":
        return _OMIT  # set last, since its format may refer to the other members
    if rule in _SIMPLE:
        return _SIMPLE[rule]
    if rule == "revision":
        return 1
    if rule.startswith("parent:"):
        parameter = rule.removeprefix("parent:")
        return typed(resource, name, parents[parameter]) if parameter in parents else _OMIT
    if rule == "initial" and resource.states is not None:
        return resource.states.initial
    schema = member_schema(resource, name)
    if rule == "default" and "default" in schema:
        return schema["default"]
    return world.model.samples.hole(resource, name)


def time_hole(resource: Resource, name: str) -> Hole:
    """A hole for the time of a write."""
    return Hole("time", name, member_schema(resource, name))

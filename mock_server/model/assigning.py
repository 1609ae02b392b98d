"""Assigning: what the server adds to the members that a new item is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mock_server.model.call import Call
from mock_server.model.facts import ResourceFacts, member_schema, repeated_tenant, typed
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning, Resource
from mock_server.model.members import evaluated, with_member, with_templates
from mock_server.model.outcome import Hole, key_text
from mock_server.model.patches import merge_patch
from mock_server.model.state import Partition
from mock_server.model.world import World
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model


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
        value = merge_patch(resource.intake.taken(facts.defaults, resource.anatomy.members), accepted)
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
            made = ruled(world.model, resource, name, rule, call.path)
            if made is not OMIT:
                value[name] = made
    if resource.tenancy is not None:
        _repeat_tenant(resource, partition.scope, value)
    _fill_from_annotations(world, resource, call, accepted, value)
    if meaning.stores:
        value = with_templates(value, meaning.stores, world.context(call, resource=value))
    return _finished(world, resource, value, partition, call.path,
                     context=lambda value: world.context(call, resource=value))  # fmt: skip


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
        _repeat_tenant(resource, partition.scope, value)
    for name, rule in resource.assigned.items():
        if name not in value and not (rule == "sample" and name in resource.defaults):
            key = rule == "key"
            made = key_hole(kept, resource, partition) if key else ruled(world.model, resource, name, rule, parents)
            if made is not OMIT:
                value[name] = made

    def about(item: Json) -> Context:
        return replace(context, bindings={**context.bindings, "resource": item})

    value = {**evaluated({**resource.defaults, **resource.values}, about(value)), **value}
    states = resource.states
    if states is not None and states.initial is not None:
        value.setdefault(states.property, states.initial)
    return _finished(world, resource, value, partition, parents, context=about, given=given)


def _finished(
    world: World,
    resource: Resource,
    value: dict[str, Any],
    partition: Partition,
    parents: Mapping[str, Json],
    *,
    context: Callable[[Json], Context],
    given: Json = None,
) -> dict[str, Any]:
    """A new item with what it still needs, then its serial numbers, which may tell of all else."""
    for name, rule in world.model.resource_facts(resource).needed.items():
        if name not in value:
            value[name] = ruled(world.model, resource, name, rule, parents)
    if resource.serials:
        value = _numbered(resource, value, partition, context(value), given)
    return ordered(resource, value)


def _numbered(
    resource: Resource, value: dict[str, Any], partition: Partition, context: Context, given: Json
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


def _repeat_tenant(resource: Resource, scope: tuple[str, ...], value: dict[str, Any]) -> None:
    """Sets the member that repeats the tenant, whatever the caller or a rule put there."""
    assert resource.tenancy is not None
    if resource.tenancy.property is not None:
        value.pop(resource.tenancy.property, None)
        value |= repeated_tenant(resource, scope)


def ordered(resource: Resource, value: Mapping[str, Any]) -> dict[str, Any]:
    """The members in the order of the schema, those that it does not name last."""
    known = {name: value[name] for name in resource.anatomy.members if name in value}
    return known if len(known) == len(value) else {**known, **value}


OMIT: Any = object()
"""Stands for the value of a member that a rule leaves out."""

_SIMPLE: dict[str, Any] = {"zero": 0, "false": False, "empty": [], "null": None}


def ruled(model: Model, resource: Resource, name: str, rule: str, parents: Mapping[str, Json]) -> Any:
    """The value that a rule gives a member of a new item; ``OMIT`` where it gives none.

    ``parents`` are the parents' keys by the path parameters that carry them.
    """
    if rule in {"created", "updated"}:
        return time_hole(resource, name)
    if rule == "serial":
        return OMIT  # set last, since its format may refer to the other members
    if rule in _SIMPLE:
        return _SIMPLE[rule]
    if rule == "revision":
        return 1
    if rule.startswith("parent:"):
        parameter = rule.removeprefix("parent:")
        return typed(resource, name, parents[parameter]) if parameter in parents else OMIT
    if rule == "initial" and resource.states is not None:
        return resource.states.initial
    schema = member_schema(resource, name)
    if rule == "default" and "default" in schema:
        return schema["default"]
    return model.samples.hole(resource, name)


def time_hole(resource: Resource, name: str) -> Hole:
    """A hole for the time of a write."""
    return Hole("time", name, member_schema(resource, name))


def key_hole(facts: ResourceFacts, resource: Resource, partition: Partition) -> Hole:
    """A hole for a key that must be fresh in its collection."""
    name = resource.key or "id"
    return Hole("key", name, facts.key_schema, partition, f"{resource.qualified}#key", mint=facts.mint)

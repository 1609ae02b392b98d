"""Create: what the caller sent, completed by what the server assigns."""

from __future__ import annotations

from typing import Any

from mock_server.model.anatomy import words
from mock_server.model.behaviours.reading import name_of
from mock_server.model.call import Call
from mock_server.model.constraints import broken_constraint
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.outcome import NO_BODY, Event, Hole, Outcome, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.queries import value_at
from mock_server.model.state import Advance, Change, Partition, Put
from mock_server.model.world import World, missing_parent, scope_of
from mock_server.openapi.values import Json


def create(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One new item, stored under a key that the server chooses unless the caller may and does."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope = scope_of(meaning, call)
    given = _given(meaning, call)
    built = build(world, meaning, call, given, scope)
    if isinstance(built, Problem):
        return built
    key, value, changes = built
    view = world.model.view(meaning)
    body = NO_BODY if meaning.response is None or not meaning.response.content else view.body(view.item(value))
    return Outcome(
        meaning.status,
        body,
        changes=(*world.settle(resource, scope), *changes),
        reads=(name_of(resource, scope),),
        events=tuple(Event(event, value, resource.name, key) for event in meaning.emits),
        location_key=key,
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
    scope = scope_of(meaning, call)
    given = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else []
    values: list[Json] = []
    changes: list[Change] = list(world.settle(resource, scope))
    for member in given if isinstance(given, list) else [given]:
        built = build(world, meaning, call, member if isinstance(member, dict) else {}, scope)
        if isinstance(built, Problem):
            return built
        values.append(built[1])
        changes += built[2]
    view = world.model.view(meaning)
    shown = [view.item(value) for value in values]
    has_body = meaning.response is not None and bool(meaning.response.content)
    body = view.body(shown) if has_body and world.model.answers_array(meaning) else NO_BODY
    if has_body and body is NO_BODY:
        body = world.model.sampled_answer(meaning, call)
    return Outcome(meaning.status, body, changes=tuple(changes), has_holes=True)


def _given(meaning: Meaning, call: Call) -> dict[str, Json]:
    given = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else None
    return dict(given) if isinstance(given, dict) else {}


def build(
    world: World, meaning: Meaning, call: Call, given: dict[str, Json], scope: tuple[str, ...]
) -> tuple[Any, dict[str, Any], tuple[Change, ...]] | Problem:
    """A new item's key, value and changes; the key is a ``Hole`` when the server chooses it."""
    resource = meaning.resource
    assert resource is not None
    partition = Partition(resource.qualified, scope)
    value, changes = assign(world, meaning, call, given, partition)
    key = key_hole(world, resource, partition) if resource.key is None else value.get(resource.key)
    if resource.singleton:
        key = ""
    if key is None:
        key = key_hole(world, resource, partition)
    if not isinstance(key, Hole):
        key = key_text(key)
        if not resource.singleton and world.collection(resource, scope).get(key) is not None:
            return Problem(Kind.CONFLICT, f"{resource.name} {key!r} exists already")
    problem = broken_constraint(world, resource, scope, value, key=None if isinstance(key, Hole) else key)
    if problem is not None:
        return problem
    return key, value, (Put(partition, key, value), *changes)


def key_hole(world: World, resource: Resource, partition: Partition) -> Hole:
    """A hole for a key that must be fresh in its collection."""
    return Hole("key", resource.key or "id", world.model.key_schema(resource), partition, f"{resource.qualified}#key")


def assign(
    world: World, meaning: Meaning, call: Call, given: dict[str, Json], partition: Partition
) -> tuple[dict[str, Any], tuple[Change, ...]]:
    """The caller's members and the server's, in the order of the schema."""
    resource = meaning.resource
    assert resource is not None
    read_only = world.model.read_only(resource)
    accepted = {name: m for name, m in given.items() if name not in read_only}
    value: dict[str, Any] = {}
    for name in world.model.defaulted(meaning.operation_id):
        if name not in accepted:
            value[name] = world.model.default_of(meaning.operation_id, name)
    value |= accepted
    for name, parameter in _from_path(resource, meaning):
        if name not in value and parameter in call.path:
            value[name] = call.path[parameter]
    for name, rule in resource.assigned.items():
        if rule == "key" and name in accepted and world.model.key_is_given(meaning):
            continue
        made = _assigned(world, resource, name, rule, call, partition)
        if made is not _OMIT:
            value[name] = made
    context = world.context(call, resource=accepted)
    for name, template in resource.defaults.items():
        if name not in accepted:
            value[name] = template.evaluate(context)
    for name, template in resource.values.items():
        value[name] = template.evaluate(context)
    if resource.states is not None and resource.states.initial is not None and resource.states.transitions:
        value[resource.states.property] = resource.states.initial
    ordered = {name: value[name] for name in resource.anatomy.members if name in value}
    changes = (Advance(f"{resource.qualified}#made", world.state.counter(f"{resource.qualified}#made") + 1),)
    return ordered | {name: m for name, m in value.items() if name not in ordered}, changes


def _from_path(resource: Resource, meaning: Meaning) -> list[tuple[str, str]]:
    """Members that repeat a path parameter of this operation, also where it is a view of the resource."""
    scope = {parent.parameter for parent in resource.parents}
    return [
        (name, parameter)
        for parameter in meaning.scope
        if parameter not in scope
        for name in resource.anatomy.members
        if words(name) == words(parameter)
    ]


_OMIT: Any = object()


def _assigned(
    world: World, resource: Resource, name: str, rule: str, call: Call, partition: Partition
) -> Any:
    member = resource.anatomy.members.get(name)
    schema = world.model.member_schema(resource, name)
    if rule == "key":
        return key_hole(world, resource, partition)
    if rule in {"created", "updated"}:
        return world.model.time_hole(resource, name)
    if rule == "revision":
        return 1
    if rule.startswith("parent:"):
        return call.path.get(rule.removeprefix("parent:"), _OMIT)
    if rule == "initial" and resource.states is not None:
        return resource.states.initial
    simple: dict[str, Any] = {"zero": 0, "false": False, "empty": [], "null": None}
    if rule in simple:
        return simple[rule]
    if rule == "default" and member is not None:
        return member.schema["default"]
    return world.model.sample_hole(resource, name)

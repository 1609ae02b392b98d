"""State through the control API: read and written whole, by resource or by item, always checked by its schema.

Whoever writes gets all of it or nothing: the next state is made first and put in place last. A resource that no
operation fills is shown as its samples, and they are stored before the first write, as the API itself would do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from immutables import Map

from mock_server.errors import Place, StateError, did_you_mean
from mock_server.exchange.universe import Universe
from mock_server.model import owners
from mock_server.model.collection import Entry
from mock_server.model.facts import repeated_parents, typed
from mock_server.model.meaning import Resource
from mock_server.model.outcome import key_text
from mock_server.model.patches import merge_patch
from mock_server.model.problem import Problem
from mock_server.model.seeding import seeded, stored_violations
from mock_server.model.state import Change, Partition, Put, Remove, State, commit
from mock_server.model.tenants import TENANT, parents_in
from mock_server.model.world import World
from mock_server.openapi import pointers
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox
from mock_server.web.addresses import Address, Namespace, address, check_tenant

# Reading


def read_api(namespace: Namespace, universe: Universe) -> dict[str, Json]:
    """Everything stored in a namespace by resource name, ready to be written back."""
    state = universe.state
    shown = {}
    for model in namespace.models:
        for name in model.resource_names():
            qualified = namespace.prefix + name
            if name not in shown and qualified in state.resources:
                _, resource = namespace.find(name)
                shown[name] = _stored(state, resource)
    return shown


def _stored(state: State, resource: Resource, tenant: str | None = None) -> Json:
    """What is stored of a resource, or of one tenant's part of it; items say whose they are."""
    collections = [
        (partition.scope, collection)
        for partition, collection in state.partitions(resource.qualified)
        if tenant is None or partition.scope[0] == tenant
    ]
    if not resource.parents:
        items = [_item(resource, scope, entry) for scope, collection in collections for entry in collection]
        return items[0] if resource.singleton and len(items) == 1 else items
    return [
        {
            **({"tenant": scope[0]} if resource.tenancy is not None else {}),
            "scope": list(parents_in(resource, scope)),
            "items": [_keyed(resource, entry) for entry in collection],
        }
        for scope, collection in collections
    ]


def _item(resource: Resource, scope: tuple[str, ...], entry: Entry) -> Json:
    """An item with its key and its tenant, where its representation has them not."""
    item = _keyed(resource, entry)
    return item if resource.tenancy is None else owners.shown(resource, item, scope[0])


def _keyed(resource: Resource, entry: Entry) -> Json:
    if resource.key is None and not resource.singleton:
        return {"$key": entry.key, **entry.value}
    return entry.value


def read_resource(namespace: Namespace, universe: Universe, name: str, *, tenant: str | None = None) -> Json:
    """One resource's items, by scope where it is nested; the thing itself where there is only one."""
    model, resource = namespace.find(name)
    check_tenant(resource, tenant)
    if resource.parents or (resource.tenancy is not None and tenant is None):
        return _stored(universe.state, resource, tenant)
    scope = () if tenant is None else (tenant,)
    if resource.singleton:
        return _item(resource, scope, Address(model, resource, scope, "").entry(universe))
    world = World(model, universe.state, universe.clock.now())
    return [_item(resource, scope, entry) for entry in world.collection(resource, scope)]


def read_item(namespace: Namespace, universe: Universe, name: str, path: str, *, tenant: str | None = None) -> Json:
    """One item by its key, its parents' keys in front for a nested one."""
    place = address(namespace, universe, name, path, tenant=tenant)
    return _item(place.resource, place.scope, place.entry(universe))


# Writing in bulk: like a seed, without events and effects; what waits for its time begins to wait


def write_apis(sandbox: Sandbox, universe: Universe, value: dict[str, dict[str, Json]]) -> None:
    """Resources by API and name, each put in place of what there was."""
    with universe.lock:
        state = universe.state
        written: list[str] = []
        for name, resources in value.items():
            pointer = pointers.join("", name)
            if name not in sandbox.apis:
                raise StateError(
                    f"there is no API {name!r}",
                    place=Place("body", pointer),
                    got=name,
                    allowed=", ".join(sandbox.apis),
                    hint=did_you_mean(name, sandbox.apis),
                )
            models = sandbox.siblings(sandbox.apis[name])
            state = seeded(state, models, resources, _below(pointer))
            written += [f"{models[0].namespace}/{resource}" for resource in resources]
        universe.state = sandbox.committing.settle(state, universe.clock.now(), names=written)


def write_api(namespace: Namespace, universe: Universe, value: dict[str, Json], *, keep: bool) -> None:
    """The named resources put in place of what there was; the others stay with ``keep``, else they go."""
    with universe.lock:
        base = universe.state
        written = [namespace.prefix + name for name in value]
        if not keep:
            gone = [known for known in base.resources if known.startswith(namespace.prefix)]
            base, written = _without(base, gone), [*gone, *(name for name in written if name not in gone)]
        state = seeded(base, namespace.models, value, _below(""))
        universe.state = namespace.committing.settle(state, universe.clock.now(), names=written)


def write_resource(
    namespace: Namespace, universe: Universe, name: str, value: Json, *, tenant: str | None = None
) -> None:
    """One resource's items, or one tenant's of them, put in place of those there were."""
    _, resource = namespace.find(name)
    check_tenant(resource, tenant)
    with universe.lock:
        base = _without(universe.state, (resource.qualified, _gone(resource)), tenant)
        here = _below("", leaving_out=pointers.join("/resources", name))
        state = seeded(base, namespace.models, {name: value}, here, tenant=tenant)
        universe.state = namespace.committing.settle(state, universe.clock.now(), names=[resource.qualified])


def _below(pointer: str, *, leaving_out: str = "/resources") -> Callable[[str], Place]:
    """Turns a place in a seed file into the place in the body that stands for it."""
    return lambda inner: Place("body", pointer + inner.removeprefix(leaving_out))


def _without(state: State, names: Iterable[str], tenant: str | None = None) -> State:
    """The state without these resources, or a tenant's part of them; counters stay, so no key is given twice."""
    kept = state.resources
    for name in names:
        if name in kept:
            others = kept[name] if tenant is not None else {}
            left = Map({scope: collection for scope, collection in others.items() if scope[0] != tenant})
            kept = kept.set(name, left) if left else kept.delete(name)
    return State(kept, state.counters, state.timers)


# Writing one item: like the API itself, with all that follows from its writes


def replace_item(
    namespace: Namespace, universe: Universe, name: str, path: str, value: Json, *, tenant: str | None = None
) -> Json:
    """The item as it is stored now; its own key, its parents' and its tenant may be left out."""
    with universe.lock:
        place = address(namespace, universe, name, path, tenant=tenant, value=value)
        if isinstance(value, dict):
            value = {**repeated_parents(place.resource, place.scope), **_own_key(place), **_owned(place, value)}
        _put(namespace, universe, place, value)
    return value


def merge_item(
    namespace: Namespace, universe: Universe, name: str, path: str, patch: Json, *, tenant: str | None = None
) -> Json:
    """The item after a merge patch (RFC 7396)."""
    with universe.lock:
        place = address(namespace, universe, name, path, tenant=tenant)
        value = merge_patch(place.entry(universe).value, patch)
        if isinstance(value, dict):
            value = _owned(place, value)
        _put(namespace, universe, place, value)
    return value


def remove_item(namespace: Namespace, universe: Universe, name: str, path: str, *, tenant: str | None = None) -> None:
    """One item, gone."""
    with universe.lock:
        place = address(namespace, universe, name, path, tenant=tenant)
        place.entry(universe)
        changes = [*_settled(universe, place), Remove(place.partition, place.key)]
        if place.resource.open_world:
            changes.append(Put(Partition(_gone(place.resource), place.scope), place.key, {}))
        _store(namespace, universe, changes)


def clear_resource(namespace: Namespace, universe: Universe, name: str, *, tenant: str | None = None) -> None:
    """Every item of a resource, or of one tenant's, gone."""
    model, resource = namespace.find(name)
    check_tenant(resource, tenant)
    with universe.lock:
        unsettled = not resource.parents and (resource.tenancy is None or tenant is not None)
        scope = () if tenant is None else (tenant,)
        changes = _settled(universe, Address(model, resource, scope, "")) if unsettled else []
        settled = commit(universe.state, changes)
        for partition, collection in settled.partitions(resource.qualified):
            if tenant is None or partition.scope[0] == tenant:
                changes += [Remove(partition, entry.key) for entry in collection]
        _store(namespace, universe, changes)


def _owned(place: Address, value: dict[str, Json]) -> dict[str, Json]:
    """An item as it is stored; a ``StateError`` for one that says it is another tenant's."""
    resource = place.resource
    if resource.tenancy is None:
        return value
    said = owners.named_tenant(resource, value, "", lambda pointer: Place("body", pointer))
    if said is not None and said != place.scope[0]:
        member = TENANT if TENANT in value else resource.tenancy.property
        raise StateError(
            f"this item of {resource.name} belongs to another tenant, and items do not change hands",
            place=Place("body", pointers.join("", str(member))),
            got=said,
            allowed=place.scope[0],
        )
    return {name: member for name, member in value.items() if name != TENANT}


def _gone(resource: Resource) -> str:
    """Where the keys are kept that were taken to exist until they were deleted (``World.is_gone``)."""
    return f"{resource.qualified}~gone"


def _settled(universe: Universe, place: Address) -> list[Change]:
    return list(place.world(universe).settle(place.resource, place.scope))


def _own_key(place: Address) -> dict[str, Json]:
    key = place.resource.key
    return {key: typed(place.resource, key, place.key)} if key is not None else {}


def _put(namespace: Namespace, universe: Universe, place: Address, value: Json) -> None:
    _check(place, value)
    _store(namespace, universe, [*_settled(universe, place), Put(place.partition, place.key, value)])


def _store(namespace: Namespace, universe: Universe, changes: list[Change]) -> None:
    followed = namespace.committing.commit(universe, changes, now=universe.clock.now())
    if isinstance(followed, Problem):
        raise StateError(followed.detail, place=Place("body"))


def _check(place: Address, value: Json) -> None:
    resource = place.resource
    if not isinstance(value, dict):
        raise StateError(
            f"an item of {resource.name} is an object", place=Place("body"), got=value, allowed="an object"
        )
    name = resource.key or "$key"
    if not resource.singleton and name in value and key_text(value[name]) != place.key:
        raise StateError(
            f"the item's {name} is not the key in the URL",
            place=Place("body", pointers.join("", name)),
            got=value[name],
            allowed=place.key,
        )
    violations = stored_violations(place.model, resource, value)
    if violations:
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        raise StateError(
            f"this item of {resource.name} breaks its schema: {first.message}{more}",
            place=Place("body", first.pointer),
            got=first.got,
            allowed=_listed(first.expected),
        )


def _listed(expected: Json) -> str | None:
    if isinstance(expected, list):
        return ", ".join(str(each) for each in expected)
    return str(expected) if expected is not None else None

"""State through the control API: read and written whole, by resource or by item, always checked by its schema.

Whoever writes gets all of it or nothing: the next state is made first and put in place last. A resource that no
operation fills is shown as its samples, and they are stored before the first write, as the API itself would do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mock_server.errors import Place, StateError, did_you_mean
from mock_server.exchange.universe import RecordedEvent, Universe
from mock_server.model.collection import Entry
from mock_server.model.events import emitted
from mock_server.model.facts import repeated_parents, typed
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.patches import merge_patch
from mock_server.model.seeding import find_resource, seeded, stored_violations
from mock_server.model.state import Change, Partition, Put, Remove, State, commit
from mock_server.model.world import World
from mock_server.openapi import pointers
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served


@dataclass(frozen=True, slots=True)
class Namespace:
    """What an API's resources are kept in: its own model first, then those of the APIs that share its state."""

    api: str
    models: tuple[Model, ...]

    @property
    def prefix(self) -> str:
        """What the names of its resources begin with in the state."""
        return self.models[0].namespace + "/"

    def find(self, name: str) -> tuple[Model, Resource]:
        """The resource of a name; a ``StateError`` when there is none."""
        found = find_resource(self.models, name)
        if found is None:
            known = sorted({known for model in self.models for known in model.resource_names()})
            raise StateError(
                f"{self.api} has no resource {name!r}",
                allowed=", ".join(known),
                hint=did_you_mean(name, known),
            )
        return found


def namespace_of(sandbox: Sandbox, served: Served) -> Namespace:
    """The namespace that an API's resources are in."""
    return Namespace(served.name, tuple(sandbox.siblings(served)))


@dataclass(frozen=True, slots=True)
class _Address:
    """One item's place: its resource, its parents' keys, and its own key ("" for a thing without one)."""

    model: Model
    resource: Resource
    scope: tuple[str, ...]
    key: str

    @property
    def partition(self) -> Partition:
        return Partition(self.resource.qualified, self.scope)

    def world(self, universe: Universe) -> World:
        return World(self.model, universe.state, universe.clock.now())

    def entry(self, universe: Universe) -> Entry:
        """What is there, softly deleted or not; a ``StateError`` when nothing is."""
        world = self.world(universe)
        stored = world.collection(self.resource, self.scope).get(self.key)
        found = stored if stored is not None else world.entry(self.resource, self.scope, self.key)
        if found is None:
            path = "/".join((*self.scope, self.key))
            raise StateError(f"{self.resource.name} has no item {path!r}")
        return found


def _address(namespace: Namespace, name: str, path: str) -> _Address:
    """``org-1/task-7`` as scope and key: as many leading parts as the resource has parents."""
    model, resource = namespace.find(name)
    names = [parent.parameter for parent in resource.parents]
    if not resource.singleton:
        names.append(resource.key or "key")
    parts = path.split("/", max(0, len(names) - 1))
    if len(parts) != len(names):
        wanted = "/".join(names)
        raise StateError(
            f"{path!r} is no address of an item of {name}",
            allowed=wanted or f"nothing: there is one {name}, which is read and replaced as the resource itself",
        )
    if resource.singleton:
        return _Address(model, resource, tuple(parts), "")
    return _Address(model, resource, tuple(parts[:-1]), parts[-1])


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


def _stored(state: State, resource: Resource) -> Json:
    collections = list(state.partitions(resource.qualified))
    if not resource.parents:
        items = [_item(resource, entry) for _, collection in collections for entry in collection]
        return items[0] if resource.singleton and items else items
    return [
        {"scope": list(partition.scope), "items": [_item(resource, entry) for entry in collection]}
        for partition, collection in collections
    ]


def _item(resource: Resource, entry: Entry) -> Json:
    """An item with the key that it is stored under, where its representation has none."""
    if resource.key is None and not resource.singleton:
        return {"$key": entry.key, **entry.value}
    return entry.value


def read_resource(namespace: Namespace, universe: Universe, name: str) -> Json:
    """One resource's items, by scope where it is nested; the thing itself where there is only one."""
    model, resource = namespace.find(name)
    if resource.parents:
        return _stored(universe.state, resource)
    if resource.singleton:
        return _Address(model, resource, (), "").entry(universe).value
    world = World(model, universe.state, universe.clock.now())
    return [_item(resource, entry) for entry in world.collection(resource, ())]


def read_item(namespace: Namespace, universe: Universe, name: str, path: str) -> Json:
    """One item by its key, its parents' keys in front for a nested one."""
    address = _address(namespace, name, path)
    return _item(address.resource, address.entry(universe))


# Writing in bulk: like a seed, without events


def write_apis(sandbox: Sandbox, universe: Universe, value: dict[str, dict[str, Json]]) -> None:
    """Resources by API and name, each put in place of what there was."""
    with universe.lock:
        state = universe.state
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
            state = seeded(state, sandbox.siblings(sandbox.apis[name]), resources, _below(pointer))
        universe.state = state


def write_api(namespace: Namespace, universe: Universe, value: dict[str, Json], *, keep: bool) -> None:
    """The named resources put in place of what there was; the others stay with ``keep``, else they go."""
    with universe.lock:
        base = universe.state
        if not keep:
            base = _without(base, [known for known in base.resources if known.startswith(namespace.prefix)])
        universe.state = seeded(base, namespace.models, value, _below(""))


def write_resource(namespace: Namespace, universe: Universe, name: str, value: Json) -> None:
    """One resource's items, put in place of those there were."""
    _, resource = namespace.find(name)
    with universe.lock:
        base = _without(universe.state, (resource.qualified, _gone(resource)))
        here = _below("", leaving_out=pointers.join("/resources", name))
        universe.state = seeded(base, namespace.models, {name: value}, here)


def _below(pointer: str, *, leaving_out: str = "/resources") -> Callable[[str], Place]:
    """Turns a place in a seed file into the place in the body that stands for it."""
    return lambda inner: Place("body", pointer + inner.removeprefix(leaving_out))


def _without(state: State, names: Iterable[str]) -> State:
    """The state without these resources; counters stay, so no key is given twice."""
    kept = state.resources
    for name in names:
        if name in kept:
            kept = kept.delete(name)
    return State(kept, state.counters)


# Writing one item: like the API itself, with the events that its writes emit


def replace_item(namespace: Namespace, universe: Universe, name: str, path: str, value: Json) -> Json:
    """The item as it is stored now; its own key and its parents' may be left out."""
    address = _address(namespace, name, path)
    with universe.lock:
        if isinstance(value, dict):
            value = {**repeated_parents(address.resource, address.scope), **_own_key(address), **value}
        _put(namespace, universe, address, value)
    return value


def merge_item(namespace: Namespace, universe: Universe, name: str, path: str, patch: Json) -> Json:
    """The item after a merge patch (RFC 7396)."""
    address = _address(namespace, name, path)
    with universe.lock:
        value = merge_patch(address.entry(universe).value, patch)
        _put(namespace, universe, address, value)
    return value


def remove_item(namespace: Namespace, universe: Universe, name: str, path: str) -> None:
    """One item, gone."""
    address = _address(namespace, name, path)
    with universe.lock:
        address.entry(universe)
        changes = [*_settled(universe, address), Remove(address.partition, address.key)]
        if address.resource.open_world:
            changes.append(Put(Partition(_gone(address.resource), address.scope), address.key, {}))
        _store(namespace, universe, changes)


def clear_resource(namespace: Namespace, universe: Universe, name: str) -> None:
    """Every item of a resource, gone."""
    model, resource = namespace.find(name)
    with universe.lock:
        changes = [] if resource.parents else _settled(universe, _Address(model, resource, (), ""))
        settled = commit(universe.state, changes)
        for partition, collection in settled.partitions(resource.qualified):
            changes += [Remove(partition, entry.key) for entry in collection]
        _store(namespace, universe, changes)


def _gone(resource: Resource) -> str:
    """Where the keys are kept that were taken to exist until they were deleted (``World.is_gone``)."""
    return f"{resource.qualified}~gone"


def _settled(universe: Universe, address: _Address) -> list[Change]:
    return list(address.world(universe).settle(address.resource, address.scope))


def _own_key(address: _Address) -> dict[str, Json]:
    key = address.resource.key
    return {key: typed(address.resource, key, address.key)} if key is not None else {}


def _put(namespace: Namespace, universe: Universe, address: _Address, value: Json) -> None:
    _check(address, value)
    _store(namespace, universe, [*_settled(universe, address), Put(address.partition, address.key, value)])


def _store(namespace: Namespace, universe: Universe, changes: list[Change]) -> None:
    watched = {resource.qualified: resource for model in namespace.models for resource in model.eventful()}
    now = universe.clock.now()
    events = list(emitted(watched, universe.state, changes, now=now, principal=None))
    universe.state = commit(universe.state, changes)
    universe.events += [RecordedEvent(now, namespace.api, event) for event in events]


def _check(address: _Address, value: Json) -> None:
    resource = address.resource
    if not isinstance(value, dict):
        raise StateError(
            f"an item of {resource.name} is an object", place=Place("body"), got=value, allowed="an object"
        )
    name = resource.key or "$key"
    if not resource.singleton and name in value and key_text(value[name]) != address.key:
        raise StateError(
            f"the item's {name} is not the key in the URL",
            place=Place("body", pointers.join("", name)),
            got=value[name],
            allowed=address.key,
        )
    violations = stored_violations(address.model, resource, value)
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

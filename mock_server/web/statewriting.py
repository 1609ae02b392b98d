"""State through the control API: read and written whole, by collection or by item, always checked by its schema."""

from __future__ import annotations

from mock_server.errors import Place, StateError, did_you_mean
from mock_server.exchange.universe import RecordedEvent, Universe
from mock_server.model.collection import Collection
from mock_server.model.events import emitted
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.patches import merge_patch
from mock_server.model.seeding import find_resource, seeded, stored_violations
from mock_server.model.state import Change, Fill, Partition, Put, Remove, State, commit
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served


def read_api(sandbox: Sandbox, universe: Universe, served: Served) -> dict[str, Json]:
    """Every resource of an API's namespace, by name."""
    prefix = served.model.namespace + "/"
    names = sorted(name for name in universe.state.resources if name.startswith(prefix) and "~" not in name)
    return {name.removeprefix(prefix): _shown(universe.state, name) for name in names}


def _shown(state: State, qualified: str) -> Json:
    partitions = list(state.partitions(qualified))
    if all(partition.scope == () for partition, _ in partitions):
        return [entry.value for _, collection in partitions for entry in collection]
    return [
        {"scope": list(partition.scope), "items": [entry.value for entry in collection]}
        for partition, collection in partitions
    ]


def read_collection(sandbox: Sandbox, universe: Universe, served: Served, name: str) -> Json:
    """One resource: its items, by scope where it is nested."""
    _, resource = _resource(sandbox, served, name)
    return _shown(universe.state, resource.qualified)


def read_item(sandbox: Sandbox, universe: Universe, served: Served, name: str, path: str) -> Json:
    """One item by its key, its parents' keys in front for a nested one."""
    _, resource = _resource(sandbox, served, name)
    partition, key = _address(resource, path)
    collection = universe.state.collection(partition)
    entry = collection.get(key) if collection is not None else None
    if entry is None:
        raise StateError(f"{name} has no item {path!r}")
    return entry.value


def write_api(sandbox: Sandbox, universe: Universe, served: Served, value: Json, *, merge: bool) -> None:
    """The resources that are named, put in place of what there was; with ``merge`` the others stay."""
    if not isinstance(value, dict):
        raise StateError("the state of an API is a mapping of resources", got=type(value).__name__)
    with universe.lock:
        base = universe.state
        if not merge:
            prefix = served.model.namespace + "/"
            kept = base.resources
            for name in [name for name in kept if name.startswith(prefix)]:
                kept = kept.delete(name)
            base = State(kept, base.counters)
        universe.state = seeded(base, sandbox.siblings(served), value, lambda pointer: Place("body", pointer))


def write_collection(sandbox: Sandbox, universe: Universe, served: Served, name: str, value: Json) -> None:
    """One resource's items, put in place of those there were."""
    _resource(sandbox, served, name)
    with universe.lock:
        universe.state = seeded(
            universe.state, sandbox.siblings(served), {name: value}, lambda pointer: Place("body", pointer)
        )


def write_item(
    sandbox: Sandbox, universe: Universe, served: Served, name: str, path: str, value: Json, *, merge: bool
) -> Json:
    """One item, whole or by merge patch (RFC 7396); emits the events that any other write would."""
    model, resource = _resource(sandbox, served, name)
    partition, key = _address(resource, path)
    with universe.lock:
        collection = universe.state.collection(partition)
        entry = collection.get(key) if collection is not None else None
        if merge:
            if entry is None:
                raise StateError(f"{name} has no item {path!r}")
            value = merge_patch(entry.value, value)
        _check(model, resource, key, value)
        _store(sandbox, universe, served, [Put(partition, key, value)])
    return value


def remove(sandbox: Sandbox, universe: Universe, served: Served, name: str, path: str | None) -> None:
    """One item, or all of a resource's."""
    _, resource = _resource(sandbox, served, name)
    with universe.lock:
        changes: list[Change]
        if path is None:
            partitions = list(universe.state.partitions(resource.qualified))
            changes = [Fill(partition, Collection()) for partition, _ in partitions]
        else:
            partition, key = _address(resource, path)
            read_item(sandbox, universe, served, name, path)
            changes = [Remove(partition, key)]
        _store(sandbox, universe, served, changes)


def _store(sandbox: Sandbox, universe: Universe, served: Served, changes: list[Change]) -> None:
    watched = {r.qualified: r for model in sandbox.siblings(served) for r in model.eventful()}
    now = universe.clock.now()
    events = list(emitted(watched, universe.state, changes, now=now, principal=None))
    universe.state = commit(universe.state, changes)
    universe.events += [RecordedEvent(now, served.name, event) for event in events]


def _check(model: Model, resource: Resource, key: str, value: Json) -> None:
    if not isinstance(value, dict):
        raise StateError(f"an item of {resource.name} is an object", got=type(value).__name__)
    if resource.key is not None and key_text(value.get(resource.key)) != key:
        raise StateError(
            f"the item's {resource.key} and its address differ", got=value.get(resource.key), allowed=key
        )
    violations = stored_violations(model, resource, value)
    if violations:
        first = violations[0]
        raise StateError(
            f"{first.pointer or 'the item'} {first.message}",
            got=first.got if first.got is not None else "null",
            allowed=str(first.expected),
        )


def _resource(sandbox: Sandbox, served: Served, name: str) -> tuple[Model, Resource]:
    found = find_resource(sandbox.siblings(served), name)
    if found is None:
        known = sorted({known for model in sandbox.siblings(served) for known in model.resource_names()})
        raise StateError(
            f"{served.name} has no resource {name!r}", allowed=", ".join(known), hint=did_you_mean(name, known)
        )
    return found


def _address(resource: Resource, path: str) -> tuple[Partition, str]:
    """``org-1/task-7`` as scope and key: as many leading parts as the resource has parents."""
    parts = path.split("/", len(resource.parents))
    if len(parts) != len(resource.parents) + 1:
        names = "/".join([*(parent.parameter for parent in resource.parents), resource.key or "key"])
        raise StateError(f"an item of {resource.name} is addressed by {names}", allowed=names)
    return Partition(resource.qualified, tuple(parts[:-1])), parts[-1]

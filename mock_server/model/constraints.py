"""What must hold between resources: unique members, references that lead somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mock_server.model.collection import Collection, Entry
from mock_server.model.lenses import likely
from mock_server.model.meaning import Reference, Resource
from mock_server.model.outcome import Hole, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import Change, Partition, Put, Remove
from mock_server.model.tenants import may_meet, parents_in
from mock_server.model.world import World
from mock_server.openapi.values import Json, Violation
from mock_server.openapi.wording import shown


def broken_constraint(
    world: World, resource: Resource, scope: tuple[str, ...], value: dict[str, Json], *, key: str | None
) -> Problem | None:
    """The first constraint that storing a value under a key would break, as a problem."""
    for names in resource.unique:
        wanted = [value.get(name) for name in names]
        if any(entry is None or isinstance(entry, Hole) for entry in wanted):
            continue
        for entry in _with_likely(world.collection(resource, scope), names, wanted):
            if entry.key != key and [entry.value.get(name) for name in names] == wanted:
                listed = " and ".join(f"{name} {value[name]!r}" for name in names)
                violation = Violation(
                    "body",
                    f"/{names[0]}",
                    "unique",
                    value[names[0]],
                    "a value not in use",
                    f"{listed} is in use",
                )
                return Problem(Kind.CONFLICT, f"{resource.name} {entry.key!r} has {listed} already", (violation,))
    for reference in resource.references:
        if not reference.required:
            continue
        for pointer, held in _held(reference, value):
            if not _exists(world, resource, scope, reference, held):
                message = f"names none of the {reference.resource}, got {shown(held)}"
                expected = f"the key of one of the {reference.resource}"
                violation = Violation("body", pointer, "reference", held, expected, message)
                return Problem(Kind.INVALID, f"{reference.property} {message}", (violation,))
    return None


def _with_likely(collection: Collection, names: tuple[str, ...], values: list[Json]) -> Iterable[Entry]:
    """At least the entries that have these values, found by the first that an index may be asked for."""
    at = next((at for at, value in enumerate(values) if isinstance(value, str)), 0)
    return likely(collection, (names[at],), values[at])


def _held(reference: Reference, value: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The keys that a property holds, one or a list of them, with their pointers."""
    held = value.get(reference.property)
    if isinstance(held, list):
        yield from ((f"/{reference.property}/{at}", key) for at, key in enumerate(held) if not isinstance(key, Hole))
    elif held is not None and not isinstance(held, Hole):
        yield f"/{reference.property}", held


def _exists(world: World, resource: Resource, scope: tuple[str, ...], reference: Reference, key: Json) -> bool:
    target = world.model.resource(reference.resource)
    if target is None or target.open_world:
        return True
    above = None if target.parents else ()
    return any(key_text(key) in held for _, held in _partitions(world, resource, scope, target, above))


def cascade(world: World, resource: Resource, scope: tuple[str, ...], key: str) -> tuple[Change, ...] | Problem:
    """What else goes when an item goes: what is nested below it, and what refers to it as its reference
    says."""
    changes: list[Change] = []
    for partition, collection in _below(world, resource, scope, key):
        changes += [Remove(partition, entry.key) for entry in collection]
    for other, reference in world.model.referrers(resource):
        for partition, collection in _partitions(world, resource, scope, other, None if other.parents else ()):
            for entry in likely(collection, (reference.property,), key) if reference.on_delete != "ignore" else ():
                if not any(key_text(held) == key for _, held in _held(reference, entry.value)):
                    continue
                if reference.on_delete == "restrict":
                    return Problem(Kind.CONFLICT, f"{other.name} {entry.key!r} still refers to {resource.name} {key!r}")
                changes.append(_released(partition, entry.key, entry.value, reference, key))
    return tuple(changes)


def _below(
    world: World, resource: Resource, scope: tuple[str, ...], key: str
) -> Iterator[tuple[Partition, Collection]]:
    """What is kept below an item, at any depth."""
    keys = (*parents_in(resource, scope), key)
    for name in world.model.resource_facts(resource).nested:
        nested = world.model.resource(name.removeprefix(world.model.namespace + "/"))
        if nested is None:
            yield from ((part, held) for part, held in world.state.partitions(name) if part.scope[: len(keys)] == keys)
            continue
        exactly = keys if len(nested.parents) == len(keys) else None
        for partition, collection in _partitions(world, resource, scope, nested, exactly):
            if parents_in(nested, partition.scope)[: len(keys)] == keys:
                yield partition, collection


def _partitions(
    world: World, resource: Resource, scope: tuple[str, ...], other: Resource, above: tuple[str, ...] | None
) -> Iterator[tuple[Partition, Collection]]:
    """The partitions of another resource whose items may know of those in a scope; ``above`` are their parents' keys.

    Where it follows from that which partition it is, no other is looked at.
    """
    own, others = resource.tenancy, other.tenancy
    if above is not None and (others is None or (own is not None and own.value.source == others.value.source)):
        partition = Partition(other.qualified, above if others is None else (scope[0], *above))
        collection = world.state.collection(partition)
        found: Iterable[tuple[Partition, Collection]] = [] if collection is None else [(partition, collection)]
    else:
        found = world.state.partitions(other.qualified)
    yield from ((part, held) for part, held in found if may_meet(resource, scope, other, part.scope))


def _released(partition: Partition, key: str, value: Json, reference: Reference, gone: str) -> Change:
    """What becomes of an item that refers to one that goes: it goes too, or names it no more."""
    if reference.on_delete == "cascade":
        return Remove(partition, key)
    held = value[reference.property]
    rest = [other for other in held if key_text(other) != gone] if isinstance(held, list) else None
    return Put(partition, key, {**value, reference.property: rest})

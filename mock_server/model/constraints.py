"""What must hold between resources: unique members, references that lead somewhere."""

from __future__ import annotations

from mock_server.model.meaning import Reference, Resource
from mock_server.model.outcome import Hole, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import Change, Partition, Put, Remove
from mock_server.model.world import World
from mock_server.openapi.values import Json, Violation


def broken_constraint(
    world: World, resource: Resource, scope: tuple[str, ...], value: dict[str, Json], *, key: str | None
) -> Problem | None:
    """The first constraint that storing a value under a key would break, as a problem."""
    for names in resource.unique:
        wanted = [value.get(name) for name in names]
        if any(entry is None or isinstance(entry, Hole) for entry in wanted):
            continue
        for entry in world.collection(resource, scope):
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
        held = value.get(reference.property)
        if (
            reference.required
            and held is not None
            and not isinstance(held, Hole)
            and not _exists(world, reference, held)
        ):
            message = f"names a {reference.resource} that does not exist"
            violation = Violation(
                "body",
                f"/{reference.property}",
                "reference",
                held,
                f"the key of a {reference.resource}",
                message,
            )
            return Problem(Kind.INVALID, f"{reference.property} {message}", (violation,))
    return None


def _exists(world: World, reference: Reference, key: Json) -> bool:
    target = world.model.resource(reference.resource)
    if target is None or target.open_world:
        return True
    return any(key_text(key) in collection for _, collection in world.state.partitions(target.qualified))


def cascade(world: World, resource: Resource, scope: tuple[str, ...], key: str) -> tuple[Change, ...] | Problem:
    """What else goes when an item goes: what is nested below it, and what refers to it as its reference
    says."""
    changes: list[Change] = []
    for name in world.model.resource_facts(resource).nested:
        for partition, collection in world.state.partitions(name):
            if partition.scope[: len(scope) + 1] == (*scope, key):
                changes += [Remove(partition, entry.key) for entry in collection]
    for other, reference in world.model.referrers(resource):
        for partition, collection in world.state.partitions(other.qualified):
            for entry in collection:
                if key_text(entry.value.get(reference.property)) != key or reference.on_delete == "ignore":
                    continue
                if reference.on_delete == "restrict":
                    return Problem(Kind.CONFLICT, f"{other.name} {entry.key!r} still refers to {resource.name} {key!r}")
                changes.append(_released(partition, entry.key, entry.value, reference))
    return tuple(changes)


def _released(partition: Partition, key: str, value: Json, reference: Reference) -> Change:
    if reference.on_delete == "cascade":
        return Remove(partition, key)
    return Put(partition, key, {**value, reference.property: None})

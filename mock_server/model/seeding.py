"""The initial state: resources from a seed file, checked against the schemas they will be read by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mock_server.errors import FixtureError, Place, did_you_mean
from mock_server.model.collection import Collection
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.state import Change, Fill, Partition, State, commit
from mock_server.openapi import pointers
from mock_server.openapi.values import Direction, Json, Violation

Locate = Callable[[str], Place]


def find_resource(models: Iterable[Model], name: str) -> tuple[Model, Resource] | None:
    """The resource of a name in the first model that has it."""
    for model in models:
        resource = model.resource(name)
        if resource is not None:
            return model, resource
    return None


def seeded(state: State, models: Sequence[Model], resources: Mapping[str, Json], locate: Locate) -> State:
    """The state with a seed's resources in it.

    A resource's value is a list of items, or for a nested one a list of ``{scope: [parent keys], items: […]}``, or
    for a thing without a key the item itself. Raises ``FixtureError`` for an unknown resource or an invalid item.
    """
    changes: list[Change] = []
    for name, value in resources.items():
        pointer = pointers.join("/resources", name)
        found = find_resource(models, name)
        if found is None:
            known = [known for model in models for known in model.resource_names()]
            raise FixtureError(
                f"no resource is called {name!r}",
                place=locate(pointer),
                allowed=", ".join(sorted(set(known))),
                hint=did_you_mean(name, known),
            )
        model, resource = found
        for scope, items, place in _scopes(value, resource, pointer, locate):
            partition = Partition(resource.qualified, scope)
            changes.append(Fill(partition, Collection.of(_items(model, resource, items, place, locate))))
    return commit(state, changes)


def _scopes(
    value: Json, resource: Resource, pointer: str, locate: Locate
) -> Iterable[tuple[tuple[str, ...], Sequence[Json], str]]:
    if resource.singleton and not resource.parents and isinstance(value, dict):
        return [((), [value], pointer)]
    if not isinstance(value, list):
        raise FixtureError("a resource's seed is a list of items", place=locate(pointer), got=value)
    if not resource.parents:
        return [((), value, pointer)]
    found = []
    for index, entry in enumerate(value):
        place = pointers.join(pointer, index)
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("scope"), list)
            or not isinstance(entry.get("items"), list)
        ):
            names = ", ".join(parent.parameter for parent in resource.parents)
            raise FixtureError(
                "a nested resource is seeded by scope", place=locate(place), got=entry,
                allowed=f"{{scope: [{names}], items: [...]}}",
            )  # fmt: skip
        found.append((tuple(key_text(key) for key in entry["scope"]), entry["items"], place + "/items"))
    return found


def _items(
    model: Model, resource: Resource, items: Sequence[Json], pointer: str, locate: Locate
) -> Iterable[tuple[str, Json]]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        place = pointers.join(pointer, index)
        key = item_key(resource, item) if not resource.singleton else ""
        if key is None:
            raise FixtureError(
                f"an item of {resource.name} has its key {resource.key!r}", place=locate(place), got=item
            )
        if key in seen:
            raise FixtureError("two items have the same key", place=locate(place), got=key)
        seen.add(key)
        violations = stored_violations(model, resource, item)
        if violations:
            first = violations[0]
            raise FixtureError(
                f"this item of {resource.name} breaks its schema: {first.message}",
                place=locate(place + first.pointer),
                got=first.got,
                allowed=str(first.expected) if first.expected is not None else None,
            )
        yield key, item


def item_key(resource: Resource, item: Json) -> str | None:
    """The key inside an item, or under ``$key`` for a resource whose representation has none."""
    name = resource.key or "$key"
    return key_text(item[name]) if isinstance(item, dict) and name in item else None


def stored_violations(model: Model, resource: Resource, item: Json) -> tuple[Violation, ...]:
    """How a stored item would break the schema that describes it."""
    if resource.schema is None:
        return ()
    if resource.stored_whole:
        return resource.schema.violations(item, Direction.RESPONSE, where="body")
    return model.item_violations(resource, item) if isinstance(item, dict) else ()

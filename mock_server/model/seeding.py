"""The initial state: resources from a seed file, checked against the schemas they will be read by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mock_server.dataclass import dataclass
from mock_server.errors import FixtureError, Place, did_you_mean
from mock_server.model.collection import Collection
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.owners import Numbered, by_tenant, parents_tenants
from mock_server.model.state import EMPTY_COLLECTION, Change, Fill, Partition, State, commit
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


def seeded(
    state: State,
    models: Sequence[Model],
    resources: Mapping[str, Json],
    locate: Locate,
    *,
    tenant: str | None = None,
) -> State:
    """The state with a seed's resources in it.

    A resource's value is a list of items, or for a nested one a list of ``{scope: [parent keys], items: […]}``, or
    for a thing without a key the item itself. Where each tenant has its own, the items say whose they are
    (``owners.by_tenant``), or an entry by scope does with ``tenant``, or they are the parent's, or ``tenant``'s.
    Raises ``FixtureError`` for an unknown resource or an invalid item.
    """
    chosen: list[tuple[Model, Resource, Json, str]] = []
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
        chosen.append((*found, value, pointer))
    for model, resource, value, pointer in sorted(chosen, key=lambda each: len(each[1].parents)):  # parents first
        changes: list[Change] = []
        for group in _groups(value, resource, pointer, locate):
            named = tenant if group.tenant is None else group.tenant
            for scope, items in _by_scope(state, model, resource, group, named, locate):
                filled = Collection.of(_items(model, resource, items, group.pointer, locate))
                changes.append(Fill(Partition(resource.qualified, scope), filled))
        state = commit(state, (*_emptied(state, resource, tenant), *changes))
    return state


@dataclass(frozen=True, slots=True)
class _Group:
    """Items that were written as one list: below which parents, whose, and where."""

    keys: tuple[str, ...]
    tenant: str | None
    items: Sequence[Json]
    pointer: str


def _by_scope(
    state: State, model: Model, resource: Resource, group: _Group, tenant: str | None, locate: Locate
) -> Iterable[tuple[tuple[str, ...], Iterable[Numbered]]]:
    """The items of a group by the scope of the partition that each belongs in."""
    if resource.tenancy is None:
        return [(group.keys, enumerate(group.items))]
    if tenant is None and group.keys:
        tenants = parents_tenants(state, model, resource, group.keys)
        if len(tenants) > 1:
            raise FixtureError("several tenants have a parent of this key", place=locate(group.pointer),
                               got=list(group.keys), allowed=f"tenant: one of {', '.join(tenants)}")  # fmt: skip
        tenant = tenants[0] if tenants else None
    found = by_tenant(resource, group.items, tenant, group.pointer, locate)
    return [((owner, *group.keys), items) for owner, items in found.items()]


def _emptied(state: State, resource: Resource, tenant: str | None) -> Iterable[Change]:
    """What a list of every tenant's items takes the place of, beyond the partitions that it fills."""
    if resource.tenancy is None or resource.parents:
        return
    for partition, _ in state.partitions(resource.qualified):
        if tenant is None or partition.scope[0] == tenant:
            yield Fill(partition, EMPTY_COLLECTION)


def _groups(value: Json, resource: Resource, pointer: str, locate: Locate) -> Iterable[_Group]:
    if resource.singleton and not resource.parents and isinstance(value, dict):
        return [_Group((), None, [value], pointer)]
    if not isinstance(value, list):
        raise FixtureError("a resource's seed is a list of items", place=locate(pointer), got=value)
    if not resource.parents:
        return [_Group((), None, value, pointer)]
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
        keys, tenant = tuple(key_text(key) for key in entry["scope"]), entry.get("tenant")
        found.append(_Group(keys, key_text(tenant) if tenant is not None else None, entry["items"], place + "/items"))
    return found


def _items(
    model: Model, resource: Resource, items: Iterable[Numbered], pointer: str, locate: Locate
) -> Iterable[tuple[str, Json]]:
    seen: set[str] = set()
    for index, item in items:
        key = item_key(resource, item) if not resource.singleton else ""
        if key is None:
            raise FixtureError(
                f"an item of {resource.name} has its key {resource.key!r}",
                place=locate(pointers.join(pointer, index)),
                got=item,
            )
        if key in seen:
            raise FixtureError("two items have the same key", place=locate(pointers.join(pointer, index)), got=key)
        seen.add(key)
        violations = stored_violations(model, resource, item)
        if violations:
            place = pointers.join(pointer, index)
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

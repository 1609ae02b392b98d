"""Whose the items of a seed are, where each tenant has its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mock_server.errors import FixtureError, Place
from mock_server.model.facts import repeated_tenant
from mock_server.model.inference.structure import collections_above
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.state import State
from mock_server.model.tenants import TENANT, holders
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

Locate = Callable[[str], Place]

Numbered = tuple[int, Json]
"""An item with its place in the list that it was written in."""


def by_tenant(
    resource: Resource, items: Sequence[Json], owner: str | None, pointer: str, locate: Locate
) -> dict[str, list[Numbered]]:
    """The items by their tenants, as they are stored.

    An item names its tenant by the property that repeats it, or by ``$tenant``; ``owner`` is whose those are that do
    not. Raises ``FixtureError`` for an item that is nobody's, or that names two.
    """
    found: dict[str, list[Numbered]] = {}
    for index, item in enumerate(items):
        place = pointers.join(pointer, index)
        named = named_tenant(resource, item, place, locate)
        tenant = owner if named is None else named
        if tenant is None:
            raise FixtureError(
                f"an item of {resource.name} says whose it is", place=locate(place), got=item, allowed=_ways(resource),
                hint=f'{TENANT}: "" makes it nobody\'s, for callers without a tenant',
            )  # fmt: skip
        if owner is not None and tenant != owner:
            raise FixtureError(f"this item of {resource.name} is put among those of another tenant",
                               place=locate(place), got=tenant, allowed=owner)  # fmt: skip
        found.setdefault(tenant, []).append((index, stored(resource, item, tenant)))
    return found


def named_tenant(resource: Resource, item: Json, pointer: str, locate: Locate) -> str | None:
    """The tenant that an item names, None when it names none."""
    if not isinstance(item, dict) or resource.tenancy is None:
        return None
    member = resource.tenancy.property
    told = {name: _text(item[name]) for name in (TENANT, member) if name is not None and name in item}
    if len(set(told.values())) > 1:
        raise FixtureError(f"this item of {resource.name} names two tenants", place=locate(f"{pointer}/{TENANT}"),
                           got=told[TENANT], allowed=f"{told[str(member)]}, as its {member} says")  # fmt: skip
    return next(iter(told.values()), None)


def stored(resource: Resource, item: Json, tenant: str) -> Json:
    """An item as it is stored: without ``$tenant``, with the property that repeats the tenant."""
    if not isinstance(item, dict):
        return item
    kept = {name: member for name, member in item.items() if name != TENANT}
    more = {name: member for name, member in repeated_tenant(resource, (tenant,)).items() if name not in kept}
    return {**kept, **more}


def shown(resource: Resource, item: Json, tenant: str) -> Json:
    """A stored item so that it says whose it is."""
    member = resource.tenancy.property if resource.tenancy is not None else None
    if not isinstance(item, dict) or (member in item and _text(item[member]) == tenant):
        return item
    return {TENANT: tenant, **item}


def parents_tenants(state: State, model: Model, resource: Resource, keys: tuple[str, ...]) -> list[str]:
    """The tenants that have the nearest known parent of what is kept below some keys."""
    shape = model.shape_of(resource)
    if shape is None:
        return []
    above = list(enumerate(collections_above(shape)))[: len(keys)]
    for depth, collection in reversed(above):
        owner = model.resource_at(collection)
        if owner is None or owner.tenancy is None:
            continue
        tenants = holders(state, owner, keys[:depth][: len(owner.parents)], keys[depth])
        if tenants:
            return tenants
    return []


def _text(value: Json) -> str:
    return "" if value is None else key_text(value)


def _ways(resource: Resource) -> str:
    member = resource.tenancy.property if resource.tenancy is not None else None
    return f"a member {member}, or {TENANT}" if member is not None else f"a member {TENANT}"

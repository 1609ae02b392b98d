"""Items that nobody created: what stands for a thing in an API where no operation creates it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TypeAlias
from zlib import crc32

from mock_server.model.anatomy import flatten, words
from mock_server.model.collection import Collection
from mock_server.model.facts import ResourceFacts, repeated_parents, typed
from mock_server.model.meaning import Resource
from mock_server.model.outcome import Hole, key_text
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Mint, Sampler, Unsampleable

SAMPLED_ITEMS = 3
"""How many items a collection shows that no operation creates."""

_SECRETS = frozenset({("secret",), ("token",), ("apikey",), ("api", "key"), ("access", "key"), ("private", "key")})

Draw: TypeAlias = Callable[[int, datetime], Json]

_KEPT_COLLECTIONS = 10_000
_KEPT_ITEMS = 1000


class Samples:
    """The sampled items of one API, the same ones each time for the same seed. ``epoch`` is when they are
    from."""

    def __init__(self, *, seed: int, epoch: datetime) -> None:
        self._seed = seed
        self._epoch = epoch
        self._collections: dict[tuple[str, tuple[str, ...]], Collection] = {}
        self._made: dict[tuple[str, tuple[str, ...], str], Json] = {}
        self._items: dict[str, Sampler] = {}
        self._members: dict[tuple[str, str], Sampler] = {}
        self._mints: dict[tuple[str, str], Draw] = {}

    def collection(self, resource: Resource, facts: ResourceFacts, scope: tuple[str, ...]) -> Collection:
        """The items that stand for a collection which no operation fills."""
        found = self._collections.get((resource.qualified, scope))
        if found is None:
            if len(self._collections) >= _KEPT_COLLECTIONS:
                self._collections.clear()
            found = Collection.of(self._listed(resource, facts, scope))
            self._collections[(resource.qualified, scope)] = found
        return found

    def _listed(self, resource: Resource, facts: ResourceFacts, scope: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
        if resource.singleton or resource.schema is None:
            return
        # Tenants do not share keys, as nothing that one of them made would be another's.
        seed = self._seed + (crc32(scope[0].encode()) if resource.tenancy is not None else 0)
        for ordinal in range(SAMPLED_ITEMS):
            key = key_text(facts.mint.strike(ordinal, seed=seed, now=self._epoch))
            yield key, self.item(resource, scope, key)

    def item(self, resource: Resource, scope: tuple[str, ...], key: str) -> Json:
        """The item that stands for a key; its own key and its parents' keys are the right ones."""
        place = (resource.qualified, scope, key)
        if place not in self._made:
            if len(self._made) >= _KEPT_ITEMS:
                self._made.clear()
            self._made[place] = self._item(resource, scope, key)
        return self._made[place]

    def _item(self, resource: Resource, scope: tuple[str, ...], key: str) -> Json:
        if resource.schema is None:
            return {}
        number = self._seed + crc32("/".join((*scope, key)).encode())
        try:
            sampled = self._item_sampler(resource).sample(
                seed=number, now=self._epoch, name=resource.anatomy.name or resource.name, variant=number % 7
            )
        except Unsampleable:
            return {}
        if not isinstance(sampled, dict):
            return {}
        own = {resource.key: typed(resource, resource.key, key)} if resource.key is not None else {}
        return {**sampled, **own, **repeated_parents(resource, scope)}

    def hole(self, resource: Resource, name: str) -> Hole:
        """A hole for a member that the server fills with anything valid; with what was never there, for secrets."""
        counter = f"{resource.qualified}#made"
        if name in resource.fresh or _is_secret(resource, name):
            return Hole("sample", name, {}, counter=counter, draw=self._member_mint(resource, name))
        sampler = self._member_sampler(resource, name)
        return Hole("sample", name, {}, counter=counter, draw=partial(_draw, sampler, name))

    def _item_sampler(self, resource: Resource) -> Sampler:
        found = self._items.get(resource.qualified)
        if found is None:
            found = self._items[resource.qualified] = Sampler(item_bundle(resource))
        return found

    def _member_sampler(self, resource: Resource, name: str) -> Sampler:
        found = self._members.get((resource.qualified, name))
        if found is None:
            found = self._members[(resource.qualified, name)] = Sampler(_member_bundle(resource, name))
        return found

    def _member_mint(self, resource: Resource, name: str) -> Draw:
        found = self._mints.get((resource.qualified, name))
        if found is None:
            mint = Mint(_member_bundle(resource, name), name=name)
            found = self._mints[(resource.qualified, name)] = partial(_struck, mint, self._seed)
        return found


def item_bundle(resource: Resource) -> dict[str, Json]:
    """The schema of a resource's items with all it refers to."""
    if isinstance(resource.item, dict):
        return resource.item
    return resource.schema.bundle(Direction.RESPONSE) if resource.schema is not None else {}


def _member_bundle(resource: Resource, name: str) -> Json:
    """The schema of a member with all it refers to."""
    bundle = item_bundle(resource)
    shared = {key: bundle[key] for key in ("$schema", "$defs", "definitions") if key in bundle}
    member = (flatten(bundle, bundle).get("properties") or {}).get(name, {})
    return {**shared, **member} if isinstance(member, dict) else member


def _is_secret(resource: Resource, name: str) -> bool:
    """Whether a member goes by the name of something that only one item may have."""
    member = resource.anatomy.members.get(name)
    if member is None or "string" not in member.types or not {"enum", "const"}.isdisjoint(member.schema):
        return False
    return words(name)[-1:] in _SECRETS or words(name)[-2:] in _SECRETS


def _struck(mint: Mint, seed: int, number: int, now: datetime) -> Json:
    return mint.strike(number, seed=seed, now=now)


def _draw(sampler: Sampler, name: str, seed: int, now: datetime) -> Json:
    return sampler.sample(seed=seed, now=now, name=name)

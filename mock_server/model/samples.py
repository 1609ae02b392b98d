"""Items that nobody created: what stands for a thing in an API where no operation creates it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from zlib import crc32

from mock_server.model.anatomy import flatten
from mock_server.model.collection import Collection
from mock_server.model.facts import ResourceFacts, repeated_parents, typed
from mock_server.model.meaning import Resource
from mock_server.model.outcome import Hole, key_text
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable

SAMPLED_ITEMS = 3
"""How many items a collection shows that no operation creates."""

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
        for ordinal in range(SAMPLED_ITEMS):
            key = key_text(facts.mint.strike(ordinal, seed=self._seed, now=self._epoch))
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
        """A hole for a member that the server fills with anything valid."""
        sampler = self._member_sampler(resource, name)
        return Hole("sample", name, {}, counter=f"{resource.qualified}#made", draw=partial(_draw, sampler, name))

    def _item_sampler(self, resource: Resource) -> Sampler:
        found = self._items.get(resource.qualified)
        if found is None:
            found = self._items[resource.qualified] = Sampler(item_bundle(resource))
        return found

    def _member_sampler(self, resource: Resource, name: str) -> Sampler:
        found = self._members.get((resource.qualified, name))
        if found is None:
            bundle = item_bundle(resource)
            shared = {key: bundle[key] for key in ("$schema", "$defs", "definitions") if key in bundle}
            member = (flatten(bundle, bundle).get("properties") or {}).get(name, {})
            schema = {**shared, **member} if isinstance(member, dict) else member
            found = self._members[(resource.qualified, name)] = Sampler(schema)
        return found


def item_bundle(resource: Resource) -> dict[str, Json]:
    """The schema of a resource's items with all it refers to."""
    if isinstance(resource.item, dict):
        return resource.item
    return resource.schema.bundle(Direction.RESPONSE) if resource.schema is not None else {}


def _draw(sampler: Sampler, name: str, seed: int, now: datetime) -> Json:
    return sampler.sample(seed=seed, now=now, name=name)

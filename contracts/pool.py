"""What is known to exist: items that a service has shown, and those it has said are gone.

Requests are drawn from here: keys for paths, references for bodies. It remembers what was observed, and predicts
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.roster import behaviour_of
from contracts.service import NOT_JSON, Recorded
from mock_server.dataclass import dataclass
from mock_server.model.facts import typed
from mock_server.model.filters import value_at
from mock_server.model.meaning import OWN_KEY, Meaning, Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.state import Partition, Put, Remove, State, commit
from mock_server.model.tenants import tenant_in
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is known: where it is, its key as text, and how it was last shown (None: never)."""

    resource: Resource
    scope: tuple[str, ...]
    key: str
    value: Json

    @property
    def parents(self) -> tuple[str, ...]:
        """The keys of its parents, outermost first."""
        return self.scope[-len(self.resource.parents) :] if self.resource.parents else ()

    @property
    def tenant(self) -> str:
        """Whose it is, "" where it is nobody's in particular."""
        return tenant_in(self.resource, self.scope) or ""

    @property
    def typed_key(self) -> Json:
        """Its key as its own property holds it: 7 where that is a number."""
        return typed(self.resource, self.resource.key, self.key) if self.resource.key is not None else self.key


class Pool:
    """The items of one attempt. ``state`` has those that exist, as the model keeps them; it can be put in place."""

    def __init__(self, model: Model, *, state: State | None = None) -> None:
        self.model = model
        self.state = state if state is not None else State()
        self._gone: dict[str, list[Item]] = {}
        self._above: Pool | None = None

    def copy(self, *, telling: bool = False) -> Pool:
        """A pool that knows the same and learns by itself; ``telling`` this one of what is gone for good."""
        copied = Pool(self.model, state=self.state)
        copied._gone = {name: list(items) for name, items in self._gone.items()}
        copied._above = self if telling else None
        return copied

    def items(self, resource: Resource, *, tenant: str | None = None) -> list[Item]:
        """The items of a resource, oldest first; as a tenant sees them, where one is given.

        Those are its own and everybody's; of tenants all but itself are left out.
        """
        found: list[Item] = []
        for partition, collection in self.state.partitions(resource.qualified):
            if tenant is None or tenant_in(resource, partition.scope) in {None, "", tenant}:
                found += [Item(resource, partition.scope, entry.key, entry.value) for entry in collection]
        itself = [item for item in found if item.key == tenant]
        return itself or found

    def gone(self, resource: Resource) -> list[Item]:
        """The items of a resource that were deleted."""
        return self._gone.get(resource.qualified, [])

    def get(self, resource: Resource, scope: tuple[str, ...], key: str) -> Item | None:
        """One item, None when it is not known."""
        collection = self.state.collection(Partition(resource.qualified, scope))
        entry = collection.get(key) if collection is not None else None
        return Item(resource, scope, key, entry.value) if entry is not None else None

    def bury(self, item: Item) -> None:
        """Remembers that an item is gone."""
        self.state = commit(self.state, [Remove(Partition(item.resource.qualified, item.scope), item.key)])
        self._gone.setdefault(item.resource.qualified, []).append(item)
        if self._above is not None:
            self._above.bury(item)

    def add(self, item: Item) -> None:
        """Remembers an item as it was shown."""
        self.state = commit(self.state, [Put(Partition(item.resource.qualified, item.scope), item.key, item.value)])

    # Learning from exchanges

    def observe(self, recorded: Recorded, path: Mapping[str, Json]) -> tuple[Item, ...]:
        """What a success tells of items: those that it shows, now known, or the one that it deleted.

        ``path`` are the values of the operation's path parameters.
        """
        if recorded.operation_id is None or not recorded.ok:
            return ()
        meaning = self.model.meaning(recorded.operation_id)
        resource = meaning.resource
        behaviour = behaviour_of(meaning, self.model)
        if resource is None or behaviour in {"sample", "compute"}:
            return ()
        scope = self._scope(meaning, resource, recorded, path)
        if behaviour == "delete":
            key = key_text(path.get(meaning.key_parameter or "", ""))
            found = self.get(resource, scope, key) or Item(resource, scope, key, None)
            self.bury(found)
            return (found,)
        return tuple(self._shown(meaning, resource, scope, recorded, path))

    def _shown(
        self, meaning: Meaning, resource: Resource, scope: tuple[str, ...], recorded: Recorded, path: Mapping[str, Json]
    ) -> Iterator[Item]:
        if self.model.facts(meaning).narrowing:
            return  # a view does not say where what it shows is kept
        body = recorded.json
        shown: Any = value_at(body, meaning.envelope.path) if body is not NOT_JSON else None
        several = shown if isinstance(shown, list) else [shown]
        for value in several:
            key = self._key(meaning, resource, value, path if value is shown else {})
            if key is None:
                continue
            known = self.get(resource, scope, key)
            old = known.value if known is not None and isinstance(known.value, dict) else {}
            complete = {**old, **value} if isinstance(value, dict) and isinstance(shown, list) else value
            item = Item(resource, scope, key, complete if complete is not None else old)
            self.add(item)
            yield item

    def _key(self, meaning: Meaning, resource: Resource, value: Json, path: Mapping[str, Json]) -> str | None:
        if resource.singleton:
            return ""
        if meaning.key_parameter is not None and meaning.key_parameter in path:
            return key_text(path[meaning.key_parameter])
        if isinstance(value, dict) and value.get(resource.key or OWN_KEY) is not None:
            return key_text(value[resource.key or OWN_KEY])
        return None

    def _scope(
        self, meaning: Meaning, resource: Resource, recorded: Recorded, path: Mapping[str, Json]
    ) -> tuple[str, ...]:
        parents = tuple(key_text(path[name]) for name in self.model.facts(meaning).scope if name in path)
        tenant = (recorded.caller.tenant if recorded.caller is not None else None) or ""
        return (tenant, *parents) if resource.tenancy is not None else parents

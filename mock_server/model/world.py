"""Everything a behaviour may look at besides the call: the state, the model, the time, and which seed samples
use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from mock_server.model.call import Call
from mock_server.model.clock import moments
from mock_server.model.collection import Collection, Entry
from mock_server.model.meaning import Meaning, Resource, SoftDelete, Tenancy
from mock_server.model.outcome import key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import EMPTY_COLLECTION, Change, Fill, Partition, State
from mock_server.model.tenants import holders, tenant_of
from mock_server.openapi.expressions import Context
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model


@quick(frozen=True, slots=True)
class World:
    """One moment of one universe. ``tables`` are the data a pack's computed answers work with."""

    model: Model
    state: State
    now: datetime
    tables: Mapping[str, Json] = field(default_factory=dict)

    def tenant(self, call: Call, *, tenancy: Tenancy | None = None) -> str:
        """Whose data a call is about, by the operation's own rule, else a resource's, else the description's; "" where
        nobody's in particular."""
        meaning = self.model.meaning(call.operation_id)
        rule = meaning.tenancy or tenancy or self.model.annotations.tenants.default
        tenant = tenant_of(rule, call, lambda: self.context(call))
        return self._holder(meaning, call, tenant) if meaning.among_all else tenant

    def _holder(self, meaning: Meaning, call: Call, tenant: str) -> str:
        """Who has the item that a call's path leads through or names; ``tenant`` if it has, or if nobody has."""
        named = [(each.resource, each.scope, each.key) for each in self.model.facts(meaning).ancestors]
        if meaning.resource is not None and meaning.key_parameter is not None:
            named.append((meaning.resource, self.model.facts(meaning).scope, meaning.key_parameter))
        for resource, above, parameter in named:
            if resource.tenancy is not None and parameter in call.path:
                keys = tuple([key_text(call.path[name]) for name in above])
                found = holders(self.state, resource, keys, key_text(call.path[parameter]))
                if found:
                    return tenant if tenant in found else found[0]
        return tenant

    def placed(self, resource: Resource, parents: tuple[str, ...], *, tenant: str) -> tuple[str, ...]:
        """The scope of a resource's partition for a tenant and the parents' keys, outermost first."""
        return (tenant, *parents) if resource.tenancy is not None else parents

    def collection(self, resource: Resource, scope: tuple[str, ...]) -> Collection:
        """A resource's items in one scope; for things that nobody creates, the samples that stand for
        them."""
        stored = self.state.collection(Partition(resource.qualified, scope))
        if stored is not None:
            return stored
        return self.sampled(resource, scope) if resource.open_world else EMPTY_COLLECTION

    def entry(self, resource: Resource, scope: tuple[str, ...], key: str) -> Entry | None:
        """One item, None when there is none. Where any key is taken to exist, it is sampled from its key."""
        found = self.collection(resource, scope).get(key)
        if found is None and resource.open_world and not self.is_gone(resource, scope, key):
            return Entry(key, 0, self.model.samples.item(resource, scope, key), 0)
        if found is not None and resource.soft_delete is not None and resource.soft_delete.hidden:
            return None if is_soft_deleted(resource, found.value) else found
        return found

    def sampled(self, resource: Resource, scope: tuple[str, ...]) -> Collection:
        """The samples that stand for a collection which no operation fills."""
        return self.model.samples.collection(resource, self.model.resource_facts(resource), scope)

    def exists(self, resource: Resource, scope: tuple[str, ...], key: str) -> bool:
        """Whether there is such an item, without making a sample of one that is only taken to exist."""
        stored = self.state.collection(Partition(resource.qualified, scope))
        if resource.open_world and (stored is None or key not in stored):
            return not self.is_gone(resource, scope, key)
        return self.entry(resource, scope, key) is not None

    def is_gone(self, resource: Resource, scope: tuple[str, ...], key: str) -> bool:
        """Whether an item that was taken to exist has been deleted."""
        gone = self.state.collection(Partition(f"{resource.qualified}~gone", scope))
        return gone is not None and key in gone

    def settle(self, resource: Resource, scope: tuple[str, ...]) -> tuple[Change, ...]:
        """What must be stored before the first write to a scope whose items are samples so far."""
        partition = Partition(resource.qualified, scope)
        if not resource.open_world or resource.singleton or self.state.collection(partition) is not None:
            return ()
        return (Fill(partition, self.sampled(resource, scope)),)

    def context(self, call: Call, *, resource: Json = None) -> Context:
        """The context of runtime expressions in annotations: ``$resource``, ``$principal``, ``$now``."""
        bindings: dict[str, Json] = {**moments(self.now)}
        if resource is not None:
            bindings["resource"] = resource
        if call.principal is not None:
            bindings["principal"] = call.principal.as_json()
        return call.context(bindings)


def is_soft_deleted(resource: Resource, value: Json) -> bool:
    """Whether an item carries the marks that its resource's delete sets."""
    return resource.soft_delete is not None and bears(deletion_marks(resource.soft_delete), value)


def deletion_marks(soft: SoftDelete) -> tuple[tuple[str, Json], ...]:
    """The members that a soft delete sets, None for a value that is another each time."""
    context = Context(bindings={"now": None})
    return tuple((name, template.evaluate(context)) for name, template in soft.set.items())


def bears(marks: tuple[tuple[str, Json], ...], value: Json) -> bool:
    """Whether an item has all of these members with these values, any value where it is None."""
    return isinstance(value, dict) and all(
        value.get(name) == mark if mark is not None else value.get(name) is not None for name, mark in marks
    )


def scope_of(world: World, meaning: Meaning, call: Call) -> tuple[str, ...]:
    """The tenant, where each has its own, and the keys of a call's parents, outermost first, as they index the state.

    A view (``/users/{id}/posts`` for ``/posts``) has path parameters that are not part of its resource's
    scope; those filter instead.
    """
    parameters = world.model.facts(meaning).scope
    keys = tuple([key_text(call.path[name]) for name in parameters]) if parameters else ()
    tenancy = meaning.resource.tenancy if meaning.resource is not None else None
    return keys if tenancy is None else (world.tenant(call, tenancy=tenancy), *keys)


def missing_parent(world: World, meaning: Meaning, call: Call) -> Problem | None:
    """A 404 when an item that the path leads through does not exist."""
    for ancestor in world.model.facts(meaning).ancestors:
        key = key_text(call.path[ancestor.key])
        scope = tuple(key_text(call.path[name]) for name in ancestor.scope)
        tenancy = ancestor.resource.tenancy
        if tenancy is not None:
            scope = (world.tenant(call, tenancy=tenancy), *scope)
        if not world.exists(ancestor.resource, scope, key):
            return Problem(Kind.NOT_FOUND, f"{ancestor.resource.name} {key!r} does not exist")
    return None

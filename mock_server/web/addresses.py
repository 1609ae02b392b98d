"""Where in the state something is that a control request names: by API, resource, parents' keys, key, and tenant."""

from __future__ import annotations

from mock_server.dataclass import dataclass
from mock_server.errors import Place, StateError, did_you_mean
from mock_server.exchange.committing import Committing
from mock_server.exchange.universe import Universe
from mock_server.model.collection import Entry
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.owners import named_tenant, parents_tenants
from mock_server.model.seeding import find_resource
from mock_server.model.state import Partition, State
from mock_server.model.tenants import TENANT, holders, parents_in
from mock_server.model.world import World
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served


@dataclass(frozen=True, slots=True)
class Namespace:
    """What an API's resources are kept in: its own model first, then those of the APIs that share its state."""

    api: str
    models: tuple[Model, ...]
    committing: Committing

    @property
    def prefix(self) -> str:
        """What the names of its resources begin with in the state."""
        return self.models[0].namespace + "/"

    def find(self, name: str) -> tuple[Model, Resource]:
        """The resource of a name; a ``StateError`` when there is none."""
        found = find_resource(self.models, name)
        if found is None:
            known = sorted({known for model in self.models for known in model.resource_names()})
            raise StateError(
                f"{self.api} has no resource {name!r}",
                allowed=", ".join(known),
                hint=did_you_mean(name, known),
            )
        return found


def namespace_of(sandbox: Sandbox, served: Served) -> Namespace:
    """The namespace that an API's resources are in."""
    return Namespace(served.name, tuple(sandbox.siblings(served)), sandbox.committing)


@dataclass(frozen=True, slots=True)
class Address:
    """One item's place: its resource, its parents' keys, and its own key ("" for a thing without one)."""

    model: Model
    resource: Resource
    scope: tuple[str, ...]
    key: str

    @property
    def partition(self) -> Partition:
        return Partition(self.resource.qualified, self.scope)

    def world(self, universe: Universe) -> World:
        return World(self.model, universe.state, universe.clock.now())

    def entry(self, universe: Universe) -> Entry:
        """What is there, softly deleted or not; a ``StateError`` when nothing is."""
        world = self.world(universe)
        stored = world.collection(self.resource, self.scope).get(self.key)
        found = stored if stored is not None else world.entry(self.resource, self.scope, self.key)
        if found is None:
            path = "/".join((*parents_in(self.resource, self.scope), self.key))
            whose = f" of the tenant {self.scope[0]!r}" if self.resource.tenancy is not None else ""
            raise StateError(f"{self.resource.name} has no item {path!r}{whose}")
        return found


def address(
    namespace: Namespace, universe: Universe, name: str, path: str, *, tenant: str | None, value: Json = None
) -> Address:
    """``org-1/task-7`` as scope and key: as many leading parts as the resource has parents.

    Where each tenant has its own, ``tenant`` says whose, or there is only one such item, or the ``value`` to be
    written says it, or its parent does.
    """
    model, resource = namespace.find(name)
    names = [parent.parameter for parent in resource.parents]
    if not resource.singleton:
        names.append(resource.key or "key")
    parts = tuple(path.split("/", max(0, len(names) - 1)))
    if len(parts) != len(names):
        wanted = "/".join(names)
        raise StateError(
            f"{path!r} is no address of an item of {name}",
            allowed=wanted or f"nothing: there is one {name}, which is read and replaced as the resource itself",
        )
    keys, key = (parts, "") if resource.singleton else (parts[:-1], parts[-1])
    check_tenant(resource, tenant)
    if resource.tenancy is None:
        return Address(model, resource, keys, key)
    if tenant is None:
        tenant = _tenant(universe.state, model, resource, keys, key, value)
    return Address(model, resource, (tenant, *keys), key)


def check_tenant(resource: Resource, tenant: str | None) -> None:
    """Refuses to be told the tenant of what all tenants share."""
    if tenant is not None and resource.tenancy is None:
        raise StateError(f"{resource.name} is no tenant's own", got=tenant, hint="leave the tenant parameter out")


def _tenant(state: State, model: Model, resource: Resource, keys: tuple[str, ...], key: str, value: Json) -> str:
    said = named_tenant(resource, value, "", lambda pointer: Place("body", pointer))
    if said is not None:
        return said
    found = holders(state, resource, keys, key) or parents_tenants(state, model, resource, keys)
    if len(found) == 1:
        return found[0]
    path = "/".join((*keys, key))
    if found:
        raise StateError(f"several tenants have an item {path!r} of {resource.name}",
                         allowed=f"tenant={' or '.join(found)} as a query parameter")  # fmt: skip
    if value is None and not resource.open_world:
        raise StateError(f"{resource.name} has no item {path!r}")
    raise StateError(f"an item of {resource.name} is one tenant's", got=path,
                     hint=f"name whose: the query parameter tenant, or {TENANT} in the item")  # fmt: skip

"""Where the items are that a test looks at: a resource's, below some parents, of some tenant; and how that is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType

from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, FixtureError, Place, StateError, did_you_mean
from mock_server.exchange.universe import Universe
from mock_server.model import owners
from mock_server.model.collection import Entry
from mock_server.model.meaning import Parent, Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.state import Partition, State
from mock_server.model.tenants import TENANT, holders, parents_in, tenant_in
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox
from mock_server.web.addresses import Address, Namespace

SHOWN = 5
"""So many keys are named in a message."""


class Absent(StateError, KeyError):
    """State that a test names is not there; a ``KeyError``, too, as mappings raise it."""


@dataclass(frozen=True, slots=True, repr=False)
class Shelf:
    """The items of a resource below ``parents`` (keys, outermost first; maybe not all of them), of one ``tenant`` or,
    with None, of all."""

    sandbox: Sandbox
    universe: Universe
    namespace: Namespace
    model: Model
    resource: Resource
    parents: tuple[str, ...] = ()
    tenant: str | None = None

    @classmethod
    def of(cls, sandbox: Sandbox, universe: Universe, namespace: Namespace, name: str) -> Shelf:
        """All items of a resource; ``Absent`` when there is no such resource."""
        __tracebackhide__ = True
        try:
            model, resource = namespace.find(name)
        except StateError as error:
            raise Absent(error.problem, allowed=error.allowed, hint=error.hint) from None
        return cls(sandbox, universe, namespace, model, resource)

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.resource.name

    @property
    def lacking(self) -> list[str]:
        """What names the parents that are not known yet, for a message."""
        return _named(self.resource.parents[len(self.parents) :])

    def __str__(self) -> str:
        """As a test writes it."""
        of = f".of_tenant({self.tenant!r})" if self.tenant is not None else ""
        below = f".below({', '.join(map(repr, self.parents))})" if self.parents else ""
        return f'api.state["{self.name}"]{of}{below}'

    __repr__ = __str__

    def below(self, keys: tuple[str, ...]) -> Shelf:
        """What is below further parents."""
        names, parents = _named(self.resource.parents), (*self.parents, *keys)
        if len(parents) > len(names):
            allowed = f"below({', '.join(names)})" if names else "nothing: it is not nested"
            raise StateError(f"{self.name} is not nested that deeply", place=self.place(), got="/".join(parents),
                             allowed=allowed)  # fmt: skip
        return replace(self, parents=parents)

    def of_tenant(self, tenant: str) -> Shelf:
        """What one tenant has."""
        if self.resource.tenancy is None:
            raise StateError(f"{self.name} is no tenant's own: all share it", place=self.place(), got=tenant,
                             hint="leave of_tenant out")  # fmt: skip
        return replace(self, tenant=tenant)

    # What is there

    def state(self) -> State:
        """The state, after what is due in it."""
        self.sandbox.committing.catch_up(self.universe, self.universe.clock.now())
        return self.universe.state

    def entries(self, state: State | None = None) -> list[tuple[str, Partition, Entry]]:
        """What is stored, now or in a ``state``, with the keys that it has here."""
        found, resource = [], self.resource
        for partition, collection in (self.state() if state is None else state).partitions(resource.qualified):
            above = parents_in(resource, partition.scope)
            if above[: len(self.parents)] != self.parents:
                continue
            if self.tenant is not None and tenant_in(resource, partition.scope) != self.tenant:
                continue
            rest = above[len(self.parents) :]
            for entry in collection:
                keys = rest if resource.singleton else (*rest, entry.key)
                found.append(("/".join(keys), partition, entry))
        return found

    def keys(self) -> list[str]:
        """The keys of what is stored, each once."""
        return list(dict.fromkeys(key for key, _, _ in self.entries()))

    def entry(self, place: Address) -> Entry:
        """What is at a place, softly deleted or not, or its sample; ``Absent`` when nothing is."""
        world = place.world(self.universe)
        stored = world.collection(place.resource, place.scope).get(place.key)
        found = stored if stored is not None else world.entry(place.resource, place.scope, place.key)
        if found is None:
            parents = parents_in(place.resource, place.scope)[len(self.parents) :]
            raise self._absent(parents if place.resource.singleton else (*parents, place.key))
        return found

    # Where something is

    def address(self, key: str, value: Json = None) -> Address:
        """Where a key leads from here; ``value`` is what is to be written there."""
        names, resource = self.lacking, self.resource
        if not resource.singleton:
            names.append(f"<{resource.key or 'key'}>")
        parts = tuple(key.split("/", max(0, len(names) - 1))) if names or key else ()
        if len(parts) != len(names):
            raise Absent(f"{key!r} is no key of {self.name}",
                         allowed="/".join(names) or f"{self}.value: there is only one")  # fmt: skip
        own = parts if resource.singleton else parts[:-1]
        parents, last = (*self.parents, *own), "" if resource.singleton else parts[-1]
        if resource.tenancy is None:
            return Address(self.model, resource, parents, last)
        return Address(self.model, resource, (self._owner(parents, last, value), *parents), last)

    def scope(self, value: Json) -> tuple[str, ...]:
        """The scope of the partition that a new item goes into."""
        if self.lacking:
            raise StateError(f"an item of {self.name} is kept below a parent",
                             hint=f"say which: .below({', '.join(self.lacking)})")  # fmt: skip
        if self.resource.tenancy is None:
            return self.parents
        return (self._owner(self.parents, None, value), *self.parents)

    def _owner(self, parents: tuple[str, ...], key: str | None, value: Json) -> str:
        """Whose an item is: as the shelf or the item says, else whoever has it, or has its parent."""
        state, resource = self.universe.state, self.resource
        said = owners.named_tenant(resource, value, "", lambda pointer: Place("", pointer))
        if self.tenant is not None:
            if said is not None and said != self.tenant:
                raise StateError("the item says that it is another tenant's", got=said, allowed=self.tenant)
            return self.tenant
        if said is not None:
            return said
        found = holders(state, resource, parents, key) if key is not None else []
        found = found or owners.parents_tenants(state, self.model, resource, parents) or self._neighbours(parents)
        if len(found) == 1:
            return found[0]
        if found:
            what = f"an item {key!r} of {self.name}" if key else f"the parent of this item of {self.name}"
            raise StateError(f"several tenants have {what}",
                             allowed=" or ".join(f".of_tenant({each!r})" for each in found))  # fmt: skip
        if value is None and not resource.open_world:
            raise self._absent((*parents[len(self.parents) :], *([key] if key else [])))
        known = sorted({partition.scope[0] for partition, _ in state.partitions(resource.qualified)})
        raise StateError(f"an item of {self.name} is one tenant's", allowed=", ".join(map(repr, known)) or None,
                         hint=f"say whose: .of_tenant(…), or {TENANT} in the item")  # fmt: skip

    def _neighbours(self, parents: tuple[str, ...]) -> list[str]:
        """The tenants that have something below the same parents already."""
        partitions = self.universe.state.partitions(self.resource.qualified) if parents else ()
        return [
            each.scope[0] for each, held in partitions if len(held) and parents_in(self.resource, each.scope) == parents
        ]

    # What is told

    def place(self, key: str = "", pointer: str = "") -> Place:
        """A place for a message, as a test writes it."""
        return Place(f"{self}[{key!r}]" if key else str(self), pointer)

    def telling(self, key: str = "") -> Telling:
        """Has errors tell of the place that a test wrote."""
        return Telling(self, key)

    def _absent(self, keys: tuple[str, ...]) -> Absent:
        path, known = "/".join(keys), self.keys()
        shown = ", ".join(known[:SHOWN]) + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")
        return Absent(f"{self.name} has no item {path!r}" if path else f"there is no {self.name}",
                      allowed=shown or "nothing is stored", hint=did_you_mean(path, known))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Telling:
    """While it lasts, what is wrong with the state is told of a shelf, and a key there, as a test writes them."""

    shelf: Shelf
    key: str

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if isinstance(error, StateError):
            raise error.at(self.shelf.place(self.key, pointer_of(error))) from None
        if isinstance(error, FixtureError):
            raise as_state_error(error, self.shelf.place(self.key, pointer_of(error))) from None


def _named(parents: Iterable[Parent]) -> list[str]:
    return [f"<key of {parent.resource}>" if parent.resource else f"<{parent.parameter}>" for parent in parents]


def key_of(key: str | int) -> str:
    """The text under which a key is kept."""
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise Absent("a key is a text or a number", got=key)
    return key_text(key)


def as_state_error(error: ApidoubleError, place: Place) -> StateError:
    """What is wrong with a seed, told of the state that a test writes."""
    return StateError(error.problem, place=place, got=error.got, allowed=error.allowed, hint=error.hint)


def pointer_of(error: ApidoubleError) -> str:
    """Where in what was given an error is."""
    return error.place.pointer if error.place is not None else ""

"""What a test's double keeps of one resource, as a mapping that can be written."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contracts.testing.keeping.documents import NOTHING, Document, asked, differing, wanted_of
from contracts.testing.keeping.shelves import SHOWN, Absent, Shelf, key_of
from contracts.testing.traffic.expecting import Wanted
from mock_server.errors import Place, StateError, did_you_mean
from mock_server.model import owners
from mock_server.model.call import Principal
from mock_server.model.clock import moments
from mock_server.model.constraints import broken_constraint
from mock_server.model.facts import repeated_parents, typed
from mock_server.model.minter import realize
from mock_server.model.outcome import key_text
from mock_server.model.patches import merge_patch
from mock_server.model.problem import Problem
from mock_server.model.seeding import stored_violations
from mock_server.model.state import Change, Put, Remove
from mock_server.model.tenants import parents_in, tenant_in
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi import pointers
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Json, Violation
from mock_server.web import statewriting
from mock_server.web.addresses import Address

Item = dict[str, Any]
"""An item as it is stored, writeOnly members included; a copy, so that changing it changes nothing."""


class Items(Mapping[str, Item]):
    """The items of one resource by their keys, oldest first; written items are checked by the schema they are read by.

    Values are copies of what is stored. Writes go the way of the API's own: effects and events follow, and a write
    that is refused (a ``StateError``) leaves everything as it was. What is nested goes by its parents' keys, too:
    ``state["tasks"]["org-1/task-7"]`` is ``state["tasks"].below("org-1")["task-7"]``. Where each tenant has items of
    its own, all of them are seen, and ``of_tenant`` gives one tenant's.

    A resource that no operation creates is open: every key can be read and gives a sample, as the API does, while
    iteration, ``in`` and ``len`` are about what is stored, which is nothing before the first write.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def __repr__(self) -> str:
        number = len(self._shelf.entries(self._shelf.universe.state))  # looking at it changes nothing
        return f"<{self._shelf}: {number} item{'' if number == 1 else 's'}>"

    # Narrower views

    def below(self, *parents: str | int) -> Items:
        """What is kept below these parents, named by their keys from the outermost on."""
        __tracebackhide__ = True
        return Items(self._shelf.below(tuple(key_of(parent) for parent in parents)))

    def of_tenant(self, tenant: str) -> Items:
        """What one tenant has; "" is the tenant of what is nobody's."""
        __tracebackhide__ = True
        return Items(self._shelf.of_tenant(tenant))

    # Reading

    def __iter__(self) -> Iterator[str]:
        return iter(self._shelf.keys())

    def __len__(self) -> int:
        return len(self._shelf.keys())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str | int) and key_text(key) in self._shelf.keys()  # noqa: SIM118 - a Shelf is no dict

    def __getitem__(self, key: str | int) -> Item:
        __tracebackhide__ = True
        shelf, text = self._shelf, key_of(key)
        shelf.state()
        with shelf.telling(text):
            return _copied(shelf.entry(shelf.address(text)).value)

    def get(self, key: str | int, default: Any = None) -> Any:
        """The item of a key; ``default`` when there is none."""
        try:
            return self[key]
        except Absent:
            return default

    def where(self, *, like: Mapping[str, object] = NOTHING, **equal: object) -> list[Item]:
        """The stored items whose members are as told: ``where(status="active", address__city="Solo")``.

        ``like`` names members by JSON pointer: ``where(like={"/first-name": "Jane"})``. The values may be all that
        ``api.requests.assert_called`` takes. A ``StateError`` for a member that neither the description nor any item
        has.
        """
        __tracebackhide__ = True
        wanted = wanted_of(equal, like)
        values = [entry.value for _, _, entry in self._shelf.entries()]
        self._check_members([each.place.steps[0] for each in wanted if each.place.steps], values)
        return [_copied(value) for value in values if not differing(wanted, Document(value))]

    def one(self, *, like: Mapping[str, object] = NOTHING, **equal: object) -> Item:
        """The only item whose members are as told (see ``where``); a ``StateError`` when there is none or another."""
        __tracebackhide__ = True
        found, shelf, wanted = self.where(like=like, **equal), self._shelf, wanted_of(equal, like)
        if len(found) == 1:
            return found[0]
        said = f" with {asked(wanted)}" if wanted else ""
        if found:
            key = shelf.resource.key or ""
            shown = ", ".join(str(item[key]) for item in found[:SHOWN] if key in item)
            raise StateError(f"{len(found)} items of {shelf.name}{said}", place=shelf.place(), got=shown or None,
                             allowed="one", hint="where(…) gives all of them")  # fmt: skip
        raise Absent(f"no item of {shelf.name}{said}, of {len(self)} stored", place=shelf.place(),
                     hint=self._alike(wanted))  # fmt: skip

    @property
    def value(self) -> Item:
        """The thing itself, where there is only one (of a tenant, below a parent)."""
        return self[self._only_key()]

    @value.setter
    def value(self, item: Mapping[str, Json]) -> None:
        self[self._only_key()] = item

    # Writing

    def add(self, item: Mapping[str, Json] | None = None, /, **members: Json) -> Item:
        """Stores a new item and gives it as it is stored: what was left out (key, times, defaults) is assigned.

        What its schema requires beyond that is made up. Its tenant may be said by ``$tenant``.
        """
        __tracebackhide__ = True
        shelf = self._shelf
        with shelf.telling():
            given = _plain({**(item or {}), **members})
            shelf.state()
            with shelf.universe.lock:
                scope = shelf.scope(given)
                tenant = tenant_in(shelf.resource, scope) or ""
                changes = self._made(scope, owners.stored(shelf.resource, given, tenant))
                self._commit(changes)
                return self._now(next(change for change in changes if isinstance(change, Put)))

    def __setitem__(self, key: str | int, item: Mapping[str, Json]) -> None:
        """Stores an item in place of what was there; its key, its parents' and its tenant may be left out."""
        __tracebackhide__ = True
        shelf, text = self._shelf, key_of(key)
        with shelf.telling(text):
            given = _plain(item)
            shelf.state()
            with shelf.universe.lock:
                self._put(shelf.address(text, given), given)

    def update(self, key: str | int, members: Mapping[str, Json] | None = None, /, **more: Json) -> Item:
        """Merges members into an item, and gives what is stored then (RFC 7396: null takes a member away)."""
        __tracebackhide__ = True
        shelf, text = self._shelf, key_of(key)
        with shelf.telling(text):
            patch = _plain({**(members or {}), **more})
            shelf.state()
            with shelf.universe.lock:
                place = shelf.address(text)
                return self._now(self._put(place, merge_patch(shelf.entry(place).value, patch)))

    def __delitem__(self, key: str | int) -> None:
        """Takes an item away as it is: nothing is marked, and what refers to it stays."""
        __tracebackhide__ = True
        shelf, text = self._shelf, key_of(key)
        shelf.state()
        with shelf.telling(text), shelf.universe.lock:
            place = shelf.address(text)
            shelf.entry(place)
            if place.resource.singleton:
                self._commit([Remove(place.partition, "")])
                return
            path = "/".join((*parents_in(place.resource, place.scope), place.key))
            tenant = tenant_in(place.resource, place.scope)
            statewriting.remove_item(shelf.namespace, shelf.universe, shelf.name, path, tenant=tenant)

    def clear(self) -> None:
        """Takes every item away that this view shows."""
        __tracebackhide__ = True
        shelf = self._shelf
        shelf.state()
        with shelf.telling(), shelf.universe.lock:
            if shelf.parents:
                self._commit([Remove(partition, entry.key) for _, partition, entry in shelf.entries()])
            else:
                statewriting.clear_resource(shelf.namespace, shelf.universe, shelf.name, tenant=shelf.tenant)

    # Inside

    def _made(self, scope: tuple[str, ...], given: Mapping[str, Json]) -> Sequence[Change]:
        """The changes that storing a new item takes, the item first, with what the server assigns filled in."""
        shelf, resource = self._shelf, self._shelf.resource
        universe, tenant = shelf.universe, tenant_in(resource, scope)
        now = universe.clock.now()
        caller = Principal("test", "", tenant=tenant)
        context = Context(bindings={"principal": caller.as_json(), **moments(now)})
        work = Work(World(shelf.model, universe.state, now, universe.tables), context=context, tenant=tenant or "")
        made = work.create(shelf.name, given, scope=parents_in(resource, scope))
        if isinstance(made, Problem):
            raise _refused(made)
        changes = realize(work.outcome(0), state=universe.state, seed=universe.seed, now=now).changes
        for change in changes:
            if isinstance(change, Put):
                self._check(change.value)
        return changes

    def _now(self, written: Put) -> Item:
        """What was just written as it is stored now: what followed from the write may have changed it."""
        collection = self._shelf.universe.state.collection(written.partition)
        entry = collection.get(written.key) if collection is not None else None
        return _copied(written.value if entry is None else entry.value)

    def _put(self, place: Address, given: Item) -> Put:
        """Stores an item at its place, with what it need not repeat."""
        shelf, resource = self._shelf, place.resource
        if not isinstance(given, dict):
            raise StateError(f"an item of {shelf.name} is an object", got=given, allowed="a dict")
        _check_repeats(place, given)
        own = {resource.key: typed(resource, resource.key, place.key)} if resource.key is not None else {}
        stored = owners.stored(resource, given, tenant_in(resource, place.scope) or "")
        value: Item = {**repeated_parents(resource, place.scope), **own, **stored}
        self._check(value)
        world = place.world(shelf.universe)
        broken = broken_constraint(world, resource, place.scope, value, key=place.key)
        if broken is not None:
            raise _refused(broken)
        written = Put(place.partition, place.key, value)
        self._commit([*world.settle(resource, place.scope), written])
        return written

    def _check(self, value: Json) -> None:
        violations = stored_violations(self._shelf.model, self._shelf.resource, value)
        if violations:
            more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
            raise _violated(f"this item of {self._shelf.name} breaks its schema", violations[0], more)

    def _commit(self, changes: Sequence[Change]) -> None:
        universe = self._shelf.universe
        followed = self._shelf.sandbox.committing.commit(universe, changes, now=universe.clock.now())
        if isinstance(followed, Problem):
            raise _refused(followed)

    def _only_key(self) -> str:
        __tracebackhide__ = True
        shelf = self._shelf
        if not shelf.resource.singleton:
            raise StateError(f"there are many {shelf.name}", place=shelf.place(), hint="name one by its key: […]")
        if shelf.lacking:
            raise StateError(f"there is a {shelf.name} below each parent", place=shelf.place(),
                             hint=f"say which: .below({', '.join(shelf.lacking)})")  # fmt: skip
        return ""

    def _check_members(self, names: Iterable[str], values: Iterable[Json]) -> None:
        __tracebackhide__ = True
        shelf = self._shelf
        known = {*shelf.resource.anatomy.members, *shelf.resource.hidden}
        for value in values:
            known |= value.keys() if isinstance(value, dict) else set()
        for name in names:
            if known and name not in known:
                raise StateError(f"an item of {shelf.name} has no member {name!r}", place=shelf.place(),
                                 allowed=", ".join(sorted(known)), hint=did_you_mean(name, known))  # fmt: skip

    def _alike(self, wanted: Sequence[Wanted]) -> str | None:
        """The nearest value that an item has, where a single text was asked for."""
        if len(wanted) != 1 or not isinstance(wanted[0].value, str):
            return None
        held = [Document(entry.value).at(wanted[0].place) for _, _, entry in self._shelf.entries()]
        return did_you_mean(wanted[0].value, [text for text in held if isinstance(text, str)])


def _check_repeats(place: Address, given: Item) -> None:
    """Refuses an item that says it has another key, other parents or another tenant than its place."""
    resource, tenant = place.resource, tenant_in(place.resource, place.scope)
    said = owners.named_tenant(resource, given, "", lambda pointer: Place("", pointer))
    if said is not None and said != tenant:
        raise StateError("the item says that it is another tenant's", got=said, allowed=tenant)
    expected = {parent.property: key for parent, key in zip(resource.parents, parents_in(resource, place.scope),
                strict=True) if parent.property}  # fmt: skip
    if not resource.singleton:
        expected[resource.key or "$key"] = place.key
    for name, key in expected.items():
        if name in given and key_text(given[name]) != key:
            raise StateError(f"the item's {name} is not the one it is stored under",
                             place=Place("", pointers.join("", name)), got=given[name], allowed=key)  # fmt: skip


def _refused(problem: Problem) -> StateError:
    if problem.violations:
        return _violated(problem.detail, problem.violations[0], "")
    return StateError(problem.detail)


def _violated(what: str, violation: Violation, more: str) -> StateError:
    expected = violation.expected
    allowed = ", ".join(map(str, expected)) if isinstance(expected, list) else expected
    said = what if violation.message in what else f"{what}: {violation.message}"
    return StateError(said + more, place=Place("", violation.pointer), got=violation.got,
                      allowed=str(allowed) if allowed is not None else None)  # fmt: skip


def _copied(value: Json) -> Item:
    found: Item = copy.deepcopy(value)
    return found


def _plain(value: object, pointer: str = "") -> Any:
    """A copy of what a test gives, as JSON; a ``StateError`` for what is none."""
    if value is None or isinstance(value, bool | str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise StateError("names of members are texts", place=Place("the item", pointer), got=name)
        return {name: _plain(member, pointers.join(pointer, name)) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, pointers.join(pointer, index)) for index, entry in enumerate(value)]
    raise StateError("this is no JSON value", place=Place("the item", pointer), got=value,
                     allowed="None, bool, int, float, str, list, dict",
                     hint='moments are texts, as in "2026-01-31T12:00:00Z"')  # fmt: skip

"""A trial: what a relation may do in one attempt. It draws, sends and compares; it never asks the model to predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn, TypeVar
from urllib.parse import unquote

from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from contracts.casting import admits, anew, tenant_names
from contracts.checks.registry import Check
from contracts.conversation import Conversation
from contracts.drafting import UNSET, Draft, Drafter, Wishes, may
from contracts.findings import Difference, Finding, Side
from contracts.hunting import Chase, Inapplicable
from contracts.judging import place_of
from contracts.narrowing import values_for
from contracts.paging import Walk, walk
from contracts.pool import Item, Pool
from contracts.roster import Roles, Roster
from contracts.service import NOT_JSON, Caller, Recorded
from contracts.wire import WireRequest
from mock_server.model.anatomy import words
from mock_server.model.filters import value_at
from mock_server.model.meaning import Resource
from mock_server.model.members import with_member
from mock_server.model.outcome import key_text
from mock_server.model.tenants import tenant_in
from mock_server.openapi.values import Json

T = TypeVar("T")

_NUMBERS = st.integers(0, (1 << 16) - 1)
_TRIES = 4
_PAGES = 20
"""Pages that are looked at for an item, at most."""


class Trial:
    """One attempt of a relation. ``pool`` is what is known to exist, ``conversation`` what was said so far."""

    def __init__(
        self,
        data: DataObject,
        drafter: Drafter,
        conversation: Conversation,
        chase: Chase,
        *,
        operations: Sequence[str] = (),
        salt: int = 0,
    ) -> None:
        self._data = data
        self._chase = chase
        self._operations = operations
        self._salt = salt
        self._caller: Caller | None = None
        self._refused: set[str] = set()
        self._makers: dict[tuple[str, tuple[str, ...], str], Caller] = {}
        self.drafter = drafter
        self.conversation = conversation

    @property
    def closed(self) -> bool:
        """Whether the service has nothing but what is known of it."""
        return self.conversation.service.resettable

    @property
    def roster(self) -> Roster:
        """Which operation does what."""
        return self.drafter.roster

    @property
    def pool(self) -> Pool:
        """What is known to exist."""
        return self.conversation.pool

    # Drawing

    def number(self, most: int = (1 << 16) - 1) -> int:
        """A number from 0 to ``most``; smaller ones are simpler."""
        return self._data.draw(st.integers(0, most))

    def choice(self, options: Sequence[T]) -> T:
        """One of some options; earlier ones are simpler. ``Inapplicable`` where there is none."""
        if not options:
            raise Inapplicable("there is nothing to choose from")
        return self._data.draw(st.sampled_from(options))

    def flag(self) -> bool:
        """Yes or no; no is simpler."""
        return self._data.draw(st.booleans())

    # Sending

    def draft(self, operation_id: str, wishes: Wishes | None = None) -> Draft:
        """A request of an operation; ``Inapplicable`` where nothing is known that it needs."""
        wanted = self._cast(operation_id, wishes if wishes is not None else Wishes())
        number = self._data.draw(_NUMBERS) ^ self._salt
        found = self.drafter.draft(operation_id, self.pool, number, wanted)
        if found is None:
            raise Inapplicable(f"nothing exists that {operation_id} could be called for")
        return self._at_home(found, wanted, number)

    def _at_home(self, draft: Draft, wishes: Wishes, number: int) -> Draft:
        """A draft in which what is named like the members that hold the tenant names the caller's own."""
        tenant = draft.caller.tenant if draft.caller is not None else None
        names = tenant_names(self.roster)
        body = draft.body
        if tenant is None or not names or wishes.body is not UNSET:
            return draft
        own = {name: tenant for name in body if words(name) in names} if isinstance(body, dict) else {}
        asked = {place: tenant for place in draft.values if place[0] == "query" and words(place[1]) in names}
        if all(body[name] == tenant for name in own) and all(draft.values[place] == tenant for place in asked):
            return draft
        values = {**wishes.values, **draft.values, **asked}
        again = replace(wishes, values=values, body={**body, **own} if own else body)
        return self.drafter.draft(draft.operation_id, self.pool, number, again) or draft

    def send(self, draft: Draft) -> Recorded:
        """Sends a draft, whatever comes of it."""
        return self.conversation.send(draft)

    def ask(self, request: WireRequest, caller: Caller | None) -> Recorded:
        """Sends a request that is not described; nothing is judged or learned by its answer."""
        self._chase.go_on()
        recorded = self.conversation.service.send(request, operation_id=None, caller=caller)
        self.conversation.recorded.append(recorded)
        return recorded

    def call(self, operation_id: str, wishes: Wishes | None = None) -> tuple[Draft, Recorded]:
        """Drafts and sends."""
        draft = self.draft(operation_id, wishes)
        return draft, self.send(draft)

    def succeed(self, operation_id: str, wishes: Wishes | None = None) -> tuple[Draft, Recorded]:
        """A request that the service grants, at the fourth try at the latest; else ``Inapplicable``."""
        for number in range(_TRIES):
            wanted = wishes if wishes is not None else Wishes()
            # What is optional may be what is refused, and what an example says may be taken.
            tried = replace(wanted, lean=wanted.lean or number % 2 == 1, odd=wanted.odd or number > 1)
            draft, recorded = self.call(operation_id, tried)
            if recorded.status == 409 and not self.closed and wanted.body is UNSET:
                draft, recorded = self.call(
                    operation_id, replace(tried, body=anew(self.drafter, draft, self._salt + self.number()))
                )
            if recorded.ok:
                return draft, recorded
            if recorded.status in {401, 402, 403} and not self._barred(recorded.caller, wanted):
                break
        raise Inapplicable(f"{operation_id} is refused with {recorded.status}: {recorded.reply.body[:200]!r}")

    def _barred(self, caller: Caller | None, wishes: Wishes) -> bool:
        """Whether somebody else is to ask, since this caller may not, and has made nothing yet."""
        if caller is None or wishes.caller is not UNSET or wishes.item is not None or self._makers:
            return False
        self._refused.add(caller.name)
        self._caller = None
        return True

    def unless_refused(self, recorded: Recorded) -> None:
        """Gives up where a caller may not do this (401, 403): who may is for other checks to say."""
        if recorded.status in {401, 403}:
            self.give_up(f"{recorded.operation_id} is refused with {recorded.status}")

    # Callers

    def _cast(self, operation_id: str, wishes: Wishes) -> Wishes:
        """The wishes with who asks: always the same caller, where that one may, and of an item whoever made it."""
        caller = wishes.caller
        if caller is UNSET:
            caller = self._asking(operation_id, wishes.item)
        return replace(wishes, caller=caller)

    def _asking(self, operation_id: str, item: Item | None) -> Caller | None:
        operation = self.drafter.api.operation(operation_id)
        able = [caller for caller in self.drafter.callers if caller.valid and may(caller, operation)]
        if not able or not operation.security:
            return None
        if item is not None:
            maker = self._makers.get((item.resource.qualified, item.scope, item.key))
            if maker in able:
                return maker
            tenant = tenant_in(item.resource, item.scope)
            able = [caller for caller in able if tenant in {None, "", caller.tenant}] or able
        able = [caller for caller in able if caller.name not in self._refused] or able
        if self._caller in able:
            return self._caller
        if self._caller is not None:
            return next((caller for caller in able if caller.tenant == self._caller.tenant), able[0])
        ranked = sorted(able, key=lambda caller: self._lacks(operation_id, caller))
        chosen = self.choice([*ranked[:1] * len(ranked), *ranked])
        self._caller = chosen
        return chosen

    def _lacks(self, operation_id: str, caller: Caller) -> tuple[int, int]:
        """How many of the attempt's operations a caller may not do, and how much of what they need is not there."""
        operations = self._operations or (operation_id,)
        refused = sum(not may(caller, self.drafter.api.operation(name)) for name in operations)
        needed = {roles.resource.qualified: roles for name in operations for roles in self.roster.needs(name)}
        absent = sum(
            not (roles.creates or self.pool.items(roles.resource, tenant=caller.tenant)) for roles in needed.values()
        )
        return refused, absent

    # Items

    def there(self, resource: Resource) -> list[Item]:
        """The items of a resource that are known, as far as they are there for who asks."""
        return self.pool.items(resource, tenant=self._caller.tenant if self._caller is not None else None)

    def item(self, roles: Roles) -> Item:
        """An item of a resource: a new one, or (in a closed world, or where none can be made) one that is known."""
        if roles.creates and not (self.closed and self.flag()):
            return self.make(roles)
        for operation_id in (*roles.reads, *roles.updates, *roles.replaces, *roles.deletes, *roles.lists)[:1]:
            self._asking(operation_id, None)
        known = self.there(roles.resource)
        if not known and roles.creates:
            return self.make(roles)
        return self.choice(known)

    def make(self, roles: Roles, wishes: Wishes | None = None, *, depth: int = 3) -> Item:
        """A new item; what it needs (parents, references) is made before. ``Inapplicable`` where it cannot be made."""
        operation_id = self.choice(roles.creates)
        self.prepare(operation_id, depth=depth)
        draft, recorded = self.succeed(operation_id, wishes)
        return self.made(draft, recorded)

    def prepare(self, operation_id: str, *, depth: int = 3) -> None:
        """Makes what an operation needs and is not there; what cannot be made is left to chance."""
        self._asking(operation_id, None)
        if not depth:
            return
        for needed in self.roster.needs(operation_id):
            if needed.creates and not self.there(needed.resource):
                try:
                    self.make(needed, depth=depth - 1)
                except Inapplicable:
                    continue

    def made(self, draft: Draft, recorded: Recorded) -> Item:
        """The item that a create has made, by its answer. ``Inapplicable`` where that does not say which."""
        item = self._shown(draft, recorded)
        if item is None:
            self.give_up(f"{draft.operation_id} does not show what it made")
        if recorded.caller is not None:
            self._makers[(item.resource.qualified, item.scope, item.key)] = recorded.caller
        return item

    def _shown(self, draft: Draft, recorded: Recorded) -> Item | None:
        if self.conversation.shown:
            return self.conversation.shown[0]
        meaning = self.roster.meaning(draft.operation_id)
        resource = meaning.resource
        location = (recorded.header("location") or "").partition("?")[0].rstrip("/")
        shown = self.representation(recorded)
        if resource is None or resource.singleton:
            return None
        held = shown.get(resource.key or "") if isinstance(shown, dict) else None
        key = key_text(held) if held is not None else unquote(location.rpartition("/")[2])
        if not key:
            return None
        tenant = (recorded.caller.tenant if recorded.caller is not None else None) or ""
        parents = tuple(key_text(draft.path[name]) for name in self.roster.model.facts(meaning).scope)
        return Item(resource, (tenant, *parents) if resource.tenancy is not None else parents, key,
                    shown if isinstance(shown, dict) else {})  # fmt: skip

    def about(self, item: Item, operation_id: str, wishes: Wishes | None = None) -> Draft:
        """A request of an operation about one item."""
        return self.draft(operation_id, replace(wishes if wishes is not None else Wishes(), item=item))

    def beside(self, item: Item, operation_id: str, *, large: bool = True) -> Draft:
        """A request for the list that an item is in. ``Inapplicable`` where it has to be told what is not known."""
        asking = self._asking(operation_id, item)
        values = values_for(self, item, operation_id, asking, large=large)
        return self.draft(operation_id, Wishes(values=values, lean=True, caller=asking))

    def read(self, item: Item, operation_id: str) -> Recorded:
        """An item as it is shown; gives up where the caller may not see it."""
        recorded = self.send(self.about(item, operation_id, Wishes(lean=True)))
        self.unless_refused(recorded)
        return recorded

    def seen(self, item: Item, operation_id: str) -> dict[str, Json]:
        """An item's representation; ``Inapplicable`` where the read does not show one."""
        recorded = self.read(item, operation_id)
        shown = self.representation(recorded) if recorded.ok else None
        if not isinstance(shown, dict):
            self.give_up(f"{operation_id} does not show the item: {recorded.status}")
        return shown

    def change(self, item: Item, operation_id: str, wishes: Wishes | None = None) -> tuple[Draft, Recorded]:
        """A write to an item that the service grants, and that it does at once; else ``Inapplicable``."""
        draft, recorded = self.succeed_about(item, operation_id, wishes)
        if recorded.status == 202:
            self.give_up(f"{operation_id} promises to do it later")
        return draft, recorded

    def succeed_about(self, item: Item, operation_id: str, wishes: Wishes | None = None) -> tuple[Draft, Recorded]:
        """A request about one item that the service grants; else ``Inapplicable``."""
        return self.succeed(operation_id, replace(wishes if wishes is not None else Wishes(), item=item))

    def keys(self, item: Item, roles: Roles) -> frozenset[str] | None:
        """The keys of the list that an item is in; None where there is no list of them, or it is too long."""
        name = item.resource.key
        if not roles.lists or name is None:
            return None
        listed = self.walk(self.beside(item, roles.lists[0]))
        if not listed.ended:
            return None
        return frozenset(key_text(entry[name]) for entry in listed.items if isinstance(entry, dict) and name in entry)

    def placed(self, operation_id: str, members: Json) -> Json:
        """A request body with an item's members where they belong."""
        body = members
        for name in reversed(self.roster.meaning(operation_id).request_path):
            body = {name: body}
        return body

    def without(self, draft: Draft, name: str) -> Json:
        """A draft's body without one member of the item."""
        path = self.roster.meaning(draft.operation_id).request_path
        members = value_at(draft.body, path)
        left = {known: value for known, value in members.items() if known != name}
        return with_member(draft.body, path, left) if path else left

    def admits(self, operation_id: str, body: Json) -> bool:
        """Whether a body is valid for an operation, by the schema that its first JSON media type has."""
        return admits(self.drafter.api.operation(operation_id), body)

    def walk(self, draft: Draft, *, until: Callable[[Json], bool] = lambda _: False) -> Walk:
        """Every item of a list, none where it is refused; it ends early with the first for which ``until`` holds."""
        return walk(self, draft, until=until, most=_PAGES, trusting=True)

    def is_of(self, item: Item) -> Callable[[Json], bool]:
        """Whether an entry of a list shows an item."""
        name = item.resource.key
        return lambda entry: isinstance(entry, dict) and name in entry and key_text(entry[name or ""]) == item.key

    def representation(self, recorded: Recorded) -> Json:
        """The item, or the list of items, inside its envelope."""
        assert recorded.operation_id is not None
        if recorded.json is NOT_JSON:
            return None
        return value_at(recorded.json, self.roster.meaning(recorded.operation_id).envelope.path)

    def resource(self, operation_id: str) -> Resource:
        """The resource that an operation works on."""
        found = self.roster.meaning(operation_id).resource
        assert found is not None
        return found

    def timed(self, resource: Resource) -> frozenset[str]:
        """The members that change by themselves: by moves that come with time, and those that are never shown twice."""
        found: set[str] = set(resource.hidden)
        if resource.states is not None:
            for transition in resource.states.transitions.values():
                if transition.timed:
                    found |= {resource.states.property, *(path[0] for path in transition.set)}
        return frozenset(found)

    # Telling

    def broken(
        self,
        check: Check,
        sentence: str,
        *differences: Difference,
        about: Recorded | None = None,
        side: Side = Side.SERVICE,
        remedy: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        """Meets a finding about the last exchange, or about another one; returns only when it is known already."""
        last = about if about is not None else self.conversation.recorded[-1]
        operation_id = last.operation_id or ""
        api = self.drafter.api
        place = place_of(api, api.operation(operation_id).located) if operation_id else None
        self._chase.meet(
            Finding(
                check.name,
                side,
                sentence,
                operation_id,
                tuple(self.conversation.recorded),
                differences,
                place,
                remedy=remedy,
                seed=self._chase.hunt.seed,
                notes=notes,
            )
        )

    def give_up(self, why: str) -> NoReturn:
        """Ends an attempt that came to nothing."""
        raise Inapplicable(why)

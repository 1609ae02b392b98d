"""A trial: what a relation may do in one attempt. It draws, sends and compares; it never asks the model to predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from contracts.checks.registry import Check
from contracts.conversation import Conversation
from contracts.drafting import Draft, Drafter, Wishes
from contracts.findings import Difference, Finding, Side
from contracts.hunting import Chase, Inapplicable
from contracts.judging import place_of
from contracts.pool import Item, Pool
from contracts.roster import Roles, Roster
from contracts.service import Recorded
from mock_server.model.filters import value_at
from mock_server.model.meaning import Resource
from mock_server.openapi.values import Json

T = TypeVar("T")

_NUMBERS = st.integers(0, (1 << 16) - 1)
_TRIES = 3


class Trial:
    """One attempt of a relation. ``pool`` is what is known to exist, ``conversation`` what was said so far."""

    def __init__(self, data: DataObject, drafter: Drafter, conversation: Conversation, chase: Chase) -> None:
        self._data = data
        self._chase = chase
        self.drafter = drafter
        self.conversation = conversation

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
        found = self.drafter.draft(operation_id, self.pool, self._data.draw(_NUMBERS), wishes)
        if found is None:
            raise Inapplicable(f"nothing exists that {operation_id} could be called for")
        return found

    def send(self, draft: Draft) -> Recorded:
        """Sends a draft, whatever comes of it."""
        return self.conversation.send(draft)

    def call(self, operation_id: str, wishes: Wishes | None = None) -> tuple[Draft, Recorded]:
        """Drafts and sends."""
        draft = self.draft(operation_id, wishes)
        return draft, self.send(draft)

    def succeed(self, operation_id: str, wishes: Wishes | None = None) -> tuple[Draft, Recorded]:
        """A request that the service grants, at the third try at the latest; else ``Inapplicable``."""
        for _ in range(_TRIES):
            draft, recorded = self.call(operation_id, wishes)
            if recorded.ok:
                return draft, recorded
        raise Inapplicable(f"{operation_id} is refused with {recorded.status}: {recorded.reply.body[:200]!r}")

    def unless_refused(self, recorded: Recorded) -> None:
        """Gives up where a caller may not do this (401, 403): who may is for other checks to say."""
        if recorded.status in {401, 403}:
            self.give_up(f"{recorded.operation_id} is refused with {recorded.status}")

    # Items

    def item(self, roles: Roles) -> Item:
        """An item of a resource: one that is known, or a new one."""
        known = self.pool.items(roles.resource)
        if known and (not roles.creates or self.flag()):
            return self.choice(known)
        return self.make(roles)

    def make(self, roles: Roles, wishes: Wishes | None = None, *, depth: int = 3) -> Item:
        """A new item; what it needs (parents, references) is made before. ``Inapplicable`` where it cannot be made."""
        operation_id = self.choice(roles.creates)
        if depth:
            for needed in self._needs(operation_id):
                if not self.pool.items(needed.resource) and needed.creates:
                    self.make(needed, depth=depth - 1)
        self.succeed(operation_id, wishes)
        if not self.conversation.shown:
            raise Inapplicable(f"{operation_id} does not show what it made")
        return self.conversation.shown[0]

    def _needs(self, operation_id: str) -> list[Roles]:
        """What must exist before an operation can be called: the items that its path leads through, and references."""
        meaning = self.roster.meaning(operation_id)
        names = [ancestor.resource.qualified for ancestor in self.roster.model.facts(meaning).ancestors]
        if meaning.resource is not None:
            model = self.roster.model
            found = (model.resource(reference.resource) for reference in meaning.resource.references)
            names += [resource.qualified for resource in found if resource is not None]
            for member in meaning.resource.anatomy.members:
                spoken = self.roster.called(member)
                if spoken is not None and spoken != meaning.resource.qualified and member != meaning.resource.key:
                    names.append(spoken)
        return [self.roster.resources[name] for name in dict.fromkeys(names) if name in self.roster.resources]

    def about(self, item: Item, operation_id: str, wishes: Wishes | None = None) -> Draft:
        """A request of an operation about one item."""
        base = wishes if wishes is not None else Wishes()
        return self.draft(operation_id, Wishes(base.values, base.body, base.content_type, base.caller, item, base.lean,
                                               base.odd))  # fmt: skip

    def representation(self, recorded: Recorded) -> Json:
        """The item, or the list of items, inside its envelope."""
        assert recorded.operation_id is not None
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

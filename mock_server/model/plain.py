"""Plain operations: reads and creates about which nothing special is said, each compiled into one function.

What most requests to most descriptions ask for: an item by its key, or a new one whose members the caller and a few
rules give. ``step`` and ``realize`` do this and everything else, and ask at each turn whether anything else applies; a
plain operation has asked once, when it was compiled. It gives the very outcome that they would give, or None where a
request is not so plain after all (nothing is there, a key is taken), and then they are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from mock_server.dataclass import dataclass
from mock_server.model.assigning import OMIT, ruled
from mock_server.model.behaviours.creating import assigned_reason
from mock_server.model.behaviours.reading import name_of
from mock_server.model.clock import rfc3339
from mock_server.model.filters import value_at
from mock_server.model.inference.bodies import has_content
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.minter import is_plain_moment, moment
from mock_server.model.outcome import Hole, Outcome, key_text
from mock_server.model.presentation import View
from mock_server.model.state import Advance, Partition, Put, State
from mock_server.openapi.values import Json
from mock_server.sampling import Mint

if TYPE_CHECKING:
    from mock_server.model.model import Model

_Maker = Callable[[State, int, datetime], Json]


class Plain(Protocol):
    """A compiled operation: the outcome of a valid call, without holes; None where the call is not plain."""

    def __call__(
        self, path: Mapping[str, Json], body: Json, *, state: State, seed: int, now: datetime
    ) -> Outcome | None: ...


def plain_of(model: Model, meaning: Meaning) -> Plain | None:
    """The operation in its short form, None for one about which there is more to say."""
    resource = meaning.resource
    if resource is None or not _is_plain(model, meaning, resource):
        return None
    if meaning.behaviour == "read":
        return _plain_read(model, meaning, resource)
    return _plain_create(model, meaning, resource) if meaning.behaviour == "create" else None


def _is_plain(model: Model, meaning: Meaning, resource: Resource) -> bool:
    """Whether neither the operation nor its resource has anything that depends on more than item and request."""
    facts = model.facts(meaning)
    asked = meaning.entrance, meaning.guards, meaning.related, meaning.body, meaning.adds, meaning.tenancy
    kept = resource.tenancy, resource.soft_delete, resource.singleton, resource.open_world
    around = facts.ancestors, facts.scope, facts.narrowing, facts.exchange_ids, facts.uses_etags
    return not any((*asked, *kept, *around)) and has_content(meaning.response)


@dataclass(frozen=True, slots=True)
class _Read:
    """Shows the item that the path names."""

    resource: str
    parameter: str
    view: View
    status: int
    name: str

    def __call__(
        self, path: Mapping[str, Json], body: Json, *, state: State, seed: int, now: datetime
    ) -> Outcome | None:
        scopes = state.resources.get(self.resource)
        collection = scopes.get(()) if scopes is not None else None
        if collection is None:
            return None
        key = path[self.parameter]
        text = key if type(key) is str else key_text(key)
        entry = collection.get(text)
        if entry is None:
            return None
        return Outcome(self.status, self.view.shown(entry.value), (), (), (self.name + text,))


def _plain_read(model: Model, meaning: Meaning, resource: Resource) -> Plain | None:
    if meaning.key_parameter is None:
        return None
    return _Read(
        resource.qualified,
        meaning.key_parameter,
        model.answers.view(meaning),
        meaning.status,
        name_of(resource, ()) + "/",
    )


@dataclass(frozen=True, slots=True)
class _Create:
    """Stores what the caller sent, with what the server assigns.

    ``refused`` are members that no caller sets. ``always`` are made whatever was sent, ``unsent`` where the caller sent
    none, ``needed`` where there is no default either. ``order`` is that of the schema's members; ``key`` is the member
    that has the minted key, None when none has.
    """

    partition: Partition
    request_path: tuple[str, ...]
    refused: frozenset[str]
    defaults: Mapping[str, Json]
    always: tuple[tuple[str, _Maker], ...]
    unsent: tuple[tuple[str, _Maker], ...]
    needed: tuple[tuple[str, _Maker], ...]
    order: tuple[str, ...]
    key: str | None
    mint: Mint
    key_counter: str
    made_counter: str
    view: View
    status: int
    reads: tuple[str, ...]
    reasons: tuple[Reason, ...]

    def __call__(
        self, path: Mapping[str, Json], body: Json, *, state: State, seed: int, now: datetime
    ) -> Outcome | None:
        partition = self.partition
        given = value_at(body, self.request_path) if self.request_path else body
        if type(given) is not dict:
            given = {}
        elif not self.refused.isdisjoint(given):
            given = {name: member for name, member in given.items() if name not in self.refused}
        minted = self._minted(state, seed, now)
        if minted is None:
            return None
        key, text, ordinal = minted
        value: dict[str, Any] = {**self.defaults, **given}
        if self.key is not None:
            value[self.key] = key
        for name, make in self.always:
            value[name] = make(state, seed, now)
        for name, make in self.unsent:
            if name not in given:
                value[name] = make(state, seed, now)
        for name, make in self.needed:
            if name not in value:
                value[name] = make(state, seed, now)
        known = [*filter(value.__contains__, self.order)]
        item = dict(zip(known, map(value.__getitem__, known), strict=True))
        if len(known) != len(value):
            item |= value
        made = self.made_counter
        return Outcome(
            self.status,
            self.view.shown(item),
            (),
            (
                Put(partition, text, item),
                Advance(made, state.counter(made) + 1),
                Advance(self.key_counter, ordinal + 1),
            ),
            self.reads,
            self.reasons,
            None,
            key,
        )

    def _minted(self, state: State, seed: int, now: datetime) -> tuple[Json, str, int] | None:
        """The next key, its text and its number; None when somebody has it already."""
        scopes = state.resources.get(self.partition.resource)
        collection = scopes.get(()) if scopes is not None else None
        ordinal = state.counter(self.key_counter)
        key = self.mint.strike(ordinal, seed=seed, now=now)
        text = key_text(key)
        return None if collection is not None and text in collection else (key, text, ordinal)


def _plain_create(model: Model, meaning: Meaning, resource: Resource) -> Plain | None:
    facts, kept = model.facts(meaning), model.resource_facts(resource)
    special = (meaning.stores, resource.intake, resource.defaults, resource.values, resource.serials, resource.unique,
               resource.quota, [reference for reference in resource.references if reference.required])  # fmt: skip
    takes_key = resource.key is not None and (facts.takes_key or resource.assigned.get(resource.key) != "key")
    if any(special) or takes_key or "etag" in facts.headers:
        return None
    rules = {name: rule for name, rule in resource.assigned.items() if rule != "key"}
    makers = {name: _maker(model, resource, name, rule) for name, rule in {**kept.needed, **rules}.items()}
    if None in makers.values():
        return None
    made = [(name, maker) for name, maker in makers.items() if maker is not None]
    own = frozenset(rules) if facts.writable is not None else kept.own
    states = resource.states
    if states is not None and states.initial is not None and states.transitions:
        initial = states.initial
        made = [(states.property, lambda state, seed, now: initial),
                *((name, maker) for name, maker in made if name != states.property)]  # fmt: skip
        rules[states.property], own = "initial", own | {states.property}
    return _Create(
        partition=Partition(resource.qualified),
        request_path=meaning.request_path,
        refused=kept.read_only | facts.ignored,
        defaults=facts.defaults,
        always=tuple((name, maker) for name, maker in made if name in rules and name in own),
        unsent=tuple((name, maker) for name, maker in made if name in rules and name not in own),
        needed=tuple((name, maker) for name, maker in made if name not in rules),
        order=tuple(resource.anatomy.members),
        key=resource.key,
        mint=kept.mint,
        key_counter=f"{resource.qualified}#key",
        made_counter=f"{resource.qualified}#made",
        view=model.answers.view(meaning),
        status=meaning.status,
        reads=(name_of(resource, ()),),
        reasons=(assigned_reason(resource),),
    )


def _maker(model: Model, resource: Resource, name: str, rule: str) -> _Maker | None:
    """What makes a member's value by its rule; None for a rule that asks for more than state, seed and time."""
    made = OMIT if rule.startswith("parent:") else ruled(model, resource, name, rule, {})
    if made is OMIT:
        return None
    if not isinstance(made, Hole):
        return lambda state, seed, now: made
    schema, counter, draw = made.schema, made.counter, made.draw
    if draw is None and is_plain_moment(schema):
        return lambda state, seed, now: rfc3339(now)
    if draw is None:
        return lambda state, seed, now: moment(schema, now, name)
    return lambda state, seed, now: draw(seed + state.counter(counter), now)

"""The oracle: the model, asked what a request should come to, and told what it came to.

It is the same model that the double answers with, at work on a universe of its own. The holes of an outcome are filled
with what the service answered; after that both go on from the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from itertools import count

from contracts.drafting import Draft
from contracts.pool import Item
from contracts.service import NOT_JSON, Caller, Recorded, presented
from contracts.wire import received
from mock_server.dataclass import dataclass
from mock_server.exchange.predicting import Prediction
from mock_server.model.behaviours.reading import selection
from mock_server.model.call import Call, Principal
from mock_server.model.collection import Entry
from mock_server.model.filters import value_at
from mock_server.model.meaning import Listing, Meaning, Resource
from mock_server.model.minter import holes_of, realize
from mock_server.model.outcome import NO_BODY, Filling, Hole, Outcome, explain, key_text
from mock_server.model.problem import Problem
from mock_server.model.queries import Page, select
from mock_server.model.state import Partition, Put, Remove, State, commit
from mock_server.model.world import World, scope_of
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served

Place = tuple[Partition, str]
"""Where an item is: its partition and its key."""

_NUMBERS = count(1)

_OF_HALF_KNOWN = (LookupError, TypeError, ValueError, AttributeError)
"""What computed answers and effects stumble into over items of which only a part was ever shown (an open world)."""


@dataclass(frozen=True, slots=True)
class Written:
    """One item that a request should have written: as it was (None: it was not there), and as it should be now.

    ``sent`` are the members that the request itself gave values for. ``guessed`` are those whose new value rests on a
    guess of the model, not on the description.
    """

    resource: Resource
    place: Place
    before: Json
    after: Json
    sent: frozenset[str]
    guessed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Selected:
    """What a list should show: every item that its query selects, and the page of them that was asked for."""

    resource: Resource
    partition: Partition
    entries: Mapping[str, Json]
    page: tuple[Entry, ...]
    total: int
    filtered: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was sent, with what the model said of it before.

    ``shown`` is the item, or the list of items, inside the reply's envelope (NOT_JSON where there is none). ``item`` is
    the one that the request is about, as the oracle knew it. ``written`` and ``selected`` say what should have
    happened, ``refused`` why nothing should have. ``since`` names the operations that wrote something else since an
    item was last shown.
    """

    draft: Draft
    recorded: Recorded
    prediction: Prediction
    shown: Json
    item: tuple[Place, Json] | None
    written: tuple[Written, ...]
    selected: Selected | None
    refused: Problem | None
    since: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)

    @property
    def meaning(self) -> Meaning:
        assert self.prediction.meaning is not None
        return self.prediction.meaning


class Oracle:
    """What one attempt's requests should come to.

    ``state`` is what the service has when the attempt begins, or what is known of it (not ``closed``). ``asks`` says
    whether credentials are judged by the model (they are the seed's) or taken as they are.
    """

    def __init__(self, sandbox: Sandbox, served: Served, state: State, *, closed: bool, asks: bool) -> None:
        self._sandbox = sandbox
        self.line = served.line
        self.model = served.model
        self.closed = closed
        self.asks = asks
        self.stands_still = False
        self._name = f"oracle-{next(_NUMBERS)}"
        self.universe = sandbox.universes.get(self._name)
        self.universe.state = state
        self.unsure: dict[Place, set[str]] = {}
        self.writes: list[tuple[str, Place | None]] = []
        self.seen: dict[Place, int] = {}
        self.made: dict[Place, int] = {}
        self.sure: set[Place] = set()
        self.loose: set[str] = set()
        self.gone: dict[Partition, set[str]] = {}

    def close(self) -> None:
        """Forgets the attempt."""
        self._sandbox.universes.drop(self._name)

    @property
    def state(self) -> State:
        """What the service should have now."""
        return self.universe.state

    def knows(self, place: Place) -> bool:
        """Whether what is known of an item was shown in this attempt; in a closed world everything is known."""
        return self.closed or place in self.sure

    def freeze(self) -> None:
        """Lets the oracle's clock stand still, as the service's does."""
        self.universe.clock = self.universe.clock.frozen()
        self.stands_still = True

    # Predicting

    def predict(self, draft: Draft) -> Prediction | None:
        """What a request should come to; None where too little is known for the model to say anything."""
        try:
            return self._predict(draft)
        except _OF_HALF_KNOWN:
            if self.closed:
                raise
            return None

    def _predict(self, draft: Draft) -> Prediction:
        sent = presented(draft.request, draft.caller) if draft.caller is not None else draft.request
        return self.line.predict(received(sent), self.universe, principal=self._principal(draft.caller))

    def _principal(self, caller: Caller | None) -> Principal | None:
        return caller.principal if caller is not None and not self.asks else None

    # Comparing and committing

    def answered(self, draft: Draft, recorded: Recorded, prediction: Prediction) -> Answered | None:
        """A reply beside its prediction; where the request succeeded as it should, both go on from what it did.

        None where too little is known to go on.
        """
        try:
            return self._answered(draft, recorded, prediction)
        except _OF_HALF_KNOWN:
            if self.closed:
                raise
            return None

    def _answered(self, draft: Draft, recorded: Recorded, prediction: Prediction) -> Answered:
        meaning, result = prediction.meaning, prediction.result
        body = recorded.json if recorded.reply.body else NOT_JSON
        shown = value_at(body, meaning.envelope.path) if meaning is not None and body is not NOT_JSON else NOT_JSON
        call = prediction.call
        item = self._item(meaning, call) if meaning is not None and call is not None else None
        selected = self._selected(meaning, call) if meaning is not None and call is not None else None
        written: tuple[Written, ...] = ()
        refused: Problem | None = result if isinstance(result, Problem) else None
        if isinstance(result, Outcome) and recorded.ok:
            assert meaning is not None
            assert call is not None
            written, refused = self._commit(meaning, call, result, prediction, recorded, body)
        since = {place: self._since(place) for place in self._shown_places(meaning, item, selected)}
        return Answered(draft, recorded, prediction, shown, item, written, selected, refused, since)

    def _shown_places(
        self, meaning: Meaning | None, item: tuple[Place, Json] | None, selected: Selected | None
    ) -> Iterable[Place]:
        if item is not None:
            yield item[0]
        if selected is not None:
            yield from ((selected.partition, key) for key in selected.entries)

    def _item(self, meaning: Meaning, call: Call) -> tuple[Place, Json] | None:
        """The item that a call is about, as it is known now."""
        resource = meaning.resource
        if resource is None or meaning.behaviour in {"list", "create", "create-many", "sample", "compute", "clear"}:
            return None
        key = key_text(call.path[meaning.key_parameter]) if meaning.key_parameter is not None else ""
        if not key and not resource.singleton:
            return None
        world = self._world()
        partition = Partition(resource.qualified, scope_of(world, meaning, call))
        collection = self.state.collection(partition)
        entry = collection.get(key) if collection is not None else None
        return ((partition, key), entry.value) if entry is not None and self.knows((partition, key)) else None

    def _selected(self, meaning: Meaning, call: Call) -> Selected | None:
        if meaning.behaviour != "list" or meaning.resource is None:
            return None
        world, resource, listing = self._world(), meaning.resource, meaning.listing
        if resource.open_world and not self.closed:
            return None
        scope = scope_of(world, meaning, call)
        collection = world.collection(resource, scope)
        conditions = selection(world, meaning, call)
        whole = select(collection, _unpaged(listing), call.query, conditions=conditions)
        page = select(collection, listing, call.query, conditions=conditions)
        if not isinstance(whole, Page):
            return None
        shown = tuple(page.entries) if isinstance(page, Page) else ()
        filtered = bool(conditions) or any(f.parameter in call.query for f in listing.filters)
        filtered = filtered or (listing.search is not None and listing.search in call.query)
        entries = {entry.key: entry.value for entry in whole.entries}
        return Selected(resource, Partition(resource.qualified, scope), entries, shown, whole.total, filtered)

    def _commit(
        self,
        meaning: Meaning,
        call: Call,
        outcome: Outcome,
        prediction: Prediction,
        recorded: Recorded,
        body: Json,
    ) -> tuple[tuple[Written, ...], Problem | None]:
        """Puts what a request did in place, with the values that the service chose."""
        told = explain(outcome, status=outcome.status, body=body if body is not NOT_JSON else None)
        bound = dict(told.filling.values) if body is not NOT_JSON else {}
        filling = Filling(bound, told.filling.changes)
        assert prediction.now is not None
        unbound = {hole for hole in holes_of(outcome) if hole not in bound}
        realized = realize(outcome, state=self.state, seed=self.universe.seed, now=prediction.now, given=filling)
        if any(hole.rule == "key" for hole in unbound):
            # Something was made and nobody knows what it is called: nothing can be said of its collection any more.
            self.loose |= {change.partition.resource for change in outcome.changes if isinstance(change, Put)}
            self.writes.append((meaning.operation_id, None))
            return (), None
        before = self.state
        followed = self.line.committing.commit(
            self.universe,
            realized.changes,
            now=prediction.now,
            principal=call.principal,
            emits=realized.events,
            api=self.line.api.name,
        )
        if isinstance(followed, Problem):
            return (), followed
        written = tuple(self._written(meaning, call, outcome, realized, before))
        self._remember(meaning, outcome, realized, unbound, written)
        return written, None

    def _written(
        self, meaning: Meaning, call: Call, outcome: Outcome, realized: Outcome, before: State
    ) -> Iterable[Written]:
        sent = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else None
        names = frozenset(sent) if isinstance(sent, dict) else frozenset()
        for made in realized.changes:
            if not isinstance(made, Put) or meaning.resource is None:
                continue
            if made.partition.resource != meaning.resource.qualified or not isinstance(made.value, dict):
                continue
            held = before.collection(made.partition)
            entry = held.get(made.key) if held is not None else None
            old = entry.value if entry is not None else None
            if not self.knows((made.partition, made.key)) and entry is not None:
                # Only what the request says is certain; the rest is hearsay.
                self.unsure.setdefault((made.partition, made.key), set()).update(set(made.value) - names)
            yield Written(
                meaning.resource,
                (made.partition, made.key),
                old,
                made.value,
                names,
                _guessed(meaning, old, made.value, names),
            )

    def _remember(
        self, meaning: Meaning, outcome: Outcome, realized: Outcome, unbound: set[Hole], written: tuple[Written, ...]
    ) -> None:
        for planned, made in zip(outcome.changes, realized.changes, strict=False):
            if isinstance(planned, Put) and isinstance(made, Put) and isinstance(planned.value, dict):
                place = (made.partition, made.key)
                unsure = {n for n, m in planned.value.items() if isinstance(m, Hole) and m in unbound}
                if meaning.behaviour == "compute":
                    # What was computed here holds values that only this double would make up.
                    unsure |= set(planned.value) - next((w.sent for w in written if w.place == place), frozenset())
                if unsure:
                    self.unsure.setdefault(place, set()).update(unsure)
        for change in realized.changes:
            if isinstance(change, Remove):
                self.gone.setdefault(change.partition, set()).add(change.key)
        if outcome.changes or meaning.behaviour in {"sample", "compute"}:
            target = written[0].place if written else None
            for each in written:
                if each.before is None or each.sent:
                    self.sure.add(each.place)
                if each.before is None:
                    self.made[each.place] = len(self.writes)
            self.writes.append((meaning.operation_id, target))

    def adopt(self, place: Place, shown: Mapping[str, Json]) -> None:
        """Takes an item as the service shows it: from now on it must stay like that."""
        partition, key = place
        collection = self.state.collection(partition)
        entry = collection.get(key) if collection is not None else None
        old = entry.value if entry is not None and isinstance(entry.value, dict) else {}
        changed = {name: value for name, value in shown.items() if name not in old or old[name] != value}
        if entry is None or changed:
            self.universe.state = commit(self.state, [Put(partition, key, {**old, **shown})])
        self.unsure.get(place, set()).difference_update(shown)
        self.seen[place] = len(self.writes)
        self.sure.add(place)

    def _since(self, place: Place) -> tuple[str, ...]:
        """The operations that wrote something else since an item was last shown."""
        return tuple(name for name, target in self.writes[self.seen.get(place, 0) :] if target != place)

    def _world(self) -> World:
        return World(self.model, self.state, self.universe.clock.now(), self.universe.tables)


def _guessed(meaning: Meaning, old: Json, new: Mapping[str, Json], sent: frozenset[str]) -> frozenset[str]:
    """The members of a written item whose values nothing but the model's guess stands behind."""
    if not meaning.inferred:
        return frozenset()
    kept = old if isinstance(old, dict) else {}
    changed = {name for name, value in new.items() if name not in kept or kept[name] != value}
    return frozenset(changed - sent)


def _unpaged(listing: Listing) -> Listing:
    """The same list, all of it at once."""
    return Listing(search=listing.search, search_in=listing.search_in, filters=listing.filters)


def item_of(resource: Resource, place: Place, value: Json) -> Item:
    """A place in the state as an item."""
    return Item(resource, place[0].scope, place[1], value)

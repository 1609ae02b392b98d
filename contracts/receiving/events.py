"""Which events a write promises, and what the description says of each.

Annotations promise them; without any, names do: ``order.paid`` is what ``POST /orders/{id}/pay`` brings about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from contracts.receiving.receiver import Delivery
from contracts.roster import Roles, Roster
from contracts.service import NOT_JSON
from mock_server.dataclass import dataclass
from mock_server.model.anatomy import singular, words
from mock_server.model.inference.actions import participles
from mock_server.model.inference.roles import STATE_WORDS
from mock_server.model.meaning import Resource
from mock_server.openapi import outgoing
from mock_server.openapi.compile import Api
from mock_server.openapi.outgoing import Outgoing

_VERBS = {
    "created": ("create", "created", "add", "added", "new"),
    "updated": ("update", "updated", "change", "changed"),
    "deleted": ("delete", "deleted", "remove", "removed"),
}
_NAMED = ("type", "event", "event_type", "eventType", "topic", "name", "action")
_HEADERS = ("x-event", "x-event-type", "x-webhook-event", "x-topic", "webhook-event")


@dataclass(frozen=True, slots=True)
class Source:
    """A write that brings events about. ``promised`` come whenever it succeeds, ``possible`` under conditions.

    ``what`` it does is created, updated, deleted or acted. ``annotated`` says that an annotation promises the events,
    and not their names alone; the names of those that are ``exact`` say it beyond doubt (``order.paid`` of payOrder).
    """

    operation: str
    what: str
    roles: Roles
    promised: tuple[str, ...]
    possible: tuple[str, ...]
    annotated: bool
    exact: frozenset[str] = frozenset()


def described(api: Api) -> Mapping[str, tuple[Outgoing, ...]]:
    """The described webhooks and callbacks by the type of their event."""
    found: dict[str, tuple[Outgoing, ...]] = {}
    for one in (*outgoing.webhooks(api), *chain.from_iterable(outgoing.callbacks(api).values())):
        found[one.event] = (*found.get(one.event, ()), one)
    return found


def sources(roster: Roster, types: Mapping[str, tuple[Outgoing, ...]], *, without: Roles | None) -> Iterator[Source]:
    """The writes that bring events about; ``without`` are the subscriptions themselves."""
    annotated = any(roles.resource.events for roles in roster.resources.values())
    for roles in roster.resources.values():
        if without is not None and roles.resource.qualified == without.resource.qualified:
            continue
        for what, operation_id in _writes(roster, roles):
            found = _annotated if annotated else _named
            source = found(roster, roles, what, operation_id, types)
            if source.promised or source.possible:
                yield source


def _writes(roster: Roster, roles: Roles) -> Iterator[tuple[str, str]]:
    yield from (("created", name) for name in roles.creates)
    yield from (("updated", name) for name in (*roles.updates, *roles.replaces))
    if roles.resource.soft_delete is None:
        yield from (("deleted", name) for name in roles.deletes)
    yield from (("acted", name) for name in roles.acts if roster.meaning(name).key_parameter is not None)


def _annotated(
    roster: Roster, roles: Roles, what: str, operation_id: str, types: Mapping[str, tuple[Outgoing, ...]]
) -> Source:
    """What annotations say that a write tells of. An act need not change the item, so what it tells is possible."""
    rules = [rule for rule in roles.resource.events if rule.on == ("updated" if what == "acted" else what)]
    promised = tuple(rule.type for rule in rules if rule.when is None and what != "acted")
    possible = tuple(rule.type for rule in rules if rule.type not in promised)
    return Source(operation_id, what, roles, promised, possible, annotated=True)


def _named(
    roster: Roster, roles: Roles, what: str, operation_id: str, types: Mapping[str, tuple[Outgoing, ...]]
) -> Source:
    """The events whose names say what was done to which resource: ``customer.created``, ``newPet``, ``order.paid``."""
    verbs = _moves(roster, operation_id) if what == "acted" else frozenset(_VERBS[what])
    found: list[str] = []
    exact: set[str] = set()
    for name in types:
        spelled = words(name)
        rest = [word for word in spelled if word not in verbs]
        if len(spelled) != len(rest) + 1 or not rest or roster.called("_".join(rest)) != roles.resource.qualified:
            continue
        found.append(name)
        # Which changes are told of as updates is for the service to say.
        said = spelled[-1] in verbs if what == "acted" else spelled[-1] == what and what != "updated"
        if said and tuple(rest) == _spelled(roles.resource):
            exact.add(name)
    return Source(operation_id, what, roles, tuple(found), (), annotated=False, exact=frozenset(exact))


def _moves(roster: Roster, operation_id: str) -> frozenset[str]:
    """What an item is after an act, in a word: ``paid`` after pay."""
    verb = "".join(words(roster.model.api.refs[operation_id].template.text.rpartition("/")[2]))
    states = (template.source for template in roster.meaning(operation_id).set.values())
    return frozenset({*participles(verb), *STATE_WORDS.get(verb, ()), *(text for text in states if _is_word(text))})


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(words(value)) == 1


def _spelled(resource: Resource) -> tuple[str, ...]:
    """The name of one item of a resource, word by word."""
    spelled = words(resource.name.rpartition(".")[2])
    return (*spelled[:-1], singular(spelled[-1])) if spelled else ()


def type_of(delivery: Delivery, known: Mapping[str, tuple[Outgoing, ...]], wanted: tuple[str, ...]) -> str | None:
    """The type of a delivery's event, None where it does not say. ``wanted`` is what was subscribed to."""
    body = delivery.json
    told = [body.get(name) for name in _NAMED] if body is not NOT_JSON and isinstance(body, dict) else []
    told += [delivery.headers.get(name) for name in _HEADERS]
    for text in told:
        if isinstance(text, str) and (text in known or text in wanted):
            return text
    several = wanted or tuple(known)
    return several[0] if len(several) == 1 else None


def id_of(delivery: Delivery) -> str | None:
    """What tells an event from another: its id by Standard Webhooks, None where it has none."""
    return delivery.headers.get("webhook-id")

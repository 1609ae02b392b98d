"""Which events a write promises, and what the description says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from contracts.receiving.receiver import Delivery
from contracts.roster import Roles, Roster
from contracts.service import NOT_JSON
from mock_server.model.anatomy import words
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

    ``annotated`` says that an annotation promises them, and not their names alone.
    """

    operation: str
    what: str
    roles: Roles
    promised: tuple[str, ...]
    possible: tuple[str, ...]
    annotated: bool


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
        writes = [("created", name) for name in roles.creates]
        writes += [("updated", name) for name in (*roles.updates, *roles.replaces)]
        writes += [("deleted", name) for name in roles.deletes if roles.resource.soft_delete is None]
        for what, operation_id in writes:
            if annotated:
                rules = [rule for rule in roles.resource.events if rule.on == what]
                promised = tuple(rule.type for rule in rules if rule.when is None)
                possible = tuple(rule.type for rule in rules if rule.when is not None)
            else:
                promised, possible = tuple(_by_name(roster, roles.resource, what, types)), ()
            if promised or possible:
                yield Source(operation_id, what, roles, promised, possible, annotated)


def _by_name(roster: Roster, resource: Resource, what: str, types: Mapping[str, tuple[Outgoing, ...]]) -> Iterator[str]:
    """The events whose names say what was done to which resource: ``customer.created``, ``newPet``."""
    for name in types:
        spelled = words(name)
        verbs = [word for word in spelled if word in _VERBS[what]]
        rest = [word for word in spelled if word not in verbs]
        if len(verbs) == 1 and rest and roster.called("_".join(rest)) == resource.qualified:
            yield name


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

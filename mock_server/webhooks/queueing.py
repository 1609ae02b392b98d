"""From an event to its deliveries: who gets it, and whether its payload is what the description says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from itertools import chain

from mock_server.errors import DescriptionError
from mock_server.model.call import Call
from mock_server.model.events import Event
from mock_server.model.model import Model
from mock_server.model.outcome import Outcome
from mock_server.model.state import Change, State
from mock_server.openapi import outgoing
from mock_server.openapi.outgoing import Outgoing
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json, Violation
from mock_server.webhooks.callbacks import registrations
from mock_server.webhooks.delivery import Delivery, Standing
from mock_server.webhooks.recipients import Target, recipients


class Webhooks:
    """What one API sends by itself: its model's rules, and the described webhooks and callbacks.

    ``callbacks`` are the described ones by the id of the operation whose requests give their URLs.
    Safe to share between threads: everything in it follows from the description.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rules = model.webhooks
        _check(model)
        self.callbacks = outgoing.callbacks(model.api)

    @cached_property
    def _described(self) -> Mapping[str, list[Outgoing]]:
        """The described webhooks and callbacks by the type of their events; there may be hundreds, so not at start."""
        found: dict[str, list[Outgoing]] = {}
        for one in (*outgoing.webhooks(self.model.api), *chain.from_iterable(self.callbacks.values())):
            found.setdefault(one.event, []).append(one)
        return found

    def compile(self) -> None:
        """Compiles the schemas of all payloads; a ``DescriptionError`` for one that is broken."""
        for one in chain.from_iterable(self._described.values()):
            if one.schema is not None:
                one.schema.compile(Direction.RESPONSE)

    @property
    def speaks(self) -> bool:
        """Whether anybody may be subscribed to its events."""
        return self.rules.subscriptions is not None or bool(self.callbacks)

    def registered(self, call: Call, outcome: Outcome, *, state: State, now: datetime) -> tuple[Change, ...]:
        """The changes that remember the callback URLs which a call gave."""
        described = self.callbacks.get(call.operation_id, ())
        return registrations(described, call, outcome, state=state, namespace=self.model.namespace, now=now)

    def violations(self, event: Event) -> tuple[Violation, ...]:
        """How an event's payload breaks its description; nothing for one that is not described.

        The service is the one that sends, so readOnly members belong into it and writeOnly ones do not.
        """
        found: tuple[Violation, ...] = ()
        for described in self._described.get(event.type, ()):
            if described.schema is None:
                return ()
            found = _violations(described.schema, event.data)
            if not found:
                return ()
        return found

    def deliveries(
        self, event: Event, *, state: State, targets: Iterable[Target], now: datetime
    ) -> tuple[tuple[Delivery, ...], tuple[Violation, ...]]:
        """A delivery for everybody who gets the event, and how its payload breaks the description.

        Deliveries are due now, or have failed already when the payload is invalid.
        """
        violations = self.violations(event)
        standing = Standing.FAILED if violations else Standing.PENDING
        reason = told(violations) if violations else ""
        found = recipients(event, model=self.model, state=state, targets=targets, now=now)
        name = self.model.api.name
        return tuple(Delivery(name, event, each, now, now, standing, reason) for each in found), violations


def _violations(schema: Schema, value: Json) -> tuple[Violation, ...]:
    """How a value breaks a schema; a schema that is broken itself is told as such, since the event has happened."""
    try:
        return schema.violations(value, Direction.RESPONSE, where="body")
    except DescriptionError as error:
        return (Violation("body", "", "description", None, None, f"cannot be checked: {error.problem}"),)


def _check(model: Model) -> None:
    """Refuses subscriptions that no resource keeps; those of a shared namespace may be another description's."""
    subscriptions, annotations = model.webhooks.subscriptions, model.annotations
    if subscriptions is not None and annotations.namespace is None:
        place = "/x-mock-webhooks/subscriptions/resource"
        annotations.reader.known(subscriptions.name, model.resource_names(), place, "no such resource")


def told(violations: Iterable[Violation]) -> str:
    """What is wrong with a payload, in a sentence that names the places."""
    faults = [f"{violation.pointer or 'it'} {violation.message}" for violation in violations]
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    return f"the payload breaks its description: {'; '.join(faults[:3])}{more}"

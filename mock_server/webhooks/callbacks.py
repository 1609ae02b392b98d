"""Callback URLs: who gave one with which request, kept in the state beside the resources.

A call of an operation that describes callbacks registers their URLs for what it wrote: later events about those items
go there. A call that wrote nothing registers them for every event of the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from mock_server.model.call import Call
from mock_server.model.clock import moments
from mock_server.model.collection import Collection
from mock_server.model.events import Event
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.model.state import EMPTY_COLLECTION, Change, Partition, Put, Remove, State
from mock_server.openapi.expressions import MISSING, Context, Message
from mock_server.openapi.outgoing import Outgoing
from mock_server.openapi.values import Json

_KEPT = 1000
"""So many URLs are kept for a type of event, the newest."""


def registrations(
    callbacks: Iterable[Outgoing], call: Call, outcome: Outcome, *, state: State, namespace: str, now: datetime
) -> tuple[Change, ...]:
    """What has to be stored for the callback URLs that a call gave; ``outcome`` is what it is answered."""
    context = _context(call, outcome, now)
    about = [f"{change.partition}/{change.key}" for change in outcome.changes if isinstance(change, Put)]
    found: list[Change] = []
    for ahead, callback in enumerate(callbacks, 1):
        url = callback.url.evaluate(context) if callback.url is not None else MISSING
        if isinstance(url, str) and url:
            partition = _partition(namespace, callback.event)
            kept = state.collection(partition) or EMPTY_COLLECTION
            found += _forgotten(partition, kept)
            value = {"url": url, "about": about, "tenant": (call.principal and call.principal.tenant) or ""}
            found.append(Put(partition, str(_number(kept) + ahead), value))
    return tuple(found)


def registered(event: Event, state: State, *, namespace: str) -> Iterator[str]:
    """The URLs that were given for an event, each once."""
    kept = state.collection(_partition(namespace, event.type))
    subject = f"{event.place[0]}/{event.place[1]}" if event.place else f"{namespace}/{event.resource}/{event.key}"
    urls: dict[str, None] = {}
    for entry in kept or ():
        about = entry.value["about"]
        if subject in about or (not about and event.tenant in {None, entry.value["tenant"]}):
            urls[entry.value["url"]] = None
    return iter(urls)


def _partition(namespace: str, event_type: str) -> Partition:
    return Partition(f"{namespace}/~callbacks", (event_type,))


def _number(kept: Collection) -> int:
    """The number of the newest registration; 0 when there is none."""
    return next((int(entry.key) for entry in reversed(kept)), 0)


def _forgotten(partition: Partition, kept: Collection) -> list[Change]:
    return [Remove(partition, next(iter(kept)).key)] if len(kept) >= _KEPT else []


def _context(call: Call, outcome: Outcome, now: datetime) -> Context:
    """What a callback's URL may refer to: the request that gave it and its response (OAS 3.1 §4.8.18.1)."""
    given = call.context({**moments(now)})
    body: Json = MISSING if outcome.body is NO_BODY else outcome.body
    response = Message(headers=dict(outcome.headers), body=body)
    return Context(given.url, given.method, outcome.status, given.request, response, given.bindings)

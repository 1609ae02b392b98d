"""Who gets an event, and how a recipient of a queued delivery stands now. Pure: everything is read from the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime

from mock_server.dataclass import dataclass
from mock_server.model.clock import instant_of, moments
from mock_server.model.events import Event
from mock_server.model.filters import value_at
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.redaction import REDACTED
from mock_server.model.state import Partition, State
from mock_server.model.tenants import parents_in, tenant_in
from mock_server.model.webhooks import Subscriptions
from mock_server.model.world import is_soft_deleted
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Json
from mock_server.webhooks.callbacks import registered
from mock_server.webhooks.delivery import Recipient


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was configured to get events: all of them, or those of the listed types."""

    id: str
    url: str
    events: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)

    def takes(self, event: Event) -> bool:
        """Whether it wants an event."""
        return not self.events or event.type in self.events

    @property
    def recipient(self) -> Recipient:
        """The target as somebody to deliver to."""
        return Recipient(f"target:{self.id}", self.url, (self.secret,) if self.secret else ())

    def as_json(self, *, redact: bool) -> dict[str, Json]:
        """The shape of a target in the control API."""
        secret = REDACTED if self.secret and redact else self.secret
        return {"id": self.id, "url": self.url, "events": list(self.events), "secret": secret}


def recipients(
    event: Event, *, model: Model, state: State, targets: Iterable[Target], now: datetime
) -> Iterator[Recipient]:
    """Everybody who gets an event: subscribers, whoever gave a callback URL for it, and configured targets."""
    subscriptions = model.webhooks.subscriptions
    if event.to is not None:
        if subscriptions is not None and (found := _subscriber(subscriptions, model, state, event.to, now)) is not None:
            yield found
        return
    if subscriptions is not None:
        for place, item in _subscribed(subscriptions, model, state, event):
            if _wants(subscriptions, item, event, now):
                yield _as_recipient(subscriptions, place, item, now)
    for url in registered(event, state, namespace=model.namespace):
        yield Recipient(f"callback:{url}", url)
    for target in targets:
        if target.takes(event):
            yield target.recipient


def refreshed(
    recipient: Recipient, *, model: Model, state: State, targets: Iterable[Target], now: datetime
) -> Recipient | None:
    """The same recipient as it is now (another URL or secret, held or not), or None when it is gone."""
    if recipient.place is not None:
        subscriptions = model.webhooks.subscriptions
        return None if subscriptions is None else _subscriber(subscriptions, model, state, recipient.place, now)
    if recipient.id.startswith("target:"):
        return next((target.recipient for target in targets if target.recipient.id == recipient.id), None)
    return recipient


def _subscribed(
    subscriptions: Subscriptions, model: Model, state: State, event: Event
) -> Iterator[tuple[tuple[Partition, str], Mapping[str, Json]]]:
    """The subscriptions that an event may be for: of its tenant or of all, and below the parents that it is below."""
    resource = model.resource(subscriptions.name)
    for partition, collection in state.partitions(subscriptions.resource):
        owner = tenant_in(resource, partition.scope) if resource is not None else None
        if event.tenant is not None and owner is not None and owner != event.tenant:
            continue
        if resource is not None and resource.parents and _is_below_others(resource, partition, event, model):
            continue
        for entry in collection:
            gone = resource is not None and is_soft_deleted(resource, entry.value)
            if isinstance(entry.value, dict) and not gone:
                yield (partition, entry.key), entry.value


def _is_below_others(resource: Resource, partition: Partition, event: Event, model: Model) -> bool:
    """Whether what an event is about has parents in common with the subscriptions of a partition, but other ones."""
    about = model.resource(event.resource)
    if about is None or event.place is None:
        return False
    theirs = _parents(about, event.place[0]) | {about.name: event.key}
    return any(theirs.get(name, key) != key for name, key in _parents(resource, partition).items())


def _parents(resource: Resource, partition: Partition) -> dict[str, str]:
    names = (parent.resource or parent.parameter for parent in resource.parents)
    return dict(zip(names, parents_in(resource, partition.scope), strict=True))


def _subscriber(
    subscriptions: Subscriptions, model: Model, state: State, place: tuple[Partition, str], now: datetime
) -> Recipient | None:
    partition, key = place
    collection = state.collection(partition)
    entry = collection.get(key) if collection is not None else None
    resource = model.resource(subscriptions.name)
    if entry is None or (resource is not None and is_soft_deleted(resource, entry.value)):
        return None
    return _as_recipient(subscriptions, place, entry.value, now)


def _as_recipient(
    subscriptions: Subscriptions, place: tuple[Partition, str], item: Mapping[str, Json], now: datetime
) -> Recipient:
    url = value_at(item, subscriptions.url)
    held = subscriptions.holds is not None and subscriptions.holds.holds(_context(item, now, None))
    return Recipient(
        f"{place[0]}/{place[1]}",
        url if isinstance(url, str) else "",
        tuple(_secrets(subscriptions, item, now)),
        held,
        item,
        place,
    )


def _wants(subscriptions: Subscriptions, item: Mapping[str, Json], event: Event, now: datetime) -> bool:
    if subscriptions.when is not None and not subscriptions.when.holds(_context(item, now, event)):
        return False
    if subscriptions.events is None:
        return True
    listed = value_at(item, subscriptions.events)
    types = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    return event.type in types or subscriptions.everything in types


def _secrets(subscriptions: Subscriptions, item: Mapping[str, Json], now: datetime) -> Iterator[str]:
    """The secret and, while a rotation overlaps, the one before it."""
    current = value_at(item, subscriptions.secret) if subscriptions.secret is not None else None
    if isinstance(current, str) and current:
        yield current
    previous = value_at(item, subscriptions.previous_secret) if subscriptions.previous_secret is not None else None
    if isinstance(previous, str) and previous and previous != current and _overlaps(subscriptions, item, now):
        yield previous


def signing_secrets(subscriptions: Subscriptions, state: State) -> Iterator[str]:
    """The secrets of all subscriptions, those of the last rotation included."""
    paths = [path for path in (subscriptions.secret, subscriptions.previous_secret) if path is not None]
    for _, collection in state.partitions(subscriptions.resource):
        for entry in collection:
            yield from (text for path in paths if isinstance(text := value_at(entry.value, path), str))


def _overlaps(subscriptions: Subscriptions, item: Mapping[str, Json], now: datetime) -> bool:
    """Whether the rotation still lasts; without a moment at which it ends, it does."""
    if subscriptions.previous_until is None:
        return True
    until = instant_of(value_at(item, subscriptions.previous_until))
    return until is not None and now < until


def _context(item: Json, now: datetime, event: Event | None) -> Context:
    bindings: dict[str, Json] = {"resource": item, **moments(now)}
    if event is not None:
        bindings["event"] = event.as_json()
    return Context(bindings=bindings)

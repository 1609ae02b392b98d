"""One event on its way to one recipient, as a value: what is sent, what was tried, and how it stands."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum

from mock_server.dataclass import dataclass
from mock_server.model.clock import rfc3339
from mock_server.model.events import Event
from mock_server.model.state import Partition
from mock_server.openapi.values import Json


class Standing(StrEnum):
    """How a delivery stands; the last two are final."""

    PENDING = "pending"
    HELD = "held"
    DELIVERED = "delivered"
    FAILED = "failed"


OPEN = frozenset({Standing.PENDING, Standing.HELD})


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whoever gets deliveries, as it is now. Deliveries to one ``id`` go one after the other.

    ``id`` is a subscription's place in the state, ``target:<id>`` or ``callback:<url>``. ``item`` is the subscription
    and ``place`` where it is kept; both are None for other recipients. ``secrets`` are those that sign, newest first.
    """

    id: str
    url: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    held: bool = False
    item: Json = field(default=None, repr=False)
    place: tuple[Partition, str] | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST: when it began (virtual time), the status or what went wrong instead, and how many seconds it took."""

    time: datetime
    status: int | None
    error: str
    latency: float

    def as_json(self) -> dict[str, Json]:
        """The shape of one member of ``attempts`` in the control API."""
        return {
            "time": rfc3339(self.time),
            "status": self.status,
            "error": self.error or None,
            "latency": round(self.latency, 6),
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one recipient. ``due`` is when it may next be tried, ``reason`` why it was given up.

    ``tries`` counts the attempts since it was queued, or queued again; ``id`` is "" until it is in an outbox.
    """

    api: str
    event: Event
    recipient: Recipient
    queued: datetime
    due: datetime
    standing: Standing = Standing.PENDING
    reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    id: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it may still be tried."""
        return self.standing in OPEN

    def as_json(self) -> dict[str, Json]:
        """The shape of a delivery in the control API."""
        return {
            "id": self.id,
            "state": self.standing.value,
            "reason": self.reason or None,
            "api": self.api,
            "event": {"id": self.event.id, "type": self.event.type},
            "recipient": self.recipient.id,
            "url": self.recipient.url,
            "queued": rfc3339(self.queued),
            "due": rfc3339(self.due) if self.is_open else None,
            "attempts": [attempt.as_json() for attempt in self.attempts],
            "payload": self.event.data,
        }

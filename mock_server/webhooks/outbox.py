"""The outbox of one universe: its deliveries, in the order of their events for each recipient."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from threading import Lock

from mock_server.errors import ConfigurationError, Place, StateError
from mock_server.webhooks.delivery import Delivery, Standing
from mock_server.webhooks.recipients import Target
from mock_server.webhooks.retrying import Send

MOST_TARGETS = 1000
"""So many targets one universe has: each of them gets every event."""

Refresh = Callable[[Delivery], Delivery]
"""Gives an open delivery as it stands now: held, released, or failed because its recipient is gone."""


class Outbox:
    """Deliveries by id, the newest ``capacity`` of them, and the targets of this universe alone.

    ``send`` takes the messages of this universe instead of the sandbox's own; None leaves them to that.
    Safe to use from several threads. Of the open deliveries to one recipient only the oldest may be claimed, and only
    by one thread at a time.
    """

    def __init__(self, *, capacity: int = 1000) -> None:
        self.send: Send | None = None
        self._capacity = capacity
        self._lock = Lock()
        self._deliveries: OrderedDict[str, Delivery] = OrderedDict()
        self._queues: dict[str, list[str]] = {}
        self._claimed: dict[str, str] = {}
        self._count = 0
        self._targets: dict[str, Target] = {}
        self._target_count = 0

    # Targets

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets that were added."""
        return tuple(self._targets.values())

    def add_target(self, url: str, *, events: Iterable[str] = (), secret: str | None = None) -> Target:
        """One more target; its id is new. A ``ConfigurationError`` when there are ``MOST_TARGETS``."""
        with self._lock:
            if len(self._targets) >= MOST_TARGETS:
                raise ConfigurationError(
                    f"this universe has {MOST_TARGETS} targets already",
                    place=Place("body"),
                    got=url,
                    allowed=f"at most {MOST_TARGETS}",
                    hint="DELETE /__mock__/webhooks/targets forgets them",
                )
            self._target_count += 1
            target = Target(f"t{self._target_count}", url, tuple(events), secret)
            self._targets[target.id] = target
            return target

    def remove_target(self, target_id: str) -> bool:
        """Whether there was such a target; what is queued for it is given up when its turn comes."""
        with self._lock:
            return self._targets.pop(target_id, None) is not None

    def clear_targets(self) -> None:
        """Every target forgotten."""
        with self._lock:
            self._targets.clear()

    # Deliveries

    @property
    def is_open(self) -> bool:
        """Whether anything may still be tried."""
        return bool(self._queues)

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Queues deliveries, each behind the others to its recipient."""
        with self._lock:
            for delivery in deliveries:
                self._count += 1
                numbered = replace(delivery, id=f"d{self._count}")
                self._deliveries[numbered.id] = numbered
                if numbered.is_open:
                    self._queues.setdefault(numbered.recipient.id, []).append(numbered.id)
            self._forget()

    def claim(self, now: datetime, refresh: Refresh) -> Delivery | None:
        """A delivery to be tried now, None when there is none; nobody else gets one to that recipient meanwhile.

        Whoever claims one has to ``settle`` it.
        """
        with self._lock:
            for recipient in list(self._queues):
                head = None if recipient in self._claimed else self._head(recipient, refresh)
                if head is not None and head.standing is Standing.PENDING and head.due <= now:
                    self._claimed[recipient] = head.id
                    return head
        return None

    def settle(self, delivery: Delivery) -> None:
        """Takes a claimed delivery back as it stands after the attempt; one that was forgotten stays forgotten."""
        with self._lock:
            if self._claimed.get(delivery.recipient.id) == delivery.id:
                del self._claimed[delivery.recipient.id]
            if delivery.id in self._deliveries:
                self._store(delivery)

    def next_due(self) -> datetime | None:
        """When a delivery that is neither held nor under way may be tried; None when there is none."""
        with self._lock:
            heads = (self._deliveries[queue[0]] for name, queue in self._queues.items() if name not in self._claimed)
            return min((head.due for head in heads if head.standing is Standing.PENDING), default=None)

    def listed(self, refresh: Refresh) -> tuple[Delivery, ...]:
        """Every delivery as it stands now, oldest first."""
        with self._lock:
            for queue in list(self._queues.values()):
                for delivery_id in list(queue):
                    if self._deliveries[delivery_id].recipient.id not in self._claimed:
                        self._store(refresh(self._deliveries[delivery_id]))
            return tuple(self._deliveries.values())

    def redeliver(self, delivery_id: str, now: datetime) -> Delivery:
        """The delivery due again now, with all its retries, behind what is queued for its recipient.

        One that is under way stays as it is. A ``StateError`` when there is no such delivery.
        """
        with self._lock:
            delivery = self._deliveries.get(delivery_id)
            if delivery is None:
                raise StateError(f"there is no delivery {delivery_id!r}", hint="GET /__mock__/webhooks/deliveries")
            if self._claimed.get(delivery.recipient.id) == delivery_id:
                return delivery
            queue = self._queues.setdefault(delivery.recipient.id, [])
            if delivery_id not in queue:
                queue.append(delivery_id)
            again = replace(delivery, standing=Standing.PENDING, due=now, tries=0, reason="")
            self._deliveries[delivery_id] = again
            return again

    def clear(self) -> None:
        """Forgets every delivery and target, and who takes the messages; ids go on."""
        with self._lock:
            self.send = None
            self._deliveries.clear()
            self._queues.clear()
            self._claimed.clear()
            self._targets.clear()

    def _head(self, recipient: str, refresh: Refresh) -> Delivery | None:
        """The oldest open delivery to a recipient; those that turn out to be in vain are settled on the way."""
        while recipient in self._queues:
            delivery = refresh(self._deliveries[self._queues[recipient][0]])
            self._store(delivery)
            if delivery.is_open:
                return delivery
        return None

    def _store(self, delivery: Delivery) -> None:
        self._deliveries[delivery.id] = delivery
        if not delivery.is_open:
            queue = self._queues.get(delivery.recipient.id, [])
            if delivery.id in queue:
                queue.remove(delivery.id)
            if not queue:
                self._queues.pop(delivery.recipient.id, None)

    def _forget(self) -> None:
        """Drops what is beyond the capacity: settled deliveries first, then the oldest."""
        while len(self._deliveries) > self._capacity:
            oldest = next(iter(self._deliveries.values()))
            dropped = next((each for each in self._deliveries.values() if not each.is_open), oldest)
            self._store(replace(dropped, standing=Standing.FAILED))
            del self._deliveries[dropped.id]

"""The courier: takes what is due out of the outboxes, posts it, and puts it back as it then stands.

Its threads are started with the first delivery and end when nothing is left to do, so that a server which forks its
worker starts them in the worker, and a double without webhooks has none.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from mock_server.errors import ApidoubleError
from mock_server.model.clock import Clock
from mock_server.model.events import Event
from mock_server.model.state import State
from mock_server.openapi.values import Violation
from mock_server.webhooks.delivery import Delivery, Standing
from mock_server.webhooks.message import composed
from mock_server.webhooks.options import WebhookOptions
from mock_server.webhooks.outbox import Outbox
from mock_server.webhooks.queueing import Webhooks, told
from mock_server.webhooks.recipients import Target, refreshed
from mock_server.webhooks.retrying import Reply, Send, attempted, failed

_THREADS = 4  # a receiver that does not answer holds up only its own thread until the timeout
_SHORTEST_WAIT = 0.005
_STOP_SECONDS = 10.0

_log = logging.getLogger("apidouble")


class Sender(Protocol):
    """What the courier has to know of a universe. State and clock are read, never locked."""

    state: State
    clock: Clock
    outbox: Outbox


class Recorded(Protocol):
    """An event that was committed; the courier notes how its payload breaks the description."""

    time: datetime
    api: str
    event: Event
    violations: tuple[Violation, ...]


class Courier:
    """Delivers for every universe of a sandbox.

    ``apis`` gives what each API sends, as it is read now. ``catch_up`` runs the timers of a universe that are due, so
    that what they announce is delivered though nobody looks at the universe.
    """

    def __init__(
        self,
        apis: Callable[[], Mapping[str, Webhooks]],
        *,
        catch_up: Callable[[Any, datetime], object],
        options: WebhookOptions | None = None,
    ) -> None:
        chosen = options if options is not None else WebhookOptions()
        self._apis = apis
        self._catch_up = catch_up
        self._send: Send = chosen.send or (lambda message: _poster(chosen.allowed_hosts, chosen.loopback)(message))
        self.targets = tuple(Target(f"start-{number}", url) for number, url in enumerate(chosen.targets, 1))
        self._condition = threading.Condition()
        self._senders: dict[int, Sender] = {}
        self._threads: set[threading.Thread] = set()
        self._waiting = 0
        self._signals = 0
        self._stopped = False
        self._background = chosen.background

    # On commit, under the universe's lock

    def queue(self, sender: Sender, recorded: Sequence[Recorded]) -> None:
        """Queues the deliveries of events that were just committed.

        What has happened stays so: a failure in here is logged, and the request that brought the event is answered.
        """
        apis, targets = self._apis(), self._targets(sender)
        for entry in recorded:
            webhooks = apis.get(entry.api)
            if webhooks is None:
                continue
            try:
                deliveries, entry.violations = webhooks.deliveries(
                    entry.event, state=sender.state, targets=targets, now=entry.time
                )
                sender.outbox.add(deliveries)
            except Exception:
                _log.exception("unexpected failure while queueing %s", entry.event.id)

    def _targets(self, sender: Sender) -> tuple[Target, ...]:
        return (*self.targets, *sender.outbox.targets)

    # In the caller's thread

    def deliver_due(self, sender: Sender) -> tuple[Delivery, ...]:
        """Tries everything that is due in one universe, now and in this thread; the deliveries as they stand then."""
        done = []
        while (claimed := self._claim(sender)) is not None:
            done.append(self._deliver(sender, claimed))
        return tuple(done)

    def refresh(self, sender: Sender) -> Callable[[Delivery], Delivery]:
        """Gives open deliveries as they stand now, by the present state of a universe."""
        apis, state, now, targets = self._apis(), sender.state, sender.clock.now(), self._targets(sender)

        def refresh(delivery: Delivery) -> Delivery:
            webhooks = apis.get(delivery.api)
            if webhooks is None:
                return failed(delivery, f"cancelled: {delivery.api} is not served any more")
            found = refreshed(delivery.recipient, model=webhooks.model, state=state, targets=targets, now=now)
            if found is None:
                return failed(delivery, f"cancelled: {delivery.recipient.id} is gone")
            standing = Standing.HELD if found.held else Standing.PENDING
            return replace(delivery, recipient=found, standing=standing)

        return refresh

    def _claim(self, sender: Sender) -> Delivery | None:
        return sender.outbox.claim(sender.clock.now(), self.refresh(sender))

    def _deliver(self, sender: Sender, delivery: Delivery) -> Delivery:
        """One attempt at a claimed delivery. Whatever happens, it is settled."""
        try:
            after = self._attempt(sender, delivery)
        except Exception as error:
            _log.exception("unexpected failure while delivering %s", delivery.id)
            after = failed(delivery, f"apidouble failed: {type(error).__name__}; the server's log has the details")
        sender.outbox.settle(after)
        return after

    def _attempt(self, sender: Sender, delivery: Delivery) -> Delivery:
        webhooks = self._apis()[delivery.api]
        violations = webhooks.violations(delivery.event)
        if violations:
            return failed(delivery, told(violations))
        clock = sender.clock
        now, moment = clock.now(), datetime.fromtimestamp(clock.source(), UTC)
        try:
            message = composed(delivery, webhooks.rules, now=now, moment=moment)
        except ApidoubleError as error:
            return failed(delivery, error.problem)
        send = sender.outbox.send
        reply: Reply = self._send(message) if send is None else send(message)
        # The wait counts from before the POST: whoever has received it and then moves the clock by the wait gets the
        # next one, whether or not the answer has been seen here by then.
        return attempted(delivery, reply, retries=webhooks.rules.retries, now=now, moment=moment)

    # On threads of its own

    def wake(self, sender: Sender) -> None:
        """Has the threads look at a universe: it has new deliveries, another state, or another time."""
        if not self._background or not self._has_work(sender):
            return
        with self._condition:
            self._senders[id(sender)] = sender
            if self._stopped:
                return
            self._signals += 1
            self._condition.notify_all()
            self._start_one()

    def stop(self) -> None:
        """Ends the threads, each after the POST that it is making; a later ``start`` takes deliveries up again."""
        with self._condition:
            self._stopped = True
            threads = list(self._threads)
            self._condition.notify_all()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_STOP_SECONDS)

    def start(self) -> None:
        """Lets threads be started again, and takes up what was left."""
        with self._condition:
            self._stopped = False
            senders = list(self._senders.values())
        for sender in senders:
            self.wake(sender)

    def _has_work(self, sender: Sender) -> bool:
        """Whether there is something to deliver in a universe, or time alone may bring something."""
        if sender.outbox.is_open:
            return True
        if sender.state.timers is None:
            return False
        return bool(self._targets(sender)) or any(webhooks.speaks for webhooks in self._apis().values())

    def _start_one(self) -> None:
        """Starts a thread unless one waits for work or there are enough; the condition is held."""
        if self._waiting == 0 and len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._work, name="apidouble-webhooks", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _work(self) -> None:
        while True:
            with self._condition:
                seen, senders = self._signals, [] if self._stopped else list(self._senders.values())
            claimed = self._claim_any(senders)
            if claimed is not None:
                with self._condition:
                    self._start_one()
                self._deliver(*claimed)
            elif not self._wait(seen, senders):
                return

    def _claim_any(self, senders: list[Sender]) -> tuple[Sender, Delivery] | None:
        for sender in senders:
            try:
                if _timers_due(sender):
                    self._catch_up(sender, sender.clock.now())
                claimed = self._claim(sender)
            except Exception:
                _log.exception("unexpected failure while looking for what is due")
                with self._condition:
                    self._senders.pop(id(sender), None)
                continue
            if claimed is not None:
                return sender, claimed
        return None

    def _wait(self, seen: int, senders: list[Sender]) -> bool:
        """Waits until there may be something to do; False when this thread has ended instead."""
        waits = [_until_due(sender) for sender in senders]
        with self._condition:
            if self._signals != seen and not self._stopped:
                return True
            for sender in senders:
                if not self._has_work(sender):
                    self._senders.pop(id(sender), None)
            if self._stopped or not self._senders:
                self._threads.discard(threading.current_thread())
                self._condition.notify_all()  # others that wait have as little to do
                return False
            self._waiting += 1
            self._condition.wait(min((wait for wait in waits if wait is not None), default=None))
            self._waiting -= 1
            return True


@cache
def _poster(allowed_hosts: frozenset[str], loopback: bool) -> Send:
    """What posts over HTTP; urllib3 is imported with the first message, since most doubles send none."""
    from mock_server.webhooks.posting import Poster

    return Poster(allowed_hosts=allowed_hosts, loopback=loopback)


def _timers_due(sender: Sender) -> bool:
    earliest = sender.state.timers.earliest() if sender.state.timers is not None else None
    return earliest is not None and earliest <= sender.clock.now()


def _until_due(sender: Sender) -> float | None:
    """The seconds until something is due; None when time alone brings nothing."""
    clock, timers = sender.clock, sender.state.timers
    moments = [sender.outbox.next_due(), timers.earliest() if timers is not None else None]
    due = min((moment for moment in moments if moment is not None), default=None)
    if due is None or clock.frozen_at is not None:
        return None
    return max((due - clock.now()).total_seconds(), _SHORTEST_WAIT)

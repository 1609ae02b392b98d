"""Where the webhooks of one test go: kept, and answered as the test says. Nothing reaches the network by itself.

A sandbox serves many tests at once, so every universe has a mailbox of its own (``Outbox.send``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mock_server.dataclass import dataclass
from mock_server.exchange.universe import Universe
from mock_server.sandbox import Sandbox
from mock_server.webhooks.delivery import Delivery
from mock_server.webhooks.message import Message
from mock_server.webhooks.retrying import Reply, Send

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger("apidouble")


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it was sent, at the real time ``moment`` (epoch seconds). Header names are lower-case."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    moment: float


@dataclass(slots=True)
class Receiver:
    """Who answers below a URL: the next ``times`` messages, or all of them where that is None. ``met`` counts them.

    ``name`` is the call of the test that made it.
    """

    prefix: str
    send: Send
    name: str
    times: int | None = None
    met: int = field(default=0)

    def takes(self, url: str) -> bool:
        """Whether a message to a URL is for it now."""
        return (self.times is None or self.met < self.times) and is_below(url, self.prefix)

    @property
    def missed(self) -> bool:
        """Whether it was to answer a number of messages, and there were fewer."""
        return self.times is not None and self.met < self.times


class Mailbox:
    """Takes the messages of one universe. Of the receivers that take a URL the one that was added last answers.

    What nobody takes is answered with 200. Safe to use from several threads.
    """

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._lock = threading.Lock()
        self._receivers: list[Receiver] = []
        self._sent: dict[str, list[Sent]] = {}

    def __call__(self, message: Message) -> Reply:
        """What a receiver makes of a message."""
        headers = {name.lower(): value for name, value in message.headers.items()}
        sent = Sent(message.url, headers, message.body, self._universe.clock.source())
        with self._lock:
            self._sent.setdefault(message.delivery.id, []).append(sent)
            receiver = next((each for each in reversed(self._receivers) if each.takes(message.url)), None)
            if receiver is not None:
                receiver.met += 1
        return capture(message) if receiver is None else receiver.send(message)

    def add(self, receiver: Receiver) -> None:
        """Has somebody answer from now on."""
        with self._lock:
            self._receivers.append(receiver)

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """Everybody who answers or has answered, in the order in which they were added."""
        with self._lock:
            return tuple(self._receivers)

    def sent(self, delivery_id: str) -> tuple[Sent, ...]:
        """The messages that were sent of a delivery, one for each attempt."""
        with self._lock:
            return tuple(self._sent.get(delivery_id, ()))


def capture(message: Message) -> Reply:
    """The answer of nobody in particular: 200, and the message goes no further."""
    return Reply(200)


def mailbox_of(universe: Universe) -> Mailbox:
    """The mailbox of a universe, which gets its messages from now on; a reset takes it away."""
    with universe.lock:
        found = universe.outbox.send
        if not isinstance(found, Mailbox):
            found = universe.outbox.send = Mailbox(universe)
        return found


def deliver(sandbox: Sandbox, universe: Universe) -> tuple[Delivery, ...]:
    """Delivers in this thread what is due in a universe, into its mailbox; the deliveries as they stand then."""
    mailbox_of(universe)
    return sandbox.deliver_due(universe)


def is_below(url: str, prefix: str) -> bool:
    """Whether a URL is the prefix or goes on behind it with another part: ``http://a.test`` is no prefix of
    ``http://a.test.example``."""
    if not url.startswith(prefix):
        return False
    return len(url) == len(prefix) or prefix.endswith(("/", "?", "=", "&")) or url[len(prefix)] in "/?#"


# Receivers


def answering(status: int | None, *, retry_after: str | None = None) -> Send:
    """Answers every message with a status; with None there is no answer within the time that the sender waits."""

    def answer(message: Message) -> Reply:
        if status is None:
            return Reply(None, f"no answer within {message.timeout:g} s", latency=message.timeout)
        return Reply(status, retry_after=retry_after)

    return answer


def into(application: WSGIApplication) -> Send:
    """Hands messages to a WSGI application. What it raises is a 500, as with any server, and is logged."""

    def hand_in(message: Message) -> Reply:
        from werkzeug.test import Client

        started, url = time.perf_counter(), urlsplit(message.url)
        client, path = Client(application), url._replace(scheme="", netloc="").geturl()
        try:
            with client.post(
                path, base_url=f"{url.scheme}://{url.netloc}", data=message.body, headers=list(message.headers.items())
            ) as response:
                status, retry_after = response.status_code, response.headers.get("Retry-After")
        except Exception as error:
            _log.exception("the receiver of %s raised", message.url)
            told = f"the receiver raised {type(error).__name__}: {error}"
            return Reply(500, told, latency=time.perf_counter() - started)
        return Reply(status, latency=time.perf_counter() - started, retry_after=retry_after)

    return hand_in

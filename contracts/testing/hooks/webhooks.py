"""The webhooks of one test: what was to be delivered, as it was sent and answered, and who answers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, overload
from urllib.parse import urlsplit

from contracts.testing.hooks.delivered import Wish
from contracts.testing.hooks.mailbox import Receiver, Sent, answering, deliver, into, mailbox_of
from contracts.testing.keeping.documents import NOTHING
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError
from mock_server.exchange.universe import RecordedEvent, Universe
from mock_server.model.webhooks import Signature
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served
from mock_server.webhooks import delivery as queued
from mock_server.webhooks.delivery import Attempt, Standing
from mock_server.webhooks.recipients import Target
from mock_server.webhooks.signing import signature_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver.

    ``type`` and ``event_id`` are the event's. ``state`` is pending, held (its subscription is paused), delivered or
    failed, ``reason`` why it failed. ``attempts`` are the POSTs so far: their time on the double's clock, their status
    or error. ``headers`` (lower-case names) and ``body`` are those of the last message, ``messages`` are all of them;
    before the first there are no headers, and the body is the one that will be sent.
    """

    id: str
    type: str
    event_id: str
    url: str
    state: Standing
    reason: str
    attempts: tuple[Attempt, ...] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    messages: tuple[Sent, ...] = field(repr=False)
    signature: Signature = field(repr=False)

    @property
    def json(self) -> Json:
        """The body, decoded."""
        return jsontext.loads(self.body)

    @property
    def delivered(self) -> bool:
        """Whether a receiver has taken it."""
        return self.state is Standing.DELIVERED

    def verified(self, secret: str) -> bool:
        """Whether the last message is signed with a secret, as the API signs (Standard Webhooks, or its HMAC)."""
        return not self._flaws(secret)

    def assert_verified(self, secret: str) -> None:
        """Fails with what is wrong with the last message's signature, where it was not made with a secret."""
        __tracebackhide__ = True
        flaws = self._flaws(secret)
        if flaws:
            listed = "\n".join(f"  {flaw}" for flaw in flaws)
            raise AssertionError(f"{self.type} to {self.url} is not signed with this secret\n{listed}")

    def _flaws(self, secret: str) -> list[str]:
        if not self.messages:
            return ["it was not sent yet"]
        from contracts.receiving.receiver import Delivery as Received
        from contracts.receiving.signatures import flaws

        last = self.messages[-1]
        received = Received("POST", urlsplit(last.url).path, last.headers, last.body, last.moment)
        found = flaws(received, self.signature, (secret,))
        return [f"{flaw.pointer} {flaw.message}, got {flaw.got!r}" for flaw in found]

    def __str__(self) -> str:
        tries = ", ".join(str(attempt.status or attempt.error) for attempt in self.attempts) or "not sent"
        told = f"{self.type} to {self.url}: {self.state.value} ({tries})"
        return f"{told}: {self.reason}" if self.reason else told


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that a subscriber may be told of, whether or not there was one.

    ``json`` is the payload; ``resource``, ``key`` and ``tenant`` say whose item it is about. ``urls`` are where it was
    or will be delivered to; ``violations`` are how the payload breaks its description, in which case it is not sent.
    """

    id: str
    type: str
    time: datetime
    json: Json = field(repr=False)
    resource: str
    key: str
    tenant: str | None
    urls: tuple[str, ...]
    violations: tuple[str, ...]


class Webhooks(Sequence[Delivery]):
    """The deliveries of one test's double, oldest first; looking at them first delivers what is due.

    Messages go nowhere and are answered with 200, unless ``deliver_to`` or ``answer`` says otherwise.
    """

    def __init__(self, sandbox: Sandbox, served: Served, universe: Universe) -> None:
        self._sandbox = sandbox
        self._served = served
        self._universe = universe
        self._apis = {model.api.name: model.webhooks.signature for model in sandbox.siblings(served)}
        mailbox_of(universe)

    def __repr__(self) -> str:
        number = len(self._listed())  # looking at it delivers nothing
        return f"<Webhooks of {self._served.name}: {number} {'delivery' if number == 1 else 'deliveries'}>"

    # What was delivered

    def deliver(self) -> tuple[Delivery, ...]:
        """Delivers what is due, now and in this thread; what was tried, as it stands then."""
        tried = {each.id for each in deliver(self._sandbox, self._universe)}
        return tuple(each for each in self._listed() if each.id in tried)

    def __len__(self) -> int:
        return len(self._current())

    @overload
    def __getitem__(self, index: int) -> Delivery: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Delivery, ...]: ...
    def __getitem__(self, index: int | slice) -> Delivery | tuple[Delivery, ...]:
        __tracebackhide__ = True
        found = self._current()
        if isinstance(index, int) and not -len(found) <= index < len(found):
            raise IndexError(f"there is no webhook {index}: {self._told(found)}")
        return found[index]

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._current())

    def of(
        self, type: str, /, *, to: str = "", like: Mapping[str, object] = NOTHING, **payload: object
    ) -> tuple[Delivery, ...]:
        """The deliveries of an event type, to a URL or below it, whose payload is as told (``assert_delivered``)."""
        wish = Wish.of(type, to, payload, like)
        return tuple(each for each in self._current() if wish.differences(each) == ())

    def assert_delivered(
        self,
        type: str,
        /,
        *,
        times: int | None = None,
        to: str = "",
        like: Mapping[str, object] = NOTHING,
        **payload: object,
    ) -> Delivery:
        """Fails unless receivers took an event of a type: ``times`` exactly, or at least once. Gives the last of them.

        ``to`` is their URL or what it begins with. ``payload`` says how members of the payload are, two underscores
        leading one level down (``data__name="Jane"``), ``like`` says it by JSON pointer (``{"/data/first-name": …}``).
        The values may be all that ``api.requests.assert_called`` takes. For "not once" there is
        ``assert_not_delivered``.
        """
        __tracebackhide__ = True
        if times is not None and times < 1:
            raise ConfigurationError("times counts from 1", got=times, hint="api.webhooks.assert_not_delivered(…)")
        wish = Wish.of(type, to, payload, like)
        current = self._current()
        found = [each for each in current if each.delivered and wish.differences(each) == ()]
        if not found or (times is not None and len(found) != times):
            raise AssertionError(wish.missed(current, self.events, found=len(found), times=times, known=self._types()))
        return found[-1]

    def assert_not_delivered(
        self, type: str, /, *, to: str = "", like: Mapping[str, object] = NOTHING, **payload: object
    ) -> None:
        """Fails when a receiver took an event of a type whose payload is as told (``assert_delivered``)."""
        __tracebackhide__ = True
        wish = Wish.of(type, to, payload, like)
        found = [each for each in self._current() if each.delivered and wish.differences(each) == ()]
        if found:
            raise AssertionError(f"{wish} was delivered\n" + "\n".join(f"  {each}" for each in found))

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that happened, oldest first, also what nobody was subscribed to."""
        current = self._current()
        recorded = [each for each in tuple(self._universe.events) if each.api in self._apis]
        return tuple(_event(each, current) for each in recorded)

    # Who gets it

    def subscribe(self, url: str, events: Sequence[str] = (), *, secret: str | None = None) -> Target:
        """Has events from now on delivered to a URL without asking the API: those of some types, or all of them.

        With a ``secret`` the deliveries are signed as the API signs. Raises ``ConfigurationError`` for what is no URL,
        and for a secret that cannot sign.
        """
        __tracebackhide__ = True
        _check_url(url)
        if isinstance(events, str):
            raise ConfigurationError("events are a list of types", got=events, hint=f'events=["{events}"]')
        if secret is not None:
            signature = self._apis[self._served.name]
            signature_headers(signature, secrets=[secret], message_id="", moment=datetime.now(UTC), body=b"")
        return self._universe.outbox.add_target(url, events=events, secret=secret)

    def answer(
        self, url: str, *, status: int | None = 200, times: int | None = None, retry_after: str | None = None
    ) -> None:
        """Has the receiver at a URL, and below it, answer with a status: the next ``times``, or from now on.

        ``status`` None is no answer in time. After a failure the double tries again as its description says, on its own
        clock: ``api.clock.advance("PT5S")``. What was said last goes first.
        """
        __tracebackhide__ = True
        _check_url(url)
        if status is not None and not 100 <= status <= 599:
            raise ConfigurationError("this is no status code", got=status, allowed="100 to 599")
        if times is not None and times < 1:
            raise ConfigurationError("times counts from 1", got=times, allowed="1 or more; None is from now on")
        shown = f"answer({url!r}, status={status}" + (f", times={times})" if times is not None else ")")
        send = answering(status, retry_after=retry_after)
        mailbox_of(self._universe).add(Receiver(url, send, shown, times))

    def deliver_to(self, url: str, receiver: WSGIApplication | Literal["network"]) -> None:
        """Has deliveries to a URL, and below it, go to a receiver from now on: a WSGI application in this process, or,
        over the ``"network"``, whatever listens there on this machine."""
        __tracebackhide__ = True
        _check_url(url)
        if receiver == "network":
            from mock_server.webhooks.posting import Poster

            poster = Poster()
            refusal = poster.refusal(url)
            if refusal is not None:
                raise ConfigurationError("a test delivers to this machine only", got=url,
                                         allowed="a URL on localhost or a loopback address",
                                         hint="or hand in the receiver itself, as a WSGI application")  # fmt: skip
            mailbox_of(self._universe).add(Receiver(url, poster, f"deliver_to({url!r}, 'network')"))
        elif callable(receiver):
            mailbox_of(self._universe).add(Receiver(url, into(receiver), f"deliver_to({url!r}, {receiver!r})"))
        else:
            raise ConfigurationError("deliveries go into a WSGI application or over the network", got=receiver,
                                     allowed='a callable, or "network"')  # fmt: skip

    def missed(self) -> tuple[str, ...]:
        """The answers that ``answer`` has prepared and nothing came for, in the words of the test."""
        receivers = mailbox_of(self._universe).receivers
        if any(each.missed for each in receivers):
            self.deliver()  # what nobody has looked at since
        return tuple(f"api.webhooks.{each.name}: {each.met} of {each.times} deliveries came"
                     for each in receivers if each.missed)  # fmt: skip

    # Inside

    def _current(self) -> tuple[Delivery, ...]:
        """The deliveries as they stand, after what is due was delivered."""
        deliver(self._sandbox, self._universe)
        return self._listed()

    def _listed(self) -> tuple[Delivery, ...]:
        universe = self._universe
        listed = universe.outbox.listed(self._sandbox.courier.refresh(universe))
        box = mailbox_of(universe)
        return tuple(
            _delivery(each, box.sent(each.id), self._apis[each.api]) for each in listed if each.api in self._apis
        )

    def _told(self, found: Sequence[Delivery]) -> str:
        happened = len(self.events)
        if found:
            return f"there {'is' if len(found) == 1 else 'are'} {len(found)}"
        if not happened:
            return "no event has happened"
        return f"{happened} event{'s have' if happened > 1 else ' has'} happened, and nobody was subscribed"

    def _types(self) -> set[str]:
        """The types of events that the descriptions declare, for suggestions."""
        found = set()
        for model in self._sandbox.siblings(self._served):
            for name in model.annotations.resource_names:
                resource = model.resource(name)
                found |= {rule.type for rule in resource.events} if resource is not None else set()
        return found


def _delivery(delivery: queued.Delivery, messages: tuple[Sent, ...], signature: Signature) -> Delivery:
    last = messages[-1] if messages else None
    return Delivery(
        id=delivery.id,
        type=delivery.event.type,
        event_id=delivery.event.id,
        url=last.url if last is not None else delivery.recipient.url,
        state=delivery.standing,
        reason=delivery.reason,
        attempts=delivery.attempts,
        headers=last.headers if last is not None else {},
        body=last.body if last is not None else jsontext.dumps(delivery.event.data),
        messages=messages,
        signature=signature,
    )


def _event(recorded: RecordedEvent, deliveries: Iterable[Delivery]) -> Event:
    event = recorded.event
    return Event(
        id=event.id,
        type=event.type,
        time=recorded.time,
        json=jsontext.loads(jsontext.dumps(event.data)),
        resource=event.resource,
        key=event.key,
        tenant=event.tenant,
        urls=tuple(each.url for each in deliveries if each.event_id == event.id),
        violations=tuple(f"{each.pointer or 'it'} {each.message}" for each in recorded.violations),
    )


def _check_url(url: str) -> None:
    __tracebackhide__ = True
    try:
        found = urlsplit(url)
        valid = found.scheme in {"http", "https"} and bool(found.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError("webhooks go to a URL", got=url, allowed="for example http://app.test/webhooks")

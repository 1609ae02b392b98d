"""Attempts at webhooks: subscribe, bring an event about, and look at what comes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from contracts.bench import Bench
from contracts.checks import webhook_delivery, webhook_retry, webhook_schema, webhook_signature
from contracts.checks.registry import Check
from contracts.drafting import Draft, Wishes
from contracts.findings import Difference, Side
from contracts.hunting import Inapplicable
from contracts.pool import Item
from contracts.receiving.events import Source, id_of, type_of
from contracts.receiving.hooks import Hook
from contracts.receiving.receiver import Delivery, Receiver
from contracts.receiving.signatures import flaws, secrets_in
from contracts.service import NOT_JSON, Powers, Recorded
from contracts.trial import Trial
from contracts.worlds import powers_of
from mock_server.model.inference.bodies import request_schema
from mock_server.model.members import with_member
from mock_server.model.outcome import NO_BODY
from mock_server.model.webhooks import Signature
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.outgoing import Outgoing
from mock_server.openapi.values import Direction, Json

GRACE = 0.3
"""Seconds in which a second delivery of the same event would come, after the first."""

UNPROMISED_WAIT = 6.0
"""Seconds to wait for another try where nothing says when it is due; the first retry is mostly soon."""

_SECRET = "whsec_" + base64.b64encode(b"apidouble-receiver-key!!").decode()
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Subscription:
    """What was subscribed: the ``types`` asked for, the request's body, the reply, and the secrets in either."""

    types: tuple[str, ...]
    path: str
    body: Json
    recorded: Recorded
    item: Item | None
    secrets: tuple[str, ...]


class Attempt:
    """One attempt with one receiver. ``patience`` is how long a promised event is waited for, in seconds."""

    def __init__(
        self,
        bench: Bench,
        trial: Trial,
        receiver: Receiver,
        hook: Hook,
        known: Mapping[str, tuple[Outgoing, ...]],
        patience: float,
    ) -> None:
        self.bench = bench
        self.trial = trial
        self.receiver = receiver
        self.hook = hook
        self.known = known
        self.patience = patience
        self.made: list[Subscription] = []

    @property
    def powers(self) -> Powers | None:
        """What can be done past the API, unless others use the service as well."""
        return powers_of(self.bench)

    # Subscribing

    def subscribe(self, source: Source, *, failures: int = 0) -> Subscription:
        """Subscribes a path of the receiver to a source's events. ``Inapplicable`` where the service refuses."""
        path = self.receiver.fresh(failures=failures)
        self.trial.prepare(self.hook.create)
        for _ in range(_TRIES):
            draft = self.trial.draft(self.hook.create, Wishes(lean=True))
            body, types = self._wanted(draft, self.receiver.url + path, (*source.promised, *source.possible))
            draft = self.trial.draft(self.hook.create, Wishes(values=draft.values, body=body, caller=draft.caller))
            recorded = self.trial.send(draft)
            if recorded.ok:
                break
            self.trial.unless_refused(recorded)
        if not recorded.ok:
            said = recorded.reply.body[:200].decode("utf-8", "replace")
            raise Inapplicable(f"a receiver on this machine cannot be subscribed: {recorded.status} {said}")
        item = next(iter(self.trial.conversation.shown), None)
        shown = recorded.json if recorded.json is not NOT_JSON else None
        made = Subscription(types, path, body, recorded, item, secrets_in([body, shown]))
        self.made.append(made)
        return made

    def unsubscribe(self) -> None:
        """Ends what is still subscribed, where no reset does it."""
        for made in self.made:
            if self.hook.delete is None or made.item is None or self.bench.service.resettable:
                continue
            wishes = Wishes(item=made.item, caller=made.recorded.caller)
            draft = self.bench.drafter.draft(self.hook.delete, self.trial.pool, 0, wishes)
            if draft is not None:
                self.bench.service.send(draft.request, operation_id=draft.operation_id, caller=draft.caller)

    def _wanted(self, draft: Draft, url: str, types: Iterable[str]) -> tuple[Json, tuple[str, ...]]:
        """The body of a subscription, and the types that it is for."""
        hook, schema = self.hook, request_schema(self.trial.drafter.api.operation(self.hook.create))
        if draft.body is NO_BODY or schema is None:
            raise Inapplicable(f"{hook.create} takes no JSON")
        body = with_member(draft.body, hook.url, url)
        named = tuple(name for name in types if not hook.allowed or name in hook.allowed)
        if hook.events is not None:
            if not named:
                raise Inapplicable("nobody can subscribe to these events")
            named = named if hook.listed else named[:1]
            body = with_member(body, hook.events, list(named) if hook.listed else named[0])
        if hook.secret is not None:
            signed = with_member(body, hook.secret, _SECRET)
            body = signed if schema.accepts(signed, Direction.REQUEST) else body
        return body, named

    # Writing

    def ready(self, source: Source) -> Item | None:
        """What a write needs, made before anybody is subscribed: the item that it is about, or a parent."""
        if source.what == "created":
            self.trial.prepare(source.operation)
            return None
        return self.trial.make(source.roles) if source.roles.creates else self.trial.item(source.roles)

    def write(self, source: Source, item: Item | None, subscription: Subscription) -> Recorded:
        """Brings an event about, for the same tenant as the subscription's. ``Inapplicable`` where that fails."""
        for number in range(_TRIES):
            wishes = Wishes(item=item, lean=bool(number % 2))
            draft = self.trial.draft(source.operation, wishes)
            body = self._beside(draft.body, subscription.body)
            recorded = self.trial.send(self.trial.draft(source.operation, Wishes(
                values=draft.values, body=body, content_type=draft.content_type, caller=draft.caller, item=draft.item,
            )))  # fmt: skip
            if recorded.ok and self._counts(source, item, recorded):
                return self._same_tenant(recorded, subscription)
        raise Inapplicable(f"{source.operation} changes nothing here: {recorded.status}")

    def _beside(self, body: Json, other: Json) -> Json:
        """A body with the references that a subscription has, so that both belong to the same."""
        if not isinstance(body, dict) or not isinstance(other, dict):
            return body
        names = (name for name in body if name in other and self.trial.roster.called(name) is not None)
        return {**body, **{name: other[name] for name in names}}

    def _counts(self, source: Source, item: Item | None, recorded: Recorded) -> bool:
        """Whether a write has changed something: one that sets what is there already need not tell anybody."""
        if source.what != "updated":
            return True
        shown = self.trial.representation(recorded)
        before = item.value if item is not None else None
        if not isinstance(shown, dict) or not isinstance(before, dict) or not isinstance(recorded.request.body, bytes):
            return False
        sent = _sent(recorded)
        return any(name in before and name in shown and before[name] != shown[name] for name in sent)

    def _same_tenant(self, recorded: Recorded, subscription: Subscription) -> Recorded:
        first, second = subscription.recorded.caller, recorded.caller
        if (first.tenant if first is not None else None) != (second.tenant if second is not None else None):
            raise Inapplicable("no caller may both subscribe and write")
        return recorded

    # Receiving

    def settle(self) -> None:
        """Lets a double deliver what is due."""
        if self.powers is not None:
            self.powers.settle()

    def awaited(self, subscription: Subscription, types: Iterable[str], seconds: float) -> list[Delivery]:
        """What came, once there is one of each type, or the time is up; and what came right after it."""
        wanted = set(types)

        def enough(deliveries: list[Delivery]) -> bool:
            return bool(wanted) and wanted <= {self.type_of(each, subscription) for each in deliveries}

        self.settle()
        self.receiver.wait(subscription.path, enough, seconds)
        self.settle()
        return self.receiver.wait(subscription.path, lambda _: False, min(GRACE, seconds))

    def type_of(self, delivery: Delivery, subscription: Subscription) -> str | None:
        """The type of a delivery's event, None where it does not say."""
        return type_of(delivery, self.known, subscription.types)

    # Telling

    def tell(
        self,
        check: Check,
        sentence: str,
        *differences: Difference,
        about: Recorded,
        came: Iterable[Delivery] = (),
        side: Side = Side.SERVICE,
        remedy: str = "",
    ) -> None:
        """Meets a finding; ``came`` are the deliveries that show it."""
        notes = tuple(f"what came:\n{delivery}" for delivery in came)
        self.trial.broken(check, sentence, *differences, about=about, side=side, remedy=remedy, notes=notes[:3])

    def judge(self, deliveries: Iterable[Delivery], subscription: Subscription, about: Recorded) -> None:
        """Judges each delivery by itself: its body, its signature, and whether it was asked for."""
        for delivery in deliveries:
            name = self.type_of(delivery, subscription)
            listed = self.hook.events is not None and self.hook.annotated
            if name is not None and listed and name not in subscription.types:
                self.tell(webhook_delivery.CHECK, f"{name} came to a subscription that does not list it",
                          Difference(f"delivery {name}", None, name, "is not subscribed to"), about=about,
                          came=[delivery])  # fmt: skip
            broken = tuple(_broken(delivery, self.known.get(name, ()) if name is not None else ()))
            if broken:
                self.tell(webhook_schema.CHECK, f"what {name} delivers is not what the description says of it",
                          *broken, about=about, came=[delivery])  # fmt: skip
            if subscription.secrets:
                wrong = tuple(flaws(delivery, self.signature(), subscription.secrets))
                if wrong:
                    self.tell(webhook_signature.CHECK, f"the signature of {name or 'a delivery'} is not good",
                              *wrong, about=about, came=[delivery])  # fmt: skip

    def signature(self) -> Signature | None:
        """How deliveries are said to be signed; None where nothing says so."""
        annotated = self.bench.served.api.extensions.get("x-mock-webhooks")
        said = isinstance(annotated, dict) and "signature" in annotated
        return self.bench.served.model.webhooks.signature if said else None


def promised_event(attempt: Attempt, source: Source) -> None:
    """A write is told to whoever is subscribed, once, in the described form, and well signed."""
    item = attempt.ready(source)
    subscription = attempt.subscribe(source)
    promised = [name for name in source.promised if name in subscription.types or attempt.hook.events is None]
    recorded = attempt.write(source, item, subscription)
    came = attempt.awaited(subscription, promised, attempt.patience if promised else attempt.patience / 3)
    attempt.judge(came, subscription, recorded)
    types = [attempt.type_of(each, subscription) for each in came]
    unnamed = [each for each, name in zip(came, types, strict=True) if name is None]
    for name in promised:
        if name not in types and not unnamed:
            _absent(attempt, source, name, recorded)
    for delivery in _repeated(came):
        told = attempt.type_of(delivery, subscription) or "an event"
        attempt.tell(webhook_delivery.CHECK, f"{told} came twice, though it was taken the first time",
                     Difference(f"delivery {told}", 1, 2, "came again"), about=recorded, came=[delivery])  # fmt: skip


def _absent(attempt: Attempt, source: Source, name: str, recorded: Recorded) -> None:
    sure = source.annotated and attempt.hook.annotated
    remedy = "" if sure else (
        "- target: $\n  update:\n    x-mock-resources:\n"
        f"      {source.roles.resource.name}:\n        events: {{{name}: {{\"on\": {source.what}}}}}\n"
    )  # fmt: skip
    attempt.tell(webhook_delivery.CHECK, f"{name} did not come within {attempt.patience:g} seconds of the write",
                 Difference(f"delivery {name}", name, None, "did not come"), about=recorded,
                 side=Side.SERVICE if sure else Side.DOUBLE, remedy=remedy)  # fmt: skip


def after_deletion(attempt: Attempt, source: Source) -> None:
    """Nothing comes any more once the subscription was deleted."""
    assert attempt.hook.delete is not None
    item = attempt.ready(source)
    subscription = attempt.subscribe(source)
    if subscription.item is None:
        raise Inapplicable("the answer does not say which subscription it is")
    deleted = attempt.trial.send(attempt.trial.about(subscription.item, attempt.hook.delete))
    if not deleted.ok:
        raise Inapplicable(f"{attempt.hook.delete} is refused with {deleted.status}")
    before = len(attempt.receiver.got(subscription.path))
    recorded = attempt.write(source, item, subscription)
    came = attempt.awaited(subscription, (), 2 * GRACE)[before:]
    if came:
        name = attempt.type_of(came[0], subscription) or "an event"
        attempt.tell(webhook_delivery.CHECK, f"{name} came after its subscription was deleted",
                     Difference(f"delivery {name}", None, name, "came to nobody's URL"), about=recorded,
                     came=came)  # fmt: skip


def failed_delivery(attempt: Attempt, source: Source) -> None:
    """A delivery that the receiver could not take comes again, as the same one."""
    item = attempt.ready(source)
    subscription = attempt.subscribe(source, failures=1)
    recorded = attempt.write(source, item, subscription)
    came = attempt.awaited(subscription, source.promised, attempt.patience)
    if not came:
        raise Inapplicable("no event came that could have been refused")
    refused = came[0]
    tries = _tries(attempt, subscription, refused, came) or _again(attempt, subscription, refused)
    if not tries:
        _given_up(attempt, recorded, refused)
        return
    other = id_of(refused) is not None and all(id_of(each) != id_of(refused) for each in tries)
    if other and attempt.signature() is not None:
        attempt.tell(webhook_retry.CHECK, "the second try has another id than the first",
                     Difference("header webhook-id", id_of(refused), id_of(tries[0]), "is another one"),
                     about=recorded, came=[refused, tries[0]])  # fmt: skip
    attempt.judge(tries[:1], subscription, recorded)


def _tries(attempt: Attempt, subscription: Subscription, refused: Delivery, came: list[Delivery]) -> list[Delivery]:
    """What of all that came is the refused delivery again: of its id, its body, or (without an id) its type."""
    name, kind = id_of(refused), attempt.type_of(refused, subscription)
    return [
        each
        for each in came[1:]
        if each.body == refused.body
        or (id_of(each) == name if name is not None else attempt.type_of(each, subscription) == kind)
    ]


def _again(attempt: Attempt, subscription: Subscription, refused: Delivery) -> list[Delivery]:
    """What has come once the next try was due: the clock is moved there, or it is waited for."""
    wait = _due(attempt)
    limit = max(0.0, attempt.bench.seconds / 2)
    if attempt.powers is not None:
        attempt.powers.advance(f"PT{wait if wait is not None else 1800.0:g}S")
        wait = 0.0
    elif wait is not None and wait > limit:
        raise Inapplicable(f"the next try is due only after {wait:g} seconds")
    attempt.settle()
    seconds = (wait + attempt.patience) if wait is not None else min(UNPROMISED_WAIT, 2 * attempt.patience)
    came = attempt.receiver.wait(
        subscription.path, lambda got: bool(_tries(attempt, subscription, refused, got)), seconds
    )
    return _tries(attempt, subscription, refused, came)


def _due(attempt: Attempt) -> float | None:
    """Seconds until a refused delivery is made again, None where nothing says so."""
    annotated = attempt.bench.served.api.extensions.get("x-mock-webhooks")
    retries = attempt.bench.served.model.webhooks.retries
    said = isinstance(annotated, dict) and "retries" in annotated
    if said and not retries:
        raise Inapplicable("it is said that nothing is tried again")
    return retries[0].total_seconds() if said else None


def _given_up(attempt: Attempt, recorded: Recorded, delivery: Delivery) -> None:
    sure = _due(attempt) is not None
    remedy = "" if sure else "- target: $\n  update:\n    x-mock-webhooks: {retries: []}\n"
    attempt.tell(webhook_retry.CHECK, "a delivery that was answered with 500 did not come again",
                 Difference("delivery", 2, 1, "was not tried again"), about=recorded, came=[delivery],
                 side=Side.SERVICE if sure else Side.DOUBLE, remedy=remedy)  # fmt: skip


def _repeated(came: list[Delivery]) -> Iterator[Delivery]:
    """The deliveries of an event that had come before: by their id, else to the last byte."""
    seen: set[tuple[str | None, bytes]] = set()
    for delivery in came:
        name = id_of(delivery)
        known = (name, b"" if name is not None else delivery.body)
        if known in seen:
            yield delivery
        seen.add(known)


def _broken(delivery: Delivery, described: tuple[Outgoing, ...]) -> Iterator[Difference]:
    """How a delivery breaks every description of its event; nothing where one of them fits, or there is none."""
    schemas = [each.schema for each in described]
    if not schemas or any(schema is None for schema in schemas):
        return
    media = parse_media_type(delivery.media_type)
    if media is None or media.suffix != "json":
        yield Difference("header content-type", "application/json", delivery.headers.get("content-type"),
                         "is not the described media type")  # fmt: skip
    body = delivery.json
    if body is NOT_JSON:
        yield Difference("", "JSON", delivery.body[:200].decode("utf-8", "replace"), "is no JSON")
        return
    found = [schema.violations(body, Direction.RESPONSE, where="body") for schema in schemas if schema is not None]
    if all(found):
        yield from (Difference(each.pointer, each.expected, each.got, each.message) for each in found[0][:5])


def _sent(recorded: Recorded) -> frozenset[str]:
    """The names of the members that a request's body has, at any level that a member of the item may stand at."""
    try:
        body = json.loads(recorded.request.body)
    except ValueError:
        return frozenset()
    return frozenset(body) if isinstance(body, dict) else frozenset()

"""Attempts at webhooks: subscribe, bring an event about, and look at what comes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from contracts.bench import Bench
from contracts.casting import anew
from contracts.checks import webhook_delivery, webhook_schema, webhook_signature
from contracts.checks.registry import Check
from contracts.drafting import Draft, Wishes
from contracts.findings import Difference, Side
from contracts.hunting import Inapplicable
from contracts.pool import Item
from contracts.receiving.deliveries import broken
from contracts.receiving.events import Source, type_of
from contracts.receiving.hooks import Hook
from contracts.receiving.receiver import Delivery, Receiver
from contracts.receiving.signatures import flaws, secrets_in
from contracts.service import NOT_JSON, Powers, Recorded
from contracts.trial import Trial
from contracts.worlds import powers_of
from mock_server.dataclass import dataclass
from mock_server.model.inference.bodies import request_schema
from mock_server.model.members import with_member
from mock_server.model.outcome import NO_BODY
from mock_server.model.webhooks import Signature
from mock_server.openapi.expressions import Context, Message
from mock_server.openapi.outgoing import Outgoing
from mock_server.openapi.values import Direction, Json

GRACE = 0.3
"""Seconds in which a second delivery of the same event would come, after the first."""

_SETTLED = 0.05
"""The same where a double has delivered already what was due."""

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
            values = dict(draft.values)
            if self.hook.parameter is not None:
                values[self.hook.parameter] = self.receiver.url + path
            draft = self.trial.draft(self.hook.create, Wishes(values=values, body=body, caller=draft.caller))
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
        if hook.parameter is not None:
            return draft.body, tuple(types)
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
        for operation_id in (source.operation, *source.roles.creates[:1]):
            self.trial.prepare(operation_id)
        if source.what == "created":
            return None
        return self.trial.make(source.roles) if source.roles.creates else self.trial.item(source.roles)

    def write(self, source: Source, item: Item | None, subscription: Subscription) -> Recorded:
        """Brings an event about, for the same tenant as the subscription's. ``Inapplicable`` where that fails."""
        others = [name for name in source.roles.acts if name != source.operation] if source.what == "acted" else []
        tries = 1 + min(len(others), _TRIES) if source.what == "acted" else _TRIES
        for number in range(tries):
            if number and others:
                item = self._moved(source, others[number - 1])
            draft = self.trial.draft(source.operation, Wishes(item=item, lean=bool(number % 2)))
            body = self._beside(draft.body, subscription.body)
            if number and not self.trial.closed:
                body = anew(self.trial.drafter, replace(draft, body=body), self.trial.number())
            recorded = self.trial.send(self.trial.draft(source.operation, Wishes(
                values=draft.values, body=body, content_type=draft.content_type, caller=draft.caller, item=draft.item,
            )))  # fmt: skip
            if recorded.ok and self._counts(source, item, recorded):
                return self._same_tenant(recorded, subscription)
        raise Inapplicable(f"{source.operation} changes nothing here: {recorded.status}")

    def _moved(self, source: Source, act: str) -> Item | None:
        """Another item, after an act that may have to come first: what is shipped has been paid."""
        item = self.ready(source)
        if item is not None and self.trial.roster.meaning(act).key_parameter is not None:
            self.trial.send(self.trial.about(item, act))
        return item

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
        """What came, once there is one of each type (of any, without types), or the time is up; and right after it."""
        wanted = set(types)
        before = len(self.receiver.got(subscription.path)) if not wanted else 0
        limit = seconds if wanted or self.powers is None else min(GRACE, seconds)

        def enough(deliveries: list[Delivery]) -> bool:
            return len(deliveries) > before and wanted <= {self.type_of(each, subscription) for each in deliveries}

        self.settle()
        self.receiver.wait(subscription.path, enough, limit)
        self.settle()
        grace = GRACE if self.powers is None else _SETTLED
        return self.receiver.wait(subscription.path, lambda _: False, min(grace, seconds))

    def type_of(self, delivery: Delivery, subscription: Subscription) -> str | None:
        """The type of a delivery's event, None where it does not say."""
        meant = {one.event for one in self._called(delivery, subscription)}
        known = self.known if not self.hook.callbacks else {one.event: (one,) for one in self.hook.callbacks}
        return meant.pop() if len(meant) == 1 else type_of(delivery, known, subscription.types)

    def described(self, name: str | None, delivery: Delivery, subscription: Subscription) -> tuple[Outgoing, ...]:
        """What describes a delivery: the webhooks of its type, or the callbacks of its URL."""
        if not self.hook.callbacks:
            return self.known.get(name, ()) if name is not None else ()
        return tuple(one for one in self._called(delivery, subscription) if one.event == name)

    def _called(self, delivery: Delivery, subscription: Subscription) -> list[Outgoing]:
        """The callbacks that lead to the URL of a delivery."""
        request, reply = subscription.recorded.request, subscription.recorded
        values = {self.hook.parameter: self.receiver.url + subscription.path} if self.hook.parameter else {}
        asked = Message(
            {**request.headers, **{name: url for (place, name), url in values.items() if place == "header"}},
            query={name: url for (place, name), url in values.items() if place == "query"},
            body=subscription.body,
        )
        told = Message(dict(reply.reply.headers), body=reply.json if reply.json is not NOT_JSON else None)
        context = Context(method=request.method, status_code=reply.status, request=asked, response=told)
        gone = self.receiver.url + delivery.path
        return [one for one in self.hook.callbacks if one.url is not None and one.url.evaluate(context) == gone]

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
        asked = [made.recorded.request for made in self.made[-1:]]
        notes = tuple(f"subscribed by {sent.method} {sent.target}" for sent in asked if side is not Side.SERVICE)
        notes += tuple(f"what came:\n{delivery}" for delivery in came)
        self.trial.broken(check, sentence, *differences, about=about, side=side, remedy=remedy, notes=notes[:3])

    def judge(self, deliveries: Iterable[Delivery], subscription: Subscription, about: Recorded) -> None:
        """Judges each delivery by itself: its body, its signature, and whether it was asked for."""
        for delivery in deliveries:
            name = self.type_of(delivery, subscription)
            listed = self.hook.events is not None and self.hook.annotated and not self.hook.callbacks
            if name is not None and listed and name not in subscription.types:
                self.tell(webhook_delivery.CHECK, f"{name} came to a subscription that does not list it",
                          Difference(f"delivery {name}", None, name, "is not subscribed to"), about=about,
                          came=[delivery])  # fmt: skip
            wrong = broken(self.bench.served.api, delivery, self.described(name, delivery, subscription))
            if wrong:
                self.tell(webhook_schema.CHECK, f"what {name} delivers is not what the description says of it",
                          *wrong, about=about, came=[delivery])  # fmt: skip
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


def _sent(recorded: Recorded) -> frozenset[str]:
    """The names of the members that a request's body has, at any level that a member of the item may stand at."""
    try:
        body = json.loads(recorded.request.body)
    except ValueError:
        return frozenset()
    return frozenset(body) if isinstance(body, dict) else frozenset()

"""What a service is tried at: an event that is promised, one after the subscription's end, one that was not taken."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.checks import webhook_delivery, webhook_retry
from contracts.findings import Difference, Side
from contracts.hunting import Inapplicable
from contracts.receiving.deliveries import repeated
from contracts.receiving.events import Source, id_of
from contracts.receiving.receiver import Delivery
from contracts.receiving.trying import GRACE, Attempt, Subscription
from contracts.service import Recorded

UNPROMISED_WAIT = 6.0
"""Seconds to wait for another try where nothing says when it is due; the first retry is mostly soon."""

_STEPS = 4
"""So many operations on an item are tried for what is called back about it."""

_INACTIVE = frozenset({"pending", "inactive", "disabled", "paused", "unverified", "created", "new"})


def promised_event(attempt: Attempt, source: Source) -> None:
    """A write is told to whoever is subscribed, once, in the described form, and well signed."""
    item = attempt.ready(source)
    subscription = attempt.subscribe(source)
    promised = [name for name in source.promised if name in subscription.types or attempt.hook.events is None]
    recorded = attempt.write(source, item, subscription)
    came = attempt.awaited(subscription, promised, attempt.patience if promised else attempt.patience / 3)
    absent = _not_among(promised, came, attempt, subscription)
    if absent:
        recorded, came = _once_more(attempt, source, subscription, promised, recorded)
    attempt.judge(came, subscription, recorded)
    for delivery in repeated(came):
        told = attempt.type_of(delivery, subscription) or "an event"
        attempt.tell(webhook_delivery.CHECK, f"{told} came twice, though it was taken the first time",
                     Difference(f"delivery {told}", 1, 2, "came again"), about=recorded, came=[delivery])  # fmt: skip
    still = _not_among(promised, came, attempt, subscription)
    for name in absent:
        if source.annotated and name not in still:
            continue  # late is not absent
        _absent(attempt, source, name, recorded, sure=name in still and _sure(attempt, source, name, subscription))


def _not_among(
    promised: Iterable[str], came: list[Delivery], attempt: Attempt, subscription: Subscription
) -> list[str]:
    """The promised events that have not come; none where something came of which nobody knows what it is."""
    types = {attempt.type_of(each, subscription) for each in came}
    return [name for name in promised if name not in types] if None not in types else []


def _once_more(
    attempt: Attempt, source: Source, subscription: Subscription, promised: list[str], recorded: Recorded
) -> tuple[Recorded, list[Delivery]]:
    """Waits a second time; where names alone promise an event, for what another such write tells."""
    if not source.annotated:
        recorded = attempt.write(source, attempt.ready(source), subscription)
    return recorded, attempt.awaited(subscription, promised, attempt.patience if attempt.powers is None else GRACE)


def _sure(attempt: Attempt, source: Source, name: str, subscription: Subscription) -> bool:
    """Whether an event has to come: as annotated, or by a name that says it, to a subscription that is active."""
    if source.annotated:
        return attempt.hook.annotated
    shown = subscription.item.value if subscription.item is not None else subscription.recorded.json
    if not isinstance(shown, dict):
        return name in source.exact
    off = any(shown.get(member) is False for member in ("active", "enabled", "is_active", "isActive", "verified"))
    waits = any(str(shown.get(member)).lower() in _INACTIVE for member in ("status", "state"))
    return name in source.exact and not off and not waits


def _absent(attempt: Attempt, source: Source, name: str, recorded: Recorded, *, sure: bool) -> None:
    on = source.what if source.what != "acted" else "updated"
    remedy = "" if sure else (
        "- target: $\n  update:\n    x-mock-resources:\n"
        f"      {source.roles.resource.name}:\n        events: {{{name}: {{\"on\": {on}}}}}\n"
    )  # fmt: skip
    attempt.tell(webhook_delivery.CHECK, f"{name} did not come within {attempt.patience:g} seconds of the write",
                 Difference(f"delivery {name}", name, None, "did not come"), about=recorded,
                 side=Side.SERVICE if sure else Side.DOUBLE, remedy=remedy)  # fmt: skip


def called_back(attempt: Attempt, source: Source) -> None:
    """What is called back is as described: right after the request that gave the URL, and as its item goes on."""
    subscription = attempt.subscribe(source)
    came = attempt.awaited(subscription, (), attempt.patience / 3)
    attempt.judge(came, subscription, subscription.recorded)
    roles, item = attempt.hook.roles, subscription.item
    if item is not None and roles is not None:
        for operation_id in (*roles.acts, *roles.updates, *roles.deletes)[:_STEPS]:
            recorded = attempt.trial.send(attempt.trial.about(item, operation_id))
            if recorded.ok:
                before = len(came)
                came = attempt.awaited(subscription, (), GRACE)
                attempt.judge(came[before:], subscription, recorded)
    if not came:
        raise Inapplicable("nothing was called back")


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

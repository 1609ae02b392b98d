"""Webhooks: what a service sends by itself, received on loopback and judged.

A receiver of our own is subscribed, events are brought about, and what comes is held against the description's
webhooks, the annotated signature, and the promise that an event comes once. Only a service on this machine can reach
the receiver.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit
from zlib import crc32

from hypothesis.strategies import DataObject

from contracts.bench import Bench, Held, Task
from contracts.checks import webhook_delivery, webhook_retry, webhook_schema, webhook_signature
from contracts.checks.registry import Check, Family
from contracts.conversation import Conversation
from contracts.hunting import Chase, attempts
from contracts.receiving.events import Source, described, sources
from contracts.receiving.hooks import Hook, hooks
from contracts.receiving.promises import after_deletion, called_back, failed_delivery, promised_event
from contracts.receiving.receiver import receiving
from contracts.receiving.trying import Attempt
from contracts.trial import Trial
from mock_server.openapi.outgoing import Outgoing

PATIENCE = 3.0
"""Seconds that a promised event is waited for."""

_EXAMPLES = 2
_ON_DELIVERIES = (webhook_delivery.CHECK, webhook_schema.CHECK, webhook_signature.CHECK)

Known: TypeAlias = Mapping[str, tuple[Outgoing, ...]]
Story: TypeAlias = Callable[[Attempt, Source], None]


def tasks(bench: Bench, *, patience: float = PATIENCE) -> Iterator[Task]:
    """A task for each write that brings an event about, and for each hook one that refuses a delivery, and one that
    ends the subscription; one for each operation with callbacks."""
    if not _checks(bench, (*_ON_DELIVERIES, webhook_retry.CHECK)):
        return
    known, found = described(bench.served.api), list(hooks(bench.roster))
    if known and not found:
        bench.notes["webhook"] = f"nothing was checked of {', '.join(known)}: no operation subscribes to them"
    for hook in found:
        made = _of_callbacks if hook.callbacks else _of_subscription
        yield from made(bench, hook, partial(_task, hook=hook, known=known, patience=patience * max(1.0, bench.scale)))


def _of_callbacks(bench: Bench, hook: Hook, make: Callable[..., Task]) -> Iterator[Task]:
    if _checks(bench, _ON_DELIVERIES) and hook.roles is not None:
        types = tuple(one.event for one in hook.callbacks)
        source = Source(hook.create, "created", hook.roles, (), types, annotated=False)
        yield make(f"callback of {hook.create}", webhook_schema.CHECK, source, called_back)


def _of_subscription(bench: Bench, hook: Hook, make: Callable[..., Task]) -> Iterator[Task]:
    found = list(sources(bench.roster, described(bench.served.api), without=hook.roles))
    for source in found if _checks(bench, _ON_DELIVERIES) else ():
        yield make(f"webhook {source.operation} to {hook.create}", webhook_delivery.CHECK, source, promised_event)
    sure = next((source for source in found if source.promised), None)
    if sure is None:
        return
    if hook.delete is not None and _checks(bench, (webhook_delivery.CHECK,)):
        yield make(f"webhook after {hook.delete}", webhook_delivery.CHECK, sure, after_deletion)
    if _checks(bench, (webhook_retry.CHECK,)):
        yield make(f"webhook retry to {hook.create}", webhook_retry.CHECK, sure, failed_delivery)


def _checks(bench: Bench, wanted: tuple[Check, ...]) -> list[Check]:
    return [check for check in wanted if check.name in bench.checks]


def _task(name: str, check: Check, source: Source, story: Story, *, hook: Hook, known: Known, patience: float) -> Task:
    operations = tuple(dict.fromkeys(found for found in (hook.create, source.operation, hook.delete) if found))
    return Task(Family.WEBHOOK, name, check.name, operations, _make(hook, source, story, operations, known, patience))


def _make(
    hook: Hook, source: Source, story: Story, operations: tuple[str, ...], known: Known, patience: float
) -> Callable[[Bench], Held]:
    def make(bench: Bench) -> Held:
        if not on_this_machine(bench.service.base_url):
            return Held(1, 1, f"{bench.service.base_url} is not on this machine, and could not reach a receiver here")
        with receiving() as receiver:

            def attempt(data: DataObject, chase: Chase) -> None:
                bench.service.reset()
                conversation = Conversation(bench.service, bench.known(), bench.judges, chase)
                # An open world keeps what earlier attempts have made, so no two may make the same.
                name = f"{operations} {story.__name__} {bench.hunt.deadline} {chase.attempts}"
                salt = 0 if bench.service.resettable else crc32(name.encode())
                trial = Trial(data, bench.drafter, conversation, chase, operations=operations, salt=salt)
                tried = Attempt(bench, trial, receiver, hook, known, patience)
                try:
                    story(tried, source)
                finally:
                    tried.unsubscribe()

            # One refused delivery tells as much as several, and each may have to be waited for.
            examples = 1 if story is failed_delivery else _EXAMPLES
            chase = attempts(bench.hunt, attempt, examples=bench.size(examples), until=bench.until(least=3 * patience))
        if bench.service.resettable:
            bench.service.reset()  # nobody listens any more to what is still subscribed
        return Held.of(chase)

    return make


def on_this_machine(url: str) -> bool:
    """Whether a base URL is one on loopback, from which a receiver on loopback can be reached."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

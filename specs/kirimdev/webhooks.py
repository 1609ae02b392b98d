"""Webhook subscriptions: secrets that are shown once."""

from __future__ import annotations

import base64
from datetime import timedelta

from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .tokens import made_up

OVERLAP = timedelta(hours=24)
"""How long an old signing secret goes on signing beside the new one."""

GIVEN = ("url", "description", "events")
"""What a caller says of a subscription; all else is the service's."""


@computed("kirimdev-create-webhook")
def create_webhook(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A subscription and its secret, which is not shown again."""
    work = Work.of(world, call)
    ordinal = len(work.items("webhook_subscriptions"))
    secret = _secret("webhook", call.body["url"], str(ordinal), rfc3339(world.now))
    given = {name: call.body[name] for name in GIVEN if name in call.body}
    made = work.create("webhook_subscriptions", {**given, "secret": secret})
    if isinstance(made, Problem):
        return made
    shown = {name: made[name] for name in made if name != "secret"}
    return work.outcome(meaning.status, {"data": {**shown, "initial_secret": secret}})


@computed("kirimdev-rotate-secret")
def rotate_secret(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A subscription and its new secret; the old one goes on signing for a while."""
    work = Work.of(world, call)
    known = work.get("webhook_subscriptions", call.path["id"])
    if known is None:
        return Problem(Kind.NOT_FOUND, f"webhook subscription {call.path['id']!r} does not exist")
    if known["status"] == "disabled":
        return Problem(Kind.CONFLICT, "The webhook subscription is disabled.", code="webhook_subscription_disabled")
    secret, until = _secret("rotated", known["secret"]), rfc3339(world.now + OVERLAP)
    changed = {**known, "secret": secret, "previous_secret": known["secret"], "previous_secret_expires_at": until}
    stored = work.put("webhook_subscriptions", known["id"], changed)
    shown = {name: stored[name] for name in stored if name != "previous_secret"}
    return work.outcome(meaning.status, {"data": shown})


def _secret(*parts: str) -> str:
    """A signing secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(made_up(*parts)[:24]).decode()

"""A delivery as an HTTP request: its headers, its signature, its body. Pure."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from mock_server.dataclass import dataclass
from mock_server.model.clock import moments
from mock_server.model.webhooks import WebhookRules
from mock_server.openapi import jsontext
from mock_server.openapi.expressions import MISSING, Context, json_text
from mock_server.openapi.values import Json
from mock_server.webhooks.delivery import Delivery
from mock_server.webhooks.signing import signature_headers

USER_AGENT = "apidouble-webhooks"


@dataclass(frozen=True, slots=True)
class Message:
    """One POST to make. ``timeout`` is in seconds; ``delivery`` is what it is an attempt of."""

    url: str
    headers: dict[str, str]
    body: bytes
    timeout: float
    delivery: Delivery = field(repr=False)


def composed(delivery: Delivery, rules: WebhookRules, *, now: datetime, moment: datetime) -> Message:
    """The message of a delivery's next attempt; a ``ConfigurationError`` when its secret cannot sign.

    ``now`` is virtual time, ``moment`` real time. Signatures are stamped with real time, because receivers compare the
    stamp with a clock of their own, which no control API moves.
    """
    body = jsontext.dumps(delivery.event.data)
    recipient = delivery.recipient
    signed = signature_headers(
        rules.signature, secrets=recipient.secrets, message_id=delivery.event.id, moment=moment, body=body
    )
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        **_annotated(delivery, rules, now),
        **signed,
    }
    return Message(recipient.url, headers, body, rules.timeout.total_seconds(), delivery)


def _annotated(delivery: Delivery, rules: WebhookRules, now: datetime) -> dict[str, str]:
    """The headers that the annotation adds; one whose template names nothing is left out."""
    bindings: dict[str, Json] = {
        "event": delivery.event.as_json(),
        "delivery": {"id": delivery.id, "attempt": len(delivery.attempts) + 1},
        **moments(now),
    }
    if delivery.recipient.item is not None:
        bindings["resource"] = delivery.recipient.item
    context = Context(bindings=bindings)
    values = {name: template.evaluate(context) for name, template in rules.headers.items()}
    return {
        name: value if isinstance(value, str) else json_text(value)
        for name, value in values.items()
        if value is not MISSING and value is not None
    }

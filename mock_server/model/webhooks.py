"""What an annotation says of webhooks: who is subscribed to what, how deliveries are signed, when they are retried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta

from mock_server.dataclass import dataclass
from mock_server.openapi.criteria import Criterion
from mock_server.openapi.expressions import ValueTemplate

STANDARD_WEBHOOKS = "standard-webhooks"
HMAC_SHA256 = "hmac-sha256"

DEFAULT_RETRIES = (timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30))
DEFAULT_TIMEOUT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The resource whose items are subscriptions, and where in an item each part of one is (paths of names).

    ``resource`` is the qualified name in the state. Without ``events`` a subscription is to every event; in its list
    ``everything`` stands for all of them. New events are queued while ``when`` holds; queued ones wait while ``holds``
    does. The previous secret signs as well until the moment at ``previous_until``.
    """

    resource: str
    name: str
    url: tuple[str, ...]
    events: tuple[str, ...] | None = None
    everything: str = "*"
    secret: tuple[str, ...] | None = None
    previous_secret: tuple[str, ...] | None = None
    previous_until: tuple[str, ...] | None = None
    when: Criterion | None = None
    holds: Criterion | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """How deliveries are signed: by Standard Webhooks, or by an HMAC in headers of the API's own.

    ``format`` is what the header holds ({hex}, {base64}, {timestamp}, {id}), ``signed`` what is signed ({body},
    {timestamp}, {id}), ``timestamp`` the header with the time in epoch seconds, where there is one.
    """

    scheme: str = STANDARD_WEBHOOKS
    header: str = ""
    format: str = "{hex}"
    signed: str = "{body}"
    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """How one API delivers its events. ``retries`` are the waits between attempts, on the virtual clock."""

    subscriptions: Subscriptions | None = None
    signature: Signature = field(default_factory=Signature)
    headers: Mapping[str, ValueTemplate] = field(default_factory=dict)
    retries: tuple[timedelta, ...] = DEFAULT_RETRIES
    timeout: timedelta = DEFAULT_TIMEOUT

"""What ``x-mock-webhooks`` says of the deliveries of a description's events."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mock_server.errors import AnnotationError
from mock_server.model.annotations.reader import AnnotationReader
from mock_server.model.webhooks import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    HMAC_SHA256,
    STANDARD_WEBHOOKS,
    Signature,
    Subscriptions,
    WebhookRules,
)
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

_AT = "/x-mock-webhooks"
_EVENT = frozenset({"event"})
_DELIVERY = frozenset({"event", "delivery"})
_FORMATS = {"format": {"hex", "base64", "timestamp", "id"}, "signed": {"body", "timestamp", "id"}}


def read_webhooks(reader: AnnotationReader, value: Mapping[str, Json] | None, namespace: str) -> WebhookRules:
    """The rules by which a description's events are delivered; the usual ones where nothing is said."""
    if value is None:
        return WebhookRules()
    subscriptions, signature = value.get("subscriptions"), value.get("signature")
    return WebhookRules(
        _subscriptions(reader, subscriptions, namespace) if subscriptions is not None else None,
        _signature(reader, signature) if signature is not None else Signature(),
        reader.templates(value.get("headers") or {}, _AT + "/headers", roots=_DELIVERY),
        tuple(reader.duration(wait, f"{_AT}/retries/{at}") for at, wait in enumerate(value["retries"]))
        if "retries" in value
        else DEFAULT_RETRIES,
        reader.duration(value["timeout"], _AT + "/timeout") if "timeout" in value else DEFAULT_TIMEOUT,
    )


def _subscriptions(reader: AnnotationReader, value: Mapping[str, Json], namespace: str) -> Subscriptions:
    def path(name: str) -> tuple[str, ...] | None:
        return pointers.split(value[name]) if name in value else None

    place = _AT + "/subscriptions"
    return Subscriptions(
        resource=f"{namespace}/{value['resource']}",
        name=value["resource"],
        url=pointers.split(value["url"]),
        events=path("events"),
        everything=value.get("all", "*"),
        secret=path("secret"),
        previous_secret=path("previousSecret"),
        previous_until=path("previousUntil"),
        when=reader.criterion(value["when"], place + "/when", roots=_EVENT) if "when" in value else None,
        holds=reader.criterion(value["holds"], place + "/holds") if "holds" in value else None,
    )


def _signature(reader: AnnotationReader, value: Mapping[str, Json]) -> Signature:
    if value["scheme"] == STANDARD_WEBHOOKS:
        return Signature()
    for part, known in _FORMATS.items():
        for name in re.findall(r"\{(\w+)\}", value.get(part, "")):
            if name not in known:
                raise AnnotationError(
                    f"the {part} of a signature has no place {{{name}}}",
                    place=reader.place(f"{_AT}/signature/{part}"),
                    got=value[part],
                    allowed=", ".join(f"{{{each}}}" for each in sorted(known)),
                )
    usual = Signature()
    return Signature(
        HMAC_SHA256,
        value["header"],
        value.get("format", usual.format),
        value.get("signed", usual.signed),
        value.get("timestamp"),
    )

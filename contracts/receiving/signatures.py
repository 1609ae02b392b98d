"""Whether a delivery is signed as it should be, by the library of Standard Webhooks or by an annotated HMAC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from contracts.findings import Difference
from contracts.receiving.receiver import Delivery
from mock_server.errors import ApidoubleError
from mock_server.model.anatomy import words
from mock_server.model.webhooks import STANDARD_WEBHOOKS, Signature
from mock_server.openapi.values import Json
from mock_server.webhooks.signing import signature_headers

TOLERANCE = 300.0
"""Seconds by which a timestamp may be off (Standard Webhooks, “Verifying signatures”)."""

_STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
_SECRETS = frozenset({"secret", "secrets", "whsec"})


def secrets_in(value: Json) -> tuple[str, ...]:
    """The texts that go by the name of a secret, wherever they stand in a value."""
    return tuple(dict.fromkeys(_secrets(value)))


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (text for member in value for text in _secrets(member))
    elif isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str) and member and _SECRETS & set(words(name)):
                yield member
            else:
                yield from _secrets(member)


def flaws(delivery: Delivery, signature: Signature | None, secrets: tuple[str, ...]) -> Iterator[Difference]:
    """What is wrong with a delivery's signature. None of ``signature`` means that only its own headers say how."""
    if signature is None:
        usable = any(secret.startswith("whsec_") for secret in secrets)
        if usable and all(name in delivery.headers for name in _STANDARD):
            yield from _standard(delivery, [secret for secret in secrets if secret.startswith("whsec_")])
    elif signature.scheme == STANDARD_WEBHOOKS:
        yield from _standard(delivery, secrets)
    else:
        yield from _hmac(delivery, signature, secrets)


def _standard(delivery: Delivery, secrets: Iterable[str]) -> Iterator[Difference]:
    absent = [name for name in _STANDARD if name not in delivery.headers]
    if absent:
        yield Difference(f"header {absent[0]}", "a value", None, "is missing")
        return
    yield from _stamped("webhook-timestamp", delivery)
    if not any(_verifies(delivery, secret) for secret in secrets):
        given = delivery.headers["webhook-signature"]
        yield Difference("header webhook-signature", "a signature made with the secret", given, "does not verify")


def _verifies(delivery: Delivery, secret: str) -> bool:
    """Whether the signature is right; whether its time is, is another question, which the library asks as well."""
    try:
        key = Webhook(secret)
        moment = datetime.fromtimestamp(int(delivery.headers["webhook-timestamp"]), UTC)
        expected = key.sign(delivery.headers["webhook-id"], moment, delivery.body.decode())
    except (ValueError, RuntimeError, OverflowError, WebhookVerificationError):
        return False
    return expected in delivery.headers["webhook-signature"].split(" ")


def _stamped(header: str, delivery: Delivery) -> Iterator[Difference]:
    """A time that is none, or is not now."""
    text = delivery.headers.get(header, "")
    stamp = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None
    if stamp is None:
        yield Difference(f"header {header}", "seconds since 1970", text or None, "is no time")
    elif abs(stamp - delivery.moment) > TOLERANCE:
        yield Difference(f"header {header}", int(delivery.moment), text, "is not the time of the delivery")


def _hmac(delivery: Delivery, signature: Signature, secrets: Iterable[str]) -> Iterator[Difference]:
    name = signature.header.lower()
    given = delivery.headers.get(name)
    if given is None:
        yield Difference(f"header {signature.header}", "a signature", None, "is missing")
        return
    moment = delivery.moment
    if signature.timestamp is not None:
        wrong = list(_stamped(signature.timestamp.lower(), delivery))
        yield from wrong
        if wrong and wrong[0].message == "is no time":
            return
        moment = float(delivery.headers[signature.timestamp.lower()])
    elif (inside := _part("timestamp", signature.format, given)) is not None:
        moment = float(inside)
    for secret in secrets:
        try:
            expected = signature_headers(signature, secrets=[secret], message_id=_id(delivery, signature, given),
                                         moment=datetime.fromtimestamp(moment, UTC), body=delivery.body)  # fmt: skip
        except (ApidoubleError, ValueError, OverflowError):
            continue
        if expected.get(signature.header, "") in given:
            return
    yield Difference(f"header {signature.header}", "a signature made with the secret", given, "does not verify")


def _part(name: str, written: str, given: str) -> str | None:
    """What stands in a header at one of its format's places."""
    if "{" + name + "}" not in written:
        return None
    places = re.split(r"\{(\w+)\}", written)
    pattern = "".join(
        re.escape(text) if number % 2 == 0 else r"(\d+(?:\.\d+)?)" if text == name else ".*?"
        for number, text in enumerate(places)
    )
    found = re.match(pattern, given)
    return found[1] if found is not None else None


def _id(delivery: Delivery, signature: Signature, given: str) -> str:
    body = delivery.json
    held = body.get("id") if isinstance(body, dict) else None
    return delivery.headers.get("webhook-id") or (held if isinstance(held, str) else "")

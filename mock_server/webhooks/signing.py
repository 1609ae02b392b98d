"""Signatures: the headers that prove to a receiver where a delivery is from.

``standard-webhooks`` is https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md;
``hmac-sha256`` is the scheme that most APIs made up for themselves, with the header and the text that is signed as they
have them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from standardwebhooks import Webhook

from mock_server.errors import ConfigurationError
from mock_server.model.webhooks import STANDARD_WEBHOOKS, Signature

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def signature_headers(
    signature: Signature, *, secrets: Sequence[str], message_id: str, moment: datetime, body: bytes
) -> dict[str, str]:
    """The headers that sign a message with every secret; a ``ConfigurationError`` for a secret that is none.

    Standard Webhooks' id and timestamp are sent even where there is no secret to sign with.
    """
    if signature.scheme == STANDARD_WEBHOOKS:
        return _standard(secrets, message_id, moment, body)
    return _hmac(signature, secrets, message_id, moment, body)


def _standard(secrets: Sequence[str], message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    headers = {"webhook-id": message_id, "webhook-timestamp": str(int(moment.timestamp()))}
    if secrets:
        text = body.decode()
        headers["webhook-signature"] = " ".join(_key(secret).sign(message_id, moment, text) for secret in secrets)
    return headers


def _key(secret: str) -> Webhook:
    text = secret.removeprefix("whsec_").rstrip("=")
    try:
        # The library passes over what is not base64, and so would sign with another key than the receiver has.
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ConfigurationError(
            "the secret cannot sign by Standard Webhooks", allowed="whsec_ and then base64, at least one byte of it"
        )
    return Webhook(key)


def _hmac(
    signature: Signature, secrets: Sequence[str], message_id: str, moment: datetime, body: bytes
) -> dict[str, str]:
    stamp = str(int(moment.timestamp()))
    facts = {"timestamp": stamp, "id": message_id}
    headers = {} if signature.timestamp is None else {signature.timestamp: stamp}
    signed = _signed(signature.signed, facts, body)
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).digest() for secret in secrets]
    if digests:
        headers[signature.header] = ",".join(
            _filled(signature.format, {**facts, "hex": digest.hex(), "base64": base64.b64encode(digest).decode()})
            for digest in digests
        )
    return headers


def _signed(template: str, facts: Mapping[str, str], body: bytes) -> bytes:
    """The bytes that are signed; the body stands in them as it is sent."""
    before, mark, after = template.partition("{body}")
    return _filled(before, facts).encode() + (body if mark else b"") + _filled(after, facts).encode()


def _filled(template: str, facts: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: facts.get(found[1], found[0]), template)

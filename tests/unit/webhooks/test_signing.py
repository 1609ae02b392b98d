"""Signatures: the published vector, rotation, and the schemes that APIs made up."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from mock_server import ConfigurationError
from mock_server.model.webhooks import HMAC_SHA256, Signature
from mock_server.webhooks.signing import signature_headers

BODY = b'{"test": 2432232314}'
STAMP = 1614265330
MOMENT = datetime.fromtimestamp(STAMP, UTC)
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"


def signed(signature: Signature, *secrets: str, moment: datetime = MOMENT) -> dict[str, str]:
    return signature_headers(signature, secrets=secrets, message_id=MESSAGE, moment=moment, body=BODY)


def test_standard_webhooks_signs_the_published_vector() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, the test of signing in each of its libraries
    assert signed(Signature(), KEY) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": str(STAMP),
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_of_two_secrets_verifies() -> None:
    other = "whsec_" + base64.b64encode(b"another").decode()
    headers = signed(Signature(), KEY, other, moment=datetime.now(UTC))
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (KEY, other):
        Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", KEY + "=="])
def test_prefix_and_padding_of_a_secret_do_not_matter(secret: str) -> None:
    assert signed(Signature(), secret) == signed(Signature(), KEY)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "päß", "whsec_a"])
def test_secret_that_is_no_key_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="whsec_ and then base64") as refused:
        signed(Signature(), secret)
    assert secret.removeprefix("whsec_") == "" or secret not in str(refused.value)


def test_without_a_secret_only_id_and_timestamp_are_sent() -> None:
    assert signed(Signature()) == {"webhook-id": MESSAGE, "webhook-timestamp": str(STAMP)}
    assert signed(Signature(HMAC_SHA256, "X-Signature")) == {}


def test_plain_hmac_covers_the_body() -> None:
    digest = hmac.new(b"hush", BODY, hashlib.sha256)
    assert signed(Signature(HMAC_SHA256, "X-Signature"), "hush") == {"X-Signature": digest.hexdigest()}


def test_hmac_header_has_the_form_of_the_api() -> None:
    rule = Signature(HMAC_SHA256, "X-Signature", "sha256={base64}", "{id}.{timestamp}.{body}", "X-Timestamp")
    digest = hmac.new(b"hush", f"{MESSAGE}.{STAMP}.".encode() + BODY, hashlib.sha256).digest()
    assert signed(rule, "hush") == {
        "X-Timestamp": str(STAMP),
        "X-Signature": "sha256=" + base64.b64encode(digest).decode(),
    }


def test_timestamp_may_stand_in_the_signature_itself() -> None:
    rule = Signature(HMAC_SHA256, "Signature", "t={timestamp},v1={hex}", "{timestamp}.{body}")
    assert signed(rule, "hush")["Signature"].startswith(f"t={STAMP},v1=")


def test_two_hmac_signatures_are_joined_by_a_comma() -> None:
    rule = Signature(HMAC_SHA256, "X-Signature", "sha256={hex}")
    first, second = signed(rule, "new"), signed(rule, "old")
    assert signed(rule, "new", "old")["X-Signature"] == f"{first['X-Signature']},{second['X-Signature']}"


def test_braces_in_a_body_are_not_places() -> None:
    body = b'{"hex":"{hex}{timestamp}"}'
    rule = Signature(HMAC_SHA256, "X-Signature")
    headers = signature_headers(rule, secrets=["hush"], message_id=MESSAGE, moment=MOMENT, body=body)
    assert headers["X-Signature"] == hmac.new(b"hush", body, hashlib.sha256).hexdigest()

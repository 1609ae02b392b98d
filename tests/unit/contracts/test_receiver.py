"""The receiver of deliveries, and whether what it gets is well signed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import requests

from contracts.receiving.receiver import Delivery, receiving
from contracts.receiving.signatures import flaws, secrets_in
from mock_server.model.webhooks import Signature
from mock_server.webhooks.signing import signature_headers


def delivered(body: bytes, headers: Mapping[str, str]) -> Delivery:
    return Delivery("POST", "/", {name.lower(): value for name, value in headers.items()}, body, time.time())


@pytest.mark.parametrize(
    "signature",
    [
        Signature(),
        Signature("hmac-sha256", "X-Signature", "sha256={hex}"),
        Signature("hmac-sha256", "X-Signature", "t={timestamp},v1={hex}", "{timestamp}.{body}"),
        Signature("hmac-sha256", "X-Signature", "{base64}", "{id}.{timestamp}.{body}", "X-Timestamp"),
    ],
)
@pytest.mark.parametrize("change", ["none", "body", "secret"])
def test_a_signature_is_good_for_its_secret_and_its_body_alone(signature: Signature, change: str) -> None:
    secret, body = "whsec_c2hvcC1zaG9wLXNob3Atc2hvcA==", b'{"id": "evt_1", "data": {"name": "\xc3\x85"}}'
    headers = signature_headers(
        signature, secrets=[secret], message_id="evt_1", moment=datetime.now(UTC) - timedelta(seconds=20), body=body
    )
    sent = body + b" " if change == "body" else body
    known = "whsec_b3RoZXItb3RoZXItb3RoZXI=" if change == "secret" else secret
    wrong = list(flaws(delivered(sent, headers), signature, (known,)))
    assert [each.message for each in wrong] == ([] if change == "none" else ["does not verify"])


def test_secrets_are_found_by_their_names() -> None:
    value = {"data": {"initial_secret": "a", "name": "b"}, "list": [{"signingSecret": "c"}], "secret": None}
    assert secrets_in(value) == ("a", "c")


def test_a_receiver_refuses_as_often_as_it_is_told_to() -> None:
    with receiving() as receiver:
        path = receiver.fresh(failures=1)
        answers = [requests.post(receiver.url + path, data=b"{}", timeout=5).status_code for _ in range(2)]
        assert answers == [500, 204]
        assert len(receiver.got(path)) == 2
        assert receiver.got(receiver.fresh()) == []


def test_a_receiver_waits_no_longer_than_it_was_told() -> None:
    begun = time.monotonic()
    never: Callable[[list[Delivery]], bool] = lambda _: False  # noqa: E731 - a name for its type
    with receiving() as receiver:
        assert receiver.wait(receiver.fresh(), never, 0.05) == []
    assert time.monotonic() - begun < 5


def test_what_comes_below_a_path_belongs_to_it() -> None:
    with receiving() as receiver:
        path = receiver.fresh()
        requests.post(f"{receiver.url}{path}/ready?order=1", data=b"{}", timeout=5)
        assert [each.path for each in receiver.got(path)] == [f"{path}/ready?order=1"]

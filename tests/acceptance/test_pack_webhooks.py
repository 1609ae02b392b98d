"""The packs' webhooks at a real receiver, which verifies signatures as a client of the vendor would."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from mock_server import MockServer, pack
from mock_server.openapi.values import Json
from tests.acceptance.receiver import SOON, Receiver, receiving


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(pack("kirimdev"), pack("layercake"), pack("cloudvelous-crm")) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


class Client:
    """A client of one API in a session of its own."""

    def __init__(self, server: MockServer, api: str, session: str, credential: str | None = None) -> None:
        self.base = f"{server.url}/__session__/{session}"
        self.api = api
        self.headers: Mapping[str, str] = {}
        if credential is not None:
            listed = self.control("GET", "apis")["apis"]
            known = next(entry for entry in listed if entry["name"] == api)["credentials"]
            found = next(entry for entry in known if entry["name"] == credential)
            self.headers = {found["parameter"]: found["value"]}

    def send(self, method: str, path: str, body: Json = None) -> Any:
        url = f"{self.base}/{self.api}{path}"
        response = requests.request(method, url, json=body, headers=self.headers, timeout=SOON)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    def control(self, method: str, path: str, body: Json = None) -> Any:
        response = requests.request(method, f"{self.base}/__mock__/{path}", json=body, timeout=SOON)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None


def test_kirimdev_signs_retries_rotates_and_pauses(server: MockServer, receiver: Receiver) -> None:
    client = Client(server, "kirimdev", "signed", "platform")
    client.control("POST", "clock", {"freeze": True})
    hook = client.send(
        "POST", "/v1/webhook_subscriptions", {"url": f"{receiver.url}/crm", "events": ["customer.created"]}
    )["data"]
    secret = hook["initial_secret"]

    receiver.answers = [(500, {})]
    made = client.send("POST", "/v1/customers", {"name": "Toko Melati"})["data"]
    (failed,) = receiver.got(1)
    assert failed.is_signed_by(secret)
    client.control("POST", "clock", {"advance": "PT5S"})
    retried = receiver.got(2)[1]
    assert retried.headers["webhook-id"] == failed.headers["webhook-id"]
    assert retried.is_signed_by(secret)
    assert made["id"] in retried.body.decode()

    rotated = client.send("POST", f"/v1/webhook_subscriptions/{hook['id']}/rotate_secret")["data"]
    newer = next(value for value in rotated.values() if isinstance(value, str) and value.startswith("whsec_"))
    client.send("POST", "/v1/customers", {"name": "Toko Kamboja"})
    both = receiver.got(3)[2]
    assert newer != secret
    assert both.is_signed_by(secret), "the old secret goes on while the overlap lasts"
    assert both.is_signed_by(newer)

    client.send("POST", f"/v1/webhook_subscriptions/{hook['id']}/pause")
    client.send("POST", "/v1/customers", {"name": "Toko Anggrek"})
    client.send("POST", f"/v1/webhook_subscriptions/{hook['id']}/resume")
    client.send("POST", "/v1/customers", {"name": "Toko Cempaka"})
    assert "Cempaka" in receiver.got(4)[3].body.decode()
    assert len(receiver) == 4


def test_layercake_signs_by_an_hmac_and_delivers_a_test_at_once(server: MockServer, receiver: Receiver) -> None:
    client = Client(server, "layercake", "hmac", "document-key")
    secret = "whsec_of_my_app"
    subscription = {
        "organizationId": "org_xxx",
        "url": f"{receiver.url}/webhook",
        "events": ["contact.created"],
        "secret": secret,
    }
    hook = client.send("POST", "/api/v1/webhooks", subscription)
    contact = {"organizationId": "org_xxx", "displayName": "Jane Smith", "email": "jane@example.com"}
    made = client.send("POST", "/api/v1/crm/contacts", contact)
    got = receiver.got(1)[0]
    expected = hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-l4yercak3-signature"] == f"sha256={expected}"
    assert got.json["type"] == "contact.created"
    assert got.json["organizationId"] == "org_xxx"
    assert got.json["data"]["id"] == made["id"]

    client.send("POST", f"/api/v1/webhooks/{hook['id']}/test")
    assert receiver.got(2)[1].json["type"] == "contact.created"

    client.send("DELETE", f"/api/v1/webhooks/{hook['id']}")
    client.send("POST", "/api/v1/crm/contacts", {**contact, "email": "jim@example.com"})
    states = [entry["state"] for entry in client.control("GET", "webhooks/deliveries")["deliveries"]]
    assert len(states) == 2, "nothing is queued for a subscription that is gone"


def test_cloudvelous_tells_configured_targets_of_leads(server: MockServer, receiver: Receiver) -> None:
    client = Client(server, "cloudvelous-crm", "leads")
    client.control("POST", "webhooks/targets", {"url": f"{receiver.url}/leads", "events": ["lead.created"]})
    lead = client.send("POST", "/api/leads", {"name": "John Doe", "email": "john@example.com", "source": "website"})
    (got,) = receiver.got(1)
    assert got.json["event"] == "lead.created"
    assert got.json["data"] == {
        "lead_id": lead["id"],
        "name": "John Doe",
        "email": "john@example.com",
        "source": "website",
    }

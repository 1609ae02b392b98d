"""The program under test as it is: real base URLs, its own sessions and retries. Nothing of it knows of the double."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import requests
from outreach.fanout import send_all
from outreach.hooks import create_app
from outreach.kirim import Kirim

if TYPE_CHECKING:
    from contracts.testing import MockApis

LINE = "106540352242922"
KIRIM = "https://api.kirimdev.com"


def test_customers_are_read_to_the_last_page(mock_api: MockApis) -> None:
    api = mock_api()
    with api.intercept(KIRIM):
        found = list(Kirim(api.credentials["platform"].value).customers())
    assert len(found) > 5
    api.requests.assert_called("listCustomers", query__limit="5", times=len(api.requests))


def test_a_customer_is_sent_as_the_platform_wants_it(mock_api: MockApis) -> None:
    api = mock_api()
    with api.intercept(KIRIM):
        Kirim(api.credentials["platform"].value).add_customer("Jane", metadata={"crm_id": "C-7"})
    api.requests.assert_called("createCustomer", body__name="Jane", body__metadata__crm_id="C-7", status=200)


def test_what_is_in_the_state_can_be_said_and_seen(mock_api: MockApis) -> None:
    api = mock_api()
    customers = api.state["customers"].of_tenant("team_warungtech")
    customers.add({"name": "Warung Pagi", "status": "active"})
    with api.intercept(KIRIM):
        names = [found["name"] for found in Kirim(api.credentials["platform"].value).customers(status="active")]
    assert "Warung Pagi" in names


def test_a_hiccup_is_ridden_out(mock_api: MockApis) -> None:
    api = mock_api()
    api.fail("listCustomers", status=503, times=2)
    with api.intercept(KIRIM):
        assert list(Kirim(api.credentials["platform"].value).customers())
    api.requests.assert_called("listCustomers", status=503, times=2)


@pytest.mark.mock_api(faults={"createCustomer": {"status": 503}})
def test_what_is_not_safe_to_repeat_is_not_repeated(mock_api: MockApis) -> None:
    api = mock_api()
    with api.intercept(KIRIM), pytest.raises(requests.HTTPError):
        Kirim(api.credentials["platform"].value).add_customer("Jane")


@pytest.mark.mock_api(frozen_at="2026-03-01T08:00:00Z")
def test_a_message_is_read_after_a_while(mock_api: MockApis) -> None:
    api = mock_api()
    with api.intercept(KIRIM):
        kirim = Kirim(api.credentials["platform"].value)
        sent = kirim.send(LINE, "+6281200010001", "Your order is on its way.")
        assert (sent["status"], sent["created_at"]) == ("queued", "2026-03-01T08:00:00Z")
        api.clock.advance("PT2M")
        assert kirim.message(LINE, sent["id"])["status"] == "read"


def test_many_messages_at_once(mock_api: MockApis) -> None:
    api = mock_api()
    numbers = [f"+62812000{number:05}" for number in range(20)]
    with api.intercept(KIRIM):
        statuses = asyncio.run(send_all(api.credentials["platform"].value, LINE, numbers, "Hello"))
    assert statuses == [200] * 20
    assert {sent.json["to"] for sent in api.requests.of("sendMessage")} == set(numbers)


def test_another_attempt_from_the_same_point(mock_api: MockApis) -> None:
    api = mock_api()
    api.snapshot()
    session = api.session("platform")
    for name in ("First", "Second"):
        session.post("/customers", json={"name": name})
        assert name in {known["name"] for known in api.state["customers"].of_tenant("team_warungtech").values()}
        api.restore()
    assert session.get("/customers", params={"name": "First"}).ok


def test_webhooks_arrive_signed_and_are_repeated(mock_api: MockApis) -> None:
    api = mock_api()
    session = api.session("platform")
    hook = {"url": "https://outreach.example/hooks/kirim", "events": ["customer.created"]}
    made = session.post("/webhook_subscriptions", json=hook).json()["data"]
    receiver = create_app(made["initial_secret"])
    api.webhooks.deliver_to("https://outreach.example", receiver)
    api.webhooks.answer("https://outreach.example", status=500, times=1)

    session.post("/customers", json={"name": "Jane"})
    (delivery,) = api.webhooks
    assert [attempt.status for attempt in delivery.attempts] == [500]

    api.clock.advance("PT5S")
    api.webhooks.assert_delivered("customer.created", data__name="Jane")
    assert receiver.config["SEEN"] == ["customer.created"]


def test_a_call_that_must_happen(mock_api: MockApis) -> None:
    api = mock_api()
    api.expect("createCustomer", body__name="Jane", times=1)
    with api.intercept(KIRIM):
        Kirim(api.credentials["platform"].value).add_customer("Jane")


@pytest.mark.mock_api(allow_invalid=True)
def test_a_request_that_the_description_does_not_allow(mock_api: MockApis) -> None:
    api = mock_api()
    answer = api.session("platform").post("/customers", json={"nmae": "Jane"})
    assert answer.status_code == 400
    assert api.requests.last.violations

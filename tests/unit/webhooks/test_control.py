"""Deliveries and targets through the control API, whose answers are judged by its description."""

from __future__ import annotations

import pytest

from mock_server import compile_api
from mock_server.webhooks.message import Message
from mock_server.webhooks.options import WebhookOptions
from mock_server.webhooks.retrying import Reply
from tests.unit.web.controlled import Double, double
from tests.unit.webhooks.shop import SECRET, description

URL = "http://localhost:9/in"


class Sender:
    """Answers each message with the status that is set."""

    def __init__(self) -> None:
        self.status = 204
        self.urls: list[str] = []

    def __call__(self, message: Message) -> Reply:
        self.urls.append(message.url)
        return Reply(self.status)


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def shop(sender: Sender) -> Double:
    webhooks = WebhookOptions(targets=("http://localhost:9/start",), send=sender, background=False)
    return double(compile_api(description(), name="shop"), webhooks=webhooks)


def order(shop: Double) -> None:
    assert shop.call("POST", "/orders", json={"item": "table"}).status_code == 201


def deliver(shop: Double) -> None:
    shop.app.extensions["apidouble"].deliver_due()


def test_targets_of_the_start_and_of_the_universe_are_listed(shop: Double) -> None:
    added = shop.control("POST", "/webhooks/targets", json={"url": URL, "events": ["order.created"], "secret": SECRET})
    assert added.status_code == 201
    assert added.json == {"id": "t1", "url": URL, "events": ["order.created"], "secret": "(redacted)"}
    shown = shop.control("GET", "/webhooks/targets").json["targets"]
    assert [target["id"] for target in shown] == ["start-1", "t1"]
    assert shop.control("GET", "/webhooks/targets?secrets=true").json["targets"][1]["secret"] == SECRET


def test_target_gets_the_types_it_is_for(shop: Double, sender: Sender) -> None:
    shop.control("POST", "/webhooks/targets", json={"url": URL, "events": ["order.changed"]})
    order(shop)
    deliver(shop)
    assert sender.urls == ["http://localhost:9/start"]


def test_targets_belong_to_their_universe_and_go_with_a_reset(shop: Double) -> None:
    shop.control("POST", "/webhooks/targets", json={"url": URL}, headers={"Mock-Session": "a"})
    assert len(shop.control("GET", "/webhooks/targets").json["targets"]) == 1
    shop.control("POST", "/reset", headers={"Mock-Session": "a"})
    assert len(shop.control("GET", "/webhooks/targets", headers={"Mock-Session": "a"}).json["targets"]) == 1


@pytest.mark.parametrize("url", ["localhost:9/in", "ftp://localhost/", "", "http://a b/"])
def test_target_without_a_url_is_refused(shop: Double, url: str) -> None:
    refused = shop.control("POST", "/webhooks/targets", json={"url": url})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/url"


def test_removed_target_cancels_what_is_queued_for_it(shop: Double, sender: Sender) -> None:
    shop.control("POST", "/webhooks/targets", json={"url": URL})
    order(shop)
    assert shop.control("DELETE", "/webhooks/targets/t1").status_code == 204
    (cancelled,) = shop.control("GET", "/webhooks/deliveries?target=target:t1").json["deliveries"]
    assert (cancelled["state"], cancelled["reason"]) == ("failed", "cancelled: target:t1 is gone")
    deliver(shop)
    assert URL not in sender.urls


@pytest.mark.parametrize(
    ("target", "detail"), [("t9", "there is no target 't9'"), ("start-1", "'start-1' was given at start and stays")]
)
def test_target_that_cannot_be_removed_is_a_404(shop: Double, target: str, detail: str) -> None:
    refused = shop.control("DELETE", f"/webhooks/targets/{target}")
    assert refused.status_code == 404
    assert detail in refused.json["detail"]


def test_all_targets_of_the_universe_can_be_removed(shop: Double) -> None:
    shop.control("POST", "/webhooks/targets", json={"url": URL})
    assert shop.control("DELETE", "/webhooks/targets").status_code == 204
    assert [target["id"] for target in shop.control("GET", "/webhooks/targets").json["targets"]] == ["start-1"]


def test_deliveries_tell_their_attempts(shop: Double, sender: Sender) -> None:
    sender.status = 500
    order(shop)
    deliver(shop)
    (shown,) = shop.control("GET", "/webhooks/deliveries").json["deliveries"]
    assert shown["state"] == "pending"
    assert shown["due"] == "2026-01-02T03:04:10Z"
    assert [attempt["status"] for attempt in shown["attempts"]] == [500]
    assert shown["event"]["type"] == shown["payload"]["type"] == "order.created"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=pending", 2),
        ("state=delivered", 0),
        ("event=order.created", 2),
        ("event=order.changed", 0),
        ("target=target:t1", 1),
        (f"target={URL}", 1),
        ("limit=1", 1),
        ("limit=0", 0),
    ],
)
def test_deliveries_are_filtered(shop: Double, query: str, count: int) -> None:
    shop.control("POST", "/webhooks/targets", json={"url": URL})
    order(shop)
    assert len(shop.control("GET", f"/webhooks/deliveries?{query}").json["deliveries"]) == count


@pytest.mark.parametrize("query", ["state=lost", "limit=-1", "targt=x"])
def test_filter_that_means_nothing_is_refused(shop: Double, query: str) -> None:
    assert shop.control("GET", f"/webhooks/deliveries?{query}").status_code == 400


def test_delivery_is_made_once_more_on_request(shop: Double, sender: Sender) -> None:
    order(shop)
    deliver(shop)
    assert shop.control("POST", "/webhooks/deliveries/d1/redeliver").json["state"] == "pending"
    deliver(shop)
    (shown,) = shop.control("GET", "/webhooks/deliveries?state=delivered").json["deliveries"]
    assert len(shown["attempts"]) == len(sender.urls) == 2


def test_unknown_delivery_cannot_be_made_once_more(shop: Double) -> None:
    assert shop.control("POST", "/webhooks/deliveries/d9/redeliver").status_code == 404


def test_reset_forgets_deliveries(shop: Double, sender: Sender) -> None:
    order(shop)
    shop.control("POST", "/reset")
    deliver(shop)
    assert sender.urls == []
    assert shop.control("GET", "/webhooks/deliveries").json == {"deliveries": []}

"""Who gets which event, and what becomes of a delivery when that changes."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest

from mock_server import AnnotationError, Sandbox, compile_api
from mock_server.openapi.values import Json
from mock_server.webhooks.retrying import Reply
from tests.unit.webhooks.shop import HOOK, NOW, ORDER, SECRET, Shop, crud, description


def types(shop: Shop) -> list[str]:
    return [payload["type"] for payload in shop.deliver()]


def test_subscription_gets_the_types_it_lists() -> None:
    shop = Shop()
    shop.subscribe(events=["order.changed"])
    made = shop.made("/orders", {"item": "table"})
    shop.call("PATCH", f"/orders/{made['id']}", {"status": "sent"})
    assert types(shop) == ["order.changed"]


def test_subscription_without_a_place_for_types_gets_all() -> None:
    shop = Shop(description(subscriptions={"resource": "hooks", "url": "/url"}))
    shop.subscribe(events=[])
    shop.made("/orders", {"item": "table"})
    assert types(shop) == ["order.created"]


def test_another_word_may_stand_for_every_type() -> None:
    shop = Shop(description(subscriptions={"resource": "hooks", "url": "/url", "events": "/events", "all": "all"}))
    shop.subscribe(events=["*"])
    shop.subscribe(events=["all"])
    shop.made("/orders", {"item": "table"})
    shop.deliver()
    assert [message.delivery.recipient.item["events"] for message in shop.sent] == [["all"]]


def test_paused_subscription_gets_nothing_new() -> None:
    shop = Shop()
    shop.subscribe(status="paused")
    shop.made("/orders", {"item": "table"})
    assert shop.deliver() == []
    assert shop.universe.outbox.listed(lambda each: each) == ()


def test_retry_goes_to_the_url_that_the_subscription_has_by_then() -> None:
    shop = Shop(description(retries=["PT5S"]))
    hook = shop.subscribe()
    shop.replies = [Reply(500)]
    shop.made("/orders", {"item": "table"})
    shop.deliver()
    shop.call("PATCH", f"/hooks/{hook['id']}", {"url": "http://localhost:9/moved"})
    shop.advance(timedelta(seconds=5))
    shop.deliver()
    assert [message.url for message in shop.sent] == ["http://localhost:9/in", "http://localhost:9/moved"]


def test_tenants_get_their_own_events_only() -> None:
    document = description()
    document["x-mock-tenants"] = {"value": "$request.header.x-tenant"}
    shop = Shop(document)
    for tenant in ("north", "south"):
        hook = {"url": f"http://localhost:9/{tenant}", "events": ["*"], "status": "active"}
        assert shop.call("POST", "/hooks", hook, x_tenant=tenant).status == 201
    assert shop.call("POST", "/orders", {"item": "table"}, x_tenant="south").status == 201
    shop.deliver()
    assert [message.url for message in shop.sent] == ["http://localhost:9/south"]


def test_shared_subscription_gets_the_events_of_every_tenant() -> None:
    document = description()
    document["x-mock-tenants"] = {"value": "$request.header.x-tenant"}
    document["x-mock-resources"]["hooks"]["tenant"] = False
    shop = Shop(document)
    shop.subscribe()
    for tenant in ("north", "south"):
        shop.call("POST", "/orders", {"item": tenant}, x_tenant=tenant)
    assert [payload["data"]["item"] for payload in shop.deliver()] == ["north", "south"]


def test_subscriptions_below_a_parent_get_what_happens_below_it() -> None:
    document = description()
    parent = {"name": "storeId", "in": "path", "required": True, "schema": {"type": "string"}}
    document["paths"] = {
        f"/stores/{{storeId}}{path}": {**item, "parameters": [*item.get("parameters", ()), parent]}
        for path, item in {**crud("orders", ORDER), **crud("hooks", HOOK)}.items()
    }
    shop = Shop(document)
    for store in ("a", "b"):
        hook = {"url": f"http://localhost:9/{store}", "events": ["*"], "status": "active"}
        shop.made(f"/stores/{store}/hooks", hook)
    shop.made("/stores/b/orders", {"item": "table"})
    shop.deliver()
    assert [message.url for message in shop.sent] == ["http://localhost:9/b"]


def test_softly_deleted_subscription_is_gone() -> None:
    document = description()
    document["x-mock-resources"]["hooks"]["softDelete"] = {"set": {"status": "paused"}}
    shop = Shop(document)
    hook = shop.subscribe()
    shop.made("/orders", {"item": "table"})
    assert shop.call("DELETE", f"/hooks/{hook['id']}").status == 204
    assert shop.deliver() == []
    (delivery,) = shop.universe.outbox.listed(lambda each: each)
    assert delivery.reason == f"cancelled: shop/hooks/{hook['id']} is gone"


def test_secret_that_cannot_sign_fails_the_delivery_and_says_so() -> None:
    shop = Shop()
    shop.subscribe(secret="not base64!")
    shop.made("/orders", {"item": "table"})
    (delivery,) = shop.sandbox.deliver_due()
    assert delivery.reason == "the secret cannot sign by Standard Webhooks"


def test_targets_given_at_start_get_every_event_of_every_universe() -> None:
    shop = Shop(targets=("http://localhost:9/all",))
    shop.made("/orders", {"item": "table"})
    shop.universe.reset()
    shop.made("/orders", {"item": "chair"})
    assert [payload["data"]["item"] for payload in shop.deliver()] == ["chair"]
    assert shop.sent[0].url == "http://localhost:9/all"


def test_header_that_names_nothing_is_left_out() -> None:
    shop = Shop(
        description(headers={"X-Hook": "$resource#/id", "X-None": "$resource#/none", "X-Try": "n{$delivery#/attempt}"})
    )
    hook = shop.subscribe(secret=SECRET)
    shop.made("/orders", {"item": "table"})
    shop.deliver()
    headers = shop.sent[0].headers
    assert (headers["X-Hook"], headers["X-Try"]) == (hook["id"], "n1")
    assert "X-None" not in headers


def test_api_may_have_a_signature_of_its_own() -> None:
    signature = {"scheme": "hmac-sha256", "header": "X-Signature", "format": "sha256={hex}", "timestamp": "X-Time"}
    shop = Shop(description(signature=signature))
    shop.subscribe(secret="any text will do")
    shop.made("/orders", {"item": "table"})
    shop.deliver()
    (message,) = shop.sent
    digest = hmac.new(b"any text will do", message.body, hashlib.sha256).hexdigest()
    assert message.headers["X-Signature"] == f"sha256={digest}"
    assert message.headers["X-Time"] == str(int(NOW))
    assert "webhook-id" not in message.headers


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"subscriptions": {"resource": "hook", "url": "/url"}}, "did you mean 'hooks'"),
        ({"subscriptions": {"resource": "hooks"}}, "breaks the vocabulary"),
        ({"subscriptions": {"resource": "hooks", "url": "/url", "when": "$resource =="}}, "/when"),
        ({"signature": {"scheme": "hmac-sha256"}}, "breaks the vocabulary"),
        ({"signature": {"scheme": "hmac-sha256", "header": "X", "format": "{hexx}"}}, r"no place \{hexx\}"),
        ({"retries": ["5s"]}, "breaks the vocabulary"),
        ({"retries": ["PT0S"]}, "no time at all"),
        ({"headers": {"X": "$evnt#/id"}}, "did you mean 'event'"),
    ],
)
def test_mistaken_annotation_is_told_with_its_place(said: Json, wrong: str) -> None:
    with pytest.raises(AnnotationError, match=wrong):
        Sandbox([compile_api(description(**said), name="shop")])

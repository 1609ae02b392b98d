"""``api.webhooks.assert_delivered``: what a test expects of the webhooks, and what it is told."""

from __future__ import annotations

import base64
import re

import pytest

from contracts.testing.hooks.webhooks import Webhooks
from mock_server import ConfigurationError
from mock_server.openapi.values import Json
from tests.plugin.shop import HOOK, Bench
from tests.unit.webhooks.shop import Shop


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_delivered_event_is_found_by_its_payload(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order("table")
    bench.order("chair")
    found = bench.webhooks.assert_delivered("order.created", times=1, data__item="table", type="order.created")
    assert found.json["data"]["item"] == "table"
    assert bench.webhooks.assert_delivered("order.created", times=2).json["data"]["item"] == "chair"
    bench.webhooks.assert_delivered("order.created", to="http://app.test", data__item=re.compile("^ch"))
    bench.webhooks.assert_delivered("order.created", like={"/data/item": "chair"})
    assert len(bench.webhooks.of("order.created", data__item="chair")) == 1
    assert bench.webhooks.of("order.changed") == ()


def test_pointers_begin_with_a_slash(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="like goes by JSON pointers") as failed:
        bench.webhooks.of("order.created", like={"data/item": "chair"})
    assert failed.value.hint == "begin with a slash: /data/item"
    with pytest.raises(ConfigurationError, match="a name in this keyword is empty") as empty:
        bench.webhooks.of("order.created", data____item="chair")
    assert 'like={"/a__b": 1}' in str(empty.value.hint)


def failure(bench: Bench, type: str, **asked: Json) -> list[str]:
    """What a failing assertion says, by line."""
    with pytest.raises(AssertionError) as failed:
        bench.webhooks.assert_delivered(type, **asked)
    return str(failed.value).splitlines()


def test_nearest_delivery_is_shown_with_its_differences(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order("table")
    bench.order("chair")
    assert failure(bench, "order.created", data__item="chairs", data__id=bench.webhooks[1].json["data"]["id"]) == [
        f"order.created with /data/item='chairs', /data/id={bench.webhooks[1].json['data']['id']!r} was not delivered",
        f"  the nearest: order.created to {HOOK}: delivered (200)",
        "    /data/item: expected 'chairs', got 'chair'",
    ]


def test_member_that_is_not_there_is_told_of(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order()
    assert "    /data/colour: expected 'red', and it is not there" in failure(
        bench, "order.created", data__colour="red"
    )


def test_event_without_a_subscriber_is_told_of(bench: Bench) -> None:
    bench.order()
    assert failure(bench, "order.created") == [
        "order.created was not delivered",
        "  it happened once, and nobody was subscribed: api.webhooks.subscribe(url) does that",
    ]


def test_misspelt_event_is_told_with_the_one_that_was_meant(bench: Bench) -> None:
    assert failure(bench, "order.craeted") == [
        "order.craeted was not delivered",
        "  did you mean 'order.created'?",
        "  nothing was delivered, and no such event happened",
    ]


def test_other_deliveries_are_listed(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    for _ in range(7):
        bench.order()
    said = failure(bench, "order.changed")
    assert said[:2] == ["order.changed was not delivered", "  what there was (the last 5, 2 before):"]
    assert said[2:] == [f"  order.created to {HOOK}: delivered (200)"] * 5


def test_event_that_was_not_taken_is_not_delivered(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer(HOOK, status=500, times=1)
    bench.order()
    assert failure(bench, "order.created") == [
        "order.created was not delivered", f"  order.created to {HOOK}: pending (500)"
    ]  # fmt: skip
    bench.webhooks.assert_not_delivered("order.created")


def test_event_that_came_too_often_is_told(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order()
    bench.order()
    assert failure(bench, "order.created", times=1)[0] == "order.created was delivered 2 times, not once"


def test_event_that_should_not_come_is_told(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order("table")
    bench.webhooks.assert_not_delivered("order.created", data__item="chair")
    with pytest.raises(AssertionError) as failed:
        bench.webhooks.assert_not_delivered("order.created")
    assert str(failed.value) == f"order.created was delivered\n  order.created to {HOOK}: delivered (200)"


def test_not_once_has_an_assertion_of_its_own(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="times counts from 1") as failed:
        bench.webhooks.assert_delivered("order.created", times=0)
    assert "assert_not_delivered" in str(failed.value.hint)


def test_subscription_through_the_api_is_signed_with_its_secret() -> None:
    shop = Shop()
    webhooks = Webhooks(shop.sandbox, shop.sandbox.api("shop"), shop.universe)
    secret = "whsec_" + base64.b64encode(b"made up for this test").decode()
    shop.subscribe(secret=secret)
    shop.made("/orders", {"item": "table"})
    webhooks.assert_delivered("order.created").assert_verified(secret)
    assert shop.sent == []

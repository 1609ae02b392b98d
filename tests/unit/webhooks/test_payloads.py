"""Payloads against the description: webhooks by name or by event type, and callbacks with their URLs."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server import AnnotationError, DescriptionError, Sandbox, compile_api, computed
from mock_server.model.call import Call
from mock_server.model.events import Event
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.world import World
from mock_server.openapi.values import Json
from mock_server.webhooks.delivery import Standing
from tests.unit.webhooks.shop import ORDER, Shop, described_body, description

TOLD = {
    "type": "object",
    "required": ["id", "type", "data"],
    "properties": {
        "id": {"type": "string"},
        "type": {"type": "string"},
        "data": {"$ref": "#/components/schemas/Order"},
    },
}
STRICT = {**ORDER, "properties": {**ORDER["properties"], "item": {"type": "string", "maxLength": 5}}}


def with_webhook(name: str, operation: Json, *, field: str = "webhooks", **root: Json) -> Json:
    document = description()
    document["components"] = {"schemas": {"Order": STRICT}}
    document[field] = {name: {"post": {"requestBody": described_body(TOLD), **operation}}}
    return {**document, **root}


@pytest.mark.parametrize(
    "document",
    [
        with_webhook("order.created", {}),
        with_webhook("newOrder", {"x-mock-event": "order.created"}),
        with_webhook("order.created", {}, field="x-webhooks", openapi="3.0.3"),
    ],
    ids=["by name", "by type", "before 3.1"],
)
def test_payload_that_breaks_its_description_is_not_delivered(document: Json) -> None:
    shop = Shop(document)
    shop.subscribe()
    for item in ("table", "wardrobe"):
        shop.call("POST", "/orders", {"item": item})
    assert [payload["data"]["item"] for payload in shop.deliver()] == ["table"]
    valid, broken = shop.universe.events
    assert valid.violations == ()
    assert [(violation.pointer, violation.keyword) for violation in broken.violations] == [("/data/item", "maxLength")]
    failed = shop.universe.outbox.listed(lambda each: each)[1]
    assert failed.standing is Standing.FAILED
    assert failed.reason.startswith("the payload breaks its description: /data/item ")


def test_event_that_is_not_described_is_delivered() -> None:
    shop = Shop(with_webhook("order.deleted", {}))
    shop.subscribe()
    shop.made("/orders", {"item": "wardrobe"})
    assert len(shop.deliver()) == 1


def test_invalid_payload_stays_invalid_when_it_is_delivered_again() -> None:
    shop = Shop(with_webhook("order.created", {}))
    shop.subscribe()
    shop.made("/orders", {"item": "wardrobe"})
    shop.universe.outbox.redeliver("d1", shop.universe.clock.now())
    assert [each.standing for each in shop.sandbox.deliver_due()] == [Standing.FAILED]
    assert shop.sent == []


# Callbacks


def exports(url: str = "{$request.body#/callbackUrl}", **operation: Any) -> Json:
    """Exports that are told to the URL that whoever asked for them gave."""
    document = description()
    item: Json = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "status": {"type": "string"}, "callbackUrl": {"type": "string"}},
    }
    callback = {"post": {"requestBody": described_body(item), "x-mock-event": "export.done", **operation}}
    document["paths"]["/exports"] = {
        "post": {
            "requestBody": described_body({**item, "required": []}),
            "responses": {"202": {"description": "", **described_body(item)}},
            "callbacks": {"onDone": {url: callback}},
        }
    }
    document["paths"]["/exports/{id}"] = {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "patch": {
            "requestBody": described_body({"type": "object"}),
            "responses": {"200": {"description": "", **described_body(item)}},
        },
    }
    rule = {"on": "updated", "when": "$resource#/status == 'done'", "payload": "$resource"}
    document["x-mock-resources"]["exports"] = {"events": {"export.done": rule}, "existence": "created"}
    document["paths"]["/exports"]["post"]["x-mock-operation"] = {"behavior": "create", "resource": "exports"}
    return document


def test_callback_goes_to_the_url_that_the_request_gave() -> None:
    shop = Shop(exports())
    first = shop.made("/exports", {"callbackUrl": "http://localhost:9/first"})
    shop.made("/exports", {"callbackUrl": "http://localhost:9/second"})
    shop.call("PATCH", f"/exports/{first['id']}", {"status": "done"})
    assert [payload["id"] for payload in shop.deliver()] == [first["id"]]
    assert [message.url for message in shop.sent] == ["http://localhost:9/first"]


def test_callback_url_may_name_what_was_answered() -> None:
    shop = Shop(exports("http://localhost:9/done/{$response.body#/id}?status={$statusCode}"))
    made = shop.made("/exports", {})
    shop.call("PATCH", f"/exports/{made['id']}", {"status": "done"})
    shop.deliver()
    assert [message.url for message in shop.sent] == [f"http://localhost:9/done/{made['id']}?status=202"]


def test_request_without_a_callback_url_is_told_nothing() -> None:
    shop = Shop(exports())
    made = shop.made("/exports", {})
    shop.call("PATCH", f"/exports/{made['id']}", {"status": "done"})
    assert shop.deliver() == []


def test_reset_and_snapshots_take_callback_urls_along() -> None:
    shop = Shop(exports())
    made = shop.made("/exports", {"callbackUrl": "http://localhost:9/first"})
    shop.universe.snapshot("asked")
    shop.universe.reset()
    shop.universe.restore("asked")
    shop.call("PATCH", f"/exports/{made['id']}", {"status": "done"})
    assert len(shop.deliver()) == 1


def test_callback_registrations_are_no_resource_of_the_api() -> None:
    shop = Shop(exports())
    shop.made("/exports", {"callbackUrl": "http://localhost:9/first"})
    assert not [name for name in shop.sandbox.api("shop").model.resource_names() if "callback" in name]


def test_callback_url_that_cannot_be_read_is_told_with_its_place() -> None:
    with pytest.raises(DescriptionError, match="onDone") as refused:
        Sandbox([compile_api(exports("{$request.bdy#/url}"), name="shop")])
    assert "no part 'bdy'" in str(refused.value)


# Events that an operation brings itself


def test_test_delivery_goes_to_its_subscription_alone_and_whatever_it_lists() -> None:
    shop = Shop()
    hook, _ = shop.subscribe(events=[]), shop.subscribe()
    assert shop.call("POST", f"/hooks/{hook['id']}/test").status == 202
    (payload,) = shop.deliver()
    assert payload == {"hook": hook["id"], "id": shop.universe.events[0].event.id}
    assert [message.delivery.recipient.item["id"] for message in shop.sent] == [hook["id"]]


def test_ids_of_events_are_never_given_twice() -> None:
    shop = Shop()
    hook = shop.subscribe()
    shop.made("/orders", {"item": "table"})
    shop.call("POST", f"/hooks/{hook['id']}/test")
    shop.call("POST", f"/hooks/{hook['id']}/test")
    shop.made("/orders", {"item": "chair"})
    ids = [recorded.event.id for recorded in shop.universe.events]
    assert len(set(ids)) == len(ids) == 4


def test_ids_of_events_are_the_same_in_every_run() -> None:
    runs = []
    for _ in range(2):
        shop = Shop()
        shop.made("/orders", {"item": "table"})
        runs.append([recorded.event.id for recorded in shop.universe.events])
    assert runs[0] == runs[1]


def test_test_delivery_without_an_event_is_refused_at_start() -> None:
    document = description()
    del document["paths"]["/hooks/{id}/test"]["post"]["x-mock-operation"]["event"]
    with pytest.raises(AnnotationError, match="names the event that it brings"):
        Sandbox([compile_api(document, name="shop")])


@computed("webhooks-test-announcement")
def announcement(world: World, meaning: Meaning, call: Call) -> Outcome:
    """Changes nothing, and says so to everybody."""
    return Outcome(202, events=(Event("shop.closed", {"by": call.path["id"]}),))


def test_computed_answer_may_bring_events() -> None:
    document = description()
    closing = {"behavior": "compute", "compute": "webhooks-test-announcement"}
    document["paths"]["/hooks/{id}/test"]["post"]["x-mock-operation"] = closing
    shop = Shop(document)
    shop.subscribe()
    assert shop.call("POST", "/hooks/me/test").status == 202
    assert shop.deliver() == [{"by": "me"}]
    assert shop.universe.events[0].event.id == shop.sent[0].headers["webhook-id"]


def test_webhook_with_a_broken_schema_is_told_at_start() -> None:
    document = with_webhook("order.created", {})
    document["components"]["schemas"]["Order"] = {"type": "oject"}
    with pytest.raises(DescriptionError, match="/components/schemas/Order"):
        Sandbox([compile_api(document, name="shop")])

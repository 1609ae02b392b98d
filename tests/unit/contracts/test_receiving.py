"""Webhooks of a small shop: a correct one is not blamed, and every planted bug is found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from standardwebhooks import Webhook
from werkzeug import Request, Response

from contracts.bench import Held
from contracts.checks.registry import chosen
from contracts.findings import Finding, Side
from contracts.hunting import Hunt
from contracts.receiving import on_this_machine, tasks
from contracts.running import Plan, bench
from contracts.service import Service
from contracts.transports import into_wsgi
from mock_server.packs import ApiSource

NAMES = ("customer.created", "customer.updated", "customer.deleted", "customer.paid")
SILENT = {"silent": "customer.created", "sleepy": "customer.updated", "mean": "customer.paid"}
"""Bugs that keep back one event each."""

CUSTOMER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "maxLength": 20},
        "status": {"enum": ["invoiced", "asked", "paid"], "readOnly": True},
    },
}
HOOK: dict[str, Any] = {
    "type": "object",
    "required": ["id", "url", "events"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "url": {"type": "string", "format": "uri"},
        "events": {
            "type": "array",
            "items": {"enum": ["customer.created", "customer.updated", "customer.deleted", "customer.paid"]},
        },
        "secret": {"type": "string", "readOnly": True},
    },
}


def _json(schema: Any) -> Any:
    return {"content": {"application/json": {"schema": schema}}}


def _event(name: str) -> Any:
    schema = {
        "type": "object",
        "required": ["type", "data"],
        "properties": {"type": {"const": name}, "data": {"$ref": "#/components/schemas/Customer"}},
    }
    return {"post": {"requestBody": _json(schema), "responses": {"2XX": {"description": "Taken."}}}}


def _ref(name: str) -> Any:
    return {"$ref": f"#/components/schemas/{name}"}


def _answers(status: str, name: str) -> Any:
    return {status: {"description": "It.", **_json(_ref(name))}, "404": {"description": "No."}}


ID = [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]
DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/customers": {
            "post": {
                "operationId": "createCustomer",
                "requestBody": {"required": True, **_json(_ref("Customer"))},
                "responses": _answers("201", "Customer"),
            }
        },
        "/customers/{id}": {
            "parameters": ID,
            "get": {"operationId": "getCustomer", "responses": _answers("200", "Customer")},
            "patch": {
                "operationId": "updateCustomer",
                "requestBody": {"required": True, **_json(_ref("Customer"))},
                "responses": _answers("200", "Customer"),
            },
            "delete": {
                "operationId": "deleteCustomer",
                "responses": {"204": {"description": "Gone."}, "404": {"description": "No."}},
            },
        },
        "/customers/{id}/ask": {
            "parameters": ID,
            "post": {"operationId": "askCustomer", "responses": _answers("200", "Customer")},
        },
        "/customers/{id}/pay": {
            "parameters": ID,
            "post": {"operationId": "payCustomer", "responses": _answers("200", "Customer")},
        },
        "/webhooks": {
            "post": {
                "operationId": "createWebhook",
                "requestBody": {"required": True, **_json(_ref("Webhook"))},
                "responses": _answers("201", "Webhook"),
            }
        },
        "/webhooks/{id}": {
            "parameters": ID,
            "delete": {
                "operationId": "deleteWebhook",
                "responses": {"204": {"description": "Gone."}, "404": {"description": "No."}},
            },
        },
    },
    "webhooks": {name: _event(name) for name in NAMES},
    "components": {"schemas": {"Customer": CUSTOMER, "Webhook": HOOK}},
}
ANNOTATIONS: dict[str, Any] = {
    "x-mock-webhooks": {
        "subscriptions": {"resource": "webhooks", "url": "/url", "events": "/events", "secret": "/secret"},
        "signature": {"scheme": "standard-webhooks"},
        "retries": ["PT0.1S"],
    },
    "x-mock-resources": {
        "customers": {
            "events": {
                name: {"on": name.partition(".")[2], "payload": {"type": name, "data": "$resource"}}
                for name in NAMES[:3]
            }
        }
    },
}


class Shop:
    """A shop that tells of its customers as described, but for the ``bug`` it has."""

    def __init__(self, bug: str = "") -> None:
        self.bug = bug
        self.numbers = count(1)
        self.customers: dict[int, dict[str, Any]] = {}
        self.hooks: dict[int, dict[str, Any]] = {}

    def reset(self) -> None:
        """Back to nothing; numbers are never given again."""
        self.customers.clear()
        self.hooks.clear()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        return self.answer(request)(environ, start_response)

    def answer(self, request: Request) -> Response:
        """One request."""
        kind, _, below = request.path.strip("/").partition("/")
        key, _, act = below.partition("/")
        items = self.customers if kind == "customers" else self.hooks
        body = json.loads(request.get_data() or b"null")
        if act:
            return self.act(self.customers.get(int(key)), act)
        if request.method == "POST":
            number = next(self.numbers)
            items[number] = {**body, "id": number}
            if kind == "webhooks":
                items[number]["secret"] = "whsec_c2hvcC1zaG9wLXNob3Atc2hvcA=="
            else:
                self.tell("customer.created", items[number])
            return self.json(201, items[number])
        if int(key) not in items:
            return Response(status=404)
        found = items[int(key)]
        if request.method == "DELETE":
            if kind == "customers" or self.bug != "deaf":
                del items[int(key)]
            if kind == "customers":
                self.tell("customer.deleted", found)
            return Response(status=204)
        if request.method == "PATCH":
            found |= {name: value for name, value in body.items() if name != "id"}
            self.tell("customer.updated", found)
        return self.json(200, found)

    def act(self, customer: dict[str, Any] | None, act: str) -> Response:
        """Only who was asked pays, and only once."""
        if customer is None:
            return Response(status=404)
        if act == "pay" and customer.get("status") != "asked":
            return self.json(409, {})
        customer["status"] = "paid" if act == "pay" else "asked"
        if act == "pay":
            self.tell("customer.paid", customer)
        return self.json(200, customer)

    def json(self, status: int, value: Any) -> Response:
        """A JSON answer."""
        return Response(json.dumps(value), status, content_type="application/json")

    def tell(self, name: str, customer: Mapping[str, Any]) -> None:
        """Delivers an event to whoever wants it."""
        if (self.bug, name) in {
            ("silent", "customer.created"),
            ("sleepy", "customer.updated"),
            ("mean", "customer.paid"),
        }:
            return
        data = {"id": customer["id"]} if self.bug == "meagre" else customer
        body = json.dumps({"type": name, "data": data})
        for hook in list(self.hooks.values()):
            if name in hook["events"] or self.bug == "talkative":
                event_id = f"evt_{next(self.numbers)}"
                status = self.post(hook, event_id, body)
                if status == 500 and self.bug != "faint-hearted":
                    self.post(hook, f"{event_id}b" if self.bug == "forgetful" else event_id, body)
                if self.bug == "twice":
                    self.post(hook, event_id, body)

    def post(self, hook: Mapping[str, Any], event_id: str, body: str) -> int:
        """One delivery."""
        moment = datetime.now(UTC) - timedelta(hours=1 if self.bug == "late" else 0)
        signed = json.dumps(json.loads(body), indent=1) if self.bug == "reformatted" else body
        headers = {
            "Content-Type": "text/plain" if self.bug == "plain" else "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(hook["secret"]).sign(event_id, moment, signed),
        }
        if self.bug == "unsigned":
            del headers["webhook-signature"]
        return requests.post(hook["url"], data=body.encode(), headers=headers, timeout=5).status_code


def hunted(
    folder: Path, bug: str = "", *, annotated: bool = True, url: str = "http://localhost", only: str = ""
) -> tuple[list[Finding], dict[str, Held]]:
    """What is found of a shop, and how the tasks ended."""
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump({**DESCRIPTION, **(ANNOTATIONS if annotated else {})}))
    shop = Shop(bug)
    service = Service(into_wsgi(shop), base_url=url, reset=shop.reset)
    plan = Plan(ApiSource("shop", path), chosen(("webhook",), ()), closed=True)
    hunt = Hunt(time.monotonic() + 60, plan.checks, first_only=True)
    at = bench(plan, service, hunt, ())
    ended = {task.name: task.make(at) for task in tasks(at, patience=0.2) if only in task.name}
    return list(hunt.found.values()), ended


@pytest.mark.parametrize("annotated", [True, False])
def test_a_correct_shop_is_not_blamed(tmp_path: Path, annotated: bool) -> None:
    found, ended = hunted(tmp_path, annotated=annotated)
    assert [str(each) for each in found] == []
    acts = {"payCustomer", "askCustomer"} if annotated else {"payCustomer"}
    assert set(ended) == {
        *(f"webhook {act} to createWebhook" for act in acts),
        "webhook createCustomer to createWebhook",
        "webhook updateCustomer to createWebhook",
        "webhook deleteCustomer to createWebhook",
        "webhook after deleteWebhook",
        "webhook retry to createWebhook",
    }
    assert {name for name, held in ended.items() if not held.applied} == set()


@pytest.mark.parametrize(
    ("bug", "task", "check", "words", "pointer"),
    [
        ("silent", "createCustomer", "webhook_delivery", "did not come", "delivery customer.created"),
        ("twice", "createCustomer", "webhook_delivery", "came twice", "delivery customer.created"),
        ("deaf", "after", "webhook_delivery", "was deleted", "delivery customer.created"),
        ("meagre", "updateCustomer", "webhook_schema", "not what the description says", "/data"),
        ("plain", "createCustomer", "webhook_schema", "not what the description says", "header content-type"),
        ("reformatted", "deleteCustomer", "webhook_signature", "is not good", "header webhook-signature"),
        ("unsigned", "createCustomer", "webhook_signature", "is not good", "header webhook-signature"),
        ("late", "createCustomer", "webhook_signature", "is not good", "header webhook-timestamp"),
        ("faint-hearted", "retry", "webhook_retry", "did not come again", "delivery"),
        ("forgetful", "retry", "webhook_retry", "another id", "header webhook-id"),
    ],
)
def test_a_planted_bug_is_found(tmp_path: Path, bug: str, task: str, check: str, words: str, pointer: str) -> None:
    found, _ = hunted(tmp_path, bug, only=f"webhook {task}")
    assert [(each.check, each.side) for each in found] == [(check, Side.SERVICE)]
    assert words in found[0].sentence
    assert found[0].differences[0].pointer == pointer
    assert found[0].sequence


def test_an_event_that_nobody_asked_for_is_found(tmp_path: Path) -> None:
    talk = Shop.tell

    def tell(self: Shop, name: str, customer: Mapping[str, Any]) -> None:
        talk(self, name, customer)
        if self.bug == "talkative" and name == "customer.created":
            talk(self, "customer.updated", customer)

    Shop.tell, kept = tell, Shop.tell  # type: ignore[method-assign]
    try:
        found, _ = hunted(tmp_path, "talkative", only="webhook createCustomer")
    finally:
        Shop.tell = kept  # type: ignore[method-assign]
    assert [(each.check, each.side) for each in found] == [("webhook_delivery", Side.SERVICE)]
    assert "does not list it" in found[0].sentence


@pytest.mark.parametrize(("bug", "act"), [("silent", "createCustomer"), ("mean", "payCustomer")])
def test_an_event_whose_name_says_what_was_done_has_to_come(tmp_path: Path, bug: str, act: str) -> None:
    found, _ = hunted(tmp_path, bug, annotated=False, only=f"webhook {act}")
    assert [(each.check, each.side) for each in found] == [("webhook_delivery", Side.SERVICE)]
    assert [recorded.operation_id for recorded in found[0].sequence].count(act) > 1


def test_which_updates_are_told_of_is_a_question(tmp_path: Path) -> None:
    found, _ = hunted(tmp_path, "sleepy", annotated=False, only="webhook updateCustomer")
    assert [(each.check, each.side) for each in found] == [("webhook_delivery", Side.DOUBLE)]
    assert "x-mock-resources" in found[0].remedy
    assert "subscribed by POST /webhooks" in found[0].notes


def test_a_retry_that_nobody_promised_is_a_question(tmp_path: Path) -> None:
    found, _ = hunted(tmp_path, "faint-hearted", annotated=False, only="retry")
    assert [(each.check, each.side) for each in found] == [("webhook_retry", Side.DOUBLE)]


def test_headers_of_standard_webhooks_are_held_to_their_word(tmp_path: Path) -> None:
    found, _ = hunted(tmp_path, "reformatted", annotated=False, only="webhook createCustomer")
    assert [(each.check, each.side) for each in found] == [("webhook_signature", Side.SERVICE)]


def test_a_service_elsewhere_cannot_reach_a_receiver_here(tmp_path: Path) -> None:
    found, ended = hunted(tmp_path, "silent", url="https://api.shop.example")
    assert found == []
    assert all("not on this machine" in held.why for held in ended.values())


@pytest.mark.parametrize(
    ("url", "here"),
    [("http://localhost:1", True), ("http://127.0.0.1", True), ("http://[::1]:2", True), ("https://a.example", False)],
)
def test_a_loopback_url_is_on_this_machine(url: str, here: bool) -> None:
    assert on_this_machine(url) is here


def test_webhooks_that_nobody_can_subscribe_to_are_told_of(tmp_path: Path) -> None:
    paths = {path: item for path, item in DESCRIPTION["paths"].items() if "webhooks" not in path}
    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump({**DESCRIPTION, "paths": paths}))
    plan = Plan(ApiSource("shop", path), chosen(("webhook",), ()), closed=True)
    service = Service(into_wsgi(Shop()), base_url="http://localhost", reset=lambda: None)
    at = bench(plan, service, Hunt(time.monotonic() + 60, plan.checks), ())
    assert list(tasks(at)) == []
    assert "no operation subscribes" in at.notes["webhook"]

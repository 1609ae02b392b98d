"""Callbacks of a small kitchen, and what a described webhook or callback says of headers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from werkzeug import Request, Response

from contracts.bench import Held
from contracts.checks.registry import chosen
from contracts.findings import Finding, Side
from contracts.hunting import Hunt
from contracts.receiving import tasks
from contracts.running import Plan, bench
from contracts.service import Service
from contracts.transports import into_wsgi
from mock_server.packs import ApiSource

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "dish"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "dish": {"type": "string", "maxLength": 20},
        "status": {"enum": ["waiting", "cooked"], "readOnly": True},
    },
}


def _json(schema: Any) -> Any:
    return {"content": {"application/json": {"schema": schema}}}


def _answers(status: str) -> Any:
    return {status: {"description": "It.", **_json({"$ref": "#/components/schemas/Order"})}}


def _called(url: str, state: str) -> Any:
    schema = {
        "type": "object",
        "required": ["number", "state"],
        "properties": {"number": {"type": "integer"}, "state": {"const": state}},
    }
    try_number = {"name": "X-Try", "in": "header", "required": True, "schema": {"type": "integer", "minimum": 1}}
    request = {"parameters": [try_number], "requestBody": _json(schema), "responses": {"204": {"description": "Ok."}}}
    return {url: {"post": request}}


def description(place: str) -> dict[str, Any]:
    """The kitchen's description; the URL is given in the body, or in the query."""
    given = "$request.body#/callbackUrl" if place == "body" else "$request.query.callbackUrl"
    url: dict[str, Any] = {"type": "string", "format": "uri"}
    body = {**ORDER, "properties": {**ORDER["properties"], **({"callbackUrl": url} if place == "body" else {})}}
    asked = [{"name": "callbackUrl", "in": "query", "schema": url}] if place == "query" else []
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kitchen", "version": "1"},
        "paths": {
            "/orders": {
                "post": {
                    "operationId": "createOrder",
                    "parameters": asked,
                    "requestBody": {"required": True, **_json(body)},
                    "responses": _answers("201"),
                    "callbacks": {
                        "taken": _called("{" + given + "}", "waiting"),
                        "ready": _called("{" + given + "}/ready?order={$response.body#/id}", "cooked"),
                    },
                }
            },
            "/orders/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "get": {"operationId": "getOrder", "responses": _answers("200")},
            },
            "/orders/{id}/cook": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "post": {"operationId": "cookOrder", "responses": _answers("200")},
            },
        },
        "components": {"schemas": {"Order": ORDER}},
    }


class Kitchen:
    """A kitchen that calls back as described, but for the ``bug`` it has."""

    def __init__(self, bug: str = "") -> None:
        self.bug = bug
        self.numbers = count(1)
        self.orders: dict[int, dict[str, Any]] = {}
        self.urls: dict[int, str] = {}

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return self.answer(Request(environ))(environ, start_response)

    def answer(self, request: Request) -> Response:
        """One request."""
        steps = request.path.strip("/").split("/")
        if len(steps) == 1:
            body = json.loads(request.get_data())
            number = next(self.numbers)
            url = body.pop("callbackUrl", None) or request.args.get("callbackUrl")
            self.orders[number] = {**body, "id": number, "status": "waiting"}
            if url is not None:
                self.urls[number] = url
                self.call(number, url)
            return self.shown(201, number)
        number = int(steps[1])
        if number not in self.orders:
            return Response(status=404)
        if request.method == "POST":
            self.orders[number]["status"] = "cooked"
            if number in self.urls:
                self.call(number, f"{self.urls[number]}/ready?order={number}")
        return self.shown(200, number)

    def shown(self, status: int, number: int) -> Response:
        """An order."""
        return Response(json.dumps(self.orders[number]), status, content_type="application/json")

    def call(self, number: int, url: str) -> None:
        """Calls back, if somebody on this machine wants it."""
        if self.bug == "mute" or not url.startswith("http://127.0.0.1:"):
            return
        state = self.orders[number]["status"]
        told = {"number": str(number) if self.bug == f"text-{state}" else number, "state": state}
        headers = {"X-Try": "first" if self.bug == "worded" else "1"} if self.bug != "uncounted" else {}
        requests.post(url, json=told, headers=headers, timeout=5)


def hunted(folder: Path, bug: str = "", *, place: str = "body") -> tuple[list[Finding], dict[str, Held]]:
    """What is found of a kitchen, and how the tasks ended."""
    path = folder / "kitchen.yaml"
    path.write_text(yaml.safe_dump(description(place)))
    kitchen = Kitchen(bug)
    service = Service(into_wsgi(kitchen), base_url="http://localhost", reset=kitchen.orders.clear)
    plan = Plan(ApiSource("kitchen", path), chosen(("webhook",), ()), closed=True, first_only=True)
    hunt = Hunt(time.monotonic() + 60, plan.checks, first_only=True)
    at = bench(plan, service, hunt, ())
    ended = {task.name: task.make(at) for task in tasks(at, patience=0.2)}
    return list(hunt.found.values()), ended


@pytest.mark.parametrize("place", ["body", "query"])
def test_a_correct_kitchen_is_not_blamed(tmp_path: Path, place: str) -> None:
    found, ended = hunted(tmp_path, place=place)
    assert [str(each) for each in found] == []
    assert {name: held.applied for name, held in ended.items()} == {"callback of createOrder": True}


@pytest.mark.parametrize(
    ("bug", "event", "pointer"),
    [
        ("text-waiting", "taken", "/number"),
        ("text-cooked", "ready", "/number"),
        ("uncounted", "taken", "header x-try"),
        ("worded", "taken", "header x-try"),
    ],
)
@pytest.mark.parametrize("place", ["body", "query"])
def test_a_callback_that_is_not_as_described_is_found(
    tmp_path: Path, bug: str, event: str, pointer: str, place: str
) -> None:
    found, _ = hunted(tmp_path, bug, place=place)
    assert [(each.check, each.side) for each in found] == [("webhook_schema", Side.SERVICE)]
    assert f"what {event} delivers" in found[0].sentence
    assert found[0].differences[0].pointer == pointer


def test_a_callback_that_nobody_promised_need_not_come(tmp_path: Path) -> None:
    found, ended = hunted(tmp_path, "mute")
    assert found == []
    assert ended["callback of createOrder"].why == "nothing was called back"

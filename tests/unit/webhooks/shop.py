"""A shop with orders, which have events, and hooks, which are subscriptions; and a sandbox of it without a network."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from mock_server import Options, Sandbox, compile_api
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from mock_server.webhooks.message import Message
from mock_server.webhooks.options import WebhookOptions
from mock_server.webhooks.retrying import Reply

NOW = 1767323045.0  # 2026-01-02T03:04:05Z
SECRET = "whsec_" + base64.b64encode(b"the first secret of all").decode()
OTHER = "whsec_" + base64.b64encode(b"the secret that follows").decode()

ORDER: Json = {
    "type": "object",
    "required": ["id", "item"],
    "properties": {"id": {"type": "string"}, "item": {"type": "string"}, "status": {"type": "string"}},
}
HOOK: Json = {
    "type": "object",
    "required": ["id", "url"],
    "properties": {
        "id": {"type": "string"},
        "url": {"type": "string"},
        "events": {"type": "array", "items": {"type": "string"}},
        "secret": {"type": "string"},
        "oldSecret": {"type": "string"},
        "oldUntil": {"type": "string", "format": "date-time"},
        "status": {"enum": ["active", "paused"], "default": "active"},
    },
}


def described_body(schema: Json) -> Json:
    """The content of a request or response in JSON."""
    return {"content": {"application/json": {"schema": schema}}}


def crud(name: str, item: Json) -> Json:
    """The paths of a collection."""
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    written = {**item, "required": [each for each in item["required"] if each != "id"]}
    return {
        f"/{name}": {
            "post": {
                "requestBody": described_body(written),
                "responses": {"201": {"description": "", **described_body(item)}},
            }
        },
        f"/{name}/{{id}}": {
            "parameters": [parameter],
            "get": {"responses": {"200": {"description": "", **described_body(item)}}},
            "patch": {
                "requestBody": described_body({"type": "object"}),
                "responses": {"200": {"description": "", **described_body(item)}},
            },
            "delete": {"responses": {"204": {"description": ""}}},
        },
    }


def description(**webhooks: Any) -> Json:
    """A shop that tells of its orders."""
    payload = {"id": "$event#/id", "type": "$event#/type", "data": "$resource"}
    events = {
        "order.created": {"on": "created", "payload": payload},
        "order.changed": {"on": "updated", "payload": payload},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            **crud("orders", ORDER),
            **crud("hooks", HOOK),
            "/hooks/{id}/test": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "post": {
                    "responses": {"202": {"description": ""}},
                    "x-mock-operation": {
                        "behavior": "deliver-test",
                        "resource": "hooks",
                        "event": {"type": "ping", "payload": {"hook": "$resource#/id", "id": "$event#/id"}},
                    },
                },
            },
        },
        "x-mock-resources": {"orders": {"events": events}, "hooks": {"key": "id"}},
        "x-mock-webhooks": {
            "subscriptions": {
                "resource": "hooks",
                "url": "/url",
                "events": "/events",
                "secret": "/secret",
                "previousSecret": "/oldSecret",
                "previousUntil": "/oldUntil",
                "when": "$resource#/status == 'active'",
                "holds": "$resource#/status == 'paused'",
            },
            "headers": {"X-Event": "$event#/type", "X-Attempt": "$delivery#/attempt"},
            "retries": ["PT5S", "PT5M"],
            "timeout": "PT2S",
            **webhooks,
        },
    }


class Shop:
    """The sandbox of a description. ``sent`` are the messages that left it, ``replies`` what comes of the next ones."""

    def __init__(self, document: Json | None = None, **options: Any) -> None:
        self.sent: list[Message] = []
        self.replies: list[Reply] = []
        webhooks = WebhookOptions(send=self._send, background=False, **options)
        api = compile_api(document if document is not None else description(), name="shop")
        self.sandbox = Sandbox([api], options=Options(clock=lambda: NOW, webhooks=webhooks))
        self.universe = self.sandbox.universes.default

    def _send(self, message: Message) -> Reply:
        self.sent.append(message)
        return self.replies.pop(0) if self.replies else Reply(204)

    def call(self, method: str, path: str, value: Json = None, **headers: str) -> RawResponse:
        """What the API answers."""
        sent = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        body = b"" if value is None else jsontext.dumps(value)
        request = RawRequest(method, path, "", sent, body, "http://shop.test")
        return self.sandbox.api("shop").line.answer(request, self.universe)

    def made(self, path: str, value: Json) -> Any:
        """What a successful POST answers."""
        response = self.call("POST", path, value)
        assert response.status < 300, response.body
        return jsontext.loads(response.body)

    def subscribe(self, **more: Json) -> Any:
        """A hook that gets every event."""
        return self.made("/hooks", {"url": "http://localhost:9/in", "events": ["*"], "status": "active", **more})

    def advance(self, duration: timedelta) -> None:
        """Moves the virtual clock."""
        self.universe.clock = self.universe.clock.advanced(duration)

    def deliver(self) -> list[Json]:
        """The bodies of what is sent now."""
        before = len(self.sent)
        self.sandbox.deliver_due()
        return [jsontext.loads(message.body) for message in self.sent[before:]]

"""A line with limits, keys and quotas to try, and callers with plans and tenants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mock_server.exchange.authentication import Credential
from mock_server.exchange.messages import RawResponse
from mock_server.openapi.values import Json
from tests.acceptance.lines import Served, served

CALLERS = (
    Credential("ada", "key", "ada", plan="free", tenant="north"),
    Credential("bob", "key", "bob", plan="pro", tenant="north"),
    Credential("cyd", "key", "cyd", tenant="south"),
)

COUNTED = {
    name: {"schema": {"type": "integer"}} for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
}


def description(**root: Json) -> dict[str, Json]:
    """Notes that may be listed, written and read, by anybody or with a key; ``root`` are members of the root."""
    note = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "text": {"type": "string", "minLength": 2},
            "mail": {"type": "string", "format": "email"},
            "number": {"type": "number"},
        },
        "required": ["text"],
    }
    one = {"content": {"application/json": {"schema": note}}}
    many = {"content": {"application/json": {"schema": {"type": "array", "items": note}}}}
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 3, "maxLength": 20}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Notes", "version": "1"},
        "security": [{}, {"key": []}],
        "paths": {
            "/notes": {
                "get": {
                    "operationId": "listNotes",
                    "tags": ["reading"],
                    "responses": {"200": {"description": "", "headers": COUNTED, **many}},
                },
                "post": {
                    "operationId": "writeNote",
                    "tags": ["writing"],
                    "parameters": [key],
                    "requestBody": {"required": True, **one},
                    "responses": {"201": {"description": "", **one}},
                },
            },
            "/notes/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "get": {
                    "operationId": "readNote",
                    "tags": ["reading"],
                    "responses": {"200": {"description": "", **one}},
                },
                "put": {
                    "operationId": "placeNote",
                    "tags": ["writing"],
                    "requestBody": one,
                    "responses": {"200": {"description": "", **one}, "201": {"description": "", **one}},
                },
            },
        },
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
        **root,
    }


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes, as callers ask for them."""

    served: Served

    def send(
        self, method: str, target: str, *, body: Json = None, by: str = "", headers: Mapping[str, str] | None = None
    ) -> RawResponse:
        sent = {"content-type": "application/json", **({"x-key": by} if by else {}), **(headers or {})}
        return self.served.send(
            method, target, headers=sent, body=json.dumps(body).encode() if body is not None else b""
        )

    def listed(self, by: str = "") -> int:
        """The status of a list."""
        return self.send("GET", "/notes", by=by).status

    def written(self, text: str = "hello", by: str = "", key: str | None = None, **more: Json) -> RawResponse:
        headers = {"idempotency-key": key} if key is not None else {}
        return self.send("POST", "/notes", body={"text": text, **more}, by=by, headers=headers)

    def count(self) -> int:
        """How many notes there are."""
        found: list[Json] = json.loads(self.send("GET", "/notes").body)
        return len(found)

    def advance(self, **by: float) -> None:
        universe = self.served.universe
        universe.clock = universe.clock.advanced(timedelta(**by))

    def decisions(self) -> dict[str, str]:
        """What was decided about the last request, by what it is about."""
        *_, entry = self.served.universe.journal
        decided: list[dict[str, Any]] = entry.as_json()["explanation"]["decisions"]
        return {reason["about"]: reason["decision"] for reason in decided}


def notes(**root: Json) -> Notes:
    return Notes(served(description(**root), credentials=CALLERS))


def limited(**limits: Json) -> Notes:
    """Notes with these limits, by their names."""
    return notes(**{"x-mock-limits": limits})


def header(response: RawResponse, name: str) -> str | None:
    return {known.lower(): value for known, value in response.headers}.get(name.lower())


def problem(response: RawResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.body)
    return found

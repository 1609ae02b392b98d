"""A small service for tests of the checks: accounts with a balance, kept in a dict, with mistakes on demand.

It is written without the model, and its description is an ordinary one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from contracts.service import Reply

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Ledger", "version": "1"},
    "paths": {
        "/accounts": {
            "get": {
                "operationId": "listAccounts",
                "parameters": [
                    {"name": "currency", "in": "query", "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50}},
                    {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
                ],
                "responses": {
                    "200": {
                        "description": "some accounts",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["accounts", "total"],
                                    "properties": {
                                        "accounts": {
                                            "type": "array",
                                            "items": {"$ref": "#/components/schemas/Account"},
                                        },
                                        "total": {"type": "integer"},
                                    },
                                }
                            }
                        },
                    }
                },
            },
            "post": {
                "operationId": "openAccount",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewAccount"}}},
                },
                "responses": {
                    "201": {
                        "description": "the account",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Account"}}},
                    },
                    "409": {"description": "the owner has one"},
                    "422": {"description": "not valid"},
                },
            },
        },
        "/accounts/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {
                "operationId": "readAccount",
                "responses": {
                    "200": {
                        "description": "the account",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Account"}}},
                    },
                    "404": {"description": "none"},
                },
            },
            "patch": {
                "operationId": "changeAccount",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}},
                },
                "responses": {
                    "200": {
                        "description": "the account",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Account"}}},
                    },
                    "404": {"description": "none"},
                    "422": {"description": "not valid"},
                },
            },
            "delete": {
                "operationId": "closeAccount",
                "responses": {"204": {"description": "closed"}, "404": {"description": "none"}},
            },
        },
    },
    "components": {
        "schemas": {
            "NewAccount": {
                "type": "object",
                "required": ["owner", "currency"],
                "additionalProperties": False,
                "properties": {
                    "owner": {"type": "string", "minLength": 1, "maxLength": 60},
                    "currency": {"enum": ["EUR", "IDR", "USD"]},
                    "limit": {"type": "integer", "minimum": 0, "maximum": 100000},
                },
            },
            "Change": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "owner": {"type": "string", "minLength": 1, "maxLength": 60},
                    "limit": {"type": "integer", "minimum": 0, "maximum": 100000},
                },
            },
            "Account": {
                "type": "object",
                "required": ["id", "owner", "currency", "opened_at"],
                "properties": {
                    "id": {"type": "integer", "readOnly": True},
                    "owner": {"type": "string"},
                    "currency": {"enum": ["EUR", "IDR", "USD"]},
                    "limit": {"type": "integer"},
                    "opened_at": {"type": "string", "format": "date-time", "readOnly": True},
                },
            },
        }
    },
}


@dataclass
class Ledger:
    """The service. ``mistake`` names the one that it makes; ``send`` is a transport."""

    mistake: str = ""
    accounts: dict[int, dict[str, Any]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))
    snapshot: list[dict[str, Any]] = field(default_factory=list)

    def reset(self) -> None:
        """As it began."""
        self.accounts.clear()
        self.numbers = count(1)
        self.snapshot = []

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answers one request."""
        path, _, query = target.partition("?")
        asked = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
        sent = json.loads(body) if body else {}
        found = re.fullmatch(r"/accounts/([^/]+)", path)
        if path == "/accounts" and method == "GET":
            return self._list(asked)
        if path == "/accounts" and method == "POST":
            return self._open(sent)
        if found is None:
            return _reply(404, {"problem": "no such path"})
        key = int(found[1]) if found[1].lstrip("-").isdigit() else -1
        account = self.accounts.get(key)
        if account is None:
            ghost = self.mistake == "ghosts" and method == "GET"
            return _reply(200, _account(key, {"owner": "?", "currency": "EUR"})) if ghost else _reply(404, {})
        return self._one(method, key, account, sent)

    def _one(self, method: str, key: int, account: dict[str, Any], sent: dict[str, Any]) -> Reply:
        if method == "DELETE":
            if self.mistake != "delete does nothing":
                del self.accounts[key]
            return Reply(204, (), b"")
        if method == "PATCH":
            changed = {**account, **sent}
            if self.mistake == "patch replaces":
                changed = {**_account(key, {"currency": account["currency"], "owner": account["owner"]}), **sent}
            if self.mistake == "opened_at moves":
                changed["opened_at"] = "2030-01-01T00:00:00Z"
            if self.mistake != "lost update":
                self.accounts[key] = changed
            return _reply(200, changed)
        return _reply(200, account)

    def _open(self, sent: dict[str, Any]) -> Reply:
        held = [account["owner"] for account in self.accounts.values()]
        if self.mistake == "one each" and sent["owner"] in held:
            return _reply(409, {"problem": "the owner has an account"})
        key = next(self.numbers)
        if self.mistake == "ids come back":
            key = next(number for number in range(1, 1000) if number not in self.accounts)
        self.accounts[key] = _account(key, sent)
        if self.mistake == "long names are cut":
            self.accounts[key]["owner"] = sent["owner"][:12]
        return _reply(201, _account(key, sent))

    def _list(self, asked: dict[str, str]) -> Reply:
        found = list(self.accounts.values())
        if self.mistake == "stale list":
            found, self.snapshot = self.snapshot, found
        if "currency" in asked and self.mistake != "filter ignored":
            found = [account for account in found if account["currency"] == asked["currency"]]
        total, offset = len(found), int(asked.get("offset", 0))
        found = found[offset : offset + int(asked.get("limit", 50))]
        return _reply(200, {"accounts": found, "total": total + (self.mistake == "total too high")})


def _account(key: int, sent: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": key, **sent, "opened_at": f"2026-01-15T09:30:{key % 60:02}Z"}


def _reply(status: int, value: Any) -> Reply:
    return Reply(status, (("Content-Type", "application/json"),), json.dumps(value).encode())

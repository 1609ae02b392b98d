"""An API of several tenants whose keys and sessions are items of its own state; vendor-free, and asked in process."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mock_server import Options
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.universe import Universe
from mock_server.openapi.values import Json
from mock_server.packs import ApiSource
from mock_server.sandbox import Sandbox
from tests.unit.model.doubles import (
    MOMENT,
    NOW,
    TEXT,
    Answer,
    answers,
    array,
    crud,
    document,
    operation,
    path_parameters,
    ref,
    thing,
)

SECRET: dict[str, Json] = {"type": "string", "pattern": "^sk_[a-z0-9]{24}$"}
MAYBE_TEXT: dict[str, Json] = {"type": ["string", "null"]}
SCHEMAS: dict[str, Json] = {
    "Contact": thing(
        {"id": TEXT, "orgId": MAYBE_TEXT, "email": TEXT, "state": TEXT, "company": MAYBE_TEXT}, "id", "email"
    ),
    "Note": thing({"id": TEXT, "text": TEXT}, "id"),
    "Plan": thing({"id": TEXT, "name": TEXT}, "id"),
    "Company": thing({"id": TEXT, "name": TEXT}, "id"),
    "Key": thing(
        {"id": TEXT, "orgId": TEXT, "name": TEXT, "secret": SECRET, "scopes": array(TEXT), "plan": TEXT,
         "status": {"enum": ["active", "revoked"]}, "expires": {"type": ["string", "integer", "null"]}},
        "id", "secret",
    ),
    "Session": thing({"id": TEXT, "org": TEXT, "token": SECRET, "expires": MOMENT}, "id", "token"),
}  # fmt: skip


def member(path: str, verb: str, name: str, **annotation: Json) -> dict[str, Any]:
    """An action on an item."""
    return {
        f"{path}/{{id}}/{verb}": {
            "parameters": path_parameters(id=TEXT),
            "post": operation(answers(ref(name)), **{"x-mock-operation": {"behavior": "act", **annotation}}),
        }
    }


def described(**root: Json) -> dict[str, Any]:
    """The description: contacts with notes, shared plans, companies, keys and sessions; ``root`` overrides its root."""
    collections = {"contacts": "Contact", "plans": "Plan", "companies": "Company", "keys": "Key", "sessions": "Session"}
    paths: dict[str, Any] = {}
    for path, name in collections.items():
        schema: Any = SCHEMAS[name]
        written = thing({n: s for n, s in schema["properties"].items() if n not in {"id", "secret", "token"}})
        paths |= crud(ref(name), written, path=f"/{path}", key_schema=TEXT)
    paths |= {
        path.replace("/notes", "/contacts/{contactId}/notes"): entry
        for path, entry in crud(ref("Note"), thing({"text": TEXT}), path="/notes", key_schema=TEXT).items()
    }
    for path in list(paths):
        if "{contactId}" in path:
            paths[path]["parameters"] = [*paths[path].get("parameters", ()), *path_parameters(contactId=TEXT)]
    paths |= member("/contacts", "archive", "Contact", set={"state": "archived"})
    paths |= member("/keys", "rotate", "Key", renews=["secret"])
    paths |= member("/keys", "revoke", "Key", set={"status": "revoked"})
    paths |= member("/sessions", "refresh", "Session", renews=["token"], set={"expires": "2026-02-28T00:00:00Z"})
    paths["/public/contacts/{id}"] = {
        "parameters": path_parameters(id=TEXT),
        "get": operation(
            answers(ref("Contact")), security=[],
            **{"x-mock-operation": {"behavior": "read", "resource": "contacts", "tenant": "any"}},
        ),
    }  # fmt: skip
    schemes: dict[str, Any] = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key", "x-mock-credentials": KEYS},
        "session": {
            "type": "http", "scheme": "bearer",
            "x-mock-credentials": {"resource": "sessions", "value": "/token", "tenant": "/org", "expires": "/expires"},
        },
    }  # fmt: skip
    made = document(paths, SCHEMAS, security=[{"key": []}, {"session": []}])
    made["components"]["securitySchemes"] = schemes
    annotations: dict[str, Json] = {
        "x-mock-tenants": {"property": "orgId"},
        "x-mock-resources": {
            "contacts": {
                "unique": [["email"]],
                "references": {"company": {"resource": "companies", "mustExist": True, "onDelete": "nullify"}},
                "events": {"contact.created": {"on": "created", "payload": {"email": "$resource#/email"}}},
            },
            "plans": {"tenant": False},
            "sessions": {"tenant": False},
        },
    }
    return {**made, **annotations, **root}


KEYS: dict[str, Json] = {
    "resource": "keys", "value": "/secret", "name": "/name", "scopes": "/scopes", "plan": "/plan",
    "expires": "/expires", "when": "$resource#/status == 'active'",
}  # fmt: skip


def key(name: str, org: str, **more: Json) -> dict[str, Json]:
    """A seeded key; its secret is made of its name."""
    secret = "sk_" + name.replace("-", "").ljust(24, "0")
    return {"id": name, "orgId": org, "name": name, "secret": secret, "status": "active", "expires": None, **more}


A, B, OLD, SESSION = (f"sk_{name}".ljust(27, "0") for name in ("keya", "keyb", "old", "session"))
SEED: dict[str, Any] = {
    "resources": {
        "contacts": [
            {"id": "c1", "orgId": "org_a", "email": "ann@a.example"},
            {"id": "c2", "orgId": "org_b", "email": "bob@b.example"},
        ],
        "notes": [
            {"scope": ["c1"], "items": [{"id": "n1", "text": "of a"}]},
            {"scope": ["c2"], "items": [{"id": "n2", "text": "of b"}]},
        ],
        "plans": [{"id": "p1", "name": "Free"}],
        "companies": [
            {"id": "co1", "name": "Acorn", "$tenant": "org_a"},
            {"id": "co2", "name": "Birch", "$tenant": "org_b"},
        ],
        "keys": [
            key("key-a", "org_a", plan="Free"),
            key("key-b", "org_b"),
            key("old", "org_a", expires="2026-01-01T00:00:00Z"),
        ],
        "sessions": [
            {"id": "s1", "org": "org_a", "token": SESSION, "expires": "2026-01-31T13:00:00Z"},
        ],
    },
    "credentials": [
        {"name": "a", "scheme": "key", "item": "key-a", "description": "the key of org_a"},
        {"name": "s", "scheme": "session", "item": "s1"},
    ],
}


@dataclass(slots=True)
class Tenanted:
    """A sandbox with one such API, whose clock stands until ``seconds`` is changed."""

    sandbox: Sandbox
    clock: dict[str, float] = field(default_factory=dict)

    def universe(self, name: str = "default") -> Universe:
        return self.sandbox.universes.get(name)

    def send(
        self, method: str, target: str, body: Json = ..., *, key: str | None = None, universe: str = "default",
        **headers: str,
    ) -> Answer:  # fmt: skip
        """One exchange; ``key`` goes in X-Key."""
        sent = {"accept": "*/*", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if key is not None:
            sent["x-key"] = key
        raw = b""
        if body is not ...:
            sent["content-type"] = "application/json"
            raw = json.dumps(body).encode()
        path, _, query = target.partition("?")
        (served,) = self.sandbox.apis.values()
        response = served.line.answer(RawRequest(method, path, query, sent, raw, "http://d"), self.universe(universe))
        is_json = "json" in dict(response.headers).get("Content-Type", "")
        return Answer(response.status, json.loads(response.body) if is_json else None, dict(response.headers))

    def advance(self, seconds: float) -> None:
        self.clock["now"] += seconds

    def emails(self, key: str, **options: Any) -> list[str]:
        """The contacts that a caller sees."""
        return [contact["email"] for contact in self.send("GET", "/contacts", key=key, **options).json]


def source_in(folder: Path, description: Json = None, seed: Json = None, *, name: str = "test") -> ApiSource:
    """The API's files, written to a folder."""
    description_file, seed_file = folder / f"{name}.yaml", folder / f"{name}-seed.yaml"
    description_file.write_text(yaml.safe_dump(description or described(), sort_keys=False))
    seed_file.write_text(yaml.safe_dump(SEED if seed is None else seed, sort_keys=False))
    return ApiSource(name, description_file, seed=seed_file)


def tenanted(folder: Path, description: Json = None, seed: Json = None) -> Tenanted:
    """The API with its seed; both are written to a folder first."""
    source = source_in(folder, description, seed)
    clock = {"now": NOW.timestamp()}
    return Tenanted(Sandbox([source], options=Options(seed=1, clock=lambda: clock["now"])), clock)


def seeded_with(**resources: Json) -> dict[str, Any]:
    """The seed with some resources put in place of its own."""
    found: Mapping[str, Json] = SEED["resources"]
    return {**SEED, "resources": {**found, **resources}}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

"""A double in process, its control API called and every answer of that judged by its own description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import Client, TestResponse

from contracts.judge import Judge
from mock_server import Api, Options, compile_api, create_app
from mock_server.openapi.values import Json
from mock_server.web.control.blueprint import description

NOW = "2026-01-02T03:04:05Z"
_EPOCH = 1767323045.0  # NOW

PET: Json = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "minLength": 1},
        "status": {"enum": ["available", "sold"], "default": "available"},
    },
}


def answers(schema: Json) -> Json:
    """The responses of an operation that answers one value."""
    return {"200": {"description": "Ok.", "content": {"application/json": {"schema": schema}}}}


def body(schema: Json) -> Json:
    """A required JSON request body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def parameter(name: str, kind: str = "string") -> Json:
    """A path parameter."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


def items(name: str, key: str, item: Json, *, kind: str = "string") -> Json:
    """Two paths below ``name``: a collection to list and to create in, and its items to read and to delete."""
    listed = {"type": "array", "items": item}
    return {
        f"/{name}": {
            "get": {"operationId": f"list{name}", "responses": answers(listed)},
            "post": {
                "operationId": f"create{name}",
                "requestBody": body(item),
                "responses": {"201": answers(item)["200"]},
            },
        },
        f"/{name}/{{{key}}}": {
            "parameters": [parameter(key, kind)],
            "get": {"operationId": f"read{name}", "responses": answers(item)},
            "delete": {"operationId": f"delete{name}", "responses": {"204": {"description": "Gone."}}},
        },
    }


def described(paths: Json, *, title: str = "Shop", **more: Any) -> Json:
    """A description with these paths."""
    return {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "paths": paths, **more}


def pets(name: str = "pets") -> Api:
    """An API of pets."""
    return compile_api(described(items("pets", "petId", PET, kind="integer"), title="Pets"), name=name)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with its body decoded, None for one that is not JSON."""

    status_code: int
    headers: Headers
    text: str
    json: Any

    @property
    def content_type(self) -> str:
        """The media type with its parameters."""
        return self.headers.get("Content-Type", "")


def _answer(response: TestResponse) -> Answer:
    return Answer(response.status_code, response.headers, response.text, response.get_json(force=True, silent=True))


@dataclass(frozen=True, slots=True)
class Double:
    """An application under test. ``control`` calls its control API, ``call`` the APIs that it serves."""

    app: Flask
    token: str | None = None

    def call(self, method: str, target: str, **options: Any) -> Answer:
        """The answer of a served API."""
        return _answer(self.app.test_client().open(target, method=method, **options))

    def control(self, method: str, target: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        """The answer of the control API, which its description admits; ``target`` is below ``/__mock__``."""
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        return judged(self.app.test_client(), method, f"/__mock__{target}", headers=sent, **options)

    def names(self, **options: Any) -> list[str]:
        """The names of the pets that the API lists."""
        return [pet["name"] for pet in self.call("GET", "/pets", **options).json or ()]

    def create(self, name: str, **options: Any) -> Json:
        """A pet, created through the API."""
        response = self.call("POST", "/pets", json={"name": name}, **options)
        assert response.status_code == 201, response.text
        return response.json


def double(*apis: Api, token: str | None = None, **options: Any) -> Double:
    """A double of these APIs, of pets when none is given, whose clock stands at ``NOW``."""
    chosen: Sequence[Api] = apis or (pets(),)
    settings = Options(clock=lambda: _EPOCH, **options)
    return Double(create_app(*chosen, options=settings, control_token=token), token)


@cache
def _judge() -> Judge:
    return Judge(dict(description().root))


def judged(client: Client, method: str, url: str, **options: Any) -> Answer:
    """A control API's answer, judged."""
    response = client.open(url, method=method, **options)
    operation = _operation(response, method)
    if operation is not None:
        verdict = _judge().response(method, operation, response.status_code, list(response.headers), response.data)
        assert verdict.valid, (method, url, response.status_code, verdict.reasons, response.text)
    assert response.status_code < 500, response.text
    return _answer(response)


def _operation(response: TestResponse, method: str) -> str | None:
    """A URL of the operation that answered, for the judge, who takes no keys with slashes or dots; else None."""
    segments = response.request.path.partition("/__mock__/")[2].split("/")
    if segments[0] == "state" and len(segments) > 4:
        segments = [*segments[:3], "key"]
    for ref in description().refs.values():
        wanted = ref.template.text.strip("/").split("/")
        if ref.method == method and _fits(wanted, segments):
            return "/__mock__/" + "/".join("x" if each.startswith("{") else each for each in wanted)
    return None


def _fits(wanted: list[str], segments: list[str]) -> bool:
    return len(wanted) == len(segments) and all(
        each == segment or each.startswith("{") for each, segment in zip(wanted, segments, strict=True)
    )

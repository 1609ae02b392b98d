"""A double of a small description, asked in process; and short ways to write such a description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from mock_server.exchange.authentication import Authenticator
from mock_server.exchange.line import Line
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.universe import Universe, Universes
from mock_server.model.clock import Clock
from mock_server.model.meaning import Meaning, Resource
from mock_server.model.model import Model
from mock_server.model.state import State
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW_TEXT = "2026-01-31T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as a test looks at it; ``json`` is None where there is no JSON body."""

    status: int
    json: Any
    headers: Mapping[str, str]


class Double:
    """A double of one description at a time that stands still until ``advance`` moves it."""

    def __init__(self, document: Json, *, seed: int = 1) -> None:
        self.api = Api(Documents.from_value(document), name="test")
        self.model = Model(self.api, seed=seed, epoch=NOW)
        self.line = Line(self.model, authenticator=Authenticator([], verifiers={}))
        self.seconds = NOW.timestamp()
        universes = Universes(State(), clock=Clock(lambda: self.seconds), seed=seed, tables={})
        self.universe: Universe = universes.default

    @property
    def state(self) -> State:
        return self.universe.state

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    def send(self, method: str, target: str, body: Json = ..., **headers: str) -> Answer:
        """One exchange; ``body`` goes as JSON unless a ``content_type`` says otherwise."""
        sent = {"accept": "*/*", **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = b""
        if body is not ...:
            sent.setdefault("content-type", "application/json")
            raw = json.dumps(body).encode()
        path, _, query = target.partition("?")
        response = self.line.answer(RawRequest(method, path, query, sent, raw, "http://double"), self.universe)
        is_json = "json" in dict(response.headers).get("Content-Type", "")
        return Answer(response.status, json.loads(response.body) if is_json else None, dict(response.headers))

    def get(self, target: str, query: Mapping[str, Json] | None = None, **headers: str) -> Answer:
        return self.send("GET", f"{target}?{urlencode(query)}" if query else target, **headers)

    def post(self, target: str, body: Json = ..., **headers: str) -> Answer:
        return self.send("POST", target, body, **headers)

    def put(self, target: str, body: Json = ..., **headers: str) -> Answer:
        return self.send("PUT", target, body, **headers)

    def patch(self, target: str, body: Json = ..., **headers: str) -> Answer:
        return self.send("PATCH", target, body, **headers)

    def delete(self, target: str, **headers: str) -> Answer:
        return self.send("DELETE", target, **headers)

    def created(self, target: str, body: Json) -> Any:
        """What a successful POST answers."""
        answer = self.post(target, body)
        assert answer.status in {200, 201}, answer
        return answer.json

    def follow(self, url: str) -> Answer:
        """GET of an absolute URL that an answer gave."""
        parts = urlsplit(url)
        assert parts.netloc == "double"
        return self.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def meaning(self, method: str, path: str) -> Meaning:
        """What the operation with a method and path template means."""
        for ref in self.api.refs.values():
            if ref.method == method and ref.template.text == path:
                return self.model.meaning(ref.id)
        raise AssertionError(f"{method} {path} is not described")

    def resource(self, path: str, method: str = "GET") -> Resource:
        """The resource that an operation works on."""
        resource = self.meaning(method, path).resource
        assert resource is not None
        return resource


TEXT = {"type": "string"}
INTEGER = {"type": "integer"}
FLAG = {"type": "boolean"}
MOMENT = {"type": "string", "format": "date-time"}


def document(paths: Json, schemas: Json | None = None, **root: Json) -> dict[str, Any]:
    """An OpenAPI 3.1 description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Test", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas or {}},
        **root,
    }


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def thing(properties: Json, *required: str, **more: Json) -> dict[str, Any]:
    """An object schema."""
    return {"type": "object", "properties": properties, "required": list(required), **more}


def array(items: Json) -> dict[str, Any]:
    return {"type": "array", "items": items}


def answers(schema: Json | None = None, status: int = 200, headers: Json | None = None) -> dict[str, Any]:
    """The ``responses`` of an operation."""
    response: dict[str, Any] = {"description": ""}
    if schema is not None:
        response["content"] = {"application/json": {"schema": schema}}
    if headers is not None:
        response["headers"] = headers
    return {str(status): response}


def takes(schema: Json, media_type: str = "application/json") -> dict[str, Any]:
    """A ``requestBody``."""
    return {"content": {media_type: {"schema": schema}}}


def operation(
    responses: Json, *, body: Json | None = None, query: Mapping[str, Json] | None = None, **more: Json
) -> dict[str, Any]:
    """An operation; ``query`` gives the schemas of its query parameters."""
    made: dict[str, Any] = {"responses": responses, **more}
    if body is not None:
        made["requestBody"] = takes(body)
    if query is not None:
        parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]
        made["parameters"] = [*made.get("parameters", ()), *parameters]
    return made


def path_parameters(**schemas: Json) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name, schema in schemas.items()]


def crud(
    item: Json,
    written: Json,
    *,
    key: str = "id",
    key_schema: Json = INTEGER,
    query: Json | None = None,
    path: str = "/things",
) -> dict[str, Any]:
    """The paths of a collection with everything that is usually done to it."""
    return {
        path: {
            "get": operation(answers(array(item)), query=query),
            "post": operation(answers(item, 201), body=written),
        },
        f"{path}/{{{key}}}": {
            "parameters": path_parameters(**{key: key_schema}),
            "get": operation(answers(item)),
            "put": operation(answers(item), body=written),
            "patch": operation(answers(item), body={"type": "object"}),
            "delete": operation(answers(status=204)),
        },
    }

"""A small service with a description, correct or with one planted bug, for the tests of conformance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from contracts.callers import given_caller
from contracts.checks.registry import chosen
from contracts.running import Plan, Report, run
from contracts.service import Recorded, Service
from contracts.transports import into_wsgi
from mock_server.packs import ApiSource
from mock_server.sandbox import Sandbox

TOKEN = "Bearer pastry-4711"

_CAKE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
}
_PROBLEM = {"description": "Refused", "content": {"application/json": {"schema": {"type": "object"}}}}

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Cakes", "version": "1"},
    "security": [{"token": []}],
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/cakes": {
            "get": {
                "operationId": "listCakes",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50}},
                    {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "X-Shop", "in": "header", "required": True, "schema": {"type": "string", "minLength": 1}},
                ],
                "responses": {
                    "200": {
                        "description": "Cakes",
                        "content": {"application/json": {"schema": {"type": "array", "items": _CAKE}}},
                    },
                    "400": _PROBLEM,
                    "401": _PROBLEM,
                },
            },
            "post": {
                "operationId": "createCake",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {"name": {"type": "string", "maxLength": 20}},
                            }
                        }
                    },
                },
                "responses": {
                    "201": {
                        "description": "Made",
                        "headers": {"X-Made": {"required": True, "schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": _CAKE}},
                    },
                    "400": _PROBLEM,
                    "401": _PROBLEM,
                    "415": _PROBLEM,
                },
            },
        }
    },
}


def cakes(bug: str = "") -> Flask:
    """The service. ``bug`` names what is wrong with it, nothing by default."""
    app = Flask("cakes")
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def refused(status: int, why: str) -> Response:
        answer = jsonify({"error": why})
        answer.status_code = status
        if status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.before_request
    def authenticate() -> Response | None:
        if bug != "ignores the credential" and request.headers.get("Authorization") != TOKEN:
            return refused(401, "no valid token")
        return None

    @app.get("/cakes")
    def list_cakes() -> Response:
        if not request.headers.get("X-Shop") and bug != "misses no header":
            return refused(400, "X-Shop is required")
        limit = request.args.get("limit")
        if limit is not None and bug != "takes any limit":
            read = _integer(limit)
            if read is None or not 1 <= read <= 50 or len(request.args.getlist("limit")) > 1:
                return refused(400, "limit is no number from 1 to 50")
        if bug == "answers text":
            return Response("no cakes", content_type="text/plain")
        return jsonify([{"id": 1, "name": "Sacher"}])

    @app.post("/cakes")
    def create_cake() -> Response:
        if request.mimetype != "application/json":
            return refused(415, "JSON only")
        try:
            body = json.loads(request.get_data(), parse_constant=_no_number)
        except ValueError:
            return refused(400, "this is no JSON")
        if not isinstance(body, dict) or body.keys() != {"name"} or not isinstance(body["name"], str):
            return refused(400, "a cake has a name")
        if len(body["name"]) > 20 and bug != "takes long names":
            return refused(400, "the name is too long")
        if bug == "fails on no name" and not body["name"]:
            raise IndexError("name")
        answer = jsonify({"id": 2, "name": body["name"]})
        answer.status_code = 201
        if bug != "forgets a header":
            answer.headers["X-Made"] = "today"
        return answer

    return app


def _integer(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else None


def _no_number(name: str) -> None:
    raise ValueError(name)


def checked(
    folder: Path, app: Flask, *checks: str, operation_id: str, seconds: float = 30.0, sent: list[Recorded] | None = None
) -> Report:
    """What some checks find at one operation of the service."""
    path = folder / "cakes.json"
    path.write_text(json.dumps(DESCRIPTION))
    source = ApiSource("cakes", path)
    (served,) = Sandbox([source]).apis.values()
    caller = given_caller(served.api, {"Authorization": TOKEN})
    plan = Plan(source, chosen(checks, ()), operations=(operation_id,), seconds=seconds)
    watch = sent.append if sent is not None else lambda _: None
    return run(
        plan,
        lambda _, told: Service(into_wsgi(app), base_url="http://localhost", watch=told),
        [caller],
        watch=watch,
    )


def blamed(report: Report) -> Iterator[str]:
    """The checks whose findings fail a run."""
    assert not [ended.error for ended in report.done if ended.error]
    yield from (finding.check for finding in report.findings if finding.fails)


# Sequences

_BUN = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
_SHOWN = {"description": "A bun", "content": {"application/json": {"schema": _BUN}}}
_ONE = [{"name": "bunId", "in": "path", "required": True, "schema": {"type": "string"}}]
_GONE = {"description": "Not found"}
_BY_ID = {"operationId": "getBun", "parameters": {"bunId": "$response.body#/id"}}
_BY_PATH = {"operationId": "getBun", "parameters": {"bunId": "$request.path.bunId"}}
_AWAY = {"operationId": "deleteBun", "parameters": {"bunId": "$response.body#/id"}}
_MADE = {**_SHOWN, "links": {"get": _BY_ID, "delete": _AWAY}}

BUNS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Buns", "version": "1"},
    "paths": {
        "/buns": {
            "post": {
                "operationId": "createBun",
                "responses": {"201": {**_SHOWN, "links": {"get": _BY_ID, "delete": _AWAY}}},
            }
        },
        "/buns/{bunId}": {
            "get": {"operationId": "getBun", "parameters": _ONE, "responses": {"200": _SHOWN, "404": _GONE}},
            "delete": {
                "operationId": "deleteBun",
                "parameters": _ONE,
                "responses": {"204": {"description": "Gone", "links": {"get": _BY_PATH}}, "404": _GONE},
            },
        },
    },
}


def sequenced(folder: Path, *, forgetful: bool, check: str) -> Report:
    """What a check finds in sequences; a forgetful service answers a delete and does nothing."""
    app = Flask("buns")
    buns: dict[str, dict[str, str]] = {}

    @app.post("/buns")
    def create_bun() -> Response:
        bun = buns[str(len(buns) + 1)] = {"id": str(len(buns) + 1)}
        answer = jsonify(bun)
        answer.status_code = 201
        return answer

    @app.get("/buns/<bun_id>")
    def get_bun(bun_id: str) -> Response:
        return jsonify(buns[bun_id]) if buns.get(bun_id) else Response(status=404)

    @app.delete("/buns/<bun_id>")
    def delete_bun(bun_id: str) -> Response:
        if not buns.get(bun_id):
            return Response(status=404)
        if not forgetful:
            buns[bun_id] = {}
        return Response(status=204)

    path = folder / "buns.json"
    path.write_text(json.dumps(BUNS))
    plan = Plan(ApiSource("buns", path), chosen((check,), ()), closed=True, seconds=40)
    return run(
        plan,
        lambda _, told: Service(into_wsgi(app), base_url="http://localhost", reset=buns.clear, watch=told),
        [],
    )

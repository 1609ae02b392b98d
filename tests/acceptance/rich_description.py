"""A description with something of everything: body types, styles, patterns, security."""

from __future__ import annotations

from mock_server.openapi.values import Json


def _json(schema: Json) -> Json:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def _parameter(name: str, where: str, schema: Json, **more: Json) -> Json:
    return {"name": name, "in": where, "schema": schema, **more}


_THING = {"$ref": "#/components/schemas/Thing"}
_DONE = {"204": {"description": "done"}}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 9}
_THING_PATH = {
    "parameters": [_parameter("thingId", "path", {"type": "string", "maxLength": 80}, required=True)],
    "get": {
        "operationId": "readThing",
        "responses": {"200": _json(_THING), "304": {"description": "same"}, "404": {"description": "none"}},
    },
    "put": {
        "operationId": "replaceThing",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _THING}}},
        "responses": {"200": _json(_THING), "404": {"description": "none"}, "412": {"description": "old"}},
    },
    "patch": {
        "operationId": "changeThing",
        "requestBody": {
            "required": True,
            "content": {
                "application/merge-patch+json": {"schema": {"type": "object"}},
                "application/json-patch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
            },
        },
        "responses": {"200": _json(_THING), "404": {"description": "none"}, "409": {"description": "clash"}},
    },
    "delete": {"operationId": "deleteThing", "responses": {**_DONE, "404": {"description": "none"}}},
}

RICH: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "paths": {
        "/things": {
            "get": {
                "operationId": "listThings",
                "parameters": [
                    _parameter("limit", "query", {"type": "integer", "format": "int32", "minimum": 1}),
                    _parameter("offset", "query", {"type": "integer", "format": "int64", "minimum": 0}),
                    _parameter("cursor", "query", _TEXT),
                    _parameter("name", "query", _TEXT),
                ],
                "responses": {"200": _json({"type": "array", "items": _THING})},
            },
            "post": {
                "operationId": "createThing",
                "requestBody": {"required": True, "content": {"application/json": {"schema": _THING}}},
                "responses": {
                    "201": _json(_THING),
                    "400": {"description": "malformed"},
                    "422": {"description": "invalid"},
                },
            },
        },
        "/things/{thingId}": _THING_PATH,
        "/search": {
            "get": {
                "operationId": "search",
                "parameters": [
                    _parameter("tags", "query", {"type": "array", "items": _TEXT}, explode=False),
                    _parameter(
                        "filter",
                        "query",
                        {"type": "object", "properties": {"a": _COUNT}, "additionalProperties": True},
                        style="deepObject",
                        explode=True,
                    ),
                    _parameter("word", "query", {"type": "string", "pattern": "^(a+)+$"}),
                    _parameter("twin", "query", {"type": "string", "pattern": "^(?=(a+)+b)\\w+$"}),
                    {"name": "where", "in": "query", "content": {"application/json": {"schema": _COUNT}}},
                    _parameter("X-Count", "header", _COUNT),
                    _parameter("session", "cookie", {"type": "string", "pattern": "^[a-z]{4}$"}),
                ],
                "responses": _DONE,
            }
        },
        "/points/{point}/{matrix}": {
            "get": {
                "operationId": "readPoint",
                "parameters": [
                    _parameter("point", "path", {"type": "array", "items": _COUNT}, required=True),
                    _parameter("matrix", "path", {"type": "array", "items": _COUNT}, required=True, style="matrix"),
                ],
                "responses": _DONE,
            }
        },
        "/form": {
            "post": {
                "operationId": "sendForm",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "schema": {"type": "object", "properties": {"a": {"type": "object"}, "n": _COUNT}}
                        }
                    },
                },
                "responses": _DONE,
            }
        },
        "/upload": {
            "post": {
                "operationId": "upload",
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "required": ["file"],
                                "properties": {"file": {"type": "string", "format": "binary"}, "n": _COUNT},
                            }
                        }
                    },
                },
                "responses": _DONE,
            }
        },
        "/xml": {
            "post": {
                "operationId": "sendXml",
                "requestBody": {
                    "required": True,
                    "content": {"application/xml": {"schema": {"$ref": "#/components/schemas/Note"}}},
                },
                "responses": _DONE,
            }
        },
        "/text": {
            "post": {
                "operationId": "sendText",
                "requestBody": {
                    "required": True,
                    "content": {
                        "text/plain": {"schema": {"type": "string", "maxLength": 20}},
                        "application/octet-stream": {"schema": {"type": "string", "maxLength": 20}},
                    },
                },
                "responses": _DONE,
            }
        },
        "/anything": {
            "post": {
                "operationId": "sendAnything",
                "requestBody": {"required": True, "content": {"application/json": {"schema": True}}},
                "responses": _DONE,
            }
        },
        "/guarded": {
            "get": {
                "operationId": "guarded",
                "security": [{"token": []}, {"login": []}, {"key": []}],
                "responses": {**_DONE, "401": {"description": "who?"}},
            }
        },
    },
    "components": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "login": {"type": "http", "scheme": "basic"},
            "key": {"type": "apiKey", "in": "cookie", "name": "key"},
        },
        "schemas": {
            "Note": {"type": "object", "required": ["text"], "properties": {"text": _TEXT, "n": _COUNT}},
            "Thing": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "string", "minLength": 1, "maxLength": 80},
                    "name": {"type": "string", "maxLength": 80},
                    "email": {"type": "string", "format": "email"},
                    "size": {"type": "integer", "format": "int64"},
                    "ratio": {"type": "number"},
                    "tags": {"type": "array", "items": _TEXT, "maxItems": 5},
                    "extra": True,
                },
            },
        },
    },
}

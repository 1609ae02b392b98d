"""Small descriptions of every version with a bit of everything, for a fuzzer to break."""

from __future__ import annotations

from mock_server.openapi.values import Json
from tests.acceptance.rich_description import RICH

_ITEM: Json = {
    "type": "object",
    "required": ["id", "kind"],
    "discriminator": {"propertyName": "kind", "mapping": {"a": "#/components/schemas/A"}},
    "properties": {
        "id": {"type": "integer", "format": "int64", "readOnly": True, "example": 7},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "secret": {"type": "string", "writeOnly": True, "pattern": "^[a-z]+$"},
        "parent": {"$ref": "#/components/schemas/A"},
        "more": {"type": "array", "items": {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/A"}]}},
        "map": {"type": "object", "additionalProperties": {"type": "number", "multipleOf": 0.5}},
    },
}

_NEW: Json = {
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://{host}/v1", "variables": {"host": {"default": "a.test"}}}],
    "security": [{"key": []}],
    "tags": [{"name": "t"}],
    "paths": {
        "/items": {
            "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "default": 10}}],
            "get": {
                "operationId": "list",
                "tags": ["t"],
                "responses": {
                    "200": {
                        "description": "",
                        "headers": {"X-Total": {"schema": {"type": "integer"}, "required": True}},
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}
                            }
                        },
                        "links": {"one": {"operationId": "read", "parameters": {"id": "$response.body#/0/id"}}},
                    },
                    "default": {"$ref": "#/components/responses/Failed"},
                },
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/A"},
                            "examples": {"e": {"value": {"kind": "a"}}},
                        },
                        "multipart/form-data": {
                            "schema": {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}},
                            "encoding": {"f": {"contentType": "image/png", "headers": {}}},
                        },
                    },
                },
                "callbacks": {"made": {"{$request.body#/url}": {"post": {"responses": {"200": {"description": ""}}}}}},
                "responses": {
                    "201": {
                        "description": "",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}},
                    }
                },
            },
        },
        "/items/{id}": {
            "get": {
                "operationId": "read",
                "parameters": [{"$ref": "#/components/parameters/Id"}],
                "responses": {
                    "200": {
                        "description": "",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}},
                    }
                },
            }
        },
    },
    "components": {
        "schemas": {
            "A": _ITEM,
            "B": {"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"b": {"type": "boolean"}}}]},
        },
        "parameters": {
            "Id": {"name": "id", "in": "path", "required": True, "style": "simple", "schema": {"type": "integer"}}
        },
        "responses": {"Failed": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}},
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "oauth": {
                "type": "oauth2",
                "flows": {"implicit": {"authorizationUrl": "https://a.test", "scopes": {"a": "b"}}},
            },
        },
    },
}

_OLD: Json = {
    "swagger": "2.0",
    "info": {"title": "t", "version": "1"},
    "host": "a.test",
    "basePath": "/v1",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "securityDefinitions": {"basic": {"type": "basic"}},
    "paths": {
        "/items": {
            "get": {
                "parameters": [
                    {
                        "name": "ids",
                        "in": "query",
                        "type": "array",
                        "items": {"type": "integer"},
                        "collectionFormat": "pipes",
                    }
                ],
                "responses": {
                    "200": {
                        "description": "",
                        "schema": {"type": "array", "items": {"$ref": "#/definitions/A"}},
                        "examples": {"application/json": []},
                    }
                },
            },
            "post": {
                "parameters": [{"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/A"}}],
                "responses": {
                    "201": {
                        "description": "",
                        "schema": {"$ref": "#/definitions/A"},
                        "headers": {"X": {"type": "string"}},
                    }
                },
            },
            "put": {
                "consumes": ["multipart/form-data"],
                "parameters": [{"name": "f", "in": "formData", "type": "file", "required": True}],
                "responses": {"204": {"description": ""}},
            },
        }
    },
    "definitions": {
        "A": {
            "type": "object",
            "discriminator": "kind",
            "properties": {"kind": {"type": "string"}, "next": {"$ref": "#/definitions/A"}},
        }
    },
}

SMALL: tuple[Json, ...] = (
    {"openapi": "3.1.0", **_NEW},
    {"openapi": "3.0.3", **_NEW},
    {"openapi": "3.2.0", **_NEW},
    _OLD,
    RICH,
)
"""One of each version, and the large one of the acceptance tests."""

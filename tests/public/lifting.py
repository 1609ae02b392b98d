"""The responses of a Swagger 2.0 document as OpenAPI 3.0 says them, for openapi-core, which has no validator for 2.0.

Written from the two specifications alone and shared with nothing in the engine. What requests hold is left out: only
responses are judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.openapi.values import Json

_MOVED = {"#/definitions/": "#/components/schemas/", "#/responses/": "#/components/responses/"}
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_NO_SCHEMA = ("type", "format", "items", "default", "enum", "pattern", "minimum", "maximum")
_STYLES = {"csv": "simple"}


def lifted(document: Mapping[str, Any]) -> dict[str, Any]:
    """An OpenAPI 3.0 document with the paths, the responses and the schemas of one in Swagger 2.0."""
    produces = document.get("produces") or ["application/json"]
    paths = {
        path: {
            **({"$ref": item["$ref"]} if "$ref" in item else {}),
            **{method: _operation(item[method], produces) for method in _METHODS if isinstance(item.get(method), dict)},
        }
        for path, item in document["paths"].items()
        if not path.startswith("x-")
    }
    return {
        "openapi": "3.0.3",
        "info": document.get("info") or {},
        "servers": [{"url": f"/{(document.get('basePath') or '').strip('/')}"}],
        "paths": paths,
        "components": {
            "schemas": {name: _schema(value) for name, value in (document.get("definitions") or {}).items()},
            "responses": {
                name: _response(value, produces) for name, value in (document.get("responses") or {}).items()
            },
        },
    }


def _operation(operation: Mapping[str, Any], produces: list[str]) -> dict[str, Any]:
    types = operation.get("produces") or produces
    responses = operation.get("responses") or {}
    return {
        "responses": {
            str(status): _response(value, types)
            for status, value in responses.items()
            if not str(status).startswith("x-")
        }
    }


def _response(response: Mapping[str, Any], types: list[str]) -> dict[str, Any]:
    if "$ref" in response:
        return {"$ref": _reference(response["$ref"])}
    found: dict[str, Any] = {"description": response.get("description", "")}
    if response.get("headers"):
        found["headers"] = {name: _header(value) for name, value in response["headers"].items()}
    if "schema" in response:
        schema = _schema(response["schema"])
        found["content"] = {name: {"schema": schema} for name in types}
    return found


def _header(header: Mapping[str, Any]) -> dict[str, Any]:
    return {"schema": {name: header[name] for name in _NO_SCHEMA if name in header}}


def _schema(value: Json) -> Any:
    """A schema, and everything in it, with the keywords of 3.0 (Swagger 2.0 §Schema Object)."""
    if isinstance(value, list):
        return [_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: member if name in {"enum", "example", "default"} else _schema(member)
             for name, member in value.items()}  # fmt: skip
    if isinstance(found.get("$ref"), str):
        found["$ref"] = _reference(found["$ref"])
    if found.get("type") == "file":
        found |= {"type": "string", "format": "binary"}
    if isinstance(found.get("discriminator"), str):
        found["discriminator"] = {"propertyName": found["discriminator"]}
    if found.get("x-nullable") is True:
        found["nullable"] = True
    return found


def _reference(text: str) -> str:
    old = next((prefix for prefix in _MOVED if text.startswith(prefix)), None)
    return text if old is None else _MOVED[old] + text.removeprefix(old)

"""What the judge is handed: a description in which openapi-core's own limits are no matter any more.

Each reading is one way in which openapi-core either cannot read what a description may say, or judges something that no
response can be blamed for. They hold for all descriptions alike; what concerns only one is argued in the catalogue.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_BYTES = ("application/octet-stream", "application/pdf")
_SPELLED_OUT = ("application/json", "text/plain", "application/octet-stream")
_BODILESS = ("204", "205", "304")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an OpenAPI document that openapi-core can judge responses by."""
    found: dict[str, Any] = _rewritten(document, document)
    for path, item in list(found.get("paths", {}).items()):
        found["paths"][path] = _with_success(item)
    return found


def _rewritten(value: Any, root: Mapping[str, Any]) -> Any:
    """A copy with the readings that hold wherever their words stand."""
    if isinstance(value, list):
        return [_rewritten(item, root) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("$ref"), str) and str(root.get("openapi")).startswith("3.0"):
        # What stands beside it is ignored (OAS 3.0 §4.7.23); openapi-core heeds it.
        return {"$ref": value["$ref"]}
    found = {name: _rewritten(member, root) for name, member in value.items()}
    if isinstance(found.get("pattern"), str) and not _is_known(found["pattern"]):
        del found["pattern"]  # a regular expression of ECMA-262 that Python's re, and so openapi-core, cannot read
    content = found.get("content")
    if isinstance(content, dict) and isinstance(found.get("description"), str):  # a response, not a map of properties
        if content:
            found["content"] = dict(_bodies(content, root))
        else:
            del found["content"]  # no media type is no body (OAS 3.1 §4.8.17); openapi-core misses one
    return _without_secrets(found)


def _bodies(content: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Media types, ranges spelled out: by their names openapi-core chooses how to read a body."""
    for name, media in content.items():
        essence = name.partition(";")[0].strip().lower()
        for each in _SPELLED_OUT if essence in {"*/*", "application/*"} else ():
            yield each, media if _is_judged(each, media, root) else {}
        yield name, media if _is_judged(essence, media, root) else {}


def _is_judged(essence: str, media: Any, root: Mapping[str, Any]) -> bool:
    """Whether openapi-core gets the value that a schema speaks of: XML it leaves as elements, other types as text."""
    if essence.endswith(("/xml", "+xml")):
        return False
    if essence.endswith(("/json", "+json")) or essence in _FORMS or not isinstance(media, dict):
        return True
    if not essence.startswith("text/") and essence not in _BYTES:
        return False
    schema = media.get("schema")
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str) and schema["$ref"].startswith("#/"):
        schema = _lookup(root, schema["$ref"])
    return isinstance(schema, dict) and schema.get("type") == "string"


def _is_known(pattern: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, FutureWarning, DeprecationWarning):
            return False
    return True


def _lookup(root: Any, reference: str) -> Any:
    for token in reference[2:].split("/"):
        root = root.get(token.replace("~1", "/").replace("~0", "~")) if isinstance(root, dict) else None
    return root


def _without_secrets(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that asks nothing writeOnly of a response, where it never is (JSON Schema Validation 2020-12 §9.4).

    openapi-core follows OAS 3.0 §4.7.24 in that, and forgets it for 3.1.
    """
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        return schema
    secret = {name for name, each in properties.items() if isinstance(each, dict) and each.get("writeOnly") is True}
    return {**schema, "required": [name for name in required if name not in secret]} if secret else schema


def _with_success(item: Any) -> Any:
    """A path item whose operations describe at least an empty 200, which a double answers where no success is told.

    Nor has a 204, a 205 or a 304 a body, whatever is described (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
    """
    if not isinstance(item, dict):
        return item
    found = dict(item)
    for method in _METHODS:
        operation = found.get(method)
        if isinstance(operation, dict):
            responses = {
                str(status): _without_body(response) if str(status) in _BODILESS else response
                for status, response in (operation.get("responses") or {}).items()
            }
            told = any(str(status)[:1] in {"1", "2", "3", "d"} for status in responses)
            found[method] = {**operation, "responses": responses if told else {**responses, "200": {"description": ""}}}
    return found


def _without_body(response: Any) -> Any:
    return {"description": "", **{name: member for name, member in response.items() if name == "headers"}}

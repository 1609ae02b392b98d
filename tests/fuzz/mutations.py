"""Structured inputs out of bytes: what a fuzzer flips in its bytes becomes a change of a description."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from mock_server.openapi.values import Json

VALUES: tuple[Json, ...] = (
    None, True, False, 0, 1, -1, 1.5, 1e300, 2**63, -(2**64), "", "a", "x" * 300, "\x00", "é😀", "$ref", "#", "#/",
    "#/paths", "#/components/schemas/A", "#/components/schemas/Missing", "other.yaml", "http://a.test/x",
    "file:///etc/passwd", "{", "{id}", "(?=a)", "[", "^a*$", "string", "integer", "object", "array", "null",
    "date-time", "binary", "matrix", "deepObject", "3.1.0", "2.0", "default", "2XX", "200", [], [None], ["a", 1],
    [[]], {}, {"$ref": "#"}, {"$ref": "#/components/schemas/A"}, {"$ref": 1}, {"": {}}, {"type": "object"},
    {"type": ["string", "null"]}, {"type": 7}, {"a": {"b": []}},
)  # fmt: skip

WORDS: tuple[str, ...] = (
    "$ref", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$defs", "$schema", "allOf", "oneOf", "anyOf", "not",
    "if", "then", "else", "items", "prefixItems", "contains", "properties", "additionalProperties",
    "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "required", "enum", "const",
    "type", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength",
    "minItems", "maxItems", "uniqueItems", "nullable", "discriminator", "mapping", "propertyName", "readOnly",
    "writeOnly", "example", "examples", "default", "xml", "name", "in", "style", "explode", "allowReserved",
    "schema", "content", "encoding", "headers", "links", "responses", "requestBody", "parameters", "security",
    "servers", "url", "variables", "get", "post", "put", "delete", "operationId", "paths", "components", "schemas",
    "callbacks", "webhooks", "tags", "info", "openapi", "swagger", "x-mock-resources", "x-mock-behavior", "200",
    "default", "application/json", "collectionFormat", "consumes", "definitions", "itemSchema",
    "additionalOperations", "",
)  # fmt: skip


class Choices:
    """Small numbers taken from bytes, 0 for ever once they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> bytes:
        """The bytes that are not used yet."""
        return self._data[self._at :]

    def below(self, count: int) -> int:
        """A number from 0 to ``count`` - 1."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        byte = self._data[self._at - 1]
        if count > 256 and self._at < len(self._data):
            self._at += 1
            byte = byte * 256 + self._data[self._at - 1]
        return byte % count

    def one_of(self, values: Sequence[Any]) -> Any:
        """One of some values."""
        return values[self.below(len(values))]

    def text(self, limit: int = 40) -> str:
        """A text of up to ``limit`` characters, any bytes taken as Latin-1."""
        size = self.below(limit + 1)
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken.decode("latin-1")


def mutated(base: Json, choices: Choices) -> Json:
    """A copy of a document with a few members changed, as the bytes say; no more than 8 of them."""
    document: Any = copy.deepcopy(base)
    for _ in range(1 + choices.below(8)):
        holders = list(_holders(document))
        if not holders:
            break
        _change(choices.one_of(holders), holders, choices)
        if not choices.left:
            break
    return document


def _holders(document: Any) -> list[Any]:
    found: list[Any] = []
    waiting = [document]
    while waiting and len(found) < 2000:
        each = waiting.pop()
        if isinstance(each, dict | list):
            if each:
                found.append(each)
            waiting += each.values() if isinstance(each, dict) else each
    return found


def _change(holder: Any, holders: list[Any], choices: Choices) -> None:
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = choices.one_of(keys)
    match choices.below(7):
        case 0:
            del holder[key]
        case 1 | 2:
            holder[key] = copy.deepcopy(choices.one_of(VALUES))
        case 3:
            holder[key] = copy.deepcopy(choices.one_of(holders))
        case 4:
            holder[key] = choices.text()
        case 5 if isinstance(holder, dict):
            holder[choices.one_of(WORDS)] = copy.deepcopy(choices.one_of(VALUES))
        case 6 if isinstance(holder, dict):
            holder[choices.one_of(WORDS)] = holder.pop(key)
        case _:
            holder[key] = [holder[key]]

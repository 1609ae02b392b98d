"""Schemas and values in a few words, for messages that people read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from mock_server.openapi.formats import words_for
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.openapi.bundle import Bundle

TYPE_WORDS = {
    "array": "an array",
    "boolean": "a boolean",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

_LONGEST_TEXT = 80
_LONGEST_LIST = 12
_SMALL_CONTAINER = 40


def type_of(value: Json) -> str:
    """The JSON type of ``value``, with its article: ``a string``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "an object"
    return "an integer" if isinstance(value, int) else "a number"


def shown(value: Json) -> str:
    """``value`` for a sentence: short values as they are, long ones cut, big containers by their size."""
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - 1] + "…")
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False) if is_small(value) else ""
        if text and len(text) <= _LONGEST_TEXT:
            return text
        return _size(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"a number of {len(text)} digits"


def clipped(value: Json) -> Json:
    """``value`` as it goes into a report: itself when small, else a short account of it."""
    if isinstance(value, str):
        return value if len(value) <= 200 else f"{value[:199]}… ({len(value)} characters)"
    if isinstance(value, dict | list) and not is_small(value):
        return _size(value)
    return value


def _is_short(value: Json) -> bool:
    return type(value) is str and len(value) <= 200


def is_small(value: Json) -> bool:
    """Whether ``value`` has few enough parts, and short enough texts, to be repeated whole."""
    if type(value) is list and len(value) < _SMALL_CONTAINER and all(map(_is_short, value)):
        return True  # a list of texts, as the options of an enum are
    budget = _SMALL_CONTAINER
    pending = [value]
    while pending:
        here = pending.pop()
        budget -= 1
        if budget < 0 or (isinstance(here, str) and len(here) > 200):
            return False
        if isinstance(here, dict):
            if len(here) > budget:
                return False
            pending += here.values()
        elif isinstance(here, list):
            if len(here) > budget:
                return False
            pending += here
    return True


def listed(values: Sequence[Json]) -> str:
    """Values in a row, texts without quotes: ``new, contacted, qualified and 40 more``."""
    texts = [value if isinstance(value, str) else shown(value) for value in islice(values, _LONGEST_LIST)]
    more = len(values) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more else "")


def count(number: int, noun: str) -> str:
    """``1 item``, ``2 items``, ``3 properties``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"


def describe(schema: Json, bundle: Bundle) -> str:
    """A few words for what ``schema`` admits: ``a string matching ^lead_``, ``an object with name``."""
    schema = bundle.follow(_without_frame(schema))
    if isinstance(schema, bool):
        return "any value" if schema else "no value"
    if "const" in schema:
        return shown(schema["const"])
    if isinstance(schema.get("enum"), list):
        return f"one of {listed(schema['enum'])}"
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list) and branches and "type" not in schema:
            return " or ".join(label(branch, bundle, otherwise="something else") for branch in branches[:5])
    types = schema.get("type")
    named = types if isinstance(types, list) else [types or _implied_type(schema)]
    words = " or ".join(TYPE_WORDS.get(name, "any value") for name in named)
    return words + _detail(schema, named, bundle)


def label(branch: Json, bundle: Bundle, *, otherwise: str) -> str:
    """What to call one branch of oneOf or anyOf: its component's name, its title, or ``otherwise``."""
    if isinstance(branch, dict):
        if isinstance(branch.get("$ref"), str):
            return str(branch["$ref"]).rpartition("/")[2]
        if isinstance(branch.get("title"), str):
            return str(branch["title"])
        if isinstance(branch.get("type"), str) and branch["type"] != "object":
            return describe(branch, bundle)
    return otherwise


def _without_frame(schema: Json) -> Json:
    if isinstance(schema, dict):
        return {keyword: value for keyword, value in schema.items() if keyword not in {"$schema", "$defs"}}
    return schema


def _detail(schema: dict[str, Json], types: Sequence[Json], bundle: Bundle) -> str:
    if "object" in types:
        names = schema.get("required") or list(schema.get("properties", {}))
        return f" with {listed(names)}" if names else ""
    if "array" in types and isinstance(schema.get("items"), dict):
        return f" of {label(schema['items'], bundle, otherwise='objects')}"
    if "pattern" in schema:
        return f" matching {schema['pattern']}"
    if isinstance(schema.get("format"), str) and "string" in types:
        return f" that is {words_for(schema['format'])}"
    return ""


def _implied_type(schema: dict[str, Json]) -> str:
    """The type that a schema without ``type`` speaks of."""
    if "properties" in schema or "required" in schema or "allOf" in schema:
        return "object"
    if "items" in schema:
        return "array"
    return "string" if "pattern" in schema or "minLength" in schema or "maxLength" in schema else ""


def _size(value: Json) -> str:
    if isinstance(value, list):
        return f"an array of {count(len(value), 'item')}"
    return f"an object with {listed(list(value))}" if value else "{}"

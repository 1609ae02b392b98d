"""A Hypothesis strategy for satisfiable JSON Schemas (2020-12) that compose many keywords."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Schemas = st.SearchStrategy[dict[str, Any]]

_NAMES = st.sampled_from(
    ["id", "name", "email", "createdAt", "amount", "tags", "status", "parent", "zip", "is_open", "x", "ключ"]
)
_PATTERNS = st.sampled_from(
    [
        r"^[a-z]{2,5}$",
        r"^lead_[a-zA-Z0-9]+$",
        r"^\d{3}-\d{4}$",
        r"[A-Z]",
        r"^(red|green|blue)$",
        r"^[^\s@]+@[^\s@]+$",
        r"^(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8,}$",
        r"^\+?[1-9]\d{6,14}$",
    ]
)
# The formats on which both judges have an opinion without extra packages.
_FORMATS = st.sampled_from(["email", "date", "uuid", "ipv4", "ipv6", "date-time", "regex"])


def _plain_strings(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(0, 60))
    return {"type": "string", "minLength": low, "maxLength": low + draw(st.integers(0, 40))}


@st.composite
def strings(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["free", "length", "pattern", "format"]))
    if kind == "pattern":
        return {"type": "string", "pattern": draw(_PATTERNS)}
    if kind == "format":
        return {"type": "string", "format": draw(_FORMATS)}
    return _plain_strings(draw) if kind == "length" else {"type": "string"}


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": draw(st.sampled_from(["integer", "number"]))}
    low = draw(st.integers(-(10**6), 10**6))
    width = draw(st.integers(30, 10**6))
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + width
    if draw(st.booleans()):
        schema["multipleOf"] = draw(st.sampled_from([1, 2, 5, 7, 0.5, 0.25]))
    return schema


def scalars() -> Schemas:
    listed = st.lists(st.one_of(st.integers(0, 9), st.text(max_size=5), st.booleans()), min_size=1, max_size=5)
    return st.one_of(
        strings(),
        numbers(),
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.just({"type": ["string", "null"]}),
        listed.map(lambda values: {"enum": values}),
        st.integers().map(lambda value: {"const": value}),
    )


@st.composite
def arrays(draw: st.DrawFn, items: Schemas) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": draw(items)}
    if draw(st.booleans()):
        schema["prefixItems"] = [draw(items)]
    if draw(st.booleans()):
        schema["minItems"] = draw(st.integers(0, 4))
        schema["maxItems"] = schema["minItems"] + draw(st.integers(0, 2))
    elif draw(st.booleans()):
        schema["uniqueItems"] = True  # never with minItems: the items may be a constant
    return schema


@st.composite
def objects(draw: st.DrawFn, members: Schemas) -> dict[str, Any]:
    properties = draw(st.dictionaries(_NAMES, members, max_size=5))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    names = sorted(properties)
    if names:
        schema["required"] = draw(st.lists(st.sampled_from(names), unique=True))
        if draw(st.booleans()):
            schema["dependentRequired"] = {draw(st.sampled_from(names)): [draw(st.sampled_from(names))]}
    if draw(st.booleans()):
        schema["additionalProperties"] = draw(st.one_of(st.booleans(), members))
    if schema.get("additionalProperties") is not False:
        schema["minProperties"] = draw(st.integers(0, 3))
    return schema


@st.composite
def combined(draw: st.DrawFn, parts: Schemas) -> dict[str, Any]:
    keyword = draw(st.sampled_from(["anyOf", "oneOf", "allOf", "if", "not", "$ref"]))
    if keyword == "anyOf":
        return {"anyOf": draw(st.lists(parts, min_size=1, max_size=3))}
    if keyword == "oneOf":  # branches told apart by a tag, as descriptions write them
        branches = draw(st.lists(parts, min_size=1, max_size=3))
        return {
            "oneOf": [
                {"type": "object", "properties": {"kind": {"const": tag}, "it": part}, "required": ["kind"]}
                for tag, part in enumerate(branches)
            ]
        }
    if keyword == "allOf":
        return {"allOf": [draw(objects(parts)) | {"additionalProperties": True}, {"minProperties": 1}]}
    if keyword == "if":
        return {
            "type": "object",
            "properties": {"kind": {"enum": ["a", "b"]}, "it": draw(parts)},
            "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
            "then": {"required": ["it"]},
            "else": {"properties": {"other": draw(parts)}},
        }
    if keyword == "not":
        return {"type": "object", "properties": {"x": draw(parts), "y": {}}, "not": {"required": ["x"]}}
    return {"type": "object", "properties": {"leaf": draw(parts), "again": {"$ref": "#"}}}


def schemas() -> Schemas:
    """Schemas that each have at least one valid value, up to a few levels deep."""
    return st.recursive(
        scalars(), lambda inner: st.one_of(arrays(inner), objects(inner), combined(inner)), max_leaves=8
    )

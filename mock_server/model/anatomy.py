"""What a schema says about the members of its objects, with references followed and combinators merged.

Inference asks in terms of property names and types; this is the one place that walks a bundle for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from mock_server.dataclass import dataclass
from mock_server.openapi import pointers
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json

_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Member:
    """One property: its schema with references followed, and what of it matters to a model."""

    name: str
    schema: Mapping[str, Json]
    types: frozenset[str]
    read_only: bool
    write_only: bool

    @property
    def format(self) -> str:
        return str(self.schema.get("format", ""))

    def inner(self) -> Iterator[Member]:
        """The members of an object property whose schemas stand in it, references left aside."""
        for name, schema in (self.schema.get("properties") or {}).items():
            yield _member({}, name, schema)

    @property
    def is_text(self) -> bool:
        return "string" in self.types

    @property
    def is_integer(self) -> bool:
        return "integer" in self.types

    @property
    def allowed(self) -> tuple[Json, ...]:
        """The values of an enum or const; () when any is allowed."""
        if "const" in self.schema:
            return (self.schema["const"],)
        listed = self.schema.get("enum")
        return tuple(listed) if isinstance(listed, list) else ()


@dataclass(frozen=True, slots=True)
class Anatomy:
    """An object schema taken apart. ``closed`` means no property beyond ``members`` is admitted.

    ``items`` is the anatomy's bundle-bound schema of an array's items, None for what is not an array.
    """

    types: frozenset[str]
    members: Mapping[str, Member]
    required: frozenset[str]
    closed: bool
    items: Json
    name: str

    @property
    def is_array(self) -> bool:
        return "array" in self.types and "object" not in self.types

    @property
    def is_object(self) -> bool:
        return "object" in self.types or (not self.types and bool(self.members))


EMPTY = Anatomy(frozenset(), {}, frozenset(), closed=False, items=None, name="")


_KNOWN: WeakKeyDictionary[Schema, dict[Direction, Anatomy]] = WeakKeyDictionary()
"""Inference asks for the same few schemas again and again, and taking one apart walks all of it."""


def anatomy_of(schema: Schema | None, direction: Direction = Direction.RESPONSE) -> Anatomy:
    """The anatomy of a compiled schema; an empty one for None."""
    if schema is None:
        return EMPTY
    known = _KNOWN.setdefault(schema, {})
    found = known.get(direction)
    if found is None:
        bundle = schema.bundle(direction)
        found = known[direction] = dissect(bundle, bundle)
    return found


def dissect(bundle: Json, schema: Json) -> Anatomy:
    """The anatomy of a schema inside a bundle."""
    merged = flatten(bundle, schema)
    properties = merged.get("properties")
    named = properties.items() if isinstance(properties, dict) else ()  # else the validator tells what is wrong
    members = {name: _member(bundle, name, value) for name, value in named}
    return Anatomy(
        types=types_of(merged),
        members=members,
        required=frozenset(name for name in merged.get("required") or () if isinstance(name, str)),
        closed=merged.get("additionalProperties") is False or merged.get("unevaluatedProperties") is False,
        items=merged.get("items", True) if "array" in types_of(merged) or "items" in merged else None,
        name=name_of(bundle, schema),
    )


def name_of(bundle: Json, schema: Json) -> str:
    """The component name a schema goes by: the last token of its reference, else its title, else ""."""
    for _ in range(_DEPTH):
        if not isinstance(schema, dict):
            return ""
        if isinstance(schema.get("$ref"), str):
            target = _lookup(bundle, schema["$ref"])
            if isinstance(target, dict) and isinstance(target.get("$ref"), str) and len(target) == 1:
                schema = target
                continue
            return str(schema["$ref"]).rpartition("/")[2]
        alone = schema.get("allOf")
        if isinstance(alone, list) and len(alone) == 1:
            schema = alone[0]
            continue
        return str(schema.get("title", ""))
    return ""


_COMPOSING = frozenset({"$ref", "allOf", "oneOf", "anyOf", "$defs"})


def flatten(bundle: Json, schema: Json, depth: int = 0) -> Mapping[str, Json]:
    """One plain schema that says what ``schema``, its references, ``allOf`` and (first) branches say
    together.

    Properties of oneOf/anyOf branches are united, their ``required`` intersected. It is a reading aid for
    inference, never a validator.
    """
    if not isinstance(schema, dict) or depth > _DEPTH:
        return {}
    if _COMPOSING.isdisjoint(schema):
        return schema
    merged: Mapping[str, Json] = {}
    if isinstance(schema.get("$ref"), str):
        merged = flatten(bundle, _lookup(bundle, schema["$ref"]), depth + 1)
        if len(schema) == 1:
            return merged
    own = {key: value for key, value in schema.items() if key not in _COMPOSING}
    for part in schema.get("allOf") or ():
        merged = _merge(merged, flatten(bundle, part, depth + 1))
    merged = _merge(merged, own)
    for keyword in ("oneOf", "anyOf"):
        branches = [flatten(bundle, part, depth + 1) for part in schema.get(keyword) or ()]
        branches = [branch for branch in branches if types_of(branch) != {"null"}]
        if branches:
            merged = _merge(merged, _union(branches))
    return merged


def _merge(left: Mapping[str, Json], right: Mapping[str, Json]) -> Mapping[str, Json]:
    if not left or not right:
        return left or right
    merged = {**left, **right}
    if "properties" in left and "properties" in right:
        both = {
            name: _together(member, right["properties"][name])
            for name, member in left["properties"].items()
            if name in right["properties"]
        }
        merged["properties"] = {**left["properties"], **right["properties"], **both}
    if "required" in left and isinstance(right.get("required"), list):
        merged["required"] = [*left["required"], *right["required"]]
    return merged


def _together(left: Json, right: Json) -> Json:
    """A property that two parts of a schema speak of: what both say, the right one where they differ."""
    if not isinstance(left, dict) or not isinstance(right, dict) or left == right:
        return right
    return {**right, "allOf": [left, *(right.get("allOf") or ())]} if "$ref" not in right else right


def _union(branches: Sequence[Mapping[str, Json]]) -> Mapping[str, Json]:
    if len(branches) == 1:
        return branches[0]
    united: dict[str, Json] = {}
    properties: dict[str, Json] = {}
    for branch in branches:
        properties = {**(branch.get("properties") or {}), **properties}
    types = sorted(frozenset().union(*(types_of(branch) for branch in branches)))
    if properties:
        united["properties"] = properties
        common = frozenset.intersection(*(frozenset(branch.get("required") or ()) for branch in branches))
        united["required"] = sorted(common)
    if types:
        united["type"] = types
    for key in ("items", "format"):
        if key in branches[0]:
            united[key] = branches[0][key]
    return united


def _member(bundle: Json, name: str, schema: Json) -> Member:
    flat = flatten(bundle, schema)
    return Member(
        name=name,
        schema=flat,
        types=types_of(flat),
        read_only=flat.get("readOnly") is True,
        write_only=flat.get("writeOnly") is True or schema is False,
    )


def types_of(schema: Mapping[str, Json]) -> frozenset[str]:
    """The JSON types that a flat schema names, or shows by its keywords."""
    declared = schema.get("type")
    if isinstance(declared, str):
        return frozenset((declared,))
    if isinstance(declared, list):
        return frozenset(entry for entry in declared if isinstance(entry, str))
    if "properties" in schema or isinstance(schema.get("additionalProperties"), dict):
        return frozenset(("object",))
    if "items" in schema:
        return frozenset(("array",))
    values = schema["enum"] if isinstance(schema.get("enum"), list) else [schema["const"]] if "const" in schema else ()
    return frozenset(_type_name(value) for value in values)


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _lookup(bundle: Json, reference: str) -> Json:
    if not reference.startswith("#"):
        return {}
    try:
        return pointers.lookup(bundle, reference[1:])
    except LookupError:
        return {}


def object_arrays(bundle: Json, schema: Json, *, depth: int = 3) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Every array property within an object schema, nearest first: its path of names and its items'
    schema."""
    level: list[tuple[tuple[str, ...], Json]] = [((), schema)]
    for _ in range(depth):
        deeper: list[tuple[tuple[str, ...], Json]] = []
        for path, current in level:
            for name, value in (flatten(bundle, current).get("properties") or {}).items():
                flat = flatten(bundle, value)
                if "array" in types_of(flat):
                    yield (*path, name), flat.get("items", True)
                elif "object" in types_of(flat):
                    deeper.append(((*path, name), value))
        level = deeper


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier: ``customerIDs`` → customer, ids; ``created_at`` → created,
    at."""
    spaced = []
    previous = ""
    for index, character in enumerate(name):
        following = name[index + 1 : index + 2]
        if character.isupper() and (
            previous.islower() or previous.isdigit() or (previous.isupper() and following.islower())
        ):
            spaced.append(" ")
        spaced.append(character if character.isalnum() else " ")
        previous = character
    return tuple("".join(spaced).lower().split())


def singular(word: str) -> str:
    """The singular of an English plural, well enough to compare names: categories → category, boxes → box."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("sses", "shes", "ches", "xes", "zes"):
        if word.endswith(ending):
            return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word

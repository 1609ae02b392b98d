"""Which properties are read-only or write-only, however the schema that says so is composed.

The mark and the ``required`` list that it weakens may sit in different members of an ``allOf``, or behind a
``$ref``; both belong to one object all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from mock_server.openapi.resources import Resource, Resources, Spot
from mock_server.openapi.values import Direction, Json

_HIDDEN_BY = {Direction.REQUEST: "readOnly", Direction.RESPONSE: "writeOnly"}
_ALWAYS = ("allOf",)
_DEMANDING = ("allOf", "then", "else", "dependentSchemas")
_SOMETIMES = ("allOf", "anyOf", "oneOf", "then", "else", "dependentSchemas")
_HOLDING = frozenset({"properties", "$ref", *_SOMETIMES})
_NONE: frozenset[str] = frozenset()
_MOST_REFERENCES = 32  # one after the other; more of them lead in a circle


class Marks:
    """The readOnly and writeOnly marks of one description, memoised per schema."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._hidden: dict[tuple[Spot, Direction], frozenset[str]] = {}
        self._composed: dict[tuple[Spot, Direction], bool] = {}
        self._demanded: dict[Spot, frozenset[str]] = {}

    def hidden(self, spot: Spot, schema: Json, direction: Direction) -> frozenset[str]:
        """The properties of the schema at ``spot`` that do not travel in ``direction``."""
        spot, schema = self._followed(spot, schema)
        if not isinstance(schema, dict) or _HOLDING.isdisjoint(schema):
            return _NONE
        key = (spot, direction)
        found = self._hidden.get(key)
        if found is None:
            mark = _HIDDEN_BY[direction]
            found = self._hidden[key] = frozenset(
                name
                for part_spot, part in self._parts(spot, schema, _SOMETIMES)
                for name, child in _properties(part)
                if _may_carry(child, mark) and self.is_hidden(part_spot.below("properties", name), child, direction)
            )
        return found

    def is_hidden(self, spot: Spot, schema: Json, direction: Direction) -> bool:
        """Whether a property's schema carries the mark, itself or in what it is composed of."""
        mark = _HIDDEN_BY[direction]
        spot, schema = self._followed(spot, schema)
        if not _may_carry(schema, mark):
            return False
        if "$ref" not in schema and "allOf" not in schema:
            return bool(schema[mark] is True)
        key = (spot, direction)
        found = self._composed.get(key)
        if found is None:
            parts = self._parts(spot, schema, _ALWAYS)
            found = self._composed[key] = any(part.get(mark) is True for _, part in parts)
        return found

    def demanded(self, spot: Spot) -> frozenset[str]:
        """The properties that the schema at ``spot`` and what it is composed of require."""
        found = self._demanded.get(spot)
        if found is None:
            found = self._demanded[spot] = frozenset(
                name
                for _, part in self._parts(spot, self._resources.value(spot), _DEMANDING)
                for name in _names(part.get("required"))
            )
        return found

    def _followed(self, spot: Spot, schema: Json) -> tuple[Spot, Json]:
        """What a schema comes down to that only refers to another one: many properties refer to the same few."""
        for _ in range(_MOST_REFERENCES):
            if not (isinstance(schema, dict) and len(schema) == 1 and isinstance(schema.get("$ref"), str)):
                break
            spot = self._resources.resolve(schema["$ref"], self._resources.around(spot), at=spot)
            schema = self._resources.value(spot)
        return spot, schema

    def _parts(self, spot: Spot, schema: Json, applicators: tuple[str, ...]) -> Iterator[tuple[Spot, dict[str, Json]]]:
        """The schema and every schema that applies to the same value through ``$ref`` and ``applicators``."""
        seen: set[Spot] = set()
        pending: list[tuple[Spot, Json]] = [(spot, schema)]
        while pending:
            here, value = pending.pop()
            if here in seen or not isinstance(value, dict):
                continue
            seen.add(here)
            ref = value.get("$ref")
            if isinstance(ref, str):
                resource: Resource = self._resources.around(here)
                target = self._resources.resolve(ref, resource, at=here)
                pending.append((target, self._resources.value(target)))
                if resource.rules.ref_stands_alone:
                    continue
            yield here, value
            for keyword in applicators:
                if keyword in value:
                    pending += _applied(here, keyword, value[keyword])


def _may_carry(schema: Json, mark: str) -> bool:
    """Whether there is anything to look at: most properties neither say the mark nor are composed of others."""
    return isinstance(schema, dict) and (mark in schema or "$ref" in schema or "allOf" in schema)


def _applied(spot: Spot, keyword: str, value: Json) -> Iterator[tuple[Spot, Json]]:
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield spot.below(keyword, index), child
    elif isinstance(value, dict) and keyword == "dependentSchemas":
        for name, child in value.items():
            yield spot.below(keyword, name), child
    elif isinstance(value, dict):
        yield spot.below(keyword), value


def _properties(schema: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    properties = schema.get("properties")
    if isinstance(properties, dict):
        yield from properties.items()


def _names(required: Json) -> Iterator[str]:
    if isinstance(required, list):
        yield from (name for name in required if isinstance(name, str))

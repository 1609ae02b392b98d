"""What of a JSON Schema a value exercises: members of enums, bounds, optional members there and not there.

A ``Probe`` is made once from a schema; noting a value walks both together. A facet is a short text that names one thing
to exercise (``application/json /price minimum 0``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

_DEEPEST = 8
_ENUM = 40
"""Members of an enum that are told apart; of longer ones only some are."""


@dataclass(slots=True)
class _Node:
    """One place of a schema: what can be exercised there, and the places inside."""

    where: str
    enum: dict[str, str] = field(default_factory=dict)
    bounds: list[tuple[str, Json, str]] = field(default_factory=list)
    nullable: str | None = None
    flags: dict[bool, str] = field(default_factory=dict)
    members: dict[str, _Member] = field(default_factory=dict)
    items: _Node | None = None

    def facets(self) -> Iterator[str]:
        yield from self.enum.values()
        yield from (facet for _, _, facet in self.bounds)
        yield from self.flags.values()
        if self.nullable is not None:
            yield self.nullable
        for member in self.members.values():
            yield member.given
            if member.absent is not None:
                yield member.absent
            yield from member.node.facets()
        if self.items is not None:
            yield from self.items.facets()


@dataclass(slots=True)
class _Member:
    given: str
    absent: str | None
    node: _Node


class Probe:
    """What can be exercised of one schema, under a label."""

    def __init__(self, label: str, root: _Node) -> None:
        self.label = label
        self._root = root

    @cached_property
    def all(self) -> frozenset[str]:
        """Every facet."""
        return frozenset((f"{self.label} sent", *self._root.facets()))

    @property
    def leaf(self) -> bool:
        """Whether there is nothing to exercise but to send it."""
        return len(self.all) == 1

    def facets(self) -> Iterator[str]:
        """Every facet, that it is sent first."""
        yield from self.all

    def exhausted(self, met: set[str]) -> bool:
        """Whether no value can add to what was met."""
        return self.all <= met

    def note(self, value: Json, met: set[str]) -> None:
        """Adds the facets that a value exercises."""
        _note(self._root, value, met)

    def note_text(self, values: Sequence[str], met: set[str]) -> None:
        """Adds the facets that a parameter exercises, which travels as text, once or several times."""
        root = self._root
        inner = root.items
        if inner is not None:
            split = [part for value in values for part in value.split(",")]
            _note_bounds(root, split, met)
            for part in split:
                _note_scalar(inner, _typed(part), part, met)
        else:
            _note_scalar(root, _typed(values[0]), values[0], met)


def probe_of(schema: Json, label: str) -> Probe:
    """The probe of a schema that is complete in itself (what it refers to is under ``$defs``)."""
    root = _Node(label)
    if isinstance(schema, dict):
        _fill(root, schema, schema.get("$defs") or {}, frozenset(), 0)
    return Probe(label, root)


def _fill(node: _Node, schema: Json, definitions: Mapping[str, Json], within: frozenset[str], depth: int) -> None:
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name in within:
            return
        _fill(node, definitions.get(pointers.unescape(name)), definitions, within | {name}, depth)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword) or ():
            _fill(node, branch, definitions, within, depth)
    _fill_scalar(node, schema)
    required = set(schema.get("required") or ())
    for name, inner in (schema.get("properties") or {}).items():
        if isinstance(inner, dict) and inner.get("readOnly"):
            continue
        where = f"{node.where} {pointers.join('', name)}" if depth == 0 else pointers.join(node.where, name)
        member = node.members.get(name)
        if member is None:
            absent = None if name in required else f"{where} left out"
            member = node.members[name] = _Member(f"{where} given", absent, _Node(where))
        elif name in required:
            member.absent = None
        _fill(member.node, inner, definitions, within, depth + 1)
    for name in required & node.members.keys():
        node.members[name].absent = None
    if isinstance(schema.get("items"), dict):
        node.items = node.items or _Node(f"{node.where}/*" if depth else f"{node.where} /*")
        _fill(node.items, schema["items"], definitions, within, depth + 1)


def _fill_scalar(node: _Node, schema: Mapping[str, Json]) -> None:
    for value in list(schema.get("enum") or ())[:_ENUM]:
        node.enum[_text(value)] = f"{node.where} is {_text(value)}"
    kinds = schema.get("type")
    several = kinds if isinstance(kinds, list) else [kinds]
    if "null" in several and "enum" not in schema:
        node.nullable = f"{node.where} is null"
    if "boolean" in several and "enum" not in schema:
        node.flags = {True: f"{node.where} is true", False: f"{node.where} is false"}
    for keyword in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"):
        if keyword in schema and not any(known == keyword for known, _, _ in node.bounds):
            node.bounds.append((keyword, schema[keyword], f"{node.where} {keyword} {schema[keyword]}"))


def _note(node: _Node, value: Any, met: set[str]) -> None:
    if isinstance(value, dict):
        for name, member in node.members.items():
            if name in value:
                met.add(member.given)
                _note(member.node, value[name], met)
            elif member.absent is not None:
                met.add(member.absent)
        return
    if isinstance(value, list):
        _note_bounds(node, value, met)
        if node.items is not None:
            for entry in value:
                _note(node.items, entry, met)
        return
    _note_scalar(node, value, _text(value) if node.enum else "", met)


def _note_scalar(node: _Node, value: Json, text: str, met: set[str]) -> None:
    if node.enum:
        facet = node.enum.get(text)
        if facet is not None:
            met.add(facet)
    if value is None and node.nullable is not None:
        met.add(node.nullable)
    elif isinstance(value, bool):
        if value in node.flags:
            met.add(node.flags[value])
    elif node.bounds:
        _note_bounds(node, text if text and any("Length" in keyword for keyword, _, _ in node.bounds) else value, met)


def _note_bounds(node: _Node, value: Any, met: set[str]) -> None:
    for keyword, bound, facet in node.bounds:
        if keyword.endswith("Length"):
            reached = isinstance(value, str) and len(value) == bound
        elif keyword.endswith("Items"):
            reached = isinstance(value, list) and len(value) == bound
        else:
            reached = isinstance(value, int | float) and value == bound
        if reached:
            met.add(facet)


def _typed(text: str) -> Json:
    """A parameter's text as the number or the boolean that it may mean."""
    if text in {"true", "false"}:
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return number


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)

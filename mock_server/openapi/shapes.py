"""Which JSON types a schema expects where: what a decoder must know to read ``5`` as a number or as a text.

Bodies in JSON carry their types; query strings, forms, headers and XML do not. A ``Shape`` is the part of a
schema that settles it. It is a hint and never a judgement: a text that fits no expected type is passed on as
text, and the schema validator reports it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TypeAlias

from mock_server.dataclass import dataclass
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

MAX_DIGITS = 4000
"""Integers of more digits than this stay text; Python itself refuses them at 4,300."""

_MAX_NUMBER = MAX_DIGITS + 1000  # characters of a number with fraction and exponent
_MAX_SHAPES = 20_000  # of one schema; beyond it everything is taken as it comes
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)  # RFC 8259 §6
_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_EMPTY: Mapping[str, Shape] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class XmlHint:
    """The XML Object of a schema (OAS 3.1 §4.8.26); ``node_type`` is that of OAS 3.2, with the older
    ``attribute`` and ``wrapped`` read as ``attribute`` and, for arrays, ``element``."""

    name: str | None = None
    namespace: str | None = None
    prefix: str | None = None
    node_type: str | None = None


_NO_HINT = XmlHint()


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What a schema says about types.

    ``types`` are JSON Schema type names, empty for "anything". ``items``, ``properties`` and ``prefix``
    describe the children that the schema names, ``additional`` members it does not name (None when it forbids
    them), ``free_form`` whether it invites such members: it says so, or names none. ``words`` are the strings
    of its ``enum`` or ``const``. ``binary`` marks a string that stands for bytes. A recursive schema gives a
    cyclic shape, so shapes are compared by identity.
    """

    types: frozenset[str] = frozenset()
    items: Shape | None = None
    properties: Mapping[str, Shape] = field(default_factory=lambda: _EMPTY)
    additional: Shape | None = field(default_factory=lambda: _anything())
    prefix: tuple[Shape, ...] = ()
    words: frozenset[str] = frozenset()
    free_form: bool = True
    binary: bool = False
    xml: XmlHint = _NO_HINT

    def may_be(self, type_name: str) -> bool:
        """Whether a value of this type could fit."""
        return not self.types or type_name in self.types

    def member(self, name: str) -> Shape:
        """The shape of a member, named by the schema or not."""
        found = self.properties.get(name)
        return found if found is not None else self.additional or ANYTHING

    def item(self, index: int) -> Shape:
        """The shape of an array's item."""
        return self.prefix[index] if index < len(self.prefix) else self.items or ANYTHING

    @property
    def is_list(self) -> bool:
        """Whether the schema asks for an array, alone or among others."""
        return "array" in self.types

    @property
    def is_scalar(self) -> bool:
        """Whether one text can be a value: a string, number, boolean, or anything."""
        return not self.types or not self.types.isdisjoint({"string", "number", "integer", "boolean"})

    @property
    def is_record(self) -> bool:
        """Whether the schema asks for an object and nothing that one text could be."""
        return "object" in self.types and not self.is_scalar


ANYTHING = Shape(additional=None)
object.__setattr__(ANYTHING, "additional", ANYTHING)  # anything's members are anything: a knot, tied once


def _anything() -> Shape:
    return ANYTHING


def coerce(text: str, shape: Shape) -> Json:
    """The JSON value that a text stands for under a shape.

    The most specific expected type that the text parses as wins: integer, number, boolean, then string. So
    ``5`` is 5 for ``[integer, string]`` and ``"5"`` for ``string``; a string listed in ``enum`` or ``const``
    stays one. With no expected type at all the text stays text. ``null`` and the empty text mean null only
    where null is expected and strings are not. Numbers follow RFC 8259 §6: no ``+5``, ``05``, ``0x1F``,
    ``1_000`` or ``NaN``. A text that fits nothing is returned as it is.
    """
    types = shape.types
    if not types or text in shape.words:
        return text
    if "integer" in types or "number" in types:
        if len(text) <= MAX_DIGITS and _INTEGER.fullmatch(text):
            return int(text)
        if "number" in types and len(text) <= _MAX_NUMBER and _NUMBER.fullmatch(text):
            number = float(text)
            if math.isfinite(number) and not _INTEGER.fullmatch(text):
                return number
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    if "null" in types and "string" not in types and text in {"", "null"}:
        return None
    return text


def coercer(shape: Shape) -> Callable[[str], Json]:
    """``coerce`` for one shape, with the common cases decided now rather than per text."""
    if shape.types <= {"string", "null", "array", "object"} and ("null" not in shape.types or "string" in shape.types):
        return str
    if shape.types == {"integer"} and not shape.words:
        matches = _INTEGER.fullmatch
        return lambda text: int(text) if len(text) <= MAX_DIGITS and matches(text) else text
    return lambda text: coerce(text, shape)


def shape_of(bundle: Json, schema: Json) -> Shape:
    """The shape of ``schema``, whose ``$ref`` are JSON pointers into ``bundle`` (``#/$defs/Pet``).

    ``allOf`` and the siblings of ``$ref`` narrow the types and add up their members; ``oneOf``, ``anyOf`` and
    ``then``/``else`` widen both. A reference that leads nowhere allows anything: whoever loads the
    description refuses it.
    """
    return _Builder(bundle).build(schema)


# A term is a schema (by position in the builder's list) or several that all, or any of which, hold at one
# place.
_Term: TypeAlias = "int | tuple[str, tuple[_Term, ...]]"


@dataclass(slots=True)
class _Facts:
    """What a term says: like ``Shape``, with children as terms still to be built, and all types for any."""

    types: frozenset[str] = _ALL
    items: _Term | None = None
    properties: dict[str, _Term] = field(default_factory=dict)
    additional: _Term | None = None
    closed: bool = False
    prefix: tuple[_Term, ...] = ()
    words: frozenset[str] = frozenset()
    binary: bool = False
    xml: XmlHint = _NO_HINT


class _Builder:
    """Builds the shapes of one schema, each term once, so that recursion becomes a cycle and ends."""

    def __init__(self, bundle: Json) -> None:
        self._bundle = bundle
        self._schemas: list[Json] = []
        self._numbers: dict[int, int] = {}
        self._built: dict[_Term, Shape] = {}
        self._waiting: list[tuple[_Term, Shape]] = []

    def build(self, schema: Json) -> Shape:
        root = self._shape(self._term(schema))
        while self._waiting:
            term, shape = self._waiting.pop()
            self._fill(shape, self._facts(term, frozenset()))
        return root

    def _term(self, schema: Json) -> _Term:
        number = self._numbers.get(id(schema))
        if number is None:
            number = self._numbers[id(schema)] = len(self._schemas)
            self._schemas.append(schema)  # keeps the object, and so its id, alive
        return number

    def _shape(self, term: _Term) -> Shape:
        found = self._built.get(term)
        if found is None:
            if len(self._built) >= _MAX_SHAPES:
                return ANYTHING
            found = self._built[term] = Shape()
            self._waiting.append((term, found))
        return found

    def _fill(self, shape: Shape, facts: _Facts) -> None:
        """Ties the knot: a shape is complete before anybody but this builder sees it."""
        types = facts.types
        if "number" in types:
            types -= {"integer"}
        additional = ANYTHING if facts.additional is None else self._shape(facts.additional)
        filled = {
            "types": frozenset() if types == _ALL - {"integer"} else types,
            "items": None if facts.items is None else self._shape(facts.items),
            "properties": {name: self._shape(term) for name, term in facts.properties.items()},
            "additional": None if facts.closed else additional,
            "prefix": tuple(self._shape(term) for term in facts.prefix),
            "words": facts.words,
            "free_form": not facts.closed and (facts.additional is not None or not facts.properties),
            "binary": facts.binary,
            "xml": facts.xml,
        }
        for name, value in filled.items():
            object.__setattr__(shape, name, value)

    def _facts(self, term: _Term, seen: frozenset[_Term]) -> _Facts:
        if term in seen:  # a schema that refers to itself in place says nothing more the second time
            return _Facts()
        seen |= {term}
        if isinstance(term, tuple):
            kind, parts = term
            found = [self._facts(part, seen) for part in parts]
            return _all_of(found) if kind == "all" else _any_of(found)
        schema = self._schemas[term]
        if schema is False:
            return _Facts(types=frozenset())
        return self._schema_facts(schema, seen) if isinstance(schema, dict) else _Facts()

    def _schema_facts(self, schema: Mapping[str, Json], seen: frozenset[_Term]) -> _Facts:
        facts = [self._own_facts(schema)]
        if "$ref" in schema:
            facts.append(self._facts(self._term(self._target(schema["$ref"])), seen))
        facts.extend(self._facts(self._term(part), seen) for part in _listed(schema, "allOf"))
        facts.extend(
            _any_of([self._facts(self._term(part), seen) for part in parts])
            for keyword in ("anyOf", "oneOf")
            if (parts := _listed(schema, keyword))
        )
        branches = [schema[keyword] for keyword in ("then", "else") if keyword in schema]
        if branches:
            facts.append(_any_of([_Facts(), *(self._facts(self._term(part), seen) for part in branches)]))
        merged = _all_of(facts)
        if schema.get("nullable") is True:  # OAS 3.0 §4.7.24.1; written beside $ref and allOf as well
            merged.types |= {"null"}
        return merged

    def _own_facts(self, schema: Mapping[str, Json]) -> _Facts:
        properties = schema.get("properties")
        items = schema.get("items")
        prefix = schema.get("prefixItems", items if isinstance(items, list) else ())
        rest = schema.get("additionalItems") if isinstance(items, list) else items  # draft 4 tuples
        additional = schema.get("additionalProperties", schema.get("unevaluatedProperties"))
        return _Facts(
            types=_types(schema),
            items=None if rest is None else self._term(rest),
            properties={name: self._term(part) for name, part in properties.items()}
            if isinstance(properties, dict)
            else {},
            additional=None if additional is None or additional is False else self._term(additional),
            closed=additional is False,
            prefix=tuple(self._term(part) for part in prefix) if isinstance(prefix, list) else (),
            words=frozenset(value for value in _literals(schema) or () if isinstance(value, str)),
            binary=schema.get("type") == "file"
            or schema.get("format") == "binary"
            or "contentEncoding" in schema
            or "contentMediaType" in schema,
            xml=_xml_hint(schema),
        )

    def _target(self, reference: Json) -> Json:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return True
        try:
            return pointers.lookup(self._bundle, reference[1:])
        except (LookupError, ValueError):
            return True


def _listed(schema: Mapping[str, Json], keyword: str) -> list[Json]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _literals(schema: Mapping[str, Json]) -> list[Json] | None:
    return [schema["const"]] if "const" in schema else _listed(schema, "enum") or None


def _types(schema: Mapping[str, Json]) -> frozenset[str]:
    declared = schema.get("type")
    several = declared if isinstance(declared, list) else ()
    named = {declared} if isinstance(declared, str) else {name for name in several if isinstance(name, str)}
    if "file" in named:  # Swagger 2.0
        named |= {"string"}
    if "number" in named:
        named |= {"integer"}
    types = frozenset(named) & _ALL or _ALL
    if not named and "properties" in schema:  # authors who list members mean an object
        types = frozenset({"object"})
    if not named and ("items" in schema or "prefixItems" in schema):
        types = frozenset({"array"})
    literals = _literals(schema)
    if literals is None:
        return types
    return types & frozenset().union(*(_types_of_value(value) for value in literals)) or types


def _types_of_value(value: Json) -> frozenset[str]:
    match value:
        case None:
            return frozenset({"null"})
        case bool():
            return frozenset({"boolean"})
        case int():
            return frozenset({"integer"})
        case float():
            return frozenset({"number", "integer"})
        case str():
            return frozenset({"string"})
        case list():
            return frozenset({"array"})
        case _:
            return frozenset({"object"})


def _xml_hint(schema: Mapping[str, Json]) -> XmlHint:
    hint = schema.get("xml")
    if not isinstance(hint, dict):
        return _NO_HINT
    node_type = hint.get("nodeType")
    if node_type is None and hint.get("attribute") is True:
        node_type = "attribute"
    if node_type is None and hint.get("wrapped") is True:
        node_type = "element"
    return XmlHint(hint.get("name"), hint.get("namespace"), hint.get("prefix"), node_type)


def _joined(kind: str, terms: Iterable[_Term | None]) -> _Term | None:
    """One term for several at one place; joins of one kind inside each other are flattened to stay finite."""
    parts: dict[_Term, None] = {}
    for term in terms:
        if isinstance(term, tuple) and term[0] == kind:
            parts.update(dict.fromkeys(term[1]))
        elif term is not None:
            parts[term] = None
    if len(parts) < 2:
        return next(iter(parts), None)
    return kind, tuple(parts)


def _columns(kind: str, rows: Iterable[tuple[_Term, ...]]) -> Iterator[_Term]:
    listed = list(rows)
    for index in range(max(map(len, listed), default=0)):
        term = _joined(kind, (row[index] for row in listed if index < len(row)))
        if term is not None:
            yield term


def _merged(kind: str, facts: list[_Facts]) -> _Facts:
    names = dict.fromkeys(name for fact in facts for name in fact.properties)
    return _Facts(
        items=_joined(kind, (fact.items for fact in facts)),
        properties={
            name: term
            for name in names
            if (term := _joined(kind, (fact.properties.get(name) for fact in facts))) is not None
        },
        additional=_joined(kind, (fact.additional for fact in facts)),
        prefix=tuple(_columns(kind, (fact.prefix for fact in facts))),
        words=frozenset().union(*(fact.words for fact in facts)),
        binary=any(fact.binary for fact in facts),
        xml=next((fact.xml for fact in facts if fact.xml is not _NO_HINT), _NO_HINT),
    )


def _all_of(facts: list[_Facts]) -> _Facts:
    if len(facts) == 1:
        return facts[0]
    merged = _merged("all", facts)
    for fact in facts:
        merged.types &= fact.types
    merged.closed = any(fact.closed for fact in facts)
    return merged


def _any_of(facts: list[_Facts]) -> _Facts:
    merged = _merged("any", facts)
    merged.types = frozenset().union(*(fact.types for fact in facts))
    merged.closed = bool(facts) and all(fact.closed for fact in facts)
    return merged

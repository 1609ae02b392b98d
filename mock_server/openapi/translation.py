"""The translation of one schema object, with all that is written inside it, to draft 2020-12.

References are noted and not entered: what they lead to is translated on its own (see bundle.py), once for
every combination of the things that change its translation, which a ``Reached`` holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError, UnresolvedReference
from mock_server.openapi import pointers
from mock_server.openapi.marks import Marks
from mock_server.openapi.older_keywords import modernise
from mock_server.openapi.resources import Resource, Resources, Spot
from mock_server.openapi.schema_rules import (
    DEFINITION_KEYWORDS,
    IDENTITY_KEYWORDS,
    SCHEMA_KEYWORDS,
    SCHEMA_LIST_KEYWORDS,
    SCHEMA_MAP_KEYWORDS,
)
from mock_server.openapi.values import Direction, Json
from mock_server.openapi.wording import shown

DEFINITIONS = "#/$defs/"
"""How every reference in a bundle begins."""

_COMPONENT_NAME = re.compile(r"[A-Za-z0-9._-]+")  # OAS 3.1 §4.8.7

# Where a property of the object that `required` speaks of may be marked and still weaken that `required`. A
# `not` or an `if` tests rather than demands, and the branches of anyOf and oneOf are told apart by what they
# require.
_INHERITS_OPTIONAL = frozenset({"allOf", "dependentSchemas", "else", "then"})

_NONE: frozenset[str] = frozenset()

# What takes more than copying, in any language; most schemas are those of texts and numbers and have none of it.
_INVOLVED = frozenset({"additionalItems", "dependencies", "discriminator", "id", "required"}) | (
    SCHEMA_KEYWORDS | SCHEMA_LIST_KEYWORDS | SCHEMA_MAP_KEYWORDS | DEFINITION_KEYWORDS | IDENTITY_KEYWORDS
)
_MARKED = _INVOLVED | {"readOnly", "writeOnly"}

Bindings = tuple[tuple[str, Spot], ...]
"""Which schema each dynamic anchor means, by the anchor's name."""


class Reached(NamedTuple):
    """A schema and what its translation depends on: dynamic anchors, and properties not demanded."""

    spot: Spot
    bindings: Bindings = ()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fragment:
    """One translated schema: its references by name, and the pointers of its write-only properties."""

    schema: Json
    links: tuple[Reached, ...]
    withheld: tuple[str, ...]
    directional: bool


@dataclass(frozen=True, slots=True)
class Context:
    """Where the translation stands: in the description (``spot``) and in the fragment (``output``)."""

    spot: Spot
    resource: Resource
    bindings: Bindings
    optional: frozenset[str]
    output: str = ""

    def below(self, *tokens: str | int, output: tuple[str | int, ...] = ()) -> Context:
        """The context of a subschema; ``output`` where it goes when not to the same tokens."""
        return Context(
            self.spot.below(*tokens),
            self.resource,
            self.bindings,
            self.optional if tokens[0] in _INHERITS_OPTIONAL else _NONE,
            pointers.join(self.output, *(output or tokens)),
        )

    def sparing(self, hidden: frozenset[str]) -> Context:
        """The same context, in which further properties are not demanded."""
        if not hidden:
            return self
        return Context(self.spot, self.resource, self.bindings, self.optional | hidden, self.output)


_SHAPED: dict[str, type[dict[str, Json]] | type[list[Json]]] = {
    "properties": dict, "patternProperties": dict, "allOf": list, "oneOf": list, "anyOf": list, "required": list,
}  # fmt: skip
_CALLED: dict[type, str] = {dict: "a mapping of names to schemas", list: "a list"}


class Translation:
    """The translation of one schema with all that is written inside it; references are noted, not entered."""

    def __init__(
        self, resources: Resources, marks: Marks, direction: Direction, *, name: Callable[[Reached], str]
    ) -> None:
        self._resources = resources
        self._marks = marks
        self._direction = direction
        self._name = name
        self._links: dict[Reached, None] = {}
        self._withheld: list[str] = []
        self._directional = False

    def fragment(self, value: Json, at: Context) -> Fragment:
        """``value`` translated, with the references in it."""
        schema = self._schema(value, at)
        return Fragment(schema, tuple(self._links), tuple(self._withheld), self._directional)

    def _schema(self, value: Json, at: Context) -> Json:
        """``value`` in draft 2020-12."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, dict):
            raise DescriptionError(
                "this is not a schema",
                place=self._resources.place(at.spot),
                got=shown(value),
                allowed="a mapping, or true or false",
            )
        if not _SHAPED.keys().isdisjoint(value):
            self._check_shapes(value, at)
        rules = at.resource.rules
        if _INVOLVED.isdisjoint(value):
            return modernise({word: item for word, item in value.items() if word not in rules.ignored}, rules)
        at = self._entering(at)
        rules = at.resource.rules
        at = at.sparing(self._marks.hidden(at.spot, value, self._direction))
        refs = self._references(value, at)
        if refs and rules.ref_stands_alone:
            return {"$ref": refs[0]}
        out: dict[str, Json] = {}
        for keyword, item in value.items():
            if keyword in IDENTITY_KEYWORDS or keyword in DEFINITION_KEYWORDS or keyword in rules.ignored:
                continue
            if keyword not in _INVOLVED:
                out[keyword] = item
            elif keyword != rules.id_keyword:
                out.update(self._keyword(keyword, item, value, at))
        if "discriminator" in value:
            out["discriminator"] = self._discriminator(value, out, at)
        if refs:
            out = {"$ref": refs[0]} | out
        if len(refs) > 1:
            out["allOf"] = [*out.get("allOf", []), *({"$ref": ref} for ref in refs[1:])]
        return modernise(out, rules)

    def _check_shapes(self, value: dict[str, Json], at: Context) -> None:
        """Refuses what inference, which reads schemas before a validator does, would trip over."""
        for keyword in _SHAPED.keys() & value.keys() - at.resource.rules.ignored:
            names = value[keyword] if keyword == "required" and isinstance(value[keyword], list) else ()
            if not isinstance(value[keyword], _SHAPED[keyword]) or not all(isinstance(name, str) for name in names):
                raise DescriptionError(
                    f"the schema keyword {keyword!r} cannot be used as it stands",
                    place=self._resources.place(at.below(keyword).spot),
                    got=shown(value[keyword]),
                    allowed=_CALLED[_SHAPED[keyword]],
                )

    def _entering(self, at: Context) -> Context:
        inner = self._resources.starting_at(at.spot)
        if inner is None or inner is at.resource:
            return at
        return Context(at.spot, inner, entering(at.bindings, inner), at.optional, at.output)

    def _keyword(self, keyword: str, item: Json, schema: dict[str, Json], at: Context) -> dict[str, Json]:
        """What one keyword becomes; one of the wrong shape stays, for the metaschema to complain about."""
        if keyword == "required" and isinstance(item, list):
            # A name that stands there twice is a slip that changes nothing, though the metaschema refuses it.
            demanded = [name for name in dict.fromkeys(item) if name not in at.optional]
            return {keyword: demanded} if demanded or not item else {}
        if keyword == "properties" and isinstance(item, dict):
            return {keyword: {name: self._property(name, child, at) for name, child in item.items()}}
        if keyword == "items" and isinstance(item, list) and at.resource.rules.tuple_items:
            return {"prefixItems": self._list(keyword, item, at, output="prefixItems")}
        if keyword == "additionalItems":
            if not isinstance(schema.get("items"), list):
                return {}  # says something only beside an array of items (JSON Schema draft 4 §5.3.1)
            return {"items": self._schema(item, at.below(keyword, output=("items",)))}
        if keyword == "dependencies" and isinstance(item, dict):
            return self._dependencies(item, at)
        if keyword in SCHEMA_KEYWORDS:
            return {keyword: self._schema(item, at.below(keyword))}
        if keyword in SCHEMA_LIST_KEYWORDS and isinstance(item, list):
            return {keyword: self._list(keyword, item, at, output=keyword)}
        if keyword in SCHEMA_MAP_KEYWORDS and isinstance(item, dict):
            return {keyword: {name: self._schema(child, at.below(keyword, name)) for name, child in item.items()}}
        return {keyword: item}

    def _list(self, keyword: str, items: list[Json], at: Context, *, output: str) -> list[Json]:
        return [
            self._schema(child, at.below(keyword, index, output=(output, index))) for index, child in enumerate(items)
        ]

    def _property(self, name: str, child: Json, at: Context) -> Json:
        if isinstance(child, dict) and _MARKED.isdisjoint(child):
            return self._schema(child, at)  # nothing in it depends on where it is
        inner = at.below("properties", name)
        marked = {way for way in Direction if self._marks.is_hidden(inner.spot, child, way)}
        if marked:
            self._directional = True
        if Direction.RESPONSE in marked and self._direction is Direction.RESPONSE:
            self._withheld.append(inner.output)
            return False
        return self._schema(child, inner)

    def _dependencies(self, item: dict[str, Json], at: Context) -> dict[str, Json]:
        """The keyword that 2019-09 split in two."""
        required = {name: names for name, names in item.items() if isinstance(names, list)}
        schemas = {
            name: self._schema(child, at.below("dependencies", name, output=("dependentSchemas", name)))
            for name, child in item.items()
            if not isinstance(child, list)
        }
        split: dict[str, Json] = {"dependentRequired": required, "dependentSchemas": schemas}
        return {keyword: value for keyword, value in split.items() if value}

    # References

    def _references(self, schema: dict[str, Json], at: Context) -> list[str]:
        rules = at.resource.rules
        refs: list[str] = []
        if isinstance(schema.get("$ref"), str):
            refs.append(self._link(self._resolve(schema["$ref"], at), at))
        if rules.dynamic_references and isinstance(schema.get("$dynamicRef"), str):
            name = schema["$dynamicRef"].partition("#")[2]
            refs.append(self._link(self._dynamic(schema["$dynamicRef"], name, at), at))
        if rules.recursive_references and isinstance(schema.get("$recursiveRef"), str):
            refs.append(self._link(self._dynamic(schema["$recursiveRef"], "", at), at))
        return refs

    def _resolve(self, ref: str, at: Context) -> Spot:
        return self._resources.resolve(ref, at.resource, at=at.spot)

    def _dynamic(self, ref: str, name: str, at: Context) -> Spot:
        """The outermost anchor of that name, if the reference leads to a dynamic anchor to begin with."""
        target = self._resolve(ref, at)
        anchor = self._resources.around(target).dynamic_anchors.get(name)
        return dict(at.bindings).get(name, target) if anchor == target.pointer else target

    def _link(self, target: Spot, at: Context) -> str:
        optional: frozenset[str] = frozenset()
        if at.optional:
            own = self._marks.hidden(target, self._resources.value(target), self._direction)
            optional = (at.optional & self._marks.demanded(target)) - own
        bindings = entering(at.bindings, self._resources.around(target))
        reached = Reached(target, bindings, optional)
        self._links[reached] = None
        return DEFINITIONS + self._name(reached)

    def _discriminator(self, schema: dict[str, Json], out: dict[str, Json], at: Context) -> Json:
        """The discriminator with a complete mapping from values to the branches of oneOf or anyOf.

        Implicit names count for the branches that no explicit mapping names (OAS 3.1 §4.8.25).
        """
        written = schema["discriminator"]
        branches = {
            self._resolve(branch["$ref"], at): made["$ref"]
            for keyword in ("oneOf", "anyOf")
            for branch, made in zip(schema.get(keyword) or (), out.get(keyword) or (), strict=False)
            if isinstance(branch, dict) and isinstance(branch.get("$ref"), str)
        }
        if not branches or not isinstance(written, dict) or not isinstance(written.get("propertyName"), str):
            return written
        mapping: dict[str, str] = {}
        for tag, name in (written.get("mapping") or {}).items():
            target = branches.get(self._mapped(tag, str(name), at))
            if target is not None:
                mapping[tag] = target
        named = set(mapping.values())
        mapping |= {own_name(spot): ref for spot, ref in branches.items() if ref not in named}
        return written | {"mapping": mapping}

    def _mapped(self, tag: str, name: str, at: Context) -> Spot:
        """The schema that a mapping gives by its component's name or by a reference."""
        named = self._resources.named(name) if _COMPONENT_NAME.fullmatch(name) else None
        if named is not None:
            return named
        try:
            return self._resolve(name, at)
        except UnresolvedReference as error:
            raise UnresolvedReference(
                "this mapping of a discriminator leads nowhere",
                place=self._resources.place(at.spot.below("discriminator", "mapping", tag)),
                got=name,
                allowed="the name of a schema in the components, or a reference",
                hint=error.hint,
            ) from error


def entering(bindings: Bindings, resource: Resource) -> Bindings:
    """The dynamic anchors in force inside ``resource``: those met first win (JSON Schema Core §8.2.3.2)."""
    if not resource.dynamic_anchors:
        return bindings
    bound = {name: Spot(resource.root.uri, pointer) for name, pointer in resource.dynamic_anchors.items()}
    return tuple(sorted((bound | dict(bindings)).items(), key=lambda binding: binding[0]))


def own_name(spot: Spot) -> str:
    """What a schema is called where it stands: its key, or its file's name."""
    tokens = pointers.split(spot.pointer)
    return tokens[-1] if tokens else PurePosixPath(spot.uri).stem

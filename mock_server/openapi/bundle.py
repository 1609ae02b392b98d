"""From a schema somewhere in a description to one self-contained schema in draft 2020-12.

Every language is translated to that one draft, so that the validator, sampling, inference and the wire
decoders each know a single language, and so that files of several drafts mix freely. What is translated away:

- ``$id``, ``$anchor``, files: every reference becomes ``#/$defs/<name>``.
- ``$dynamicRef`` and ``$recursiveRef``: which anchor they mean depends on the schemas passed on the way, so a
  schema is copied once for each set of anchors it is reached with (JSON Schema Core §8.2.3.2), which makes
  them static.
- readOnly and writeOnly: ``required`` does not demand what does not travel in the direction of the bundle,
  and a write-only property in a response is refused. OAS 3.0.4 §4.7.24 says SHOULD NOT; a double that lets
  passwords through would hide the very fault it is there to show.
- the words of OpenAPI 3.0, Swagger 2.0 and older drafts: see older_keywords.py.

Annotations (title, example, default, xml, x-…) stay as written; they are never walked as schemas. A bundle
holds the closure of what is reached and nothing else; each schema is translated once however many bundles
share it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mock_server.dataclass import dataclass
from mock_server.errors import UnresolvedReference
from mock_server.openapi import pointers
from mock_server.openapi.documents import Located
from mock_server.openapi.marks import Marks
from mock_server.openapi.resources import Resources, Spot
from mock_server.openapi.schema_rules import TARGET
from mock_server.openapi.translation import (
    DEFINITIONS,
    Context,
    Fragment,
    Reached,
    Translation,
    entering,
    own_name,
)
from mock_server.openapi.values import Direction, Json

_CONTAINERS = frozenset({"schemas", "definitions", "$defs"})
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A self-contained schema and what is known about where it came from.

    ``origins`` maps pointers of the bundle ("" for an inlined root, ``/$defs/Lead``) to places in the
    description, ``withheld`` are the pointers of write-only properties, ``directional`` whether requests and
    responses differ.
    """

    schema: dict[str, Json]
    origins: Mapping[str, Spot]
    withheld: frozenset[str]
    directional: bool

    def at(self, tokens: Iterable[str | int]) -> Json:
        """What the bundle holds where ``tokens`` lead."""
        here: Json = self.schema
        for token in tokens:
            here = here[int(token)] if isinstance(here, list) else here[token]
        return here

    def follow(self, schema: Json) -> Json:
        """The first schema that is not a bare reference, following local references from ``schema``."""
        while isinstance(schema, dict) and isinstance(schema.get("$ref"), str) and len(schema) == 1:
            schema = self.referred(schema["$ref"])
        return schema

    def referred(self, ref: str) -> Json:
        """The definition that a local reference names."""
        return self.schema["$defs"][ref.removeprefix(DEFINITIONS)]

    def origin(self, tokens: Sequence[str | int]) -> Spot:
        """The place in the description that a place in the bundle was made from."""
        prefix, rest = "", tokens
        if len(tokens) >= 2 and tokens[0] == "$defs":
            prefix, rest = pointers.join("", *tokens[:2]), tokens[2:]
        return self.origins.get(prefix, self.origins[""]).below(*rest)


class Bundler:
    """Bundles for one direction; definitions keep one name in all of them."""

    def __init__(self, resources: Resources, marks: Marks, direction: Direction) -> None:
        self._resources = resources
        self._marks = marks
        self._direction = direction
        self._fragments: dict[Reached, Fragment] = {}
        self._names: dict[Reached, str] = {}
        self._taken: set[str] = set()

    def bundle(self, located: Located, *, inline: bool) -> Bundle:
        """The schema at ``located`` and all it refers to; a ``DescriptionError`` when it is no schema.

        A named schema is a definition of its own bundle, unless ``inline`` asks for its value in the root.
        """
        spot = Spot(located.uri, located.pointer)
        resource = self._resources.around(spot)
        bindings = entering((), resource)
        if _is_named(spot) and not inline:
            root = Reached(spot, bindings)
            fragment = Fragment({"$ref": DEFINITIONS + self.name(root)}, (root,), (), directional=False)
        else:
            fragment = self._translate(located.value, Context(spot, resource, bindings, frozenset()))
        reached = self._closure(fragment)
        definitions = {self.name(key): part for key, part in reached.items()}
        schema: dict[str, Json] = {"$schema": TARGET} | _as_mapping(fragment.schema)
        if definitions:
            schema["$defs"] = {name: part.schema for name, part in definitions.items()}
        withheld = set(fragment.withheld)
        for name, part in definitions.items():
            withheld.update(f"/$defs/{name}{pointer}" for pointer in part.withheld)
        self._refuse_circles(reached)
        return Bundle(
            schema=schema,
            origins={"": spot} | {f"/$defs/{self.name(key)}": key.spot for key in reached},
            withheld=frozenset(withheld),
            directional=fragment.directional or any(part.directional for part in reached.values()),
        )

    def name(self, reached: Reached) -> str:
        """The name of a definition: the component's where there is one, and no other definition's."""
        name = self._names.get(reached)
        if name is None:
            wanted = name = _readable(reached.spot)
            count = 1
            while name in self._taken:
                count += 1
                name = f"{wanted}_{count}"
            self._taken.add(name)
            self._names[reached] = name
        return name

    def _translate(self, value: Json, context: Context) -> Fragment:
        translation = Translation(self._resources, self._marks, self._direction, name=self.name)
        return translation.fragment(value, context)

    def _fragment(self, reached: Reached) -> Fragment:
        fragment = self._fragments.get(reached)
        if fragment is None:
            resource = self._resources.around(reached.spot)
            context = Context(reached.spot, resource, reached.bindings, reached.optional)
            fragment = self._translate(self._resources.value(reached.spot), context)
            self._fragments[reached] = fragment
        return fragment

    def _closure(self, root: Fragment) -> dict[Reached, Fragment]:
        reached: dict[Reached, Fragment] = {}
        pending = list(reversed(root.links))
        while pending:
            key = pending.pop()
            if key not in reached:
                reached[key] = self._fragment(key)
                pending += reversed(reached[key].links)
        return reached

    def _refuse_circles(self, reached: Mapping[Reached, Fragment]) -> None:
        """A reference that leads back to itself with no schema in between says nothing at all."""
        for start in reached:
            seen = {start}
            here = start
            while len(reached[here].links) == 1 and reached[here].schema.keys() == {"$ref"}:
                (here,) = reached[here].links
                if here in seen:
                    raise UnresolvedReference(
                        "this reference leads back to itself",
                        place=self._resources.place(start.spot),
                        hint="one of the schemas on the way has to say something other than $ref",
                    )
                seen.add(here)


def _as_mapping(schema: Json) -> dict[str, Json]:
    """A boolean schema as the mapping that means the same."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return dict(schema)


def _is_named(spot: Spot) -> bool:
    tokens = pointers.split(spot.pointer)
    return not tokens or (len(tokens) > 1 and tokens[-2] in _CONTAINERS)


def _readable(spot: Spot) -> str:
    """A name for a definition in letters that need no escaping in a reference."""
    if _is_named(spot):
        wanted = own_name(spot)
    else:
        tokens = [token for token in pointers.split(spot.pointer) if token not in {"components", "schemas", "paths"}]
        wanted = "_".join(tokens)
    return _UNSAFE.sub("_", wanted).strip("_") or "schema"

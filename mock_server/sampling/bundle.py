"""A schema bundle: where its references lead, and whether a value satisfies one of its parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, unquote

import jsonschema_rs

from mock_server.dataclass import dataclass
from mock_server.sampling.unsampleable import Unsampleable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mock_server.openapi.values import Json

Accepts: TypeAlias = "Callable[[Json], bool]"

_BUNDLE_URI = "urn:apidouble:bundle"
_REF_HIDES_SIBLINGS = re.compile(
    r"draft-0[3-7]"
)  # draft 7 §8.3: "All other properties in a $ref object MUST be ignored"
_ITEMS_MAY_BE_A_LIST = re.compile(r"draft-0[3-7]|2019-09")
_DEFAULT_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One schema of the bundle and the JSON pointer to it."""

    schema: Json
    pointer: str

    def child(self, *path: str | int) -> Node:
        """The schema below this one at ``path``."""
        schema, pointer = self.schema, self.pointer
        for step in path:
            schema = schema[step]
            pointer += "/" + str(step).replace("~", "~0").replace("/", "~1")
        return Node(schema, pointer)


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A place in a value, as the schemas that all apply there; ``key`` identifies the combination."""

    nodes: tuple[Node, ...]
    key: tuple[str, ...]

    @staticmethod
    def of(nodes: Iterable[Node]) -> Site:
        """The site at which all of ``nodes`` apply."""
        distinct = {node.pointer: node for node in nodes}
        return Site(tuple(distinct.values()), tuple(distinct))

    @property
    def pointer(self) -> str:
        """The pointer of the first schema here, for messages."""
        return self.nodes[0].pointer if self.nodes else ""


class Bundle:
    """A self-contained schema, ready to be followed and checked. It never fetches anything."""

    def __init__(self, root: Json) -> None:
        self.root = root
        declared = root.get("$schema") if isinstance(root, dict) else None
        self.dialect = declared if isinstance(declared, str) else _DEFAULT_DIALECT
        self.ref_hides_siblings = bool(_REF_HIDES_SIBLINGS.search(self.dialect))
        self.items_may_be_a_list = bool(_ITEMS_MAY_BE_A_LIST.search(self.dialect))
        self._registry: jsonschema_rs.Registry | None = None
        self._anchors: dict[str, Node] | None = None

    def follow(self, reference: str) -> Node | None:
        """The schema that a local reference names, or None when it leads nowhere in this bundle."""
        if reference in ("", "#"):
            return Node(self.root, "")
        if not reference.startswith("#"):
            return None
        fragment = unquote(reference[1:])
        if not fragment.startswith("/"):
            return self._anchored().get(fragment)
        found = self.root
        for token in fragment[1:].split("/"):
            step = token.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and step in found:
                found = found[step]
            elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return Node(found, fragment)

    def accepts(self, site: Site) -> Accepts:
        """A check for values at ``site``; a part that cannot be checked alone accepts everything."""
        checks = [self._check(node) for node in site.nodes]
        if len(checks) == 1:
            return checks[0]
        return lambda value: all(check(value) for check in checks)

    def _check(self, node: Node) -> Accepts:
        if node.pointer == "":
            try:
                return _compiled(node.schema, registry=None)
            except (ValueError, jsonschema_rs.ReferencingError) as error:
                raise Unsampleable("", reason=f"the validator refuses the schema: {error}") from error
        # A reference into the whole bundle, so that what the part refers to is found where it was.
        part = {"$schema": self.dialect, "$ref": f"{_BUNDLE_URI}#{quote(node.pointer, safe='/~')}"}
        try:
            if self._registry is None:
                self._registry = jsonschema_rs.Registry([(_BUNDLE_URI, self.root)])
            return _compiled(part, registry=self._registry)
        except (ValueError, jsonschema_rs.ReferencingError):
            return lambda _value: True  # left to the check of the whole sample

    def _anchored(self) -> dict[str, Node]:
        if self._anchors is None:
            self._anchors = {}
            pending = [Node(self.root, "")]
            while pending:
                node = pending.pop()
                if isinstance(node.schema, dict):
                    for keyword in ("$anchor", "$dynamicAnchor", "$id", "id"):
                        name = node.schema.get(keyword)
                        if isinstance(name, str):
                            self._anchors.setdefault(name.removeprefix("#"), node)
                    pending.extend(node.child(key) for key in reversed(node.schema))
                elif isinstance(node.schema, list):
                    pending.extend(node.child(index) for index in reversed(range(len(node.schema))))
        return self._anchors


def _compiled(schema: Json, *, registry: jsonschema_rs.Registry | None) -> Accepts:
    validator = jsonschema_rs.validator_for(schema, registry=registry, validate_formats=True, offline=True)
    return validator.is_valid

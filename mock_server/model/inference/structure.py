"""Which paths belong together: collections, their items and what hangs below, from the templates alone.

Nothing here compiles an operation, so it is cheap for descriptions of a thousand paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mock_server.model.anatomy import words
from mock_server.openapi.compile import OperationRef

_ENDING = re.compile(r"(\.json|\.xml|/)\Z")
_PARAMETER = re.compile(r"\{[^{}/]*\}")


@dataclass(frozen=True, slots=True)
class PathGroup:
    """All operations on paths of one shape. ``methods`` maps a method to its operation id.

    ``item_of`` is the shape of the collection that this path addresses an item of, or None; ``parameters`` the names
    of its path parameters, outermost first.
    """

    shape: str
    path: str
    methods: Mapping[str, str]
    parameters: tuple[str, ...]
    item_of: str | None

    @property
    def name(self) -> str:
        """The last concrete segment, by which a resource is called."""
        literal = [segment for segment in self.path.split("/") if segment and "{" not in segment]
        return re.sub(r"[^A-Za-z0-9_.~-]", "", literal[-1]) if literal else "root"

    @property
    def parent_shape(self) -> str:
        """The shape of the path without its last segment."""
        return self.shape.rpartition("/")[0]


def shape_of(path: str) -> str:
    """A path without its parameters' names and without a format ending or trailing slash."""
    shape = _PARAMETER.sub("{}", path)
    return _ENDING.sub("", shape) if len(shape) > 1 else shape


@dataclass(frozen=True, slots=True)
class Structure:
    """The path groups of a description by shape; ``collections`` are the shapes that have items below them."""

    groups: Mapping[str, PathGroup]
    items: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]

    def item_group(self, collection_shape: str) -> PathGroup | None:
        """The group that addresses the items of a collection, or None."""
        item = self.items.get(collection_shape)
        return None if item is None else self.groups[item]


def read_structure(refs: Iterable[OperationRef]) -> Structure:
    """The structure of a description's paths."""
    paths: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {}
    for ref in refs:
        shape = shape_of(ref.template.text)
        _, methods, _ = paths.setdefault(shape, (ref.template.text, {}, ref.template.parameters))
        methods.setdefault(ref.method, ref.id)
    groups: dict[str, PathGroup] = {}
    items: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for shape, (path, methods, parameters) in paths.items():
        collection, _, last = shape.rpartition("/")
        item_of = collection if last == "{}" and _has_literal(collection) else None
        group = PathGroup(shape, path, MappingProxyType(methods), parameters, item_of)
        groups[shape] = group
        if item_of is not None:
            items[item_of] = shape
        names.setdefault("".join(words(group.name)), []).append(shape)
    return Structure(
        MappingProxyType(groups), MappingProxyType(items), {name: tuple(found) for name, found in names.items()}
    )


def _has_literal(shape: str) -> bool:
    return any(segment and segment != "{}" for segment in shape.split("/"))

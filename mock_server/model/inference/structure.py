"""Which paths belong together: collections, their items and what hangs below, from the templates alone.

Nothing here compiles an operation, so it is cheap for descriptions of a thousand paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import words
from mock_server.openapi.compile import OperationRef

_ENDING = re.compile(r"(\.json|\.xml|/)\Z")
PARAMETER = re.compile(r"\{[^{}/]*\}")
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9_.~-]")


@dataclass(frozen=True, slots=True)
class PathGroup:
    """All operations on paths of one shape. ``methods`` maps a method to its operation id.

    ``item_of`` is the shape of the collection that this path addresses an item of, or None; ``parameters``
    the names of its path parameters, outermost first. Paths of one shape may name their parameters
    differently; then these are the names of the first path, and an operation's own are those of its template.
    """

    shape: str
    path: str
    methods: Mapping[str, str]
    parameters: tuple[str, ...]
    item_of: str | None

    @property
    def name(self) -> str:
        """The last concrete segment, by which a resource is called."""
        literal = _literal_segments(self.shape)
        return _UNNAMEABLE.sub("", literal[-1]) if literal else "root"

    @property
    def parent_shape(self) -> str:
        """The shape of the path without its last segment."""
        return self.shape.rpartition("/")[0]


def shape_of(path: str) -> str:
    """A path without its parameters' names and without a format ending or trailing slash.

    A custom method (``/orders/{id}:cancel``) counts as a segment of its own.
    """
    shape = PARAMETER.sub("{}", path).replace("{}:", "{}/")
    return _ENDING.sub("", shape) if len(shape) > 1 else shape


def _literal_segments(shape: str) -> list[str]:
    return [segment for segment in shape.split("/") if segment and "{}" not in segment]


@dataclass(frozen=True, slots=True)
class Ancestor:
    """An item that a path leads through: the shape of its collection, and the parameters up to its key."""

    collection: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """The path groups of a description by shape, and the shape of every operation's path by its id.

    ``items`` maps the shape of a collection to that of its items, ``names`` the words of a group's name to
    the shapes that go by it.
    """

    groups: Mapping[str, PathGroup]
    shapes: Mapping[str, str]
    items: Mapping[str, str]
    names: Mapping[tuple[str, ...], tuple[str, ...]]

    def group_of(self, operation_id: str) -> PathGroup:
        """The path group an operation belongs to."""
        return self.groups[self.shapes[operation_id]]

    def item_group(self, collection_shape: str) -> PathGroup | None:
        """The group that addresses the items of a collection, or None."""
        item = self.items.get(collection_shape)
        return None if item is None else self.groups[item]

    def named_like(self, group: PathGroup) -> tuple[str, ...]:
        """The shapes of other groups of the same name."""
        return tuple(shape for shape in self.names.get(words(group.name), ()) if shape != group.shape)

    def ancestors(self, shape: str, parameters: tuple[str, ...]) -> tuple[Ancestor, ...]:
        """The items that a path of this shape leads through or to, outermost first."""
        found = []
        segments = shape.split("/")
        places = [index for index, segment in enumerate(segments) if "{}" in segment]
        for depth, index in enumerate(places[: len(parameters)]):
            group = self.groups.get("/".join(segments[: index + 1]))
            if group is not None and group.item_of is not None:
                found.append(Ancestor(group.item_of, parameters[: depth + 1]))
        return tuple(found)


def collections_above(shape: str) -> tuple[str, ...]:
    """The shapes of the collections whose items a path of this shape leads through, outermost first."""
    segments = shape.split("/")
    return tuple("/".join(segments[:index]) for index, segment in enumerate(segments) if "{}" in segment)


def read_structure(refs: Iterable[OperationRef]) -> Structure:
    """The structure of a description's paths."""
    paths: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {}
    shapes: dict[str, str] = {}
    for ref in refs:
        shape = shape_of(ref.template.text)
        shapes[ref.id] = shape
        _, methods, _ = paths.setdefault(shape, (ref.template.text, {}, ref.template.parameters))
        methods.setdefault(ref.method, ref.id)
    groups: dict[str, PathGroup] = {}
    items: dict[str, str] = {}
    names: dict[tuple[str, ...], list[str]] = {}
    for shape, (path, methods, parameters) in paths.items():
        collection, _, last = shape.rpartition("/")
        item_of = collection if last == "{}" and _literal_segments(collection) else None
        group = PathGroup(shape, path, MappingProxyType(methods), parameters, item_of)
        groups[shape] = group
        if item_of is not None:
            items[item_of] = shape
        names.setdefault(words(group.name), []).append(shape)
    return Structure(
        groups=MappingProxyType(groups),
        shapes=MappingProxyType(shapes),
        items=MappingProxyType(items),
        names=MappingProxyType({name: tuple(found) for name, found in names.items()}),
    )


def resource_names(structure: Structure) -> dict[str, str]:
    """A short, unique name for every shape that could be a collection or a thing without a key."""
    shapes = {*structure.items, *(s for s, group in structure.groups.items() if group.item_of is None)}
    named: dict[str, str] = {}
    taken: set[str] = set()
    for shape in sorted(shapes, key=lambda s: (s.count("/"), s)):
        literal = _literal_segments(shape) or ["root"]
        longer = (".".join(literal[-depth:]) for depth in range(1, len(literal) + 1))
        name = next((name for name in longer if name not in taken), f"{'.'.join(literal)}~{len(taken)}")
        named[shape] = name
        taken.add(name)
    return named

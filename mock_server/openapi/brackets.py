"""Nested values in flat names: ``metadata[k]=v``, ``ids[]=1``, ``items[0][price]=5``.

OpenAPI calls it ``deepObject`` and defines one level (OAS 3.1 §4.8.12.4); clients send any depth, in queries
and in forms, and all frameworks read them alike. A ``Tree`` collects what was sent; the shape then says what
is an array.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Generic, TypeVar

from mock_server.dataclass import dataclass
from mock_server.openapi import pointers
from mock_server.openapi.shapes import Shape
from mock_server.openapi.undecodable import Undecodable, excerpt
from mock_server.openapi.values import Json

MAX_BRACKETS = 32
"""Names with more brackets than this are refused."""

Leaf = TypeVar("Leaf")

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_KEY = re.compile(r"\[([^\[\]]*)\]")
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """``("items", ("0", "price"))`` for ``items[0][price]``; a name without proper brackets has no keys."""
    found = _NAME.fullmatch(name) if name.endswith("]") else None
    if found is None:
        return name, ()
    keys = tuple(_KEY.findall(found[2]))
    if len(keys) > MAX_BRACKETS:
        raise Undecodable(
            "maxDepth",
            f"the name {excerpt(name)!r} nests {len(keys)} levels, more than {MAX_BRACKETS}",
            MAX_BRACKETS,
            len(keys),
            name=excerpt(found[1]),
        )
    return found[1], keys


@dataclass(slots=True)
class Tree(Generic[Leaf]):
    """What was sent under one name: ``leaves`` as they came, ``members`` by key, ``items`` of the key ``[]``.

    The one mutable value of this package: it lives for as long as one message is being read.
    """

    leaves: list[Leaf] = field(default_factory=list)
    members: dict[str, Tree[Leaf]] = field(default_factory=dict)
    items: list[Tree[Leaf]] = field(default_factory=list)

    def add(self, keys: tuple[str, ...], leaf: Leaf) -> None:
        """Puts a leaf where the keys lead; ``[]`` opens a new item, unless the last one still lacks this
        member.

        So ``list[][a]=1&list[][b]=2&list[][a]=3`` is two items, as web frameworks read it.
        """
        here = self
        for position, key in enumerate(keys):
            if key:
                here = here.members.setdefault(key, Tree())
                continue
            rest = keys[position + 1 :]
            if not rest or not here.items or here.items[-1]._holds(rest):
                here.items.append(Tree())
            here = here.items[-1]
        here.leaves.append(leaf)

    def _holds(self, keys: tuple[str, ...]) -> bool:
        if not keys[0] or "" in keys:
            return not keys[0]
        here: Tree[Leaf] | None = self
        for key in keys:
            here = here.members.get(key) if here is not None else None
        return here is not None

    def value(self, shape: Shape, read: Callable[[Leaf, Shape], Json], pointer: str = "") -> Json:
        """The JSON value sent, each leaf turned into one by ``read`` under its own shape."""
        if self.members:
            if self.leaves or self.items:
                raise Undecodable(
                    "style",
                    "one name was sent both as an object and as a plain value or list",
                    "name=value, name[]=value or name[member]=value, but one of them only",
                    sorted(excerpt(key) for key in self.members)[:5],
                    pointer,
                )
            return self._container(shape, read, pointer)
        if self.items:
            texts: list[Tree[Leaf]] = [Tree(leaves=[leaf]) for leaf in self.leaves]
            return _list(texts + self.items, shape, read, pointer)
        return self._plain(shape, read, pointer)

    def _container(self, shape: Shape, read: Callable[[Leaf, Shape], Json], pointer: str) -> Json:
        if self._is_indexed(shape):
            ordered = sorted(self.members.items(), key=lambda member: int(member[0]))
            return _list([child for _, child in ordered], shape, read, pointer)
        return {
            key: child.value(shape.member(key), read, pointers.join(pointer, key))
            for key, child in self.members.items()
        }

    def _is_indexed(self, shape: Shape) -> bool:
        """Whether the keys are indices: any numbers for an array, 0, 1, 2 … where nothing is said."""
        if shape.types and not shape.is_list:
            return False
        if not all(_INDEX.fullmatch(key) for key in self.members):
            return False
        return shape.is_list or {int(key) for key in self.members} == set(range(len(self.members)))

    def _plain(self, shape: Shape, read: Callable[[Leaf, Shape], Json], pointer: str) -> Json:
        repeated = len(self.leaves) > 1
        if (shape.is_list and (repeated or not shape.is_scalar)) or (repeated and not shape.types):
            return _list([Tree(leaves=[leaf]) for leaf in self.leaves], shape, read, pointer)
        if repeated:
            raise duplicate(len(self.leaves)).at(pointer)
        try:
            return read(self.leaves[0], shape)
        except Undecodable as failure:
            raise failure.at(pointer) from None


def _list(trees: list[Tree[Leaf]], shape: Shape, read: Callable[[Leaf, Shape], Json], pointer: str) -> list[Json]:
    return [child.value(shape.item(index), read, pointers.join(pointer, index)) for index, child in enumerate(trees)]


def duplicate(times: int) -> Undecodable:
    """The failure of a single value that was sent several times."""
    return Undecodable("duplicate", f"a single value was sent {times} times", 1, times)

"""Which items have a text at a path: kept beside a collection and moved on with each of its versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from immutables import Map

from mock_server.openapi.values import Json

Index: TypeAlias = Map[str, tuple[str, ...]]
"""Keys by the text that their values have at one path."""

Indexes: TypeAlias = Map[tuple[str, ...], Index]
"""Indexes by their paths."""


def indexed(path: tuple[str, ...], items: Iterable[tuple[str, Json]]) -> Index:
    """The index of many items, given as key and value."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in items:
        text = text_at(path, value)
        if text is not None:
            found[text] = (*found.get(text, ()), key)
    return Map(found)


def moved(indexes: Indexes, key: str, old: Json, new: Json) -> Indexes:
    """The indexes after a key's value became another; None stands for no value."""
    for path, index in indexes.items():
        before, after = text_at(path, old), text_at(path, new)
        if before == after:
            continue
        if before is not None:
            left = tuple(other for other in index[before] if other != key)
            index = index.set(before, left) if left else index.delete(before)
        if after is not None:
            index = index.set(after, (*index.get(after, ()), key))
        indexes = indexes.set(path, index)
    return indexes


def text_at(path: tuple[str, ...], value: Json) -> str | None:
    """The text, or the number as text, that a value has at a path."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None

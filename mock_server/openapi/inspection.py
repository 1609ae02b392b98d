"""What the fast parsers do not tell of a YAML or JSON text, found by walking its events."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from mock_server.errors import Place, SourceError
from mock_server.openapi.source import YAML_DEPTH, Limits, too_deep, too_many
from mock_server.openapi.visiting import EVENT_LOADER, visits

_WIDE = re.compile(r"[-+]?[0-9]{19,}")
_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}


def inspect(text: str, name: str, limits: Limits) -> None:
    """Refuses tags, nesting, anchors that contain themselves and aliases that multiply the document."""
    sizes: dict[str | None, int] = {}  # how many values each finished anchor stands for
    unfinished: list[tuple[str | None, int]] = []  # each open collection's anchor, and the count before it
    count = 0
    for event in _read_through(yaml.parse(text, Loader=EVENT_LOADER), name):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = unfinished.pop()  # None for those without an anchor, which no alias names
            sizes[anchor] = count - before
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in {anchor for anchor, _ in unfinished} - sizes.keys():
                raise SourceError("an anchor contains itself", place=_line(event, name), got=f"*{event.anchor}")
            count += sizes.get(event.anchor, 0)  # an unknown anchor is ryaml's to refuse
        elif isinstance(event, yaml.NodeEvent):
            _refuse_tag(event, name)
            if isinstance(event, yaml.CollectionStartEvent):
                sizes.pop(event.anchor, None)
                unfinished.append((event.anchor, count))
            else:
                sizes[event.anchor] = 1
            count += 1
        if len(unfinished) > min(limits.max_depth, YAML_DEPTH):
            raise too_deep(name, min(limits.max_depth, YAML_DEPTH), line=event.start_mark.line + 1)
        if count > limits.max_nodes:
            raise too_many(name, limits, line=event.start_mark.line + 1)


def _line(event: Any, name: str) -> Place:
    return Place(name, line=event.start_mark.line + 1)


def _refuse_tag(event: Any, name: str) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None and tag not in _CORE_TAGS:
        raise SourceError(
            "a tag that an API description may not use",
            place=_line(event, name),
            got=tag,
            allowed="!!str !!int !!float !!bool !!null !!map !!seq",
            hint="remove the tag; write the value as plain YAML",
        )


def _read_through(walk: Iterator[Any], name: str) -> Iterator[Any]:
    """What a walk of the event stream yields, a syntax error in the text turned into a ``SourceError``."""
    try:
        yield from walk
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        raise SourceError(f"not valid YAML: {error.problem}", place=Place(name, line=line)) from error
    except yaml.YAMLError as error:
        raise SourceError(f"not valid YAML: {error}", place=Place(name)) from error


def with_quoted_keys(text: str, name: str) -> str:
    """The same YAML, its plain mapping keys put in quotes so that each stays the string that was written."""
    pieces: list[str] = []
    done = 0
    for visit in _read_through(visits(text), name):
        event = visit.event
        plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0] and not event.style
        if visit.is_key and plain and event.anchor is None and event.value not in {"", "<<"}:
            start, end = event.start_mark.index, event.end_mark.index
            pieces += (text[done:start], "'", text[start:end].replace("'", "''"), "'")
            done = end
    return "".join([*pieces, text[done:]])


def with_wide_numbers(text: str, name: str) -> str:
    """The same YAML, its integers of 19 digits and more written as floats, which is what JSON readers make of them.

    Descriptions give bounds as JavaScript rounds them: -9223372036854776000 for the smallest 64-bit integer.
    """
    pieces: list[str] = []
    done = 0
    for visit in _read_through(visits(text), name):
        event = visit.event
        plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0] and not event.style
        if plain and not visit.is_key and _WIDE.fullmatch(event.value):
            end = event.end_mark.index
            pieces += (text[done:end], ".0")
            done = end
    return "".join([*pieces, text[done:]])


def duplicate_key(text: str, name: str) -> SourceError:
    """The error of a key that stands twice in one mapping, with both lines."""
    seen: dict[str, int] = {}
    with contextlib.suppress(yaml.YAMLError):
        for visit in visits(text):
            if visit.is_key and visit.pointer in seen:
                return SourceError(
                    f"the key {getattr(visit.event, 'value', '')!r} is there twice",
                    place=Place(name, visit.pointer, visit.line),
                    hint=f"remove it here or on line {seen[visit.pointer]}",
                )
            if visit.is_key:
                seen[visit.pointer] = visit.line
    return SourceError("a key is there twice in one mapping", place=Place(name))


def complex_key(text: str, name: str) -> SourceError:
    """The error of a key that is no scalar."""
    keys = [visit for visit in _read_through(visits(text), name) if visit.is_key]
    first = next((key for key in keys if isinstance(key.event, yaml.CollectionStartEvent)), None)
    place = Place(name, line=first.line if first is not None else None)
    return SourceError("a mapping key is a mapping or a list", place=place, allowed="a string as the key")

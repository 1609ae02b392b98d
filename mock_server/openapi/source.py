"""YAML and JSON text turned into values, with everything hostile or ambiguous refused by name and line.

JSON is read by orjson and YAML by ryaml: both are fast and neither builds Python objects from tags. What they
let pass silently (duplicate JSON members, YAML tags, aliases that multiply the document) is checked here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
import ryaml
import yaml

from mock_server.errors import Place, SourceError, did_you_mean
from mock_server.openapi.pointers import EVENT_LOADER, join, visits
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one source may hold: bytes, levels of nesting, and values once its aliases are expanded."""

    max_bytes: int = 64 * 1024 * 1024
    max_depth: int = 200
    max_nodes: int = 5_000_000


DEFAULT_LIMITS = Limits()

_YAML_DEPTH = 128  # ryaml's own recursion limit
_CACHE_FORMAT = 1  # part of each cache key: raise it when the same text would parse to another value
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}

# Cheap over-estimates: where they match, the (five times slower) event stream is walked to be certain.
_NODE_START = r"(?:\A|[\s\ufeff\[{,:?-])"
_MAYBE_TAG = re.compile(_NODE_START + "!")
_ANCHOR = re.compile(_NODE_START + r"&([\w-]+)", re.ASCII)
_ALIAS = re.compile(_NODE_START + r"\*([\w-]+)", re.ASCII)
_BRACKET = re.compile(r"[\[\]{}]")
_RYAML_POSITION = re.compile(r" at (?:line (\d+) column \d+|position (\d+))")


def read(path: Path, *, name: str, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a regular file, at most one over the limit; a ``SourceError`` if it cannot be read."""
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return stream.read(limits.max_bytes + 1)  # one more, so that ``parse`` sees it is too large
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", place=Place(name)) from error
    if path.exists():
        raise SourceError("not a regular file", place=Place(name), allowed="a YAML or JSON file")
    raise SourceError("no such file", place=Place(name), hint=did_you_mean(path.name, siblings(path)))


def siblings(path: Path) -> list[str]:
    """The names of what lies beside ``path``, for a hint; empty when its folder cannot be listed."""
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def parse(data: bytes, *, name: str, limits: Limits = DEFAULT_LIMITS, cache: Path | None = None) -> Json:
    """The JSON value that YAML or JSON text stands for; a ``SourceError`` when it is neither, or hostile.

    ``name`` is what messages call the source; one that ends in .json must be JSON. YAML is read by the core
    schema of YAML 1.2 (dates and yes/no stay strings) plus merge keys; mapping keys become strings. ``cache``
    is a folder for what has been parsed before, by content; a missing or corrupt entry only costs time.
    """
    data = data.removeprefix(_BOM)
    text = _decoded(data, name, limits)
    if name.lower().endswith(".json") or text.lstrip()[:1] in {"{", "["}:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            # A YAML flow mapping starts with a brace as well.
            if not name.lower().endswith((".yaml", ".yml")):
                raise _not_json(error, name, limits) from error
        else:
            _check_shape(value, name, limits, limits.max_depth)
            if _recall(cache, data, "json") is None:
                _refuse_duplicate_members(text, name)
                _remember(cache, data, "json", b"")
            return value
    known = _recall(cache, data, "yaml")
    value = _parse_yaml(text, name, limits) if known is None else orjson.loads(known)
    _check_shape(value, name, limits, min(limits.max_depth, _YAML_DEPTH))
    if known is None and cache is not None:
        _remember(cache, data, "yaml", orjson.dumps(value))
    return value


def checked(value: Any, *, name: str, limits: Limits = DEFAULT_LIMITS) -> Json:
    """A copy of a value made in memory, integer keys as strings; a ``SourceError`` if it is not JSON."""
    _check_shape(value, name, limits, min(limits.max_depth, _YAML_DEPTH))
    try:
        return _as_json(value, "")
    except _Misfit as misfit:
        raise SourceError(misfit.problem, place=Place(name, misfit.pointer), hint=misfit.hint) from misfit


def lines(data: bytes) -> dict[str, int]:
    """The 1-based line on which each value starts, by JSON pointer, as far as the text can be read.

    Walks the whole event stream, which takes seconds for megabytes: for messages only. Never raises.
    """
    text = data.removeprefix(_BOM).decode("utf-8", errors="replace")
    found: dict[str, int] = {}
    with contextlib.suppress(yaml.YAMLError):
        for visit in visits(text):
            if not visit.is_key:
                found.setdefault(visit.pointer, visit.line)
    return found


def nearest_line(known: dict[str, int], pointer: str) -> int | None:
    """The line of the value at ``pointer``, or of the nearest ancestor that has one."""
    while pointer not in known:
        if "/" not in pointer:
            return known.get("")
        pointer = pointer.rpartition("/")[0]
    return known[pointer]


def line_of(data: bytes, pointer: str) -> int | None:
    """The 1-based line of the value at a JSON pointer, or of its nearest ancestor; never raises."""
    return nearest_line(_kept_lines(data), pointer)


_kept_lines = lru_cache(maxsize=4)(lines)
"""The lines of the files that were asked for last: who asks for one place asks for others."""


def _decoded(data: bytes, name: str, limits: Limits) -> str:
    if len(data) > limits.max_bytes:
        raise SourceError("too large", place=Place(name), allowed=f"at most {limits.max_bytes:,} bytes")
    if data.startswith(_WIDE_BOMS) or b"\0" in data[:2]:
        raise SourceError("not UTF-8 but UTF-16 or UTF-32", place=Place(name), hint="save the file as UTF-8")
    if (nul := data.find(b"\0")) >= 0:
        raise SourceError("a NUL byte is not text", place=Place(name, line=data.count(b"\n", 0, nul) + 1))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(
            "not valid UTF-8",
            place=Place(name, line=line),
            got=f"byte 0x{data[error.start]:02x}",
            hint="save the file as UTF-8",
        ) from error


def _not_json(error: orjson.JSONDecodeError, name: str, limits: Limits) -> SourceError:
    if "depth limit" in error.msg:
        return _too_deep(name, limits.max_depth)
    problem = error.msg.partition(": line ")[0]
    return SourceError(f"not valid JSON: {problem}", place=Place(name, line=error.lineno))


def _refuse_duplicate_members(text: str, name: str) -> None:
    """RFC 8259 §4: names within an object should be unique; orjson silently keeps the last one."""
    duplicated = False

    def note(pairs: list[tuple[str, Json]]) -> None:
        nonlocal duplicated
        duplicated = duplicated or len({key for key, _ in pairs}) != len(pairs)

    json.loads(text, object_pairs_hook=note)
    if duplicated:
        raise _duplicate_key(text, name)


class _Misfit(Exception):
    """A YAML value that JSON cannot carry, before its line is known."""

    def __init__(self, problem: str, pointer: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.pointer = pointer
        self.hint = hint


def _parse_yaml(text: str, name: str, limits: Limits) -> Json:
    if _needs_inspection(text, limits):
        _inspect(text, name, limits)
    value = _loaded(text, name, limits)
    if _has_ambiguous_keys(value):
        value = _loaded(_with_quoted_keys(text, name), name, limits)
    try:
        return _as_json(value, "")
    except _Misfit as misfit:
        line = line_of(text.encode(), misfit.pointer)
        place = Place(name, misfit.pointer, line)
        raise SourceError(misfit.problem, place=place, hint=misfit.hint) from misfit


def _loaded(text: str, name: str, limits: Limits) -> Json:
    """What ryaml reads, its errors put into our words."""
    try:
        return ryaml.loads(text)  # type: ignore[attr-defined]  # ryaml exports it, but without an __all__
    except ValueError as error:
        problem = str(error)
        if "recursion limit exceeded" in problem:
            raise _too_deep(name, min(limits.max_depth, _YAML_DEPTH)) from error
        if "repetition limit exceeded" in problem:
            raise _too_many(name, limits) from error
        if "duplicate entry" in problem:
            quoted = _with_quoted_keys(text, name)
            if quoted != text:  # 1.1 and 1.10 are one number, but two keys
                return _loaded(quoted, name, limits)
            raise _duplicate_key(text, name) from error
        if "more than one document" in problem:
            raise SourceError("holds more than one YAML document", place=Place(name), allowed="one") from error
        if "unhashable type" in problem:
            raise _complex_key(text, name) from error
        raise _not_yaml(problem, text, name) from error


def _not_yaml(problem: str, text: str, name: str) -> SourceError:
    line = None
    if position := _RYAML_POSITION.search(problem):
        written, offset = position.groups()
        line = int(written) if written else text.encode()[: int(offset)].count(b"\n") + 1
        problem = problem[: position.start()] + problem[position.end() :]
    if "as u128" in problem or "as i128" in problem:
        return SourceError(
            "an integer does not fit into 64 bits",
            place=Place(name, line=line),
            allowed="-2^63 to 2^64 - 1",
            hint="write it with an exponent (1.0e+30) or in quotes",
        )
    return SourceError(f"not valid YAML: {problem}", place=Place(name, line=line))


def _needs_inspection(text: str, limits: Limits) -> bool:
    """Whether the text may hold tags, aliases, or flow collections deep enough to slow ryaml down."""
    if _MAYBE_TAG.search(text):
        return True
    if not set(_ANCHOR.findall(text)).isdisjoint(_ALIAS.findall(text)):
        return True
    steps = (1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(text))
    open_now = accumulate(steps, lambda depth, step: max(0, depth + step), initial=0)
    return any(depth > limits.max_depth for depth in open_now)


def _inspect(text: str, name: str, limits: Limits) -> None:
    """Refuse tags, nesting, anchors that contain themselves and aliases that multiply the document."""
    sizes: dict[str | None, int] = {}  # how many values each finished anchor stands for
    unfinished: list[tuple[str | None, int]] = []  # each open collection's anchor, and the count before it
    count = 0
    for event in _read_through(yaml.parse(text, Loader=EVENT_LOADER), name):
        place = Place(name, line=event.start_mark.line + 1)
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = unfinished.pop()  # None for those without an anchor, which no alias names
            sizes[anchor] = count - before
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in {anchor for anchor, _ in unfinished} - sizes.keys():
                raise SourceError("an anchor contains itself", place=place, got=f"*{event.anchor}")
            count += sizes.get(event.anchor, 0)  # an unknown anchor is ryaml's to refuse
        elif isinstance(event, yaml.NodeEvent):
            _refuse_tag(event, place)
            if isinstance(event, yaml.CollectionStartEvent):
                sizes.pop(event.anchor, None)
                unfinished.append((event.anchor, count))
            else:
                sizes[event.anchor] = 1
            count += 1
        if len(unfinished) > min(limits.max_depth, _YAML_DEPTH):
            raise _too_deep(name, min(limits.max_depth, _YAML_DEPTH), line=place.line)
        if count > limits.max_nodes:
            raise _too_many(name, limits, line=place.line)


def _refuse_tag(event: Any, place: Place) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None and tag not in _CORE_TAGS:
        raise SourceError(
            "a tag that an API description may not use",
            place=place,
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


def _has_ambiguous_keys(value: Json) -> bool:
    """Whether a key's spelling is lost: 1.10 became 1.1, and Python takes 1, 1.0 and true for one key."""
    return any(
        type(key) is not str and not (type(key) is int and key > 1)
        for level in _levels(value)
        for container in level
        if type(container) is dict
        for key in container
    )


def _with_quoted_keys(text: str, name: str) -> str:
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


def _as_json(value: Json, pointer: str) -> Json:
    """The value with string keys, merge keys merged and finite numbers; ``_YAML_DEPTH`` calls deep."""
    if type(value) is dict:
        return _as_object(value, pointer)
    if type(value) is list:
        return [_as_json(item, join(pointer, index)) for index, item in enumerate(value)]
    if type(value) is float and not math.isfinite(value):
        raise _Misfit("JSON has no infinity and no NaN", pointer, hint="write a finite number, or quote it")
    if value is not None and not isinstance(value, str | int | float):
        raise _Misfit(f"JSON has no {type(value).__name__}", pointer)
    return value


def _as_object(mapping: dict[object, Json], pointer: str) -> dict[str, Json]:
    result: dict[str, Json] = {}
    merged: dict[str, Json] = {}
    for key, member in mapping.items():
        if type(key) is not str and type(key) is not int:
            raise _Misfit(f"a mapping key is a string, not {key!r}", pointer, hint="put the key in quotes")
        name = str(key)
        member = _as_json(member, join(pointer, name))
        if name == "<<":
            merged = _merge_sources(member, pointer)
        elif name in result:
            raise _Misfit(f"the key {name!r} is there twice", join(pointer, name), hint="remove one of the two")
        else:
            result[name] = member
    return {**merged, **result} if merged else result


def _merge_sources(member: Json, pointer: str) -> dict[str, Json]:
    """What ``<<`` adds to a mapping: of several sources the earlier one wins (YAML merge key draft, 2005).

    A quoted ``"<<"`` merges as well, since ryaml does not say how a key was written.
    """
    sources = member if type(member) is list else [member]
    merged: dict[str, Json] = {}
    for source in reversed(sources):
        if type(source) is not dict:
            raise _Misfit("a merge key (<<) takes a mapping or a list of mappings", join(pointer, "<<"))
        merged = {**merged, **source}
    return merged


def _levels(value: Json) -> Iterator[list[Json]]:
    """The containers of each level of nesting, outermost first; no recursion, whatever the depth."""
    level = [value] if type(value) in {dict, list} else []
    while level:
        yield level
        level = [
            member
            for container in level
            for member in (container.values() if type(container) is dict else container)
            if type(member) is dict or type(member) is list
        ]


def _check_shape(value: Json, name: str, limits: Limits, max_depth: int) -> None:
    nodes = 1
    for depth, level in enumerate(_levels(value), start=1):
        nodes += sum(map(len, level))
        if depth > max_depth:
            raise _too_deep(name, max_depth)
        if nodes > limits.max_nodes:
            raise _too_many(name, limits)


def _too_deep(name: str, max_depth: int, *, line: int | None = None) -> SourceError:
    return SourceError("nested too deeply", place=Place(name, line=line), allowed=f"at most {max_depth} levels")


def _too_many(name: str, limits: Limits, *, line: int | None = None) -> SourceError:
    return SourceError(
        "holds too many values once its aliases are expanded",
        place=Place(name, line=line),
        allowed=f"at most {limits.max_nodes:,} values",
    )


def _duplicate_key(text: str, name: str) -> SourceError:
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


def _complex_key(text: str, name: str) -> SourceError:
    keys = [visit for visit in _read_through(visits(text), name) if visit.is_key]
    first = next((key for key in keys if isinstance(key.event, yaml.CollectionStartEvent)), None)
    place = Place(name, line=first.line if first is not None else None)
    return SourceError("a mapping key is a mapping or a list", place=place, allowed="a string as the key")


def _entry(cache: Path, data: bytes, kind: str) -> Path:
    return cache / f"{hashlib.sha256(data).hexdigest()}.{_CACHE_FORMAT}.{kind}"


def _recall(cache: Path | None, data: bytes, kind: str) -> bytes | None:
    """What was remembered for this content, or None; the entry's first line is the digest of the rest."""
    if cache is None:
        return None
    try:
        digest, _, payload = _entry(cache, data, kind).read_bytes().partition(b"\n")
    except OSError:
        return None
    return payload if hashlib.sha256(payload).hexdigest().encode() == digest else None


def _remember(cache: Path | None, data: bytes, kind: str, payload: bytes) -> None:
    """Keep ``payload`` for this content: whole or not at all, and never an error."""
    if cache is None:
        return
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, delete=False) as stream:
            stream.write(hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
        try:
            os.replace(stream.name, _entry(cache, data, kind))
        finally:
            Path(stream.name).unlink(missing_ok=True)

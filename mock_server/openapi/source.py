"""YAML and JSON text turned into values, with everything hostile or ambiguous refused by name and line.

JSON is read by orjson and YAML by ryaml: both are fast and neither builds Python objects from tags. What they
let pass silently (duplicate JSON members, YAML tags, aliases that multiply the document) is checked here.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
import ryaml

from mock_server.dataclass import dataclass
from mock_server.errors import Place, SourceError, did_you_mean
from mock_server.openapi.cache import digest_of, recall, remember
from mock_server.openapi.pointers import join
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one source may hold: bytes, levels of nesting, and values once its aliases are expanded."""

    max_bytes: int = 64 * 1024 * 1024
    max_depth: int = 200
    max_nodes: int = 5_000_000


DEFAULT_LIMITS = Limits()

YAML_DEPTH = 128  # ryaml's own recursion limit
_TEXT = frozenset({str})
_PLAIN = frozenset({str, int, bool, type(None)})  # what is a JSON value whatever it says
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

# Cheap over-estimates: where they match, the (five times slower) event stream is walked to be certain.
_NODE_START = r"(?:\A|[\s\ufeff\[{,:?-])"
_MAYBE_TAG = re.compile(_NODE_START + "!")
_ANCHOR = re.compile(_NODE_START + r"&([\w-]+)", re.ASCII)
_ALIAS = re.compile(_NODE_START + r"\*([\w-]+)", re.ASCII)
_BRACKET = re.compile(r"[\[\]{}]")
_TOO_WIDE = re.compile("as [iu]128")
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


def parse(
    data: bytes, *, name: str, limits: Limits = DEFAULT_LIMITS, cache: Path | None = None, digest: str | None = None
) -> Json:
    """The JSON value that YAML or JSON text stands for; a ``SourceError`` when it is neither, or hostile.

    ``name`` is what messages call the source; one that ends in .json must be JSON. YAML is read by the core
    schema of YAML 1.2 (dates and yes/no stay strings) plus merge keys; mapping keys become strings. ``cache``
    is a folder for what has been parsed before, by content; a missing or corrupt entry only costs time.
    ``digest`` is the text's, where it is known.
    """
    data = data.removeprefix(_BOM)
    _refuse_size(data, name, limits)
    if digest is None:
        digest = digest_of(data) if cache is not None else ""
    known = _recalled(data, digest, name, limits, cache)
    if known is not None:
        return known[0]
    text = _decoded(data, name)
    if name.lower().endswith(".json") or text.lstrip()[:1] in {"{", "["}:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            # A YAML flow mapping starts with a brace as well.
            if not name.lower().endswith((".yaml", ".yml")):
                raise _not_json(error, name, limits) from error
        else:
            size = _sized(value, name, limits, limits.max_depth)
            _refuse_duplicate_members(value, data, text, name)
            remember(cache, digest, "json", size.written())
            return value
    value = _parse_yaml(text, name, limits)
    size = _sized(value, name, limits, min(limits.max_depth, YAML_DEPTH))
    if cache is not None:
        remember(cache, digest, "yaml", size.written() + orjson.dumps(value))
    return value


def _recalled(data: bytes, digest: str, name: str, limits: Limits, cache: Path | None) -> tuple[Json] | None:
    """What a text stood for when it was parsed before, in a tuple since null is a value; None when it was not.

    Only a text that passed every check is in the cache, so that it fits the limits is all there is to check.
    """
    kinds = ("json",) if name.lower().endswith(".json") else ("json", "yaml")
    for kind in kinds if cache is not None else ():
        entry = recall(cache, digest, kind)
        if entry is None:
            continue
        with contextlib.suppress(ValueError):
            first, _, payload = entry.partition(b"\n")
            depth, nodes = map(int, first.split())
            _refuse_shape(_Size(depth, nodes), name, limits, limits.max_depth)
            return (orjson.loads(data if kind == "json" else payload),)
    return None


def checked(value: Any, *, name: str, limits: Limits = DEFAULT_LIMITS) -> Json:
    """A copy of a value made in memory, integer keys as strings; a ``SourceError`` if it is not JSON."""
    _sized(value, name, limits, min(limits.max_depth, YAML_DEPTH))
    try:
        return _as_json(value)
    except _Misfit as misfit:
        raise SourceError(misfit.problem, place=Place(name, misfit.pointer), hint=misfit.hint) from misfit


def lines(data: bytes) -> dict[str, int]:
    """The 1-based line on which each value starts, by JSON pointer, as far as the text can be read.

    Walks the whole event stream, which takes seconds for megabytes: for messages only. Never raises.
    """
    from mock_server.openapi.visiting import starts

    return starts(data.removeprefix(_BOM).decode("utf-8", errors="replace"))


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


def _refuse_size(data: bytes, name: str, limits: Limits) -> None:
    if len(data) > limits.max_bytes:
        raise SourceError("too large", place=Place(name), allowed=f"at most {limits.max_bytes:,} bytes")


def _decoded(data: bytes, name: str) -> str:
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
        return too_deep(name, limits.max_depth)
    problem = error.msg.partition(": line ")[0]
    return SourceError(f"not valid JSON: {problem}", place=Place(name, line=error.lineno))


def _refuse_duplicate_members(value: Json, data: bytes, text: str, name: str) -> None:
    """RFC 8259 §4: names within an object should be unique; orjson silently keeps the last one."""
    layouts = (orjson.OPT_INDENT_2, orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, 0, orjson.OPT_APPEND_NEWLINE)
    if any(len(written := orjson.dumps(value, option=layout)) == len(data) and written == data for layout in layouts):
        return  # what most programs write: nothing was lost, and it took a tenth of the time
    duplicated = False

    def note(pairs: list[tuple[str, Json]]) -> None:
        nonlocal duplicated
        duplicated = duplicated or len({key for key, _ in pairs}) != len(pairs)

    json.loads(text, object_pairs_hook=note)
    if duplicated:
        from mock_server.openapi.inspection import duplicate_key

        raise duplicate_key(text, name)


class _Misfit(Exception):
    """A YAML value that JSON cannot carry, before its line is known."""

    def __init__(self, problem: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.pointer = ""
        self.hint = hint

    def below(self, token: str | int) -> _Misfit:
        """The same in a container: pointers are put together on the way out, since they are hardly ever needed."""
        self.pointer = join("", token) + self.pointer
        return self


def _parse_yaml(text: str, name: str, limits: Limits) -> Json:
    if _needs_inspection(text, limits):
        from mock_server.openapi.inspection import inspect

        inspect(text, name, limits)
    value = _loaded(text, name, limits)
    if _has_ambiguous_keys(value):
        from mock_server.openapi.inspection import with_quoted_keys

        value = _loaded(with_quoted_keys(text, name), name, limits)
    try:
        return _as_json(value)
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
            raise too_deep(name, min(limits.max_depth, YAML_DEPTH)) from error
        if "repetition limit exceeded" in problem:
            raise too_many(name, limits) from error
        from mock_server.openapi.inspection import complex_key, duplicate_key, with_quoted_keys, with_wide_numbers

        if "duplicate entry" in problem:
            quoted = with_quoted_keys(text, name)
            if quoted != text:  # 1.1 and 1.10 are one number, but two keys
                return _loaded(quoted, name, limits)
            raise duplicate_key(text, name) from error
        if _TOO_WIDE.search(problem):
            wide = with_wide_numbers(text, name)
            if wide != text:
                return _loaded(wide, name, limits)
        if "more than one document" in problem:
            raise SourceError("holds more than one YAML document", place=Place(name), allowed="one") from error
        if "unhashable type" in problem:
            raise complex_key(text, name) from error
        raise _not_yaml(problem, text, name) from error


def _not_yaml(problem: str, text: str, name: str) -> SourceError:
    line = None
    if position := _RYAML_POSITION.search(problem):
        written, offset = position.groups()
        line = int(written) if written else text.encode()[: int(offset)].count(b"\n") + 1
        problem = problem[: position.start()] + problem[position.end() :]
    if _TOO_WIDE.search(problem):
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
    if "&" in text and "*" in text and not set(_ANCHOR.findall(text)).isdisjoint(_ALIAS.findall(text)):
        return True
    if text.count("[") + text.count("{") <= limits.max_depth:
        return False
    steps = (1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(text))
    open_now = accumulate(steps, lambda depth, step: max(0, depth + step), initial=0)
    return any(depth > limits.max_depth for depth in open_now)


def _has_ambiguous_keys(value: Json) -> bool:
    """Whether a key's spelling is lost: 1.10 became 1.1, and Python takes 1, 1.0 and true for one key."""
    return any(
        not (type(key) is int and key > 1)
        for level in _levels(value)
        for container in level
        if type(container) is dict and not _TEXT.issuperset(map(type, container))
        for key in container
        if type(key) is not str
    )


def _as_json(value: Json) -> Json:
    """The value with string keys, merge keys merged and finite numbers; ``YAML_DEPTH`` calls deep."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return _as_object(value)
    if kind is list:
        items: list[Json] = []
        try:
            for item in value:
                items.append(item if type(item) in _PLAIN else _as_json(item))  # noqa: PERF401 - len(items) is where
        except _Misfit as misfit:
            raise misfit.below(len(items)) from None
        return items
    if isinstance(value, float) and not math.isfinite(value):
        raise _Misfit("JSON has no infinity and no NaN", hint="write a finite number, or quote it")
    if not isinstance(value, str | int | float):
        raise _Misfit(f"JSON has no {kind.__name__}")
    return value


def _as_object(mapping: dict[object, Json]) -> dict[str, Json]:
    result: dict[str, Json] = {}
    merged: dict[str, Json] = {}
    for key, member in mapping.items():
        if type(key) is not str and type(key) is not int:
            raise _Misfit(f"a mapping key is a string, not {key!r}", hint="put the key in quotes")
        name = str(key)
        try:
            if type(member) not in _PLAIN:
                member = _as_json(member)
            if name == "<<":
                merged = _merge_sources(member)
            elif name in result:
                raise _Misfit(f"the key {name!r} is there twice", hint="remove one of the two")
            else:
                result[name] = member
        except _Misfit as misfit:
            raise misfit.below(name) from None
    return {**merged, **result} if merged else result


def _merge_sources(member: Json) -> dict[str, Json]:
    """What ``<<`` adds to a mapping: of several sources the earlier one wins (YAML merge key draft, 2005).

    A quoted ``"<<"`` merges as well, since ryaml does not say how a key was written.
    """
    sources = member if type(member) is list else [member]
    merged: dict[str, Json] = {}
    for source in reversed(sources):
        if type(source) is not dict:
            raise _Misfit("a merge key (<<) takes a mapping or a list of mappings")
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


@dataclass(frozen=True, slots=True)
class _Size:
    """How deep a value is nested and how many values are in it."""

    depth: int
    nodes: int

    def written(self) -> bytes:
        """The first line of a cache entry."""
        return b"%d %d\n" % (self.depth, self.nodes)


def _sized(value: Json, name: str, limits: Limits, max_depth: int) -> _Size:
    """The size of a value that fits the limits; it is not walked beyond them."""
    size = _Size(0, 1)
    for depth, level in enumerate(_levels(value), start=1):
        size = _Size(depth, size.nodes + sum(map(len, level)))
        _refuse_shape(size, name, limits, max_depth)
    return size


def _refuse_shape(size: _Size, name: str, limits: Limits, max_depth: int) -> None:
    if size.depth > max_depth:
        raise too_deep(name, max_depth)
    if size.nodes > limits.max_nodes:
        raise too_many(name, limits)


def too_deep(name: str, max_depth: int, *, line: int | None = None) -> SourceError:
    """The error of a text that is nested too deeply."""
    return SourceError("nested too deeply", place=Place(name, line=line), allowed=f"at most {max_depth} levels")


def too_many(name: str, limits: Limits, *, line: int | None = None) -> SourceError:
    """The error of a text whose aliases multiply it."""
    return SourceError(
        "holds too many values once its aliases are expanded",
        place=Place(name, line=line),
        allowed=f"at most {limits.max_nodes:,} values",
    )

"""JSON texts (RFC 8259): bytes to values and back, at the speed of orjson but without its silences.

orjson reads integers beyond 64 bits as floats, keeps the last of two members with one name, and writes NaN as
null. Cheap signs in the bytes tell when one of these is possible; only then is a text read again, slowly and
exactly.
"""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

import orjson

from mock_server.dataclass import dataclass
from mock_server.openapi import pointers
from mock_server.openapi.shapes import MAX_DIGITS
from mock_server.openapi.undecodable import Undecodable, excerpt
from mock_server.openapi.values import Json

MAX_DEPTH = 100
"""Arrays and objects nested deeper than this are refused unless the caller says otherwise."""

_BOM = b"\xef\xbb\xbf"

# What is looked for in the bytes of a text, digits made zero and white space left out. Strings may hold the
# same signs; then the exact reading is a waste of time but no mistake.
_DIGITS_AS_ZERO = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_WHITE_SPACE = b" \t\n\r"
_LONG_RUN = b"0" * 19  # integers of up to 18 digits fit 64 bits
_AFTER_NAME = b'":'  # once for every member: more of them than members means that a name may be repeated
_BRACKETS = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)
_EXPECTED = "a JSON text (RFC 8259)"


def loads(data: bytes, *, max_depth: int = MAX_DEPTH) -> Json:
    """The value of a UTF-8 JSON text; an ``Undecodable`` when it is none.

    Keywords: ``json`` (grammar, or a lone surrogate), ``encoding`` (not UTF-8), ``number`` (over 4,000
    digits, or too large for a double), ``uniqueNames`` (RFC 8259 §4), ``maxDepth``. A byte order mark is
    ignored (§8.1).
    """
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    signs = data.translate(_DIGITS_AS_ZERO, _WHITE_SPACE)
    if _LONG_RUN in signs:
        return _exact(data, max_depth)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        _refuse(data, max_depth, error)
    kind = type(value)
    if kind is dict or kind is list:
        names = signs.count(_AFTER_NAME)
        # Nothing is nested deeper than there are brackets. Written again, a text without escapes has as many signs of a
        # name as before, or fewer where a name was repeated (or a string begins with a colon).
        if signs.count(b"[") + signs.count(b"{") <= max_depth and (
            names == 0 or (b"\\" not in data and orjson.dumps(value).count(_AFTER_NAME) == names)
        ):
            return value
        if _members(value, max_depth) != names:
            return _exact(data, max_depth)
    return value


def dumps(value: Json) -> bytes:
    """The JSON text of a value, without insignificant whitespace; a ``ValueError`` for NaN and infinities."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits, or a lone surrogate: the standard library writes both
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")
    if b"null" in text:  # orjson writes NaN as null
        _check_finite(value)
    return text


def _check_finite(value: Json) -> None:
    waiting = [value]
    while waiting:
        here = waiting.pop()
        kind = type(here)
        if kind is dict:
            waiting.extend(here.values())
        elif kind is list:
            waiting.extend(here)
        elif kind is float and not math.isfinite(here):
            raise ValueError(f"{here} is no JSON number (RFC 8259 §6)")


def _members(value: Json, max_depth: int) -> int:
    """The number of object members in a value, walked level by level."""
    members = depth = 0
    level = [value]
    while level:
        depth += 1
        if depth > max_depth:
            raise _too_deep(max_depth)
        below = []
        for container in level:
            if type(container) is dict:
                members += len(container)
                container = container.values()
            for child in container:
                kind = type(child)
                if kind is dict or kind is list:
                    below.append(child)
        level = below
    return members


def _too_deep(max_depth: int) -> Undecodable:
    return Undecodable(
        "maxDepth",
        f"arrays and objects are nested deeper than {max_depth} levels",
        max_depth,
        f"more than {max_depth} levels",
    )


def _check_depth(data: bytes, max_depth: int) -> None:
    """Refuses deep nesting by its brackets alone, before a recursive parser meets it."""
    depth = 0
    quoted = False
    for found in _BRACKETS.finditer(data):
        token = found[0]
        if token == b'"':
            quoted = not quoted
        elif not quoted and token in b"[{":
            depth += 1
            if depth > max_depth:
                raise _too_deep(max_depth)
        elif not quoted and token in b"]}":
            depth -= 1


def _refuse(data: bytes, max_depth: int, error: orjson.JSONDecodeError) -> NoReturn:
    """Raises with the exact reason why orjson refused a text."""
    _exact(data, max_depth)
    raise Undecodable("json", f"this is not JSON: {error}", _EXPECTED, _near(data, error.pos)) from None


def _near(data: bytes, position: int) -> str:
    return excerpt(data.decode("utf-8", "replace")[max(0, position - 10) : position + 30])


@dataclass(frozen=True, slots=True)
class _Repeated:
    """Stands for an object in which ``name`` occurs twice, until its pointer is known."""

    name: str


def _object(pairs: list[tuple[str, Json]]) -> Json:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen = set()
    for name, child in pairs:
        if isinstance(child, _Repeated):
            return {name: child}
        if name in seen:
            return _Repeated(name)
        seen.add(name)
    return members


def _integer(text: str) -> int:
    digits = len(text) - text.startswith("-")
    if digits > MAX_DIGITS:
        raise Undecodable(
            "number",
            f"an integer has {digits} digits, more than {MAX_DIGITS}",
            f"at most {MAX_DIGITS} digits",
            excerpt(text),
        )
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Undecodable(
            "number",
            f"the number {excerpt(text)} is too large for a double",
            "magnitude below 1.8e308",
            excerpt(text),
        )
    return number


def _constant(text: str) -> Json:
    raise Undecodable("json", f"{text} is not JSON; a number is finite (RFC 8259 §6)", _EXPECTED, text)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _exact(data: bytes, max_depth: int) -> Json:
    """The value by the standard library: integers exact, repeated names and lone surrogates refused."""
    _check_depth(data, max_depth)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Undecodable(
            "encoding",
            f"the text is not UTF-8: {error.reason} at byte {error.start}",
            "UTF-8 (RFC 8259 §8.1)",
            _near(data, 10),
        ) from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = f"this is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        near = excerpt(text[max(0, error.pos - 10) : error.pos + 30])
        raise Undecodable("json", message, _EXPECTED, near) from None
    _check_names(value)
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _check_names(value: Json) -> None:
    waiting = [("", value)]
    while waiting:
        pointer, here = waiting.pop()
        if isinstance(here, _Repeated):
            raise Undecodable(
                "uniqueNames",
                f"the name {excerpt(here.name)!r} occurs twice in one object",
                "member names that differ (RFC 8259 §4)",
                excerpt(here.name),
                pointer,
            )
        children = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        waiting.extend(
            (pointers.join(pointer, key), child)
            for key, child in children
            if isinstance(child, dict | list | _Repeated)
        )


def _check_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise Undecodable(
            "json",
            "a string holds half of a surrogate pair, which is no character (RFC 8259 §8.2)",
            "Unicode characters",
            excerpt(error.object[error.start : error.end]),
        ) from None

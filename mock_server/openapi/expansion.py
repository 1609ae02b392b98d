"""JSON values to the text of parameters: the inverse of ``styles`` and ``querystrings`` (RFC 6570 §3.2).

Decoding what is written here gives the value back, except for what a style has no way to write:
- an empty array or object (it is left out, or cannot be told from one empty text);
- objects and arrays inside arrays or unexploded objects, which are refused with a ``DescriptionError``;
- a value with the separator of ``spaceDelimited``, ``pipeDelimited`` or ``tabDelimited``, a dot in an
  exploded ``label`` (or in a lone item of an unexploded one), commas and outer white space in the items of
  a header, semicolons and double quotes in a cookie of style ``cookie``;
- a null, where the schema allows strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from mock_server.errors import DescriptionError
from mock_server.openapi import jsontext, percent
from mock_server.openapi.styles import ParameterSpec, check_style
from mock_server.openapi.values import Json

_Escape: TypeAlias = Callable[[str], str]

_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}


def serialize_path(spec: ParameterSpec, value: Json) -> str:
    """The percent-encoded text that stands for ``{name}`` in a path."""
    check_style(spec)
    write = _writer(spec, percent.encode)
    if spec.media_type is not None:
        return write(value)
    if spec.style == "label":
        joined = _joined(spec, value, "." if spec.explode else ",", write)
        return f".{joined}" if joined or isinstance(value, str) else ""
    if spec.style == "matrix":
        return "".join(f";{name}={text}" if text else f";{name}" for name, text in _named(spec, value, write))
    return _joined(spec, value, ",", write)


def serialize_query(spec: ParameterSpec, value: Json) -> str:
    """The ``name=value`` pairs of a parameter, joined by ``&``; empty for an empty array or object."""
    check_style(spec)
    escape = partial(percent.encode, allow_reserved=spec.allow_reserved)
    if spec.location == "querystring":
        if spec.media_type not in {None, "application/x-www-form-urlencoded"}:
            return percent.encode(jsontext.dumps(value).decode())
        return bracketed(value, escape)
    write = _writer(spec, escape)
    if spec.style == "deepObject" and spec.media_type is None:
        return bracketed({spec.name: value}, escape)
    return "&".join(f"{name}={text}" for name, text in _named(spec, value, write))


def serialize_header(spec: ParameterSpec, value: Json) -> str:
    """The value of a header; nothing in it is escaped (OAS 3.2 §4.12.3)."""
    check_style(spec)
    write = _writer(spec, str)
    return write(value) if spec.media_type is not None else _joined(spec, value, ",", write)


def serialize_cookie(spec: ParameterSpec, value: Json) -> str:
    """The cookie pairs of a parameter, joined by ``; `` as in a Cookie header."""
    check_style(spec)
    write = _writer(spec, str if spec.style == "cookie" else percent.encode)
    return "; ".join(f"{name}={text}" for name, text in _named(spec, value, write))


def bracketed(value: dict[str, Json], escape: _Escape) -> str:
    """An object as form fields, nested values in brackets: ``a[b]=1&list[]=x&list[0][c]=2``."""
    pairs = (pair for name, child in value.items() for pair in _fields(name, child))
    return "&".join(f"{percent.encode(name)}={escape(text)}" for name, text in pairs)


def plain(value: Json) -> str:
    """The text of a scalar: numbers, ``true``, ``false`` and ``null`` as JSON writes them."""
    return value if isinstance(value, str) else jsontext.dumps(value).decode()


def _fields(name: str, value: Json) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _fields(f"{name}[{key}]", child)
    elif isinstance(value, list):
        nests = any(isinstance(child, dict | list) for child in value)
        for index, child in enumerate(value):
            yield from _fields(f"{name}[{index}]" if nests else f"{name}[]", child)
    else:
        yield name, plain(value)


def _writer(spec: ParameterSpec, escape: _Escape) -> Callable[[Json], str]:
    """A function from a scalar, or from anything for a parameter described by ``content``, to its text."""
    if spec.media_type is not None:
        is_text = spec.media_type.startswith("text/")
        return lambda value: escape(plain(value) if is_text else jsontext.dumps(value).decode())

    def write(value: Json) -> str:
        if isinstance(value, dict | list):
            raise DescriptionError(
                f"the parameter {spec.name!r} nests values, which its style cannot carry",
                got=f"style {spec.style}, {type(value).__name__} inside",
                allowed="style deepObject, or content: application/json",
            )
        return escape(plain(value))

    return write


def _joined(spec: ParameterSpec, value: Json, separator: str, write: Callable[[Json], str]) -> str:
    """The whole value in one text (RFC 6570 §3.2.1)."""
    if isinstance(value, list):
        return separator.join(write(item) for item in value)
    if not isinstance(value, dict):
        return write(value)
    if spec.explode:
        return separator.join(f"{write(name)}={write(child)}" for name, child in value.items())
    return separator.join(text for name, child in value.items() for text in (write(name), write(child)))


def _named(spec: ParameterSpec, value: Json, write: Callable[[Json], str]) -> Iterable[tuple[str, str]]:
    """The value as names with texts (RFC 6570 §3.2.7, §3.2.8): several when it is exploded."""
    name = spec.name if spec.location == "cookie" else percent.encode(spec.name)
    if spec.media_type is not None:
        return [(name, write(value))]
    if spec.explode and isinstance(value, list):
        return [(name, write(item)) for item in value]
    if spec.explode and isinstance(value, dict):
        return [(write(key), write(child)) for key, child in value.items()]
    if value in ([], {}):
        return []
    return [(name, _joined(spec, value, _SEPARATORS.get(spec.style, ","), write))]

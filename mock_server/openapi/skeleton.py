"""The skeleton of a description: which of its parts are mappings, lists and texts.

A part is checked when it is first read, its own fields only, so that starting costs nothing for what nobody uses. What
is checked here the readers of parameters, bodies and responses take for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

from mock_server.errors import DescriptionError
from mock_server.openapi import pointers
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.values import Json

_MAP, _LIST, _TEXT = "a mapping", "a list", "a text"
_MAPS, _LISTS, _TEXTS = "a mapping of mappings", "a list of mappings", "a list of texts"

_FIELDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "a description": {
            "info": _MAP, "servers": _LISTS, "paths": _MAP, "components": _MAP, "webhooks": _MAP, "x-webhooks": _MAP,
            "security": _LISTS, "tags": _LIST, "host": _TEXT, "basePath": _TEXT, "schemes": _TEXTS, "consumes": _TEXTS,
            "produces": _TEXTS, "definitions": _MAP, "parameters": _MAP, "responses": _MAP,
            "securityDefinitions": _MAP,
        },
        "components": {
            "schemas": _MAP, "parameters": _MAP, "responses": _MAP, "headers": _MAP, "requestBodies": _MAP,
            "securitySchemes": _MAP, "pathItems": _MAP, "examples": _MAP, "links": _MAP, "callbacks": _MAP,
        },
        "a server": {"url": _TEXT, "variables": _MAPS},

        "a security scheme": {
            "type": _TEXT, "in": _TEXT, "name": _TEXT, "scheme": _TEXT, "flows": _MAP, "scopes": _MAP,
        },
        "a flow": {"scopes": _MAP}, "a path item": {"parameters": _LIST, "additionalOperations": _MAPS},
        "an operation": {
            "parameters": _LIST, "responses": _MAP, "security": _LISTS, "tags": _LIST, "callbacks": _MAP,
            "operationId": _TEXT, "consumes": _TEXTS, "produces": _TEXTS,
        },
        "a parameter": {"in": _TEXT, "content": _MAP, "style": _TEXT, "collectionFormat": _TEXT},
        "a request body": {"content": _MAP},
        "a response": {"headers": _MAP, "content": _MAP, "links": _MAP},
        "a header": {"content": _MAP},
        "a media type": {"encoding": _MAPS},
        "an encoding": {"contentType": _TEXT, "style": _TEXT},
        "a link": {"operationId": _TEXT, "operationRef": _TEXT, "parameters": _MAP},
        "a callback": {},
    }
)  # fmt: skip
"""What the fields of each kind of part are, where they are there at all. A null is as good as nothing."""


def part(documents: Documents, located: Located, kind: str) -> Located:
    """The part that a place holds, references followed; a ``DescriptionError`` where it is none of its kind."""
    followed = documents.follow(located)
    check(documents, followed, kind)
    return followed


def check(documents: Documents, located: Located, kind: str) -> None:
    """Raises a ``DescriptionError`` where a part is no mapping, or a field of it is not what it should be."""
    value = located.value
    if not isinstance(value, dict):
        _refuse(documents, located, f"{kind} is a mapping", value)
    fields = _FIELDS[kind]
    for name in fields.keys() & value.keys():
        if value[name] is not None and not _is(value[name], fields[name]):
            place = Located(located.uri, pointers.join(located.pointer, name), value[name])
            _refuse(documents, place, f"{name!r} of {kind} is {fields[name]}", value[name])


def texts(documents: Documents, located: Located, what: str) -> tuple[str, ...]:
    """The texts of a list; () for null."""
    if located.value is not None and not _is(located.value, _TEXTS):
        _refuse(documents, located, f"{what} are {_TEXTS}", located.value)
    return tuple(located.value or ())


def _is(value: Json, shape: str) -> bool:
    if shape == _TEXT:
        return isinstance(value, str)
    if shape in {_MAP, _MAPS}:
        return isinstance(value, dict) and (shape == _MAP or all(isinstance(each, dict) for each in value.values()))
    if not isinstance(value, list):
        return False
    inner = {_LISTS: dict, _TEXTS: str}.get(shape)
    return inner is None or all(isinstance(each, inner) for each in value)


def _refuse(documents: Documents, located: Located, problem: str, got: Json) -> NoReturn:
    place = documents.place(located.uri, located.pointer)
    raise DescriptionError(problem, place=place, got="null" if got is None else got)

"""The parameters of an operation, read from a description of any dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from mock_server.errors import DescriptionError
from mock_server.openapi import pointers
from mock_server.openapi.contents import ContentReader, examples_of
from mock_server.openapi.description import Parameter
from mock_server.openapi.dialects import Dialect
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.schemas import Schema, Schemas
from mock_server.openapi.skeleton import check
from mock_server.openapi.values import Json

DEFAULT_STYLE: Mapping[str, str] = MappingProxyType(
    {"path": "simple", "query": "form", "header": "simple", "cookie": "form", "querystring": "form"}
)
"""OAS 3.1 §4.8.12.2: the style of a parameter that names none."""

_COLLECTION_FORMATS: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "csv": ("form", False),
        "multi": ("form", True),
        "ssv": ("spaceDelimited", False),
        "tsv": ("tabDelimited", False),
        "pipes": ("pipeDelimited", False),
    }
)
"""Swagger 2.0 ``collectionFormat`` as style and explode; only ``csv`` is meaningful outside query."""

# RFC 9110 headers that OAS 3.1 §4.8.12.1 says are never described as parameters.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})

_NOT_SCHEMA = frozenset({"name", "in", "description", "required", "collectionFormat", "allowEmptyValue"})


class ParameterReader:
    """Reads the parameters of operations; one per description."""

    def __init__(self, documents: Documents, schemas: Schemas, dialect: Dialect, contents: ContentReader) -> None:
        self._documents = documents
        self._schemas = schemas
        self._dialect = dialect
        self._contents = contents
        extra = () if dialect.querystring_parameter else ("querystring",)
        self._known: dict[tuple[str, str], Parameter] = {}
        self._locations = tuple(location for location in DEFAULT_STYLE if location not in extra)

    def read(self, item: Located, operation: Located) -> tuple[tuple[Parameter, ...], tuple[Located, ...]]:
        """The operation's parameters, its path item's included, and those that are really parts of a body.

        An operation's parameter replaces its path item's of the same name and location (OAS 3.1 §4.8.9).
        """
        merged: dict[tuple[str, str], Parameter] = {}
        bodies: dict[str, Located] = {}
        for located in (*self._entries(item), *self._entries(operation)):
            location = located.value.get("in")
            if location in {"body", "formData"} and self._dialect.body_parameters:
                bodies[located.value.get("name", "")] = located
                continue
            if location not in self._locations:
                raise DescriptionError(
                    f"{self._dialect.name} knows no such place for a parameter",
                    place=self._documents.place(located.uri, located.pointer),
                    got=location,
                    allowed=", ".join(self._locations),
                )
            key = (located.uri, located.pointer)
            parameter = self._known.get(key) or self._known.setdefault(key, self._parameter(located))
            if location == "header" and parameter.name.lower() in _IGNORED_HEADERS:
                continue
            merged[(location, parameter.name)] = parameter
        return tuple(merged.values()), tuple(bodies.values())

    def _entries(self, holder: Located) -> Iterator[Located]:
        entries = holder.value.get("parameters") or ()
        for index, value in enumerate(entries):
            located = Located(holder.uri, pointers.join(holder.pointer, "parameters", index), value)
            followed = self._documents.follow(located)
            if not isinstance(followed.value, dict) or not isinstance(followed.value.get("name"), str):
                raise DescriptionError(
                    "a parameter is a mapping with a name",
                    place=self._documents.place(followed.uri, followed.pointer),
                    got=followed.value,
                )
            check(self._documents, followed, "a parameter")
            yield followed

    def _parameter(self, located: Located) -> Parameter:
        value = located.value
        location = value["in"]
        content = value.get("content")
        media_type = None
        if isinstance(content, dict) and content:
            name = next(iter(content))
            place = Located(located.uri, pointers.join(located.pointer, "content", name), content[name])
            media_type = self._contents.media_type(name, place)
        style, explode = self._style(value, location)
        return Parameter(
            name=value["name"],
            location=location,
            required=bool(value.get("required", False)) or location == "path",
            style=style,
            explode=explode,
            allow_reserved=bool(value.get("allowReserved", False)),
            allow_empty_value=bool(value.get("allowEmptyValue", False)),
            schema=None if media_type is not None else self._schema(located),
            media_type=media_type,
            description=str(value.get("description", "")),
            examples=examples_of(value, self._documents, located),
            located=located,
        )

    def _style(self, value: Mapping[str, Json], location: str) -> tuple[str, bool]:
        if self._dialect.body_parameters:
            style, explode = _COLLECTION_FORMATS.get(value.get("collectionFormat", "csv"), ("form", False))
            return (style, explode) if location == "query" else (DEFAULT_STYLE[location], False)
        style = str(value.get("style") or DEFAULT_STYLE[location])
        return style, bool(value.get("explode", style in {"form", "cookie", "deepObject"}))

    def _schema(self, located: Located) -> Schema | None:
        if self._dialect.body_parameters:
            inline = {key: entry for key, entry in located.value.items() if key not in _NOT_SCHEMA}
            return self._schemas.of(inline, located)
        if "schema" not in located.value:
            return None
        pointer = pointers.join(located.pointer, "schema")
        return self._schemas.at(Located(located.uri, pointer, located.value["schema"]))

"""Request bodies and responses, read from a description of any dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from mock_server.openapi import pointers
from mock_server.openapi.description import (
    Encoding,
    Example,
    Header,
    Link,
    MediaType,
    RequestBody,
    Response,
)
from mock_server.openapi.dialects import Dialect
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.schemas import Schema, Schemas
from mock_server.openapi.skeleton import check, part
from mock_server.openapi.values import Json

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

_NOT_SCHEMA = frozenset({"name", "in", "required", "collectionFormat", "allowEmptyValue"})
_HEADER_NOT_SCHEMA = frozenset({"description", "collectionFormat"})


class ContentReader:
    """Reads what travels in bodies and headers; one per description."""

    def __init__(self, documents: Documents, schemas: Schemas, dialect: Dialect) -> None:
        self._documents = documents
        self._schemas = schemas
        self._dialect = dialect
        self._responses: dict[tuple[str, str, str], Response] = {}

    def media_type(self, name: str, located: Located) -> MediaType:
        """One entry of a ``content`` map."""
        followed = self._documents.follow(located)
        if followed.value is None:  # ``application/json:`` with nothing behind it
            followed = Located(followed.uri, followed.pointer, {})
        check(self._documents, followed, "a media type")
        value = followed.value
        return MediaType(
            name=name,
            schema=self._schema_in(followed, "schema") or self._of_items(followed),
            examples=examples_of(value, self._documents, followed),
            encoding=MappingProxyType(self._encodings(followed)),
            located=followed,
        )

    def request_body(self, operation: Located, body_parameters: Sequence[Located]) -> RequestBody | None:
        """The body an operation takes, or None when it takes none."""
        if self._dialect.body_parameters:
            return self._swagger_body(operation, body_parameters)
        if "requestBody" not in operation.value:
            return None
        pointer = pointers.join(operation.pointer, "requestBody")
        located = part(
            self._documents, Located(operation.uri, pointer, operation.value["requestBody"]), "a request body"
        )
        return RequestBody(
            required=bool(located.value.get("required", False)),
            content=self._content(located),
            located=located,
        )

    def responses(self, operation: Located) -> dict[str, Response]:
        """The responses by status key, in the order of the description."""
        found = {}
        for status, value in (operation.value.get("responses") or {}).items():
            if status.startswith("x-"):
                continue
            pointer = pointers.join(operation.pointer, "responses", status)
            located = part(self._documents, Located(operation.uri, pointer, value), "a response")
            found[status.upper() if status != "default" else status] = self._response(status, located, operation)
        return found

    def _response(self, status: str, located: Located, operation: Located) -> Response:
        """A response, one object for all the operations that refer to it; Swagger's depend on the operation."""
        if self._dialect.body_parameters:
            return self._read_response(status, located, self._swagger_content(located, operation))
        key = (status, located.uri, located.pointer)
        found = self._responses.get(key)
        if found is None:
            found = self._responses[key] = self._read_response(status, located, self._content(located))
        return found

    def _read_response(self, status: str, located: Located, content: tuple[MediaType, ...]) -> Response:
        return Response(
            status=status,
            description=str(located.value.get("description", "")),
            headers=tuple(self._headers(located)),
            content=content,
            links=tuple(self._links(located)),
            located=located,
        )

    def _content(self, holder: Located) -> tuple[MediaType, ...]:
        content = holder.value.get("content") or {}
        return tuple(
            self.media_type(name, Located(holder.uri, pointers.join(holder.pointer, "content", name), value))
            for name, value in content.items()
            if not name.startswith("x-")
        )

    def _encodings(self, holder: Located) -> dict[str, Encoding]:
        found = {}
        for name, entry in (holder.value.get("encoding") or {}).items():
            check(self._documents, Located(holder.uri, pointers.join(holder.pointer, "encoding", name), entry),
                  "an encoding")  # fmt: skip
            explode = entry.get("explode")
            found[name] = Encoding(
                content_type=entry.get("contentType"),
                style=entry.get("style"),
                explode=None if explode is None else bool(explode),
                allow_reserved=bool(entry.get("allowReserved", False)),
            )
        return found

    def _of_items(self, holder: Located) -> Schema | None:
        """The schema of a sequence of which only the items are described (OAS 3.2 §4.14.4)."""
        if not self._dialect.item_schema or not isinstance(holder.value, dict) or "itemSchema" not in holder.value:
            return None
        return self._schemas.of({"type": "array", "items": holder.value["itemSchema"]}, holder)

    def _schema_in(self, holder: Located, key: str) -> Schema | None:
        # ``schema:`` with nothing behind it, which YAML reads as null, says nothing.
        if not isinstance(holder.value, dict) or holder.value.get(key) is None:
            return None
        return self._schemas.at(Located(holder.uri, pointers.join(holder.pointer, key), holder.value[key]))

    def _headers(self, holder: Located) -> Iterator[Header]:
        for name, value in (holder.value.get("headers") or {}).items():
            if name.lower() == "content-type":  # OAS 3.1 §4.8.17: described by the content map alone
                continue
            pointer = pointers.join(holder.pointer, "headers", name)
            located = part(self._documents, Located(holder.uri, pointer, value), "a header")
            if self._dialect.body_parameters:
                inline = {k: v for k, v in located.value.items() if k not in _HEADER_NOT_SCHEMA}
                schema: Schema | None = self._schemas.of(inline, located)
            else:
                schema = self._schema_in(located, "schema")
            examples = examples_of(located.value, self._documents, located)
            yield Header(
                name=name,
                required=bool(located.value.get("required", False)),
                schema=schema,
                explode=bool(located.value.get("explode", False)),
                example=examples[0].value if examples else None,
                located=located,
            )

    def _links(self, holder: Located) -> Iterator[Link]:
        for name, value in (holder.value.get("links") or {}).items():
            pointer = pointers.join(holder.pointer, "links", name)
            link = part(self._documents, Located(holder.uri, pointer, value), "a link").value
            yield Link(
                name=name,
                operation_id=link.get("operationId"),
                operation_ref=link.get("operationRef"),
                parameters=MappingProxyType(dict(link.get("parameters") or {})),
                request_body=link.get("requestBody"),
            )

    # Swagger 2.0 describes bodies as parameters and lists media types apart from them.

    def _swagger_media_types(self, operation: Located, key: str) -> tuple[str, ...]:
        listed = operation.value.get(key)
        if listed is None:
            listed = self._documents.value(self._documents.root).get(key)
        return tuple(str(name) for name in listed or ())

    def _swagger_body(self, operation: Located, parameters: Sequence[Located]) -> RequestBody | None:
        if not parameters:
            return None
        consumes = self._swagger_media_types(operation, "consumes")
        if parameters[0].value["in"] == "body":
            body = parameters[0]
            schema = self._schema_in(body, "schema")
            names = tuple(name for name in consumes if name not in {FORM, MULTIPART})
            required = bool(body.value.get("required", False))
            return RequestBody(required, self._plain(names or ("application/json",), schema, body), body)
        properties = {p.value["name"]: _swagger_form_property(p.value) for p in parameters}
        required_names = [p.value["name"] for p in parameters if p.value.get("required")]
        form = {"type": "object", "properties": properties, "required": required_names}
        schema = self._schemas.of(form if required_names else form | {"required": []}, operation)
        has_file = any(p.value.get("type") == "file" for p in parameters)
        fallback = (MULTIPART,) if has_file else (FORM,)
        names = tuple(name for name in consumes if name in {FORM, MULTIPART}) or fallback
        return RequestBody(bool(required_names), self._plain(names, schema, operation), operation)

    def _plain(self, names: Sequence[str], schema: Schema | None, place: Located) -> tuple[MediaType, ...]:
        return tuple(MediaType(name, schema, (), MappingProxyType({}), place) for name in names)

    def _swagger_content(self, located: Located, operation: Located) -> tuple[MediaType, ...]:
        named = located.value.get("examples")
        examples = named if isinstance(named, dict) else {}
        schema = self._schema_in(located, "schema")
        if schema is None and not examples:
            return ()
        produces = self._swagger_media_types(operation, "produces") or tuple(examples) or ("application/json",)
        return tuple(
            MediaType(
                name,
                schema,
                (Example("", examples[name]),) if name in examples else (),
                MappingProxyType({}),
                located,
            )
            for name in produces
        )


def examples_of(value: Mapping[str, Json], documents: Documents, located: Located) -> tuple[Example, ...]:
    """The documented examples: the singular ``example`` first, then the named ones that carry a value.

    ``dataValue`` is OAS 3.2's name for the value of a named example.
    """
    found = [Example("", value["example"])] if "example" in value else []
    named = value.get("examples")
    if isinstance(named, dict):
        for name, entry in named.items():
            pointer = pointers.join(located.pointer, "examples", name)
            example = documents.follow(Located(located.uri, pointer, entry)).value
            if isinstance(example, dict):
                key = "value" if "value" in example else "dataValue"
                if key in example:
                    found.append(Example(name, example[key]))
    return tuple(found)


def _swagger_form_property(parameter: Mapping[str, Json]) -> dict[str, Json]:
    kept = {key: entry for key, entry in parameter.items() if key not in _NOT_SCHEMA}
    if kept.get("type") == "file":
        kept |= {"type": "string", "format": "binary"}
    return kept

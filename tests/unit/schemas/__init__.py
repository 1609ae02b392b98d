"""Schemas, bundles, formats and the words for what is wrong. Here: how the tests get at a compiled schema."""

from __future__ import annotations

import json
from pathlib import Path

from mock_server.openapi.dialects import dialect_of
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.schemas import Schema, Schemas
from mock_server.openapi.values import Direction, Json, Violation

REQUEST = Direction.REQUEST
RESPONSE = Direction.RESPONSE


def description(version: str, schemas: dict[str, Json]) -> dict[str, Json]:
    """A description of an OpenAPI version with nothing but schemas."""
    if version == "2.0":
        return {"swagger": "2.0", "definitions": schemas}
    return {"openapi": f"{version}.0", "components": {"schemas": schemas}}


def compiled(version: str, /, **schemas: Json) -> Schema:
    """The first of the named schemas of a description in memory."""
    root = description(version, schemas)
    documents = Documents.from_value(root, name="openapi.yaml")
    return _first(Schemas(documents, dialect_of(root, file="openapi.yaml")), documents, schemas)


def compiled_files(version: str, folder: Path, files: dict[str, Json], /, **schemas: Json) -> Schema:
    """The first of the named schemas of a description in ``folder``, beside other files."""
    root = description(version, schemas)
    for name, value in {"openapi.json": root, **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    documents = Documents.load(folder / "openapi.json")
    return _first(Schemas(documents, dialect_of(root, file=documents.root)), documents, schemas)


def violations(schema: Schema, value: Json, direction: Direction = REQUEST) -> tuple[Violation, ...]:
    """What is wrong with a body."""
    return schema.violations(value, direction, where="body")


def messages(schema: Schema, value: Json, direction: Direction = REQUEST) -> list[str]:
    """What is wrong with a body, in words."""
    return [violation.message for violation in violations(schema, value, direction)]


def reference(name: str) -> Json:
    """A reference to another of the named schemas (OpenAPI 3)."""
    return {"$ref": f"#/components/schemas/{name}"}


def _first(schemas: Schemas, documents: Documents, named: dict[str, Json]) -> Schema:
    name, value = next(iter(named.items()))
    container = "/definitions" if "swagger" in documents.value(documents.root) else "/components/schemas"
    return schemas.at(Located(documents.root, f"{container}/{name}", value))

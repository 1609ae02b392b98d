"""What differs between Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2, in one table.

Code elsewhere asks a ``Dialect`` for a property and never compares version numbers.
"""

from __future__ import annotations

from enum import StrEnum

from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError, Place
from mock_server.openapi.values import Json


class SchemaLanguage(StrEnum):
    """The language of the schemas written in a description."""

    SWAGGER_2_0 = "swagger-2.0"  # JSON Schema draft 4 subset; boolean exclusive*, type: file, no nullable
    OPENAPI_3_0 = "openapi-3.0"  # JSON Schema wright-00 subset; boolean exclusive*, nullable
    JSON_SCHEMA = "json-schema"  # OpenAPI 3.1 and later: JSON Schema as it is, 2020-12 by default


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version line of the OpenAPI Specification.

    ``methods`` are the path item fields that hold operations, ``schemas`` and ``security_schemes`` the JSON pointers
    of the containers, ``body_parameters`` whether bodies are described as ``in: body`` / ``in: formData``,
    ``media_types`` whether content is keyed by media type, ``additional_operations`` whether a path item may name
    methods of its own (OAS 3.2 §4.9). ``webhooks`` is the root field that describes them.
    """

    name: str
    version_field: str
    version_prefix: str
    schema_language: SchemaLanguage
    schemas: str
    security_schemes: str
    body_parameters: bool
    servers: bool
    methods: tuple[str, ...]
    additional_operations: bool
    querystring_parameter: bool
    item_schema: bool
    webhooks: str


_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")

DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        name="Swagger 2.0",
        version_field="swagger",
        version_prefix="2.0",
        schema_language=SchemaLanguage.SWAGGER_2_0,
        schemas="/definitions",
        security_schemes="/securityDefinitions",
        body_parameters=True,
        servers=False,
        methods=_METHODS,
        additional_operations=False,
        querystring_parameter=False,
        item_schema=False,
        webhooks="x-webhooks",
    ),
    Dialect(
        name="OpenAPI 3.0",
        version_field="openapi",
        version_prefix="3.0",
        schema_language=SchemaLanguage.OPENAPI_3_0,
        schemas="/components/schemas",
        security_schemes="/components/securitySchemes",
        body_parameters=False,
        servers=True,
        methods=(*_METHODS, "trace"),
        additional_operations=False,
        querystring_parameter=False,
        item_schema=False,
        webhooks="x-webhooks",
    ),
    Dialect(
        name="OpenAPI 3.1",
        version_field="openapi",
        version_prefix="3.1",
        schema_language=SchemaLanguage.JSON_SCHEMA,
        schemas="/components/schemas",
        security_schemes="/components/securitySchemes",
        body_parameters=False,
        servers=True,
        methods=(*_METHODS, "trace"),
        additional_operations=False,
        querystring_parameter=False,
        item_schema=False,
        webhooks="webhooks",
    ),
    Dialect(
        name="OpenAPI 3.2",
        version_field="openapi",
        version_prefix="3.2",
        schema_language=SchemaLanguage.JSON_SCHEMA,
        schemas="/components/schemas",
        security_schemes="/components/securitySchemes",
        body_parameters=False,
        servers=True,
        methods=(*_METHODS, "trace", "query"),
        additional_operations=True,
        querystring_parameter=True,
        item_schema=True,
        webhooks="webhooks",
    ),
)


def dialect_of(document: Json, *, file: str) -> Dialect:
    """The dialect a root document declares; a ``DescriptionError`` when it declares none that we know."""
    if not isinstance(document, dict):
        raise DescriptionError(
            "an API description is a mapping",
            place=Place(file),
            got=type(document).__name__,
            allowed="a mapping with 'openapi' or 'swagger' at the top",
        )
    for dialect in DIALECTS:
        declared = document.get(dialect.version_field)
        text = str(declared) if declared is not None else ""
        if text == dialect.version_prefix or text.startswith(dialect.version_prefix + "."):
            return dialect
    declared = document.get("openapi", document.get("swagger"))
    raise DescriptionError(
        "this file declares no OpenAPI version that is known here",
        place=Place(file, "/openapi" if "openapi" in document else ""),
        got=declared,
        allowed=", ".join(f"{d.version_field}: {d.version_prefix}" for d in DIALECTS),
        hint="the first line of a description is usually `openapi: 3.1.0`",
    )

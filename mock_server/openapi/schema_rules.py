"""What each schema language understands, in one table: the OpenAPI 2.0 and 3.0 subsets and five drafts.

Code elsewhere asks a ``SchemaRules`` for a property and never compares drafts. Every language is translated
to draft 2020-12 (see bundle.py), so a rule says how a language differs from that one.
"""

from __future__ import annotations

from mock_server.dataclass import dataclass
from mock_server.openapi.dialects import SchemaLanguage

TARGET = "https://json-schema.org/draft/2020-12/schema"

SCHEMA_KEYWORDS = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""The keywords of draft 2020-12 whose value is one schema."""

SCHEMA_LIST_KEYWORDS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""The keywords of draft 2020-12 whose value is an array of schemas."""

SCHEMA_MAP_KEYWORDS = frozenset({"dependentSchemas", "patternProperties", "properties"})
"""The keywords of draft 2020-12 whose value maps names to schemas that apply."""

DEFINITION_KEYWORDS = frozenset({"$defs", "definitions"})
"""The keywords that hold schemas for others to refer to and apply nothing themselves."""

IDENTITY_KEYWORDS = frozenset(
    {
        "$anchor",
        "$dynamicAnchor",
        "$dynamicRef",
        "$id",
        "$recursiveAnchor",
        "$recursiveRef",
        "$ref",
        "$schema",
        "$vocabulary",
    }
)
"""The keywords that say what a schema is called or refers to; a bundle has resolved them all."""

_ASSERTIONS_DRAFT_4 = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "allOf",
        "anyOf",
        "dependencies",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "oneOf",
        "pattern",
        "patternProperties",
        "properties",
        "required",
        "type",
        "uniqueItems",
    }
)
_ASSERTIONS_DRAFT_6 = _ASSERTIONS_DRAFT_4 | {"const", "contains", "propertyNames"}
_ASSERTIONS_DRAFT_7 = _ASSERTIONS_DRAFT_6 | {"if", "then", "else"}
_ASSERTIONS_2019_09 = _ASSERTIONS_DRAFT_7 | {
    "contentSchema",
    "dependentRequired",
    "dependentSchemas",
    "maxContains",
    "minContains",
    "unevaluatedItems",
    "unevaluatedProperties",
}
_ASSERTIONS_2020_12 = (_ASSERTIONS_2019_09 - {"additionalItems"}) | {"prefixItems"}
_ASSERTIONS_OPENAPI_3_0 = _ASSERTIONS_DRAFT_4 - {"additionalItems", "dependencies", "patternProperties"}
_ASSERTIONS_SWAGGER_2_0 = _ASSERTIONS_OPENAPI_3_0 - {"anyOf", "not", "oneOf"}


@dataclass(frozen=True, slots=True)
class SchemaRules:
    """How one schema language differs from draft 2020-12.

    ``ignored`` are keywords that mean something elsewhere but nothing here. ``id_keyword`` names the schema
    resource ("" when the language has none), ``fragment_ids`` whether ``$id: "#name"`` makes an anchor,
    ``anchors`` whether ``$anchor`` does. ``ref_stands_alone`` means that the siblings of ``$ref`` count for
    nothing, ``boolean_bounds`` that exclusiveMinimum and exclusiveMaximum modify minimum and maximum,
    ``tuple_items`` that ``items`` may be an array. ``nullable`` and ``file_type`` are the words of OpenAPI
    3.0 and Swagger 2.0.
    """

    name: str
    ignored: frozenset[str]
    id_keyword: str = "$id"
    fragment_ids: bool = False
    anchors: bool = False
    dynamic_references: bool = False
    recursive_references: bool = False
    ref_stands_alone: bool = False
    boolean_bounds: bool = False
    tuple_items: bool = False
    nullable: bool = False
    file_type: bool = False

    @property
    def identifies(self) -> bool:
        """Whether a schema of this language can rename itself or parts of it."""
        return bool(self.id_keyword)


def _not_in(understood: frozenset[str]) -> frozenset[str]:
    return (_ASSERTIONS_2019_09 | _ASSERTIONS_2020_12) - understood


SWAGGER_2_0 = SchemaRules(
    name="Swagger 2.0",
    ignored=_not_in(_ASSERTIONS_SWAGGER_2_0),
    id_keyword="",
    ref_stands_alone=True,
    boolean_bounds=True,
    file_type=True,
)
OPENAPI_3_0 = SchemaRules(
    name="OpenAPI 3.0",
    ignored=_not_in(_ASSERTIONS_OPENAPI_3_0),
    id_keyword="",
    ref_stands_alone=True,
    boolean_bounds=True,
    nullable=True,
)
DRAFT_4 = SchemaRules(
    name="JSON Schema draft 4",
    ignored=_not_in(_ASSERTIONS_DRAFT_4),
    id_keyword="id",
    fragment_ids=True,
    ref_stands_alone=True,
    boolean_bounds=True,
    tuple_items=True,
)
DRAFT_6 = SchemaRules(
    name="JSON Schema draft 6",
    ignored=_not_in(_ASSERTIONS_DRAFT_6),
    fragment_ids=True,
    ref_stands_alone=True,
    tuple_items=True,
)
DRAFT_7 = SchemaRules(
    name="JSON Schema draft 7",
    ignored=_not_in(_ASSERTIONS_DRAFT_7),
    fragment_ids=True,
    ref_stands_alone=True,
    tuple_items=True,
)
DRAFT_2019_09 = SchemaRules(
    name="JSON Schema 2019-09",
    ignored=_not_in(_ASSERTIONS_2019_09),
    anchors=True,
    recursive_references=True,
    tuple_items=True,
)
DRAFT_2020_12 = SchemaRules(
    name="JSON Schema 2020-12",
    ignored=_not_in(_ASSERTIONS_2020_12),
    anchors=True,
    dynamic_references=True,
)

BY_LANGUAGE: dict[SchemaLanguage, SchemaRules] = {
    SchemaLanguage.SWAGGER_2_0: SWAGGER_2_0,
    SchemaLanguage.OPENAPI_3_0: OPENAPI_3_0,
    SchemaLanguage.JSON_SCHEMA: DRAFT_2020_12,
}

_BY_METASCHEMA: dict[str, SchemaRules] = {
    "http://json-schema.org/draft-04/schema": DRAFT_4,
    "http://json-schema.org/draft-06/schema": DRAFT_6,
    "http://json-schema.org/draft-07/schema": DRAFT_7,
    "https://json-schema.org/draft/2019-09/schema": DRAFT_2019_09,
    "https://json-schema.org/draft/2020-12/schema": DRAFT_2020_12,
}


def rules_for_metaschema(uri: str, *, otherwise: SchemaRules) -> SchemaRules:
    """The rules that a ``$schema`` asks for.

    A metaschema that is not known here (a vocabulary of the author's own, or an OpenAPI base dialect, which
    is draft 2020-12 plus annotations) reads as ``otherwise``: JSON Schema Core §8.1.1 leaves that to the
    implementation.
    """
    return _BY_METASCHEMA.get(uri.removesuffix("#"), otherwise)

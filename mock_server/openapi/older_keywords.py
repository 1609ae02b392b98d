"""The words of Swagger 2.0, OpenAPI 3.0 and draft 4 in terms of draft 2020-12, for one schema object.

``modernise`` sees a schema whose subschemas are translated already and whose references are local.

``nullable`` follows the clarification of OAS 3.0.3 §4.7.24: it adds "null" to the ``type`` of the same schema
object and does nothing without one. So an ``enum`` beside it must list null for null to pass, and ``nullable:
true`` beside an ``allOf`` allows null only as far as the members of the ``allOf`` do.
"""

from __future__ import annotations

from mock_server.openapi.backtracking import longest
from mock_server.openapi.formats import NUMBER_FORMATS
from mock_server.openapi.schema_rules import SchemaRules
from mock_server.openapi.values import Json

_EXCLUSIVE = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}


def modernise(schema: dict[str, Json], rules: SchemaRules) -> dict[str, Json]:
    """``schema`` with the keywords of an older language rewritten, number formats as bounds, and what patterns bear."""
    if rules.boolean_bounds:
        schema = _numeric_bounds(schema)
    if rules.file_type and schema.get("type") == "file":
        schema = schema | {"type": "string", "format": "binary"}
    if rules.nullable and schema.get("nullable") is True and isinstance(schema.get("type"), str):
        schema = schema | {"type": [schema["type"], "null"]}
    return _pattern_bounds(_format_bounds(schema))


def _pattern_bounds(schema: dict[str, Json]) -> dict[str, Json]:
    """How long a text may be for its pattern to be tried, as maxLength, which is looked at first."""
    pattern = schema.get("pattern")
    most = longest(pattern) if isinstance(pattern, str) else None
    if most is None:
        return schema
    said = schema.get("maxLength")
    return schema if isinstance(said, int | float) and said <= most else schema | {"maxLength": most}


def _numeric_bounds(schema: dict[str, Json]) -> dict[str, Json]:
    """``minimum: 0, exclusiveMinimum: true`` as ``exclusiveMinimum: 0``.

    A number is left as it is: it is 2020-12 in a 3.0 description, and there is only one thing it can mean.
    """
    for inclusive, exclusive in _EXCLUSIVE.items():
        modifier = schema.get(exclusive)
        if not isinstance(modifier, bool):
            continue
        schema = {keyword: value for keyword, value in schema.items() if keyword != exclusive}
        if modifier and inclusive in schema:
            schema[exclusive] = schema.pop(inclusive)
    return schema


def _format_bounds(schema: dict[str, Json]) -> dict[str, Json]:
    """int32 and its like as minimum and maximum, where they are narrower than what the schema says itself."""
    name = schema.get("format")
    bounds = NUMBER_FORMATS.get(name) if isinstance(name, str) else None
    if bounds is None or not _admits_numbers(schema.get("type")):
        return schema
    least = [schema[key] for key in ("minimum", "exclusiveMinimum") if _is_number(schema.get(key))]
    greatest = [schema[key] for key in ("maximum", "exclusiveMaximum") if _is_number(schema.get(key))]
    narrowed = dict(schema)
    if all(limit < bounds.minimum for limit in least):
        narrowed["minimum"] = bounds.minimum
    if all(limit > bounds.maximum for limit in greatest):
        narrowed["maximum"] = bounds.maximum
    return narrowed


def _admits_numbers(types: Json) -> bool:
    named = types if isinstance(types, list) else [types]
    return types is None or "integer" in named or "number" in named


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

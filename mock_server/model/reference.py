"""The reference page of the ``x-mock-*`` vocabulary, made from its JSON Schema so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from mock_server.model.annotations import vocabulary
from mock_server.openapi.values import Json

_HEAD = """# The `x-mock-*` vocabulary

Everything here is optional: what is not annotated is inferred (`apidouble infer FILE --explain` shows it with reasons).
Annotations are usually laid over a description by an
[OpenAPI Overlay](https://spec.openapis.org/overlay/v1.0.0), so that the description stays as its vendor wrote it;
`apidouble infer FILE --write overlay.yaml` writes one to start from.

Templates and conditions use OpenAPI runtime expressions (`$request.body#/name`, `$request.path.id`) and these roots:
`$resource` (the stored item), `$before` (as it was), `$parents` (the keys of its parents, by path parameter; in
effects), `$principal` (name, scheme, scopes, tenant, plan, claims), `$now` (RFC 3339) and `$clock` (seconds,
milliseconds, date, year), `$event` and `$delivery` (in webhooks), `$problem` (in error bodies), and the names that
`related` binds. `$$` is a literal dollar. Conditions are Arazzo "simple" criteria:
`$resource#/status == 'draft' && $principal#/plan != 'free'`. Durations are ISO 8601 (`PT15M`, `P30D`).

This page is generated from `mock_server/model/vocabulary.schema.json` by `python -m mock_server.model.reference`.
"""


def reference_page() -> str:
    """The page as Markdown."""
    return "\n".join([_HEAD, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    schema = vocabulary()
    for name, value in schema["properties"].items():
        yield f"## `{name}`\n"
        yield _described(schema, value) + "\n"
        yield from _examples(name, value)
        target = _resolved(schema, value)
        if "properties" in target:
            yield from _table(schema, target)
        inner = _resolved(schema, target.get("additionalProperties", {}))
        if "properties" in inner:
            yield from _table(schema, inner)


def _examples(name: str, value: Mapping[str, Json]) -> Iterator[str]:
    for example in value.get("examples", ()):
        flow = None if isinstance(example, dict) else False  # short members on one line, the annotation on its own
        written = yaml.safe_dump({name: example}, sort_keys=False, default_flow_style=flow, width=110)
        yield f"```yaml\n{written}```\n"


def _table(schema: Json, value: Mapping[str, Json]) -> Iterator[str]:
    yield "| member | value | meaning |"
    yield "| --- | --- | --- |"
    yield from _rows(schema, value, "")
    yield ""


def _rows(schema: Json, value: Mapping[str, Json], prefix: str) -> Iterator[str]:
    required = set(value.get("required") or ())
    for name, member in value["properties"].items():
        target = _resolved(schema, member)
        mark = " (required)" if name in required else ""
        yield f"| `{prefix}{name}`{mark} | {_kind(schema, target)} | {_described(schema, member)} |"
        for inner, path in ((target, f"{prefix}{name}."), *_nested(schema, target, f"{prefix}{name}")):
            if "properties" in inner:
                yield from _rows(schema, inner, path)


def _nested(schema: Json, value: Mapping[str, Json], prefix: str) -> Iterator[tuple[Mapping[str, Json], str]]:
    for keyword, path in (("additionalProperties", ".<name>."), ("items", "[]. ")):
        inner = value.get(keyword)
        if isinstance(inner, dict):
            yield _resolved(schema, inner), prefix + path.strip()


def _kind(schema: Json, value: Mapping[str, Json]) -> str:
    if "enum" in value:
        return ", ".join(f"`{entry}`" for entry in value["enum"])
    types = value.get("type", "template")
    kind = " or ".join(types) if isinstance(types, list) else str(types)
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"map of {_kind(schema, _resolved(schema, value['additionalProperties']))}"
    if kind == "array" and isinstance(value.get("items"), dict):
        return f"list of {_kind(schema, _resolved(schema, value['items']))}"
    return kind


def _described(schema: Json, value: Mapping[str, Json]) -> str:
    return str(value.get("description") or _resolved(schema, value).get("description", ""))


def _resolved(schema: Json, value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        return {}
    reference = value.get("$ref")
    target: Mapping[str, Json] = schema["$defs"][reference.rpartition("/")[2]] if reference else value
    return target


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference_page())

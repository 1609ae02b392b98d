"""Problems in the API's own words: the described error schema filled in, or RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from mock_server.model.anatomy import flatten, words
from mock_server.model.annotations import ErrorMapping
from mock_server.model.minter import moment
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.expressions import Context
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable, mint

PROBLEM_JSON = "application/problem+json"

_CODES: dict[Kind, tuple[str, ...]] = {
    Kind.NO_ROUTE: ("NOT_FOUND", "ROUTE_NOT_FOUND"),
    Kind.NOT_FOUND: ("NOT_FOUND", "RESOURCE_NOT_FOUND", "MISSING"),
    Kind.INVALID: ("VALIDATION_ERROR", "VALIDATION_FAILED", "INVALID_REQUEST", "INVALID", "BAD_REQUEST", "UNPROCESSABLE_ENTITY"),
    Kind.MALFORMED: ("BAD_REQUEST", "MALFORMED_REQUEST", "INVALID_JSON", "INVALID_REQUEST", "INVALID", "VALIDATION_ERROR"),
    Kind.UNAUTHENTICATED: ("UNAUTHORIZED", "UNAUTHENTICATED", "AUTHENTICATION_REQUIRED", "INVALID_TOKEN", "AUTHENTICATION_ERROR"),
    Kind.FORBIDDEN: ("FORBIDDEN", "PERMISSION_DENIED", "INSUFFICIENT_SCOPE", "ACCESS_DENIED", "NOT_AUTHORIZED"),
    Kind.CONFLICT: ("CONFLICT", "ALREADY_EXISTS", "DUPLICATE"),
    Kind.WRONG_STATE: ("CONFLICT", "INVALID_STATE", "INVALID_TRANSITION"),
}  # fmt: skip

_TEXT = frozenset(map(words, ("message", "detail", "description", "error_description", "msg", "reason", "error_message", "title", "details", "userMessage", "developerMessage", "errorMessage", "text", "summary", "info", "cause")))  # fmt: skip
_CODE = frozenset(map(words, ("code", "error_code", "errorCode", "error", "slug", "name", "key", "kind", "error_type", "err", "id_code", "category")))  # fmt: skip
_STATUS = frozenset(map(words, ("status", "status_code", "statusCode", "http_status", "httpStatus", "http_code", "httpStatusCode")))  # fmt: skip
_LISTS = frozenset(map(words, ("errors", "details", "violations", "fields", "issues", "validation_errors", "invalid_params", "invalid-params", "field_errors", "fieldErrors", "error_details", "problems", "causes", "messages", "validationErrors")))  # fmt: skip
_FIELD = frozenset(map(words, ("field", "path", "name", "property", "pointer", "loc", "param", "parameter", "key", "attribute", "source", "target", "location", "propertyPath", "field_name", "fieldName", "resource")))  # fmt: skip
_IDS = frozenset(map(words, ("request_id", "requestId", "trace_id", "traceId", "correlation_id", "error_id", "errorId", "id", "log_id", "uuid", "trackingId")))  # fmt: skip
_TIMES = frozenset(map(words, ("timestamp", "time", "date", "datetime", "occurred_at")))
_GOT = frozenset(map(words, ("value", "got", "received", "rejected_value", "rejectedValue", "input")))


@dataclass(frozen=True, slots=True)
class Facts:
    """A problem as the description may show it: with its status, the API's code for it, and the exchange's own facts."""

    problem: Problem
    status: int
    code: str | None
    detail: str
    request_id: str
    path: str
    now: datetime
    seed: int

    @property
    def title(self) -> str:
        """The reason phrase of the status."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Error"

    def fields(self) -> list[dict[str, Json]]:
        """The violations as field and message, the field dotted."""
        return [{"field": field_of(v.pointer, v.name), "message": v.message} for v in self.problem.violations]

    def as_json(self) -> dict[str, Json]:
        """What ``$problem#/…`` sees in an error template."""
        return {
            "kind": str(self.problem.kind),
            "status": self.status,
            "code": self.code or default_code(self.problem.kind),
            "title": self.title,
            "detail": self.detail,
            "errors": [violation.as_json() for violation in self.problem.violations],
            "fields": self.fields(),
            "id": self.request_id,
        }


def default_code(kind: Kind) -> str:
    """The usual code word for a kind of problem."""
    return _CODES.get(kind, (str(kind).upper().replace("-", "_"),))[0]


def field_of(pointer: str, name: str | None) -> str:
    """A violation's place as people write it: ``items.0.price``, or the parameter's name."""
    inner = pointer.strip("/").replace("/", ".").replace("~1", "/").replace("~0", "~")
    return ".".join(part for part in (name or "", inner) if part)


def problem_document(facts: Facts) -> dict[str, Json]:
    """RFC 9457 problem details with every violation."""
    document: dict[str, Json] = {
        "type": f"urn:apidouble:problem:{facts.problem.kind}",
        "title": facts.title,
        "status": facts.status,
        "detail": facts.detail,
        "instance": facts.path,
    }
    if facts.code is not None:
        document["code"] = facts.code
    if facts.problem.violations:
        document["errors"] = [violation.as_json() for violation in facts.problem.violations]
    return document


def described_body(facts: Facts, schema: Schema, mapping: ErrorMapping | None) -> Json | None:
    """A body that the described error schema admits and that says what is wrong; None when there is none."""
    if mapping is not None and mapping.body is not None:
        context = Context(bindings={"problem": facts.as_json(), "now": facts.now.isoformat()})
        body = mapping.body.evaluate(context)
        return body if schema.accepts(body, Direction.RESPONSE) else None
    bundle = schema.bundle(Direction.RESPONSE)
    rooted = flatten(bundle, bundle)
    if "type" in rooted.get("properties", {}) and "title" in rooted.get("properties", {}):
        document = problem_document(facts)
        if schema.accepts(document, Direction.RESPONSE):
            return document
    for generous in (True, False):
        body = _filled(bundle, bundle, facts, generous=generous, depth=0)
        if body is not _NOTHING and schema.accepts(body, Direction.RESPONSE):
            return body
    return None


_NOTHING: Any = object()


def _filled(bundle: Json, schema: Json, facts: Facts, *, generous: bool, depth: int) -> Any:
    """The part of an error body that a schema describes; only what says something or is required."""
    flat = flatten(bundle, schema)
    types = _types(flat)
    if "object" in types or (not types and "properties" in flat):
        required = set(flat.get("required") or ())
        body: dict[str, Json] = {}
        for name, member in (flat.get("properties") or {}).items():
            value = _member(bundle, name, member, facts, generous=generous, depth=depth)
            if value is _NOTHING and name in required:
                value = _sampled(bundle, member, facts, name)
            if value is not _NOTHING:
                body[name] = value
        return body if body or depth == 0 else _NOTHING
    if types == {"string"}:
        return facts.detail
    return _NOTHING if depth else _sampled(bundle, schema, facts, "error")


def _member(bundle: Json, name: str, schema: Json, facts: Facts, *, generous: bool, depth: int) -> Any:
    flat = flatten(bundle, schema)
    types, spelled = _types(flat), words(name)
    if "const" in flat:
        return flat["const"]
    if "array" in types and spelled in _LISTS:
        return _list(bundle, flat.get("items", True), facts) if generous else _NOTHING
    if "boolean" in types:
        return {"success": False, "ok": False, "error": True}.get(name.lower(), _NOTHING)
    if "object" in types and "string" not in types:
        if not flat.get("properties") and spelled in _LISTS and generous:
            return _map(bundle, flat, facts)
        return _filled(bundle, schema, facts, generous=generous, depth=depth + 1) if depth < 4 else _NOTHING
    if spelled in _STATUS or (spelled == ("code",) and "string" not in types):
        return facts.status if types & {"integer", "number"} else str(facts.status) if "string" in types or not types else _NOTHING
    if "string" not in types and types:
        return moment(flat, facts.now, name) if spelled in _TIMES else _NOTHING
    return _text(name, flat, facts, generous=generous)


def _text(name: str, flat: Mapping[str, Json], facts: Facts, *, generous: bool) -> Any:
    spelled = words(name)
    if spelled in _TIMES:
        return moment(flat, facts.now, name)
    if spelled in _IDS and generous:
        return mint(dict(flat), ordinal=int(facts.request_id[1:] or 0), seed=facts.seed, name=name, now=facts.now)
    if isinstance(flat.get("enum"), list):
        return _coded(flat["enum"], facts) if spelled in _CODE or spelled == ("type",) else _NOTHING
    if spelled in _TEXT:
        limit = flat.get("maxLength")
        return facts.title if name.lower() == "title" else facts.detail[:limit]
    if spelled == ("type",):
        return f"urn:apidouble:problem:{facts.problem.kind}" if flat.get("format") in {"uri", "uri-reference"} else facts.code or default_code(facts.problem.kind)
    if spelled in _CODE:
        return facts.code or default_code(facts.problem.kind)
    if spelled in {("path",), ("instance",)}:
        return facts.path
    return _NOTHING


def _coded(allowed: list[Json], facts: Facts) -> Any:
    """The listed code that fits the kind of problem best, by its words."""
    texts = [value for value in allowed if isinstance(value, str)]
    wanted = [facts.code] if facts.code else []
    for code in [*wanted, *_CODES.get(facts.problem.kind, ()), default_code(facts.problem.kind), facts.title]:
        for text in texts:
            if code is not None and words(text) == words(code):
                return text
    telling = set(words(default_code(facts.problem.kind))) | set(words(facts.title))
    best = max(texts, key=lambda text: len(telling & set(words(text))), default=None)
    return best if best is not None else _NOTHING


def _list(bundle: Json, items: Json, facts: Facts) -> list[Json]:
    flat = flatten(bundle, items)
    if "string" in _types(flat):
        return [f"{field_of(v.pointer, v.name)}: {v.message}".lstrip(": ") for v in facts.problem.violations]
    entries: list[Json] = []
    required = set(flat.get("required") or ())
    for violation in facts.problem.violations:
        entry: dict[str, Json] = {}
        for name, member in (flat.get("properties") or {}).items():
            value = _detail(bundle, name, flatten(bundle, member), violation.as_json(), facts)
            if value is _NOTHING and name in required:
                value = _sampled(bundle, member, facts, name)
            if value is not _NOTHING:
                entry[name] = value
        entries.append(entry)
    return entries


def _detail(bundle: Json, name: str, flat: Mapping[str, Json], violation: Mapping[str, Json], facts: Facts) -> Any:
    spelled, types = words(name), _types(flat)
    place = field_of(str(violation["pointer"]), violation.get("name"))
    if "array" in types and spelled in _FIELD:
        return [part for part in (violation["in"], *place.split(".")) if part]
    if types and "string" not in types:
        return _NOTHING
    if spelled in _FIELD:
        return violation["pointer"] if name.lower() == "pointer" else place or str(violation["in"])
    if spelled in _TEXT:
        return violation["message"]
    if spelled in {("in",), ("location",), ("where",)} and "enum" not in flat:
        return violation["in"]
    if spelled in _CODE or spelled in {("type",), ("keyword",), ("rule",)}:
        return _coded(flat["enum"], facts) if isinstance(flat.get("enum"), list) else violation["keyword"]
    return str(violation["got"]) if spelled in _GOT else _NOTHING


def _map(bundle: Json, flat: Mapping[str, Json], facts: Facts) -> Json:
    """Violations as a map from field to messages."""
    inner = flatten(bundle, flat.get("additionalProperties") if isinstance(flat.get("additionalProperties"), dict) else {})
    collected: dict[str, list[str]] = {}
    for violation in facts.problem.violations:
        collected.setdefault(field_of(violation.pointer, violation.name) or violation.where, []).append(violation.message)
    if "string" in _types(inner):
        return {field: "; ".join(messages) for field, messages in collected.items()}
    return dict(collected)


def _sampled(bundle: Json, schema: Json, facts: Facts, name: str) -> Any:
    shared = {key: bundle[key] for key in ("$schema", "$defs") if isinstance(bundle, dict) and key in bundle}
    if not isinstance(schema, dict):
        return facts.detail
    try:
        return Sampler({**shared, **schema}).sample(seed=facts.seed, now=facts.now, name=name)
    except Unsampleable:
        return _NOTHING


def _types(flat: Mapping[str, Json]) -> set[str]:
    declared = flat.get("type")
    if isinstance(declared, str):
        return {declared}
    if isinstance(declared, list):
        return set(declared)
    return {"object"} if "properties" in flat else {"array"} if "items" in flat else set()

"""Reading a request: every parameter and the body decoded and judged once, by the compiled operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.errors import nearest
from mock_server.exchange.messages import RawRequest
from mock_server.model.outcome import NO_BODY
from mock_server.model.problem import Kind, Problem
from mock_server.openapi import percent
from mock_server.openapi.bodies import BodyDecoder, body_decoder
from mock_server.openapi.description import MediaType, Operation, Parameter
from mock_server.openapi.forms import EncodingSpec
from mock_server.openapi.media import matches
from mock_server.openapi.querystrings import query_decoder
from mock_server.openapi.quick import quick
from mock_server.openapi.schemas import Schema
from mock_server.openapi.shapes import ANYTHING, Shape, shape_of
from mock_server.openapi.styles import ParameterSpec, cookie_decoder, header_decoder, path_decoder
from mock_server.openapi.undecodable import Undecodable, excerpt
from mock_server.openapi.values import Direction, Json, Violation

_ESSENCE_END = ";"
_MOST_PLAIN_BODIES = 16  # ways to write a Content-Type that are remembered


@quick(frozen=True, slots=True)
class Reading:
    """A request taken apart: decoded values, and notes on what was odd but allowed."""

    path: Mapping[str, Json]
    query: Mapping[str, Json]
    headers: Mapping[str, Json]
    cookies: Mapping[str, Json]
    body: Json
    media_type: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _BodyPlan:
    media: MediaType
    decode: BodyDecoder


class RequestReader:
    """Reads requests of one operation. What can be decided without a request is decided here, once."""

    def __init__(self, operation: Operation) -> None:
        by_location: dict[str, list[Parameter]] = {}
        for parameter in operation.parameters:
            by_location.setdefault(parameter.location, []).append(parameter)
        described = {parameter.name: parameter for parameter in by_location.get("path", ())}
        self._path = {
            name: (path_decoder(spec_of(parameter)), value_schema(parameter)) for name, parameter in described.items()
        }
        query = [*by_location.get("query", ()), *by_location.get("querystring", ())]
        self._query = [(p.name, p.required, value_schema(p)) for p in query]
        self._decode_query = query_decoder([spec_of(p) for p in query])
        self._headers = [
            (p.name, p.name.lower(), p.required, header_decoder(spec_of(p)), value_schema(p))
            for p in by_location.get("header", ())
        ]
        cookies = by_location.get("cookie", [])
        self._cookies = [(p.name, p.required, value_schema(p)) for p in cookies]
        self._decode_cookies = cookie_decoder([spec_of(p) for p in cookies]) if cookies else None
        schemes = (scheme for requirement in operation.security for scheme, _ in requirement)
        self._known_names = {p.name for p in query} | {s.parameter for s in schemes if s.location == "query"}
        body = operation.request_body
        self._has_body = body is not None
        self._body_required = body is not None and body.required
        self._content = tuple(media.name for media in body.content) if body is not None else ()
        self._bodies = {media.name: _body_plan(media) for media in body.content} if body is not None else {}
        self._is_plain = not (self._headers or cookies or any(required for _, required, _ in self._query))
        self._plain_bodies: dict[str, _BodyPlan] = {}

    def read(self, request: RawRequest, path_texts: Mapping[str, str]) -> Reading | Problem:
        """The decoded request, or a problem that lists every violation found."""
        violations: list[Violation] = []
        notes: list[str] = []
        path = self._read_path(path_texts, violations)
        query = self._read_query(request.query, violations, notes)
        headers = self._read_headers(request.headers, violations) if self._headers else {}
        cookies = self._read_cookies(request.headers, violations) if self._decode_cookies is not None else {}
        body = self._read_body(request, violations, notes)
        if isinstance(body, Problem):
            return body
        value, media_type = body
        if violations:
            return _invalid(tuple(violations))
        return Reading(path, query, headers, cookies, value, media_type, tuple(notes))

    def read_plainly(
        self, request: RawRequest, path_texts: Mapping[str, str]
    ) -> tuple[dict[str, Json], Json] | Problem | None:
        """Path and body of a request that brings nothing else, or what is wrong where it is only the body's value.

        None for any other request, which is for ``read``.
        """
        if request.query or not self._is_plain:
            return None
        violations: list[Violation] = []
        path = self._read_path(path_texts, violations) if path_texts else {}
        if violations:
            return None
        body = request.body
        content_type = request.headers.get("content-type", "")
        if not self._has_body or not body:
            return None if body or self._body_required or content_type else (path, NO_BODY)
        plan = self._plain_bodies.get(content_type)
        if plan is None:
            chosen = matches(content_type, self._content)
            if chosen is None or len(self._plain_bodies) >= _MOST_PLAIN_BODIES:
                return None
            plan = self._plain_bodies[content_type] = self._bodies[chosen]
        try:
            value = plan.decode(body, content_type).value
        except Undecodable:
            return None
        schema = plan.media.schema
        if schema is None or schema.accepts(value, Direction.REQUEST):
            return path, value
        return _invalid(schema.blamed(value, Direction.REQUEST, where="body"))

    def _read_path(self, texts: Mapping[str, str], violations: list[Violation]) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for name, text in texts.items():
            described = self._path.get(name)
            try:
                if described is None:
                    values[name] = percent.decode(text)
                    continue
                decode, schema = described
                values[name] = decode(text)
            except Undecodable as failure:
                violations.append(_violation("path", failure, name))
                continue
            if schema is not None and not schema.accepts(values[name], Direction.REQUEST):
                violations += schema.violations(values[name], Direction.REQUEST, where="path", name=name)
        return values

    def _read_query(self, text: str, violations: list[Violation], notes: list[str]) -> Mapping[str, Json]:
        if not text and not self._query:
            return {}
        try:
            decoded = self._decode_query(text)
        except Undecodable as failure:
            violations.append(_violation("query", failure, None))
            return {}
        values = decoded.values
        for name, required, schema in self._query:
            if name in values:
                if schema is not None and not schema.accepts(values[name], Direction.REQUEST):
                    violations += schema.violations(values[name], Direction.REQUEST, where="query", name=name)
            elif required:
                violations.append(_missing("query", name))
        for name in decoded.unknown:
            if name not in self._known_names:
                close = nearest(name, self._known_names)
                notes.append(
                    f"query parameter {name!r} is not described" + (f"; did you mean {close!r}?" if close else "")
                )
        return values

    def _read_headers(self, sent: Mapping[str, str], violations: list[Violation]) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for name, lower, required, decode, schema in self._headers:
            text = sent.get(lower)
            if text is None:
                if required:
                    violations.append(_missing("header", name))
                continue
            try:
                value = decode(text)
            except Undecodable as failure:
                violations.append(_violation("header", failure, name))
                continue
            if schema is not None and not schema.accepts(value, Direction.REQUEST):
                violations += schema.violations(value, Direction.REQUEST, where="header", name=name)
            values[lower] = value
        return values

    def _read_cookies(self, sent: Mapping[str, str], violations: list[Violation]) -> dict[str, Json]:
        assert self._decode_cookies is not None
        try:
            values = self._decode_cookies(sent.get("cookie", ""))
        except Undecodable as failure:
            violations.append(_violation("cookie", failure, None))
            return {}
        for name, required, schema in self._cookies:
            if name in values:
                if schema is not None and not schema.accepts(values[name], Direction.REQUEST):
                    violations += schema.violations(values[name], Direction.REQUEST, where="cookie", name=name)
            elif required:
                violations.append(_missing("cookie", name))
        return values

    def _read_body(
        self, request: RawRequest, violations: list[Violation], notes: list[str]
    ) -> tuple[Json, str] | Problem:
        if not self._has_body:
            if request.body:
                notes.append("a body was sent, but the operation describes none; it was ignored")
            return NO_BODY, ""
        content_type = request.headers.get("content-type", "")
        if not request.body and (not content_type or not self._reads_empty(content_type)):
            if self._body_required:
                violations.append(Violation("body", "", "required", None, list(self._content), "a body is required"))
            return NO_BODY, ""
        if not self._content:
            return NO_BODY, ""
        coding = request.headers.get("content-encoding", "identity")
        if coding.strip().lower() != "identity":
            return _coded(coding)
        if not content_type:
            content_type = self._content[0]
            notes.append(f"no Content-Type was sent; read as {content_type}")
        chosen = matches(content_type, self._content)
        if chosen is None:
            return _unsupported(content_type, self._content)
        return self._decode(self._bodies[chosen], request.body, content_type, violations)

    def _reads_empty(self, content_type: str) -> bool:
        """Whether an empty body of this type is a value (an empty form, an empty text)."""
        essence = content_type.partition(_ESSENCE_END)[0].strip().lower()
        return essence == "application/x-www-form-urlencoded" or essence.startswith("text/plain")

    def _decode(
        self, plan: _BodyPlan, body: bytes, content_type: str, violations: list[Violation]
    ) -> tuple[Json, str] | Problem:
        try:
            value = plan.decode(body, content_type).value
        except Undecodable as failure:
            found = (_violation("body", failure, None), *violations)
            return Problem(Kind.MALFORMED, f"the body cannot be read: {failure.message}", found)
        schema = plan.media.schema
        if schema is not None and not schema.accepts(value, Direction.REQUEST):
            violations += schema.blamed(value, Direction.REQUEST, where="body")
        return value, content_type.partition(_ESSENCE_END)[0].strip().lower()


def spec_of(parameter: Parameter) -> ParameterSpec:
    """How a described parameter travels."""
    return ParameterSpec(
        name=parameter.name,
        location=parameter.location,
        style=parameter.style,
        explode=parameter.explode,
        required=parameter.required,
        allow_reserved=parameter.allow_reserved,
        allow_empty_value=parameter.allow_empty_value,
        shape=_shape(value_schema(parameter)),
        media_type=parameter.media_type.name if parameter.media_type is not None else None,
    )


def value_schema(parameter: Parameter) -> Schema | None:
    """The schema that a parameter's decoded value satisfies."""
    return parameter.media_type.schema if parameter.media_type is not None else parameter.schema


def _shape(schema: Schema | None) -> Shape:
    if schema is None:
        return ANYTHING
    bundle = schema.bundle(Direction.REQUEST)
    return shape_of(bundle, bundle)


def _body_plan(media: MediaType) -> _BodyPlan:
    bundle: Any = media.schema.bundle(Direction.REQUEST) if media.schema is not None else True
    return _BodyPlan(media, body_decoder(media.name, bundle, encoding=encodings_of(media)))


def encodings_of(media: MediaType) -> dict[str, EncodingSpec]:
    """The encodings of a media type's properties."""
    return {
        name: EncodingSpec(content_type=entry.content_type, style=entry.style, explode=entry.explode)
        for name, entry in media.encoding.items()
    }


def _violation(where: str, failure: Undecodable, name: str | None) -> Violation:
    return Violation(
        where=where,
        pointer=failure.pointer,
        keyword=failure.keyword,
        got=failure.got,
        expected=failure.expected,
        message=failure.message,
        name=name if name is not None else failure.name,
    )


def _missing(where: str, name: str) -> Violation:
    message = f"the {where} parameter {name!r} is required"
    return Violation(where, "", "required", None, name, message, name)


def _invalid(violations: tuple[Violation, ...]) -> Problem:
    """All violations in one problem, whose sentence tells the first."""
    first = violations[0]
    if first.name:
        place = f"{first.where} parameter {first.name}"
    else:
        place = f"{first.where} at {first.pointer}" if first.pointer else first.where
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return Problem(Kind.INVALID, f"{place}: {first.message}{more}", violations)


def _unsupported(content_type: str, described: tuple[str, ...]) -> Problem:
    listed = ", ".join(described)
    sent = excerpt(content_type)
    violation = Violation(
        "header", "", "content-type", sent, list(described), f"{sent} is none of {listed}", "Content-Type"
    )
    # RFC 9110 §15.5.16: Accept in a 415 tells which types the resource takes.
    return Problem(
        Kind.UNSUPPORTED_MEDIA_TYPE,
        f"Content-Type {sent} is none of {listed}",
        (violation,),
        (("Accept", listed),),
    )


def _coded(coding: str) -> Problem:
    """The refusal of a compressed body (RFC 9110 §12.5.3: Accept-Encoding in a 415 tells what is taken)."""
    sent = excerpt(coding)
    message = f"{sent} is not taken; send the body as it is"
    violation = Violation("header", "", "content-encoding", sent, ["identity"], message, "Content-Encoding")
    return Problem(
        Kind.UNSUPPORTED_MEDIA_TYPE,
        f"Content-Encoding {message}",
        (violation,),
        (("Accept-Encoding", "identity"),),
    )

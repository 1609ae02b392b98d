"""What there is to say about a problem: as a whole, and about each of its violations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote

from mock_server.dataclass import dataclass
from mock_server.model.problem import Kind, Problem
from mock_server.model.sentences import Sentences
from mock_server.openapi import pointers
from mock_server.openapi.values import Json, Violation
from mock_server.openapi.wording import clipped

_KIND_CODES: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.NO_ROUTE: ("NOT_FOUND", "ROUTE_NOT_FOUND"),
        Kind.NOT_FOUND: ("NOT_FOUND", "RESOURCE_NOT_FOUND", "RESOURCE_MISSING", "MISSING"),
        Kind.INVALID: (
            *("VALIDATION_ERROR", "VALIDATION_FAILED", "INVALID_REQUEST", "INVALID_ARGUMENT", "INVALID"),
            *("INVALID_INPUT", "BAD_REQUEST", "UNPROCESSABLE_ENTITY"),
        ),
        Kind.MISSING: (
            *("MISSING_PARAMETER", "MISSING_PARAM", "MISSING_FIELD", "REQUIRED", "VALIDATION_ERROR"),
            *("VALIDATION_FAILED", "INVALID_REQUEST", "INVALID_ARGUMENT", "INVALID", "BAD_REQUEST"),
        ),
        Kind.MALFORMED: (
            *("BAD_REQUEST", "MALFORMED_REQUEST", "INVALID_JSON", "INVALID_REQUEST", "PARSE_ERROR"),
            *("INVALID_ARGUMENT", "INVALID", "VALIDATION_ERROR"),
        ),
        Kind.UNAUTHENTICATED: (
            *("UNAUTHORIZED", "UNAUTHENTICATED", "AUTHENTICATION_REQUIRED", "AUTHENTICATION_ERROR"),
            *("AUTHENTICATION_FAILED", "INVALID_CREDENTIALS", "INVALID_TOKEN", "INVALID_API_KEY"),
        ),
        Kind.EXPIRED: (
            *("TOKEN_EXPIRED", "SESSION_EXPIRED", "CREDENTIAL_EXPIRED", "EXPIRED_TOKEN", "EXPIRED", "UNAUTHORIZED"),
            *("UNAUTHENTICATED", "AUTHENTICATION_REQUIRED", "AUTHENTICATION_ERROR", "AUTHENTICATION_FAILED"),
            *("INVALID_CREDENTIALS", "INVALID_TOKEN", "INVALID_API_KEY"),
        ),
        Kind.FORBIDDEN: (
            *("FORBIDDEN", "PERMISSION_DENIED", "INSUFFICIENT_SCOPE", "INSUFFICIENT_PERMISSIONS"),
            *("ACCESS_DENIED", "NOT_AUTHORIZED"),
        ),
        Kind.CONFLICT: ("CONFLICT", "ALREADY_EXISTS", "DUPLICATE"),
        Kind.WRONG_STATE: ("CONFLICT", "INVALID_STATE", "INVALID_TRANSITION", "FAILED_PRECONDITION"),
        Kind.PRECONDITION_FAILED: ("PRECONDITION_FAILED", "FAILED_PRECONDITION", "VERSION_CONFLICT"),
        Kind.RATE_LIMITED: ("RATE_LIMIT_EXCEEDED", "RATE_LIMITED", "TOO_MANY_REQUESTS", "RATE_LIMIT"),
        Kind.QUOTA_EXCEEDED: ("QUOTA_EXCEEDED", "LIMIT_REACHED", "LIMIT_EXCEEDED", "PLAN_LIMIT"),
        Kind.IDEMPOTENCY_MISMATCH: ("IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_MISMATCH", "IDEMPOTENCY_CONFLICT"),
        Kind.TOO_LARGE: ("PAYLOAD_TOO_LARGE", "REQUEST_TOO_LARGE", "CONTENT_TOO_LARGE"),
        Kind.FAULT: ("SERVICE_UNAVAILABLE", "INTERNAL_ERROR", "SERVER_ERROR"),
        Kind.INTERNAL: ("INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "SERVER_ERROR"),
    }
)
"""The words that APIs use for a kind of problem, the most usual one first."""

_KEYWORD_CODES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "required": ("required", "missing_field", "missing", "blank"),
        "type": ("invalid_type", "wrong_type"),
        "format": ("invalid_format",),
        "pattern": ("invalid_format", "invalid_pattern"),
        "enum": ("invalid_choice", "not_allowed", "inclusion"),
        "const": ("invalid_choice", "not_allowed"),
        "minLength": ("too_short",),
        "maxLength": ("too_long",),
        "minItems": ("too_short", "too_few"),
        "maxItems": ("too_long", "too_many"),
        "minimum": ("too_small", "out_of_range"),
        "maximum": ("too_large", "too_big", "out_of_range"),
        "uniqueItems": ("duplicate", "already_exists"),
        "additionalProperties": ("unknown_field", "unexpected", "unrecognized"),
        "security": ("unauthorized", "missing_credentials"),
        "scope": ("insufficient_scope", "forbidden"),
    }
)
"""The words that APIs use for a broken keyword, beside the keyword itself."""

_ABOUT_NO_FIELD = frozenset({Kind.UNAUTHENTICATED, Kind.EXPIRED, Kind.FORBIDDEN})
"""Kinds whose violations APIs never list by field: the status says it all."""

_OAUTH_CODES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.UNAUTHENTICATED: "invalid_token",
        Kind.EXPIRED: "invalid_token",
        Kind.FORBIDDEN: "insufficient_scope",
        Kind.INTERNAL: "server_error",
    }
)
"""RFC 6750 §3.1 and RFC 6749 §5.2; every other kind is an ``invalid_request``."""

_LONGEST_PATH = 1000
_URI = "%/:?#[]@!$&'()*+,;=-._~"  # what may stand in a URI as it is (RFC 3986 §2.2, §2.3)


@dataclass(frozen=True, slots=True)
class Facts:
    """A problem as the description may show it: its status, the API's code for it, facts of the exchange.

    ``code`` is None where no annotation names one; ``path`` is the request's, ``request_id`` the journal's;
    ``sentences`` is what the API says of violations in its own words.
    """

    problem: Problem
    status: int
    code: str | None
    detail: str
    request_id: str
    path: str
    now: datetime
    seed: int
    sentences: Sentences | None = None

    @property
    def title(self) -> str:
        """The reason phrase of the status."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Error"

    @property
    def type(self) -> str:
        """The problem type as a URI (RFC 9457 §3.1.1)."""
        return f"urn:apidouble:problem:{self.problem.kind}"

    @property
    def codes(self) -> tuple[str, ...]:
        """Code words for the problem, most fitting first; only the API's own where an annotation names it."""
        if self.code is not None:
            return (self.code,)
        return _KIND_CODES.get(self.problem.kind, (str(self.problem.kind).upper().replace("-", "_"),))

    @property
    def oauth_code(self) -> str:
        """The ``error`` of an OAuth error response."""
        return self.code or _OAUTH_CODES.get(self.problem.kind, "invalid_request")

    @property
    def whole(self) -> Subject:
        """The problem as a whole; what it says of a field is what its first violation says."""
        each = self.each
        return Subject(self, self.detail, self.codes, each[0].violation if each else None, is_whole=True)

    @property
    def each(self) -> tuple[Subject, ...]:
        """Every violation as something to tell; none where the caller is refused, not the request."""
        if self.problem.kind in _ABOUT_NO_FIELD:
            return ()
        return tuple(
            Subject(self, self.words(v), (v.keyword, *_KEYWORD_CODES.get(v.keyword, ("invalid",))), v, is_whole=False)
            for v in self.problem.violations
        )

    def words(self, violation: Violation) -> str:
        """What is said of a violation: in the API's own words where it has some."""
        own = self.sentences.told(violation, field_of(violation)) if self.sentences is not None else None
        return violation.message if own is None else own

    def shown(self, violation: Violation) -> dict[str, Json]:
        """One member of ``errors`` in a problem document, in the API's own words where it has some."""
        return shown(violation) | {"message": self.words(violation)}

    def as_json(self) -> dict[str, Json]:
        """What ``$problem#/…`` sees in an error template."""
        return {
            "kind": str(self.problem.kind),
            "status": self.status,
            "code": self.codes[0],
            "title": self.title,
            "detail": self.detail,
            "errors": [self.shown(violation) for violation in self.problem.violations],
            "fields": [{"field": subject.field, "message": subject.message} for subject in self.each],
            "id": self.request_id,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to tell: the problem as a whole, or one violation."""

    facts: Facts
    message: str
    codes: tuple[str, ...]
    violation: Violation | None
    is_whole: bool

    @property
    def tokens(self) -> tuple[str, ...]:
        """The name of the parameter, then the way into its value, down to the member that is missing."""
        return _tokens(self.violation) if self.violation is not None else ()

    @property
    def field(self) -> str:
        """The place as people write it: ``items.0.price``, or the parameter's name; "" for a whole body."""
        return ".".join(self.tokens)

    @property
    def where(self) -> str:
        """The part of the message: body, query, path, header or cookie; "" when no part is to blame."""
        return "" if self.violation is None else self.violation.where


def field_of(violation: Violation) -> str:
    """The place of a violation as people write it: ``items.0.price``, or the parameter's name."""
    return ".".join(_tokens(violation))


def _tokens(violation: Violation) -> tuple[str, ...]:
    named = (violation.name,) if violation.name else ()
    return (*named, *pointers.split(violation.pointer), *_missing(violation))


def _missing(violation: Violation) -> tuple[str, ...]:
    """The member that a ``required`` violation asks for; its pointer leads to the object that lacks it."""
    if violation.keyword != "required" or not isinstance(violation.expected, list):
        return ()
    return tuple(name for name in violation.expected if violation.message.startswith(repr(name)))[:1]


def shown(violation: Violation) -> dict[str, Json]:
    """One member of ``errors`` in a problem document, a long received value cut short."""
    return violation.as_json() | {"got": clipped(violation.got), "expected": clipped(violation.expected)}


def problem_document(facts: Facts) -> dict[str, Json]:
    """RFC 9457 problem details with every violation."""
    document: dict[str, Json] = {
        "type": facts.type,
        "title": facts.title,
        "status": facts.status,
        "detail": facts.detail,
        "instance": quote(facts.path[:_LONGEST_PATH], safe=_URI, errors="replace"),
    }
    if facts.code is not None:
        document["code"] = facts.code
    if facts.problem.violations:
        document["errors"] = [facts.shown(violation) for violation in facts.problem.violations]
    return document

"""Why a request gets no success: a value that travels down the line like any other answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mock_server.dataclass import dataclass
from mock_server.model.meaning import Reason
from mock_server.openapi.values import Violation


class Kind(StrEnum):
    """The kinds of problem, which an ``x-mock-errors`` annotation may map to an API's own codes and
    bodies."""

    NO_ROUTE = "no-route"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    UNAUTHENTICATED = "unauthenticated"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    MALFORMED = "malformed"
    INVALID = "invalid"
    MISSING = "missing"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    TOO_LARGE = "too-large"
    NOT_ACCEPTABLE = "not-acceptable"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    WRONG_STATE = "wrong-state"
    PRECONDITION_FAILED = "precondition-failed"
    PRECONDITION_REQUIRED = "precondition-required"
    RATE_LIMITED = "rate-limited"
    QUOTA_EXCEEDED = "quota-exceeded"
    IDEMPOTENCY_MISMATCH = "idempotency-mismatch"
    PREFERENCE = "preference"
    SELF_VIOLATION = "self-violation"
    DESCRIPTION = "description"
    INTERNAL = "internal"
    FAULT = "fault"


DEFAULT_STATUS: dict[Kind, int] = {
    Kind.NO_ROUTE: 404,
    Kind.METHOD_NOT_ALLOWED: 405,
    Kind.UNAUTHENTICATED: 401,
    Kind.EXPIRED: 401,
    Kind.FORBIDDEN: 403,
    Kind.MALFORMED: 400,
    Kind.INVALID: 422,
    Kind.MISSING: 422,
    Kind.UNSUPPORTED_MEDIA_TYPE: 415,
    Kind.TOO_LARGE: 413,
    Kind.NOT_ACCEPTABLE: 406,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.WRONG_STATE: 409,
    Kind.PRECONDITION_FAILED: 412,
    Kind.PRECONDITION_REQUIRED: 428,
    Kind.RATE_LIMITED: 429,
    Kind.QUOTA_EXCEEDED: 429,
    Kind.IDEMPOTENCY_MISMATCH: 422,
    Kind.PREFERENCE: 400,
    Kind.SELF_VIOLATION: 500,
    Kind.DESCRIPTION: 500,
    Kind.INTERNAL: 500,
    Kind.FAULT: 503,
}
"""The status each kind has by its RFC (9110, 6585) where the description does not say otherwise."""

WIDER: Mapping[Kind, Kind] = {Kind.MISSING: Kind.INVALID, Kind.EXPIRED: Kind.UNAUTHENTICATED}
"""Kinds that are answered as a wider one where an API does not tell them apart."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal: its kind, one sentence for a person, and the violations that led to it.

    ``status`` is None until the description has been asked which status it has for this kind; ``code`` is a
    machine-readable word of the API's own, where an annotation gives one. ``reasons`` are for the explanation alone.
    """

    kind: Kind
    detail: str
    violations: tuple[Violation, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    status: int | None = None
    code: str | None = None
    reasons: tuple[Reason, ...] = ()

"""Who calls: security requirements checked by presence, or against credentials where the fixtures declare them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from mock_server.exchange.messages import RawRequest
from mock_server.model.call import Principal
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.description import Operation, SecurityRequirement, SecurityScheme
from mock_server.openapi.values import Violation

ANONYMOUS = Principal("anonymous", "")


@dataclass(frozen=True, slots=True)
class Credential:
    """One seeded credential. ``value`` is what a client puts on the wire, without the name of an HTTP scheme."""

    name: str
    scheme: str
    value: str
    description: str = ""
    scopes: tuple[str, ...] | None = None
    tenant: str | None = None
    plan: str | None = None
    expires: datetime | None = None

    def principal(self) -> Principal:
        """Who a request with this credential comes from."""
        scopes = frozenset(self.scopes) if self.scopes is not None else None
        return Principal(self.name, self.scheme, scopes, self.tenant, self.plan)


TokenVerifier = Callable[[str, datetime], Principal | str]
"""Checks a bearer token at a time: its principal, or one sentence saying why it is refused."""


class Authenticator:
    """Checks the security requirements of operations.

    ``credentials`` are those of the fixtures; a scheme that has any, or a token verifier, is checked for what it
    says, every other one only for its presence.
    """

    def __init__(self, credentials: Iterable[Credential], *, verifiers: Mapping[str, TokenVerifier]) -> None:
        self._known: dict[str, dict[str, Credential]] = {}
        for credential in credentials:
            self._known.setdefault(credential.scheme, {})[credential.value] = credential
        self._verifiers = verifiers

    def authenticate(self, operation: Operation, request: RawRequest, now: datetime) -> tuple[Principal | None, str] | Problem:
        """The caller (None for an open operation) and a word on how it was known; else a 401 or 403."""
        if not operation.security:
            return None, "open"
        refusals: list[Problem] = []
        anonymous = False
        for requirement in operation.security:
            if not requirement:
                anonymous = True
                continue
            found = self._satisfies(requirement, request, now)
            if isinstance(found, Principal):
                return found, " and ".join(scheme.name for scheme, _ in requirement)
            refusals.append(found)
        if anonymous:
            return ANONYMOUS, "anonymous access is allowed"
        # The most telling refusal: a known caller without a scope, then a wrong credential, then a missing one.
        refusals.sort(key=lambda problem: (problem.kind is not Kind.FORBIDDEN, _is_missing(problem)))
        challenges = tuple(
            ("WWW-Authenticate", challenge) for challenge in dict.fromkeys(_challenges(operation.security))
        )
        first = refusals[0]
        return Problem(first.kind, first.detail, first.violations, challenges if first.kind is Kind.UNAUTHENTICATED else ())

    def _satisfies(self, requirement: SecurityRequirement, request: RawRequest, now: datetime) -> Principal | Problem:
        principal = ANONYMOUS
        for scheme, scopes in requirement:
            value = presented(scheme, request)
            if value is None:
                where = _place(scheme)
                violation = Violation(where, "", "security", None, scheme.name, f"{_how(scheme)} is missing", scheme.parameter or "Authorization")
                return Problem(Kind.UNAUTHENTICATED, f"{_how(scheme)} is missing", (violation,))
            found = self._check(scheme, value, now)
            if isinstance(found, Problem):
                return found
            principal = found
            lacking = [scope for scope in scopes if principal.scopes is not None and not _covers(principal.scopes, scope)]
            if lacking:
                listed = ", ".join(lacking)
                violation = Violation(_place(scheme), "", "scope", sorted(principal.scopes or ()), list(scopes), f"the scope {listed} is missing")
                return Problem(Kind.FORBIDDEN, f"{principal.name} lacks the scope {listed}", (violation,))
        return principal

    def _check(self, scheme: SecurityScheme, value: str, now: datetime) -> Principal | Problem:
        known = self._known.get(scheme.name)
        if known is not None and value in known:
            credential = known[value]
            if credential.expires is not None and credential.expires <= now:
                return _refused(scheme, f"this credential expired at {credential.expires.isoformat()}")
            return credential.principal()
        verifier = self._verifiers.get(scheme.name)
        if verifier is not None:
            verified = verifier(value, now)
            return _refused(scheme, verified) if isinstance(verified, str) else verified
        if known is not None:
            return _refused(scheme, f"{_how(scheme)} is not one that the fixtures know")
        name = value.partition(":")[0] if scheme.scheme == "basic" else f"caller {value[:4]}…"
        return Principal(name, scheme.name)


def presented(scheme: SecurityScheme, request: RawRequest) -> str | None:
    """What a request presents for a scheme; None when nothing, or nothing of the scheme's form."""
    if scheme.kind == "apiKey":
        if scheme.location == "header":
            return request.headers.get(scheme.parameter.lower()) or None
        if scheme.location == "query":
            return dict(parse_qsl(request.query, keep_blank_values=True)).get(scheme.parameter) or None
        return _cookie(request.headers.get("cookie", ""), scheme.parameter)
    if scheme.kind == "mutualTLS":
        return "client certificate"  # the transport's business; nothing on the wire to look at
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != scheme.scheme or not value.strip():
        return None
    return _basic(value.strip()) if scheme.scheme == "basic" else value.strip()


def _basic(value: str) -> str | None:
    """``user:password`` (RFC 7617), None when it is not base64 of that."""
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return text if ":" in text else None


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found is not None and found.value else None


def _covers(granted: frozenset[str], scope: str) -> bool:
    return scope in granted or "*" in granted or any(g.endswith(":*") and scope.startswith(g[:-1]) for g in granted)


def _refused(scheme: SecurityScheme, why: str) -> Problem:
    violation = Violation(_place(scheme), "", "security", None, scheme.name, why, scheme.parameter or "Authorization")
    return Problem(Kind.UNAUTHENTICATED, why, (violation,))


def _is_missing(problem: Problem) -> bool:
    return problem.detail.endswith("is missing")


def _place(scheme: SecurityScheme) -> str:
    return scheme.location or "header"


def _how(scheme: SecurityScheme) -> str:
    if scheme.kind == "apiKey":
        return f"the {scheme.location} {scheme.parameter} ({scheme.name})"
    return f"a {scheme.scheme} credential in Authorization ({scheme.name})"


def _challenges(security: tuple[SecurityRequirement, ...]) -> list[str]:
    """One challenge for each HTTP scheme (RFC 9110 §11.6.1); API keys get the scheme's own name."""
    found = []
    for requirement in security:
        for scheme, scopes in requirement:
            realm = f'realm="{scheme.name}"'
            if scheme.kind == "apiKey":
                found.append(f'ApiKey {realm}, in="{scheme.location}", name="{scheme.parameter}"')
            elif scheme.scheme == "bearer":
                found.append(f"Bearer {realm}" + (f', scope="{" ".join(scopes)}"' if scopes else ""))
            elif scheme.scheme:
                found.append(f"{scheme.scheme.capitalize()} {realm}")
    return found

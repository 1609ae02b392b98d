"""Who calls: security requirements checked by presence, or against the credentials of the fixtures."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qsl

from mock_server.dataclass import dataclass
from mock_server.exchange.messages import RawRequest
from mock_server.model.call import Principal
from mock_server.model.clock import rfc3339
from mock_server.model.credentials import CredentialStore, Refused
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import State
from mock_server.openapi.description import Operation, SecurityRequirement, SecurityScheme
from mock_server.openapi.values import Json, Violation

ANONYMOUS = Principal("anonymous", "")


@dataclass(frozen=True, slots=True)
class Credential:
    """One seeded credential. ``value`` is what a client puts on the wire, without the name of an HTTP scheme.

    ``verified`` credentials are tokens: they are judged by what they say, not by being known. Those that name an
    ``item`` are judged by that item of the state; what is told of them here is how it was seeded.
    """

    name: str
    scheme: str
    value: str = field(repr=False)
    description: str = ""
    scopes: tuple[str, ...] | None = None
    tenant: str | None = None
    plan: str | None = None
    expires: datetime | None = None
    verified: bool = False
    item: str | None = None

    def principal(self) -> Principal:
        """Who a request with this credential comes from."""
        scopes = frozenset(self.scopes) if self.scopes is not None else None
        return Principal(self.name, self.scheme, scopes, self.tenant, self.plan)


def secrets_seeded(credentials: Iterable[Credential]) -> Iterator[str]:
    """What seeded credentials put on the wire; of a user's name and password, the password, too."""
    for credential in credentials:
        yield credential.value
        yield credential.value.partition(":")[2]


TokenVerifier = Callable[[str, datetime], Principal | Refused]
"""Checks a bearer token at a time: its principal, or why it is refused."""

_NOTHING = State()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a requirement is not met. ``error`` is a code of RFC 6750 §3.1, "" where nothing was presented."""

    kind: Kind
    error: str
    scheme: SecurityScheme
    scopes: tuple[str, ...]
    why: str
    got: Json = None

    @property
    def problem(self) -> Problem:
        scheme = self.scheme
        forbidden = self.kind is Kind.FORBIDDEN
        violation = Violation(
            where=scheme.location or "header",
            pointer="",
            keyword="scope" if forbidden else "security",
            got=self.got,
            expected=list(self.scopes) if forbidden else scheme.name,
            message=self.why,
            name=scheme.parameter or "Authorization",
        )
        return Problem(self.kind, self.why, (violation,))


class Authenticator:
    """Checks the security requirements of operations.

    ``credentials`` are those of the fixtures, ``stores`` where the state has some, by scheme; a scheme that has any, or
    a token verifier, is checked for what is presented, every other one only for its presence.
    """

    def __init__(
        self,
        credentials: Iterable[Credential],
        *,
        verifiers: Mapping[str, TokenVerifier],
        stores: Mapping[str, CredentialStore] | None = None,
    ) -> None:
        self._known: dict[str, dict[str, Credential]] = {}
        for credential in credentials:
            if not credential.verified and credential.item is None:
                self._known.setdefault(credential.scheme, {})[credential.value] = credential
        self._verifiers = verifiers
        self.stores = stores or {}

    def keep(self, stores: Mapping[str, CredentialStore]) -> None:
        """Takes the stores, which are known only when every API that shares the state is."""
        self.stores = stores

    def authenticate(
        self, operation: Operation, request: RawRequest, now: datetime, state: State = _NOTHING
    ) -> tuple[Principal | None, str] | Problem:
        """The caller (None for an open operation) and a word on how it was known; else a 401 or 403.

        ``state`` is where the stores are looked into: one value, so that no lock is needed.
        """
        if not operation.security:
            return None, "open"
        refusals: list[_Refusal] = []
        for requirement in operation.security:
            found = self._satisfies(requirement, request, now, state)
            if isinstance(found, Principal):
                return found, " and ".join(scheme.name for scheme, _ in requirement)
            if found is not None:
                refusals.append(found)
        if len(refusals) < len(operation.security):
            return ANONYMOUS, "anonymous access is allowed"
        told = min(refusals, key=_least_telling)
        challenges = dict.fromkeys(_challenges(operation.security, told))
        return replace(told.problem, headers=tuple(("WWW-Authenticate", text) for text in challenges))

    def _satisfies(
        self, requirement: SecurityRequirement, request: RawRequest, now: datetime, state: State
    ) -> Principal | _Refusal | None:
        """The caller that one alternative admits; None for the alternative that asks for nothing."""
        principal: Principal | None = None
        for scheme, scopes in requirement:
            value = presented(scheme, request)
            if value is None:
                return _Refusal(Kind.UNAUTHENTICATED, "", scheme, scopes, f"{_how(scheme)} is missing")
            found = self._check(scheme, value, now, state)
            if isinstance(found, Refused):
                return _Refusal(found.kind, "invalid_token", scheme, scopes, found.why)
            principal = found
            granted = found.scopes
            lacking = [scope for scope in scopes if granted is not None and not covers(granted, scope)]
            if lacking:
                why = f"{found.name} lacks the scope {', '.join(lacking)}"
                got = sorted(granted or ())
                return _Refusal(Kind.FORBIDDEN, "insufficient_scope", scheme, scopes, why, got)
        return principal

    def _check(self, scheme: SecurityScheme, value: str, now: datetime, state: State) -> Principal | Refused:
        """Who presents a value, or why it is refused. What an item of the state says goes before all else."""
        store = self.stores.get(scheme.name)
        stored = store.presented(state, value, now) if store is not None else None
        if stored is not None:
            return stored
        known = self._known.get(scheme.name)
        if known is not None and value in known:
            credential = known[value]
            if credential.expires is not None and credential.expires <= now:
                return Refused(f"this credential expired at {rfc3339(credential.expires)}", Kind.EXPIRED)
            return credential.principal()
        verifier = self._verifiers.get(scheme.name)
        if verifier is not None:
            return verifier(value, now)
        if store is not None:
            return Refused(f"{_how(scheme)} is none that {store.resource.name} or the fixtures know")
        if known is not None:
            return Refused(f"{_how(scheme)} is not one that the fixtures know")
        if scheme.scheme == "basic":
            return Principal(value.partition(":")[0], scheme.name)
        # A name that tells callers apart without telling the journal their secrets.
        digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        return Principal(f"caller-{digest[:8]}", scheme.name)


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
    """The value of a cookie (RFC 6265 §5.4); whatever else the header holds does not matter."""
    for pair in header.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value.strip('"') or None
    return None


def covers(granted: frozenset[str], scope: str) -> bool:
    if scope in granted or "*" in granted:
        return True
    return any(pattern.endswith(":*") and scope.startswith(pattern[:-1]) for pattern in granted)


def _least_telling(refusal: _Refusal) -> tuple[bool, bool, bool]:
    """Orders refusals: a known caller without a scope first, then one whose time is over, then a wrong credential,
    then a missing one."""
    return refusal.kind is not Kind.FORBIDDEN, refusal.kind is not Kind.EXPIRED, not refusal.error


def _how(scheme: SecurityScheme) -> str:
    if scheme.kind == "apiKey":
        return f"the {scheme.location} {scheme.parameter} ({scheme.name})"
    return f"a {scheme.scheme} credential in Authorization ({scheme.name})"


def _challenges(security: tuple[SecurityRequirement, ...], told: _Refusal) -> Iterator[str]:
    """One challenge for each scheme (RFC 9110 §11.6.1); that of the refused bearer token says why.

    RFC 6750 §3.1: a request without credentials gets no error code. RFC 9110 leaves room for schemes of one's
    own, so API keys get one that says where the key belongs.
    """
    for requirement in security:
        for scheme, scopes in requirement:
            realm = f"realm={_quoted(scheme.name)}"
            if scheme.kind == "apiKey":
                yield f"ApiKey {realm}, in={_quoted(scheme.location)}, name={_quoted(scheme.parameter)}"
            elif scheme.scheme == "bearer":
                yield "Bearer " + ", ".join((realm, *_bearer_error(scheme, scopes, told)))
            elif scheme.scheme == "basic":
                yield f'Basic {realm}, charset="UTF-8"'  # RFC 7617 §2.1
            elif scheme.scheme:
                yield f"{scheme.scheme.capitalize()} {realm}"


def _bearer_error(scheme: SecurityScheme, scopes: tuple[str, ...], told: _Refusal) -> Iterator[str]:
    if scopes:
        yield f"scope={_quoted(' '.join(scopes))}"
    if told.error and told.scheme.name == scheme.name:
        yield f"error={_quoted(told.error)}"
        yield f"error_description={_quoted(told.why)}"


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110 §5.6.4) of what RFC 6750 §3 admits: printable ASCII without quotes."""
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text) + '"'

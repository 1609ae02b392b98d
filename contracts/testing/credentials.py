"""The credentials that a test's double accepts: by their names in the fixtures, the one to take, and fresh tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from urllib.parse import urlencode

from contracts.exchanges import Presented, carried
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.exchange.authentication import Credential as Seeded
from mock_server.exchange.authentication import covers
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.universe import Universe
from mock_server.model.clock import parse_duration, rfc3339
from mock_server.model.problem import Problem
from mock_server.openapi.description import SecurityScheme
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served
from mock_server.web.credentials import minted_token

_TELLING = 16
"""Secrets of so many characters are told apart by their first four; of shorter ones nothing is shown."""

Requirement = tuple[tuple[str, tuple[str, ...]], ...]
"""One alternative of what an operation asks for: schemes and the scopes of each; () asks for nothing."""


class UnknownCredential(ConfigurationError, KeyError):
    """The fixtures have no credential of a name; a ``KeyError``, too, as mappings raise it."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client sends to be known.

    ``headers``, ``query`` and ``cookies`` carry it; ``headers`` have the Cookie header already, where it is a cookie.
    ``value`` is the secret itself, without the name of an HTTP scheme. ``scopes`` None means that nothing is refused
    for want of one. ``refusal`` is why the double does not accept it now ("it expired at …"), "" when it does.
    """

    name: str
    scheme: str
    value: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    scopes: tuple[str, ...] | None = None
    tenant: str | None = None
    plan: str | None = None
    expires: datetime | None = None
    description: str = ""
    refusal: str = ""

    @property
    def valid(self) -> bool:
        """Whether the double accepts it now."""
        return not self.refusal

    def __repr__(self) -> str:
        told = [self.scheme or "no scheme"]
        told += [f"{self.value[:4]}…" if len(self.value) >= _TELLING else "…"] if self.value else []
        told += [f"tenant {self.tenant}"] if self.tenant else []
        told += [f"plan {self.plan}"] if self.plan else []
        told += [f"scopes {' '.join(self.scopes) or 'none'}"] if self.scopes is not None else []
        told += [f"until {rfc3339(self.expires)}"] if self.expires is not None else []
        told += [f"refused: {self.refusal}"] if self.refusal else []
        return f"<Credential {self.name}: {', '.join(told)}>"


class Credentials(Mapping[str, Credential]):
    """The fixtures' credentials by name, as they count now: ``api.credentials["owner"].headers``.

    What the test changes counts: the clock, and keys that are items of the state and are rotated or revoked.
    """

    def __init__(self, sandbox: Sandbox, served: Served, universe: Universe) -> None:
        self._sandbox = sandbox
        self._served = served
        self._universe = universe
        self._seeded = {credential.name: credential for credential in served.credentials}

    def __repr__(self) -> str:
        return f"<Credentials of {self._served.name}: {', '.join(self._seeded) or 'none in its fixtures'}>"

    def __iter__(self) -> Iterator[str]:
        return iter(self._seeded)

    def __len__(self) -> int:
        return len(self._seeded)

    def __getitem__(self, name: str) -> Credential:
        __tracebackhide__ = True
        seeded = self._seeded.get(name)
        if seeded is None:
            raise UnknownCredential(
                f"the fixtures of {self._served.name} have no credential {name!r}",
                allowed=", ".join(self._seeded) or "none: api.credentials.default is one that is accepted",
                hint=did_you_mean(name, self._seeded),
            )
        return self._judged(self._current(seeded))

    @property
    def default(self) -> Credential:
        """The one to take when nothing matters: it is accepted, and for as many operations as can be.

        Of several the fixtures' first. Where the fixtures have none, a fresh token or a made-up value that the double
        accepts; without any security in the description, one that sends nothing.
        """
        __tracebackhide__ = True
        asked = Counter(self._asked())
        if not asked:
            return Credential("anonymous", "", "", description="this API asks nobody for credentials")
        candidates = list(self._candidates(asked))
        if not candidates:
            raise ConfigurationError(
                f"{self._served.name} accepts none of the credentials of its fixtures",
                got="; ".join(f"{name}: {self[name].refusal}" for name in self) or "there are none",
                hint="seed one under credentials, or create one through the API",
            )
        return max(candidates, key=lambda each: _admitted(each, asked))

    def token(
        self,
        *,
        scopes: Sequence[str] = (),
        subject: str = "test",
        expires_in: str = "P1D",
        tenant: str | None = None,
        plan: str | None = None,
        scheme: str | None = None,
        claims: Mapping[str, Json] | None = None,
    ) -> Credential:
        """A fresh token, signed with the sandbox's own key, of the first scheme that has tokens or of the one named.

        Schemes have tokens by the annotation ``x-mock-jwt`` and a key in the fixtures.
        ``expires_in`` is an ISO 8601 duration on the double's clock, negative for a token that has expired.
        ``claims`` are put in, or in place of what the token would say. Raises ``ConfigurationError``.
        """
        __tracebackhide__ = True
        if isinstance(scopes, str):
            raise ConfigurationError("scopes are a list", got=scopes, hint=f"scopes={scopes.split()}")
        rules, now = self._served.rules, self._universe.clock.now()
        chosen = scheme if scheme is not None else next(iter(rules), "")
        said = dict(claims or {})
        if chosen in rules:
            said = {**({rules[chosen].tenant_claim: tenant} if tenant is not None else {}),
                    **({rules[chosen].plan_claim: plan} if plan is not None else {}), **said}  # fmt: skip
        value = minted_token(self._served, now=now, scheme=scheme, subject=subject, scopes=scopes, lifetime=expires_in,
                             claims=said)  # fmt: skip
        found = self._carried(subject, self._served.api.security_schemes[chosen], value)
        expires = now + parse_duration(expires_in) if "exp" not in said else None
        return self._judged(replace(found, scopes=tuple(scopes), tenant=tenant, plan=plan, expires=expires))

    # Inside: one credential

    def _current(self, seeded: Seeded) -> Credential:
        """A seeded credential as it is now, which differs from how it was seeded where it is an item of the state."""
        scheme = self._served.api.security_schemes[seeded.scheme]
        found = replace(
            self._carried(seeded.name, scheme, seeded.value),
            scopes=seeded.scopes,
            tenant=seeded.tenant,
            plan=seeded.plan,
            expires=seeded.expires,
            description=seeded.description,
        )
        store = self._served.line.authenticator.stores.get(seeded.scheme)
        held = store.items(self._universe.state, seeded.item) if store is not None and seeded.item is not None else []
        value = store.wire_value(held[0][1].value) if store is not None and len(held) == 1 else None
        if store is None or value is None:
            return found
        sent = _presented(scheme, value)
        return replace(found, value=value, headers=sent.headers, query=sent.query, cookies=_cookies(scheme, value),
                       expires=store.expiry(held[0][1].value))  # fmt: skip

    def _carried(self, name: str, scheme: SecurityScheme, value: str) -> Credential:
        sent = _presented(scheme, value)
        return Credential(name, scheme.name, value, sent.headers, sent.query, _cookies(scheme, value))

    def _judged(self, credential: Credential) -> Credential:
        """The credential with what the double thinks of it: whose it is, what it may, or why it is refused."""
        api, universe = self._served.api, self._universe
        scheme = api.security_schemes[credential.scheme]
        first = next(iter(api.refs), None)
        if first is None:
            return credential
        operation = replace(api.operation(first), security=(((scheme, ()),),))
        headers = {name.lower(): value for name, value in credential.headers.items()}
        request = RawRequest("GET", "/", urlencode(credential.query), headers, b"", "")
        told = self._served.line.authenticator.authenticate(operation, request, universe.clock.now(), universe.state)
        if isinstance(told, Problem):
            return replace(credential, refusal=told.detail)
        principal, _ = told
        if principal is None:
            return credential
        scopes = tuple(sorted(principal.scopes)) if principal.scopes is not None else None
        return replace(credential, tenant=principal.tenant, plan=principal.plan, scopes=scopes)

    # Inside: the one to take

    def _asked(self) -> Iterator[tuple[Requirement, ...]]:
        """What each operation that asks for something asks for: one of these. Nothing is compiled for it."""
        everywhere = self._served.api.root.get("security")
        for ref in self._served.api.refs.values():
            declared = ref.operation.value.get("security", everywhere) or ()
            if declared:
                yield tuple(tuple((name, tuple(scopes)) for name, scopes in each.items()) for each in declared)

    def _candidates(self, asked: Iterable[tuple[Requirement, ...]]) -> Iterator[Credential]:
        """What may be taken: the fixtures' valid ones, what else a scheme takes, and what several together make."""
        valid = [credential for credential in self.values() if credential.valid]
        yield from valid
        wanted = dict.fromkeys(tuple(name for name, _ in each) for alternatives in asked for each in alternatives)
        for names in wanted:
            parts = [self._widest(name, valid) for name in names]
            made = [part for part in parts if part is not None]
            if len(made) == len(names) and names:
                yield _joined(made)
        if () in wanted:
            yield Credential("anonymous", "", "", description="some operations take callers without credentials")

    def _widest(self, name: str, valid: Iterable[Credential]) -> Credential | None:
        """The best credential of a scheme; None where only the fixtures' could be good, and none of them is."""
        own = [credential for credential in valid if credential.scheme == name]
        if own:
            return max(own, key=lambda each: float("inf") if each.scopes is None else len(each.scopes))
        scheme = self._served.api.security_schemes[name]
        if name in self._served.rules:
            return replace(self.token(scheme=name, scopes=scheme.scopes), name=f"fresh {name}")
        seeded = any(each.scheme == name for each in self._served.credentials)
        if seeded or name in self._served.line.authenticator.stores:
            return None
        value = "test:test" if scheme.scheme == "basic" else "test-credential"
        return replace(self._carried(f"made-up {name}", scheme, value), description="any value is accepted")


def _joined(parts: Sequence[Credential]) -> Credential:
    """Several credentials that are sent together, of schemes that are asked for together."""
    if len(parts) == 1:
        return parts[0]
    told = [part.scopes for part in parts if part.scopes is not None]
    scopes = tuple(sorted({scope for each in told for scope in each})) if told else None
    return replace(
        parts[-1],
        name=" and ".join(part.name for part in parts),
        scheme=" and ".join(part.scheme for part in parts),
        headers={name: value for part in parts for name, value in part.headers.items()},
        query={name: value for part in parts for name, value in part.query.items()},
        cookies={name: value for part in parts for name, value in part.cookies.items()},
        scopes=scopes,
    )


def _admitted(credential: Credential, asked: Mapping[tuple[Requirement, ...], int]) -> int:
    """For how many operations a credential is enough."""
    schemes = credential.scheme.split(" and ")
    granted = None if credential.scopes is None else frozenset(credential.scopes)

    def enough(requirement: Requirement) -> bool:
        return all(
            name in schemes and (granted is None or all(covers(granted, scope) for scope in scopes))
            for name, scopes in requirement
        )

    return sum(number for alternatives, number in asked.items() if any(map(enough, alternatives)))


def _presented(scheme: SecurityScheme, value: str) -> Presented:
    try:
        return carried(scheme, value)
    except ConfigurationError:  # a client certificate is the transport's business
        return Presented()


def _cookies(scheme: SecurityScheme, value: str) -> dict[str, str]:
    return {scheme.parameter: value} if scheme.location == "cookie" else {}

"""JSON Web Tokens (RFC 7519): checking them for a scheme, minting them, publishing the keys (RFC 7517).

PyJWT brings cryptography, which takes a tenth of a second to import, so it is imported where a scheme has tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.exchange.authentication import TokenVerifier
from mock_server.model.call import Principal
from mock_server.model.credentials import Refused
from mock_server.model.problem import Kind
from mock_server.openapi.values import Json

_LATEST = 1e12
"""Seconds; a time claim beyond the year 33658 is an infinity or nonsense."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How a security scheme's tokens are checked: its ``x-mock-jwt`` annotation and the fixtures' keys.

    ``signing_key`` is the sandbox's own private key (PEM) or shared secret, ``verifying_key`` what checks it.
    """

    scheme: str
    algorithms: tuple[str, ...]
    issuer: str | None
    audience: str | None
    scope_claim: str
    required: tuple[str, ...]
    signing_key: str = field(repr=False)
    verifying_key: str = field(repr=False)
    key_id: str
    tenant_claim: str = "tenant"
    plan_claim: str = "plan"


def verifier(rules: TokenRules) -> TokenVerifier:
    """A check of a token's signature, times, issuer, audience and required claims at a given time."""
    import jwt

    # Time is the universe's own, which the library cannot know: it is checked below.
    own_checks = ("verify_exp", "verify_nbf", "verify_iat")
    options: Any = dict.fromkeys(own_checks, False) | {
        "require": list(rules.required),
        "verify_aud": rules.audience is not None,
    }

    def verify(token: str, now: datetime) -> Principal | Refused:
        try:
            claims = jwt.decode(
                token,
                rules.verifying_key,
                algorithms=list(rules.algorithms),
                issuer=rules.issuer,
                audience=rules.audience,
                options=options,
            )
        except jwt.PyJWTError as error:
            return Refused(f"the token is refused: {error}")
        except (RecursionError, ValueError):  # hostile JSON in the header or the claims
            return Refused("the token is refused: its JSON cannot be read")
        late = _wrong_time(claims, now)
        if late is not None:
            return late
        scopes = scopes_of(claims, rules.scope_claim)
        return Principal(
            name=str(claims.get("sub", "token")),
            scheme=rules.scheme,
            scopes=scopes,
            tenant=_text(claims.get(rules.tenant_claim)),
            plan=_text(claims.get(rules.plan_claim)),
            claims=claims,
        )

    return verify


def _text(value: Json) -> str | None:
    """A claim that names something: a text, or a number as text."""
    return None if value is None or isinstance(value, bool | dict | list) else str(value)


def _wrong_time(claims: Mapping[str, Any], now: datetime) -> Refused | None:
    """Why a token does not hold at a time (RFC 7519 §4.1.4, §4.1.5), or None when it does."""
    moment = now.timestamp()
    for claim in ("exp", "nbf"):
        value = claims.get(claim)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LATEST:
            return Refused(f"the token's {claim} is no time in seconds")
        if claim == "exp" and value <= moment:
            return Refused(f"the token expired (exp {value}, the clock says {int(moment)})", Kind.EXPIRED)
        if claim == "nbf" and value > moment:
            return Refused(f"the token is not valid yet (nbf {value}, the clock says {int(moment)})")
    return None


def scopes_of(claims: Mapping[str, Json], claim: str) -> frozenset[str]:
    """The scopes in a claim: an array, or a text separated by spaces (RFC 8693 §4.2)."""
    value = claims.get(claim)
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(str(entry) for entry in value) if isinstance(value, list) else frozenset()


def mint_token(
    rules: TokenRules,
    *,
    subject: str,
    scopes: Sequence[str],
    now: datetime,
    lifetime: timedelta = timedelta(days=1),
    claims: Mapping[str, Json] | None = None,
) -> str:
    """A token that the scheme accepts until ``lifetime`` after ``now``; ``claims`` overrides any claim."""
    import jwt

    payload: dict[str, Json] = {
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        rules.scope_claim: list(scopes),
    }
    if rules.issuer is not None:
        payload["iss"] = rules.issuer
    if rules.audience is not None:
        payload["aud"] = rules.audience
    payload |= dict(claims or {})
    key = _read_key(rules.signing_key, rules.algorithms[0])
    return jwt.encode(payload, key, algorithm=rules.algorithms[0], headers={"kid": rules.key_id})


@lru_cache(maxsize=16)
def _read_key(text: str, algorithm: str) -> Any:
    """A key as PyJWT wants it. Reading a private RSA key checks its primes, which takes 50 ms."""
    from jwt.algorithms import get_default_algorithms

    return get_default_algorithms()[algorithm].prepare_key(text)


def jwks(rules: Sequence[TokenRules]) -> dict[str, Json]:
    """The public keys as a JSON Web Key Set; shared secrets are left out."""
    from jwt.algorithms import get_default_algorithms

    keys: list[Json] = []
    for rule in rules:
        name = rule.algorithms[0]
        if not name.startswith("HS"):
            algorithm = get_default_algorithms()[name]
            key = algorithm.to_jwk(algorithm.prepare_key(rule.verifying_key), as_dict=True)
            keys.append({**key, "kid": rule.key_id, "use": "sig", "alg": name})
    return {"keys": keys}

"""JSON Web Tokens: checking them for a scheme, minting them for a sandbox, publishing the keys (RFC 7519, RFC 7517)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from mock_server.exchange.authentication import TokenVerifier
from mock_server.model.call import Principal
from mock_server.openapi.values import Json


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
    signing_key: str
    verifying_key: str
    key_id: str


def verifier(rules: TokenRules) -> TokenVerifier:
    """A check of a token's signature, times, issuer, audience and required claims at a given time."""

    def verify(token: str, now: datetime) -> Principal | str:
        try:
            claims = jwt.decode(
                token,
                rules.verifying_key,
                algorithms=list(rules.algorithms),
                issuer=rules.issuer,
                audience=rules.audience,
                # Time is the universe's own, which the library cannot know: checked below.
                options={"require": list(rules.required), "verify_exp": False, "verify_nbf": False, "verify_iat": False,
                         "verify_aud": rules.audience is not None},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            return f"the token is refused: {error}"
        late = _wrong_time(claims, now)
        if late is not None:
            return late
        return Principal(str(claims.get("sub", "token")), rules.scheme, scopes_of(claims, rules.scope_claim),
                         tenant=claims.get("tenant"), claims=claims)  # fmt: skip

    return verify


def _wrong_time(claims: Mapping[str, Any], now: datetime) -> str | None:
    moment = now.timestamp()
    for claim, wrong, words in (("exp", lambda at: at <= moment, "expired"), ("nbf", lambda at: at > moment, "is not valid yet")):
        value = claims.get(claim)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"the token's {claim} is not a number"
        if wrong(value):
            return f"the token {words} ({claim} {value}, the clock says {int(moment)})"
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
    return jwt.encode(payload, rules.signing_key, algorithm=rules.algorithms[0], headers={"kid": rules.key_id})


def jwks(rules: Sequence[TokenRules]) -> dict[str, Json]:
    """The public keys as a JSON Web Key Set; shared secrets are left out."""
    keys = []
    for rule in rules:
        if rule.algorithms[0].startswith("RS"):
            algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
            key = json.loads(RSAAlgorithm.to_jwk(algorithm.prepare_key(rule.verifying_key)))
            keys.append(key | {"kid": rule.key_id, "use": "sig", "alg": rule.algorithms[0]})
    return {"keys": keys}

"""Tokens: minted ones are accepted, every other is refused with a reason."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mock_server.exchange.tokens import TokenRules, jwks, mint_token, verifier
from mock_server.model.call import Principal
from mock_server.model.credentials import Refused
from mock_server.model.problem import Kind

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECRET = "a shared secret of at least thirty-two bytes"
RULES = TokenRules("oauth", ("HS256",), "issuer", "audience", "scope", ("exp",), SECRET, SECRET, "k1")


def signed(claims: dict[str, object]) -> str:
    return jwt.encode({"iss": "issuer", "aud": "audience", "exp": NOW.timestamp() + 60} | claims, SECRET, "HS256")


def test_minted_token_is_accepted_with_its_scopes() -> None:
    token = mint_token(RULES, subject="ann", scopes=["read"], now=NOW)
    found = verifier(RULES)(token, NOW)
    assert isinstance(found, Principal)
    assert (found.name, found.scopes) == ("ann", frozenset({"read"}))


def test_token_holds_until_its_lifetime_ends_by_the_universes_clock() -> None:
    token = mint_token(RULES, subject="ann", scopes=[], now=NOW, lifetime=timedelta(hours=1))
    assert isinstance(verifier(RULES)(token, NOW + timedelta(minutes=59)), Principal)
    late = verifier(RULES)(token, NOW + timedelta(minutes=60))
    assert isinstance(late, Refused)
    assert late.kind is Kind.EXPIRED


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "another"}, "issuer"),
        ({"aud": "another"}, "udience"),
        ({"exp": "soon"}, "exp"),
        ({"exp": float("inf")}, "no time"),
        ({"exp": True}, "no time"),
        ({"nbf": NOW.timestamp() + 30}, "not valid yet"),
    ],
)
def test_token_with_a_wrong_claim_is_refused(claims: dict[str, object], why: str) -> None:
    found = verifier(RULES)(signed(claims), NOW)
    assert isinstance(found, Refused)
    assert why in found.why


def deep(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    ["", "a.b.c", "é.é.é", deep(b"[" * 100_000) + ".e30.x", deep(b'{"alg":"none"}') + ".e30.", "." * 1000],
)
def test_hostile_token_is_refused(token: str) -> None:
    assert isinstance(verifier(RULES)(token, NOW), Refused)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_published_key_verifies_a_minted_token(algorithm: str) -> None:
    private = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if algorithm == "RS256"
        else ec.generate_private_key(ec.SECP256R1())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    rules = replace(RULES, algorithms=(algorithm,), signing_key=pem.decode(), verifying_key=public.decode())
    token = mint_token(rules, subject="ann", scopes=[], now=datetime.now(UTC))
    published = jwt.PyJWKSet.from_dict(jwks([rules]))["k1"]
    assert jwt.decode(token, published, audience="audience")["sub"] == "ann"


def test_shared_secret_is_not_published() -> None:
    assert jwks([RULES]) == {"keys": []}

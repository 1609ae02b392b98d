"""Credentials, keys and tokens through the control API."""

from __future__ import annotations

import json

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mock_server import Options, create_app
from mock_server.openapi.values import Json
from tests.unit.web.controlled import Double, answers, described

_SCHEMES: Json = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "token": {
        "type": "http",
        "scheme": "bearer",
        "x-mock-jwt": {"algorithms": ["ES256"], "issuer": "https://id.test", "scopeClaim": "scope"},
    },
}


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Double:
    folder = tmp_path_factory.mktemp("vault")
    safe = {
        "operationId": "open",
        "security": [{"token": ["read"]}],
        "responses": answers({"type": "string"}),
    }
    document = described({"/safe": {"get": safe}}, components={"securitySchemes": _SCHEMES})
    private = ec.generate_private_key(ec.SECP256R1())
    key = {
        "id": "k1",
        "private": private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        "public": private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    }
    seed = {
        "credentials": [
            {
                "name": "reader",
                "scheme": "key",
                "value": "k-1",
                "description": "May read.",
                "scopes": ["read"],
            },
            {"name": "asker", "scheme": "query", "value": "q-1"},
            {"name": "ann", "scheme": "basic", "value": "ann:pw"},
            {"name": "bearer", "scheme": "bearer", "value": "b-1", "tenant": "t1", "plan": "pro"},
        ],
        "keys": {"token": key},
    }
    (folder / "vault.json").write_text(json.dumps(document))
    (folder / "seed.yaml").write_text(yaml.safe_dump(seed))
    return Double(create_app(folder / "vault.json", seed=folder / "seed.yaml", options=Options()))


def test_credentials_are_shown_as_they_are_sent(vault: Double) -> None:
    (api,) = vault.control("GET", "/apis").json["apis"]
    shown = {entry["name"]: entry for entry in api["credentials"]}
    assert [(e["in"], e["parameter"], e["value"]) for e in shown.values()] == [
        ("header", "X-Key", "k-1"),
        ("query", "key", "q-1"),
        ("header", "Authorization", "Basic YW5uOnB3"),
        ("header", "Authorization", "Bearer b-1"),
    ]
    assert shown["reader"] == {
        "name": "reader",
        "description": "May read.",
        "scheme": "key",
        "in": "header",
        "parameter": "X-Key",
        "value": "k-1",
        "scopes": ["read"],
        "tenant": None,
        "plan": None,
    }
    assert (shown["bearer"]["tenant"], shown["bearer"]["plan"]) == ("t1", "pro")


def _open(vault: Double, token: str) -> int:
    return vault.call("GET", "/safe", headers={"Authorization": f"Bearer {token}"}).status_code


def test_minted_token_is_accepted(vault: Double) -> None:
    minted = vault.control("POST", "/apis/vault/token", json={"scopes": ["read"], "subject": "ann"})
    assert _open(vault, minted.json["token"]) == 200


def test_token_without_the_scope_is_a_403(vault: Double) -> None:
    assert _open(vault, vault.control("POST", "/apis/vault/token").json["token"]) == 403


def test_expired_token_is_a_401(vault: Double) -> None:
    asked = {"scopes": ["read"], "lifetime": "-PT1H"}
    assert _open(vault, vault.control("POST", "/apis/vault/token", json=asked).json["token"]) == 401


def test_published_key_verifies_a_minted_token(vault: Double) -> None:
    (key,) = vault.control("GET", "/apis/vault/jwks.json").json["keys"]
    token = vault.control("POST", "/apis/vault/token", json={"claims": {"plan": "pro"}}).json["token"]
    claims = jwt.decode(token, jwt.PyJWK(key), algorithms=["ES256"], issuer="https://id.test")
    assert (jwt.get_unverified_header(token)["kid"], claims["plan"]) == (key["kid"], "pro")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scheme": "tokn"}, "did you mean 'token'?"),
        ({"scheme": 5}, "must be a string"),
        ({"lifetime": "a day"}, "not an ISO 8601 duration"),
        ({"lifetime": "P8500Y"}, "cannot live that long"),
        ({"scopes": "read"}, "must be an array"),
        ({"scopes": [1]}, "must be a string"),
        ({"claims": []}, "must be an object"),
        ({"claims": {"iss": 5}}, "no token can say this"),
        ({"subjct": "ann"}, "did you mean 'subject'?"),
    ],
)
def test_token_that_cannot_be_minted_is_a_422(vault: Double, asked: Json, said: str) -> None:
    response = vault.control("POST", "/apis/vault/token", json=asked)
    assert response.status_code == 422
    assert said in response.json["detail"]


@pytest.mark.parametrize("target", ["openapi.json", "jwks.json"])
def test_unknown_api_is_a_404(vault: Double, target: str) -> None:
    response = vault.control("GET", f"/apis/valt/{target}")
    assert (response.status_code, response.json["hint"]) == (404, "did you mean 'vault'?")

"""``apidouble token``."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest

from tests.unit.commands.running import run

_SECRET = "a shared secret of thirty-two bytes"


@pytest.fixture
def vault(tmp_path: Path) -> tuple[Path, Path]:
    rules = {"algorithms": ["HS256"], "issuer": "https://id.test", "audience": "vault"}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Vault", "version": "1"},
        "paths": {},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer", "x-mock-jwt": rules}}},
    }
    description, seed = tmp_path / "vault.json", tmp_path / "seed.yaml"
    description.write_text(json.dumps(document))
    seed.write_text(json.dumps({"keys": {"token": {"secret": _SECRET}}}))
    return description, seed


def test_token_says_what_it_was_told_to(vault: tuple[Path, Path]) -> None:
    description, seed = vault
    ran = run(
        "token", description, "--seed", seed, "--scope", "read", "--scope", "write", "--subject", "ann",
        "--claim", "plan=pro", "--claim", 'limits={"day": 5}',
    )  # fmt: skip
    assert ran.code == 0, ran.err
    claims = jwt.decode(ran.out.strip(), _SECRET, algorithms=["HS256"], issuer="https://id.test", audience="vault")
    assert claims["scope"] == ["read", "write"]
    assert (claims["sub"], claims["plan"], claims["limits"]) == ("ann", "pro", {"day": 5})


def test_expired_token_can_be_had(vault: tuple[Path, Path]) -> None:
    description, seed = vault
    ran = run("token", description, "--seed", seed, "--lifetime", "-PT1H")
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(ran.out.strip(), _SECRET, algorithms=["HS256"], audience="vault")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--scheme", "tokn", "did you mean 'token'?"),
        ("--lifetime", "a day", "not an ISO 8601 duration"),
        ("--claim", "iss=5", "no token can say this"),
    ],
)
def test_impossible_token_is_a_clear_error(vault: tuple[Path, Path], option: str, value: str, said: str) -> None:
    description, seed = vault
    ran = run("token", description, "--seed", seed, option, value)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err

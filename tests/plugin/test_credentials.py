"""``api.credentials``: what a test sends to be known to the double."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from contracts.testing.clock import Clock
from contracts.testing.credentials import Credential, Credentials, UnknownCredential
from contracts.testing.keeping.state import State
from mock_server import ConfigurationError, Options, Sandbox, compile_api
from mock_server.exchange.messages import RawRequest
from mock_server.openapi.values import Json
from mock_server.packs import pack_names, source_of
from tests.unit.exchange.tenanted import source_in

NOW = 1767323045.0  # 2026-01-02T03:04:05Z


class Bench:
    """One API's double in a universe of its own, and its credentials."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.sandbox, self.served = sandbox, sandbox.api(name)
        self.universe = sandbox.universes.get("t1")
        self.credentials = Credentials(sandbox, self.served, self.universe)

    def status(self, credential: Credential, path: str = "/things", method: str = "GET") -> int:
        """What the API answers to a caller."""
        headers = {name.lower(): value for name, value in credential.headers.items()}
        request = RawRequest(method, path, urlencode(credential.query), headers, b"", "http://double.test")
        return self.served.line.answer(request, self.universe).status


def described(*security: Json, **schemes: Json) -> Bench:
    """An API with one operation for each requirement: ``/things``, ``/things1``, …"""
    paths: dict[str, Any] = {
        f"/things{number or ''}": {"get": {"security": requirement, "responses": {"200": {"description": ""}}}}
        for number, requirement in enumerate(security)
    }
    root = {"openapi": "3.1.0", "info": {"title": "Api", "version": "1"}, "paths": paths,
            "components": {"securitySchemes": schemes}}  # fmt: skip
    return Bench(Sandbox([compile_api(root, name="api")], options=Options(clock=lambda: NOW)), "api")


@cache
def pack(name: str) -> Sandbox:
    """A pack's sandbox, shared by the tests of this file."""
    return Sandbox([source_of(name)], options=Options(clock=lambda: NOW, eager=False))


@pytest.fixture
def tokens() -> Bench:
    return Bench(pack("cloudvelous-analytics"), "cloudvelous-analytics")


@pytest.fixture
def tenants(tmp_path: Path) -> Bench:
    return Bench(Sandbox([source_in(tmp_path)], options=Options(clock=lambda: NOW)), "test")


# By name


def test_credentials_are_a_mapping_of_the_fixtures_names() -> None:
    bench = Bench(pack("repzo"), "repzo")
    assert list(bench.credentials) == ["company", "company-bearer", "expired"]
    assert len(bench.credentials) == 3
    assert "company" in bench.credentials
    assert bench.credentials.get("nobody") is None
    assert repr(bench.credentials) == "<Credentials of repzo: company, company-bearer, expired>"


def test_unknown_name_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownCredential) as failure:
        Bench(pack("repzo"), "repzo").credentials["compani"]
    assert isinstance(failure.value, KeyError)
    assert str(failure.value) == (
        "the fixtures of repzo have no credential 'compani'\n"
        "  allowed: company, company-bearer, expired\n"
        "  hint:    did you mean 'company'?"
    )


def test_credential_tells_how_it_travels_and_whose_it_is() -> None:
    platform = Bench(pack("kirimdev"), "kirimdev").credentials["platform"]
    assert platform.headers == {"Authorization": f"Bearer {platform.value}"}
    assert (platform.scheme, platform.tenant, platform.plan) == ("bearerAuth", "team_warungtech", "platform")
    assert platform.valid
    assert platform.query == {}
    assert platform.cookies == {}


def test_expired_credential_says_so() -> None:
    bench = Bench(pack("repzo"), "repzo")
    assert not bench.credentials["expired"].valid
    assert bench.credentials["expired"].refusal == "this credential expired at 2025-01-01T00:00:00Z"


def test_credential_expires_by_the_doubles_clock() -> None:
    bench = Bench(pack("repzo"), "repzo")
    clock = Clock(bench.sandbox, bench.universe)
    clock.travel("2024-12-31T00:00:00Z")
    try:
        assert bench.credentials["expired"].valid
    finally:
        bench.universe.reset()


@pytest.mark.parametrize("name", pack_names())
def test_secrets_are_not_shown_in_full(name: str) -> None:
    credentials = Bench(pack(name), name).credentials
    for credential in (*credentials.values(), credentials.default):
        assert not credential.value or credential.value not in repr(credential)
        assert all(value not in repr(credential) for value in credential.headers.values())


def test_short_secret_is_not_shown_at_all() -> None:
    bench = described([{"b": []}], b={"type": "http", "scheme": "basic"})
    assert repr(bench.credentials.default) == "<Credential made-up b: b, …>"


# Items of the state


def test_credential_that_is_an_item_is_what_the_item_says_now(tenants: Bench) -> None:
    before = tenants.credentials["a"]
    assert (before.tenant, before.plan, before.headers) == ("org_a", "Free", {"X-Key": before.value})
    state = State(tenants.sandbox, tenants.served, tenants.universe)
    state["keys"].update("key-a", secret="sk_" + "9" * 24, plan="Big", scopes=["read"])
    after = tenants.credentials["a"]
    assert (after.value, after.plan, after.scopes) == ("sk_" + "9" * 24, "Big", ("read",))
    assert tenants.status(after, "/contacts") == 200
    assert tenants.status(before, "/contacts") == 401


@pytest.mark.parametrize("how", ["revoked", "deleted"])
def test_credential_that_was_taken_away_is_refused(tenants: Bench, how: str) -> None:
    keys = State(tenants.sandbox, tenants.served, tenants.universe)["keys"]
    if how == "revoked":
        keys.update("key-a", status="revoked")
    else:
        del keys["key-a"]
    assert not tenants.credentials["a"].valid
    assert tenants.credentials.default.name == "s"


# The one to take


@pytest.mark.parametrize(
    ("name", "default"),
    [("kirimdev", "platform"), ("repzo", "company"), ("cloudvelous-analytics", "analyst"), ("versori", "saas"),
     ("layercake", "document-key")],
)  # fmt: skip
def test_default_is_the_one_that_opens_most(name: str, default: str) -> None:
    credential = Bench(pack(name), name).credentials.default
    assert credential.name == default
    assert credential.valid


def test_default_has_the_scopes_that_most_operations_ask_for(tmp_path: Path) -> None:
    api = described([{"o": ["read"]}], [{"o": ["write"]}], [{"o": ["read"]}], o={"type": "oauth2", "flows": {}}).served
    seed = {"credentials": [
        {"name": name, "scheme": "o", "value": f"a value for {name}", "scopes": scopes}
        for name, scopes in (("none", []), ("writer", ["write"]), ("reader", ["read", "other", "more"]), ("all", ["*"]))
    ]}  # fmt: skip
    bench = Bench(Sandbox([source_in(tmp_path, dict(api.api.root), seed)], options=Options(clock=lambda: NOW)), "test")
    assert bench.credentials.default.name == "all"
    assert [bench.status(bench.credentials.default, path) for path in ("/things", "/things1", "/things2")] == [200] * 3
    seed["credentials"].pop()
    narrower = Sandbox([source_in(tmp_path, dict(api.api.root), seed)], options=Options(clock=lambda: NOW))
    assert Bench(narrower, "test").credentials.default.name == "reader"


@pytest.mark.parametrize(
    ("scheme", "headers", "query", "cookies"),
    [
        ({"type": "http", "scheme": "bearer"}, {"Authorization": "Bearer test-credential"}, {}, {}),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"X-Key": "test-credential"}, {}, {}),
        ({"type": "apiKey", "in": "query", "name": "key"}, {}, {"key": "test-credential"}, {}),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, {"Cookie": "sid=test-credential"}, {},
         {"sid": "test-credential"}),
        ({"type": "http", "scheme": "basic"}, {"Authorization": "Basic " + base64.b64encode(b"test:test").decode()},
         {}, {}),
        ({"type": "oauth2", "flows": {}}, {"Authorization": "Bearer test-credential"}, {}, {}),
        ({"type": "mutualTLS"}, {}, {}, {}),
    ],
)  # fmt: skip
def test_without_fixtures_a_made_up_credential_is_accepted(
    scheme: Json, headers: Json, query: Json, cookies: Json
) -> None:
    bench = described([{"it": []}], it=scheme)
    found = bench.credentials.default
    assert (found.headers, found.query, found.cookies) == (headers, query, cookies)
    assert found.name == "made-up it"
    assert bench.status(found) == 200
    assert bench.credentials.get("made-up it") is None


def test_schemes_that_are_asked_for_together_are_sent_together() -> None:
    bench = described(
        [{"a": [], "b": []}], [{"a": []}],
        a={"type": "apiKey", "in": "header", "name": "X-A"}, b={"type": "apiKey", "in": "query", "name": "b"},
    )  # fmt: skip
    found = bench.credentials.default
    assert (found.headers, found.query) == ({"X-A": "test-credential"}, {"b": "test-credential"})
    assert (found.name, found.scheme) == ("made-up a and made-up b", "a and b")
    assert bench.status(found) == bench.status(found, "/things1") == 200


def test_api_that_asks_nobody_gets_nothing() -> None:
    bench = described([])
    found = bench.credentials.default
    assert (found.name, found.headers, found.query, found.valid) == ("anonymous", {}, {}, True)
    assert repr(found) == "<Credential anonymous: no scheme>"


def test_credential_is_taken_though_anonymous_calls_are_allowed() -> None:
    key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    assert described([{}, {"k": []}], k=key).credentials.default.headers == {"X-Key": "test-credential"}
    assert described([{}], k=key).credentials.default.name == "anonymous"


def test_api_whose_credentials_are_all_refused_says_why(tenants: Bench) -> None:
    State(tenants.sandbox, tenants.served, tenants.universe).clear()
    with pytest.raises(ConfigurationError, match="test accepts none of the credentials of its fixtures") as failure:
        assert tenants.credentials.default
    assert str(failure.value.got).startswith("a: the header X-Key (key) is none that keys or the fixtures know; s: ")


# Tokens


def test_token_says_what_it_was_asked_to(tokens: Bench) -> None:
    token = tokens.credentials.token(
        scopes=["read:leads"], subject="jane", expires_in="PT1H", tenant="acme", plan="pro"
    )
    assert token.valid
    assert (token.name, token.scopes, token.tenant, token.plan) == ("jane", ("read:leads",), "acme", "pro")
    assert token.headers == {"Authorization": f"Bearer {token.value}"}
    assert token.expires is not None
    assert token.expires.timestamp() == NOW + 3600


def test_token_that_has_expired_can_be_made(tokens: Bench) -> None:
    assert tokens.credentials.token(expires_in="-PT1H").refusal.startswith("the token expired")


def test_claims_go_before_what_the_token_would_say(tokens: Bench) -> None:
    token = tokens.credentials.token(claims={"iss": "https://elsewhere.example"})
    assert token.refusal == "the token is refused: Invalid issuer"


def test_token_opens_what_its_scopes_do(tokens: Bench) -> None:
    wanted = {ref.id: tokens.served.api.operation(ref.id).security for ref in tokens.served.api.refs.values()}
    operation = next(name for name, security in wanted.items() if security and security[0][0][1])
    ref, scopes = tokens.served.api.refs[operation], wanted[operation][0][0][1]
    good, bad = tokens.credentials.token(scopes=scopes), tokens.credentials.token(scopes=["other"])
    path = ref.template.text.replace("{", "").replace("}", "")
    assert tokens.status(good, path, ref.method) not in {401, 403}
    assert tokens.status(bad, path, ref.method) == 403


def test_scopes_are_a_list(tokens: Bench) -> None:
    with pytest.raises(ConfigurationError, match="scopes are a list") as failure:
        tokens.credentials.token(scopes="read:leads write:leads")
    assert failure.value.hint == "scopes=['read:leads', 'write:leads']"


def test_api_without_tokens_says_so() -> None:
    with pytest.raises(ConfigurationError, match="repzo has no security scheme whose tokens can be minted"):
        Bench(pack("repzo"), "repzo").credentials.token()


def test_unknown_token_scheme_is_refused(tokens: Bench) -> None:
    with pytest.raises(ConfigurationError, match="no token scheme 'accesToken'") as failure:
        tokens.credentials.token(scheme="accesToken")
    assert failure.value.hint == "did you mean 'accessToken'?"

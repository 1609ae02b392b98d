"""Security requirements: who is let in, and how the others are told."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mock_server.exchange.authentication import Authenticator, Credential, TokenVerifier
from mock_server.exchange.messages import RawRequest
from mock_server.model.call import Principal
from mock_server.model.credentials import Refused
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation
from mock_server.openapi.documents import Documents

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "login": {"type": "http", "scheme": "basic"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "asked": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "oauth": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {"read": "", "write": ""}}},
    },
}


def operation(*security: dict[str, list[str]]) -> Operation:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"get": {"operationId": "x", "security": list(security), "responses": {}}}},
        "components": {"securitySchemes": SCHEMES},
    }
    return Api(Documents.from_value(document), name="t").operation("x")


def asked(
    *security: dict[str, list[str]],
    headers: dict[str, str] | None = None,
    query: str = "",
    credentials: tuple[Credential, ...] = (),
    verifiers: dict[str, TokenVerifier] | None = None,
) -> Any:
    request = RawRequest("GET", "/x", query, headers or {}, b"", "http://double.test")
    return Authenticator(credentials, verifiers=verifiers or {}).authenticate(operation(*security), request, NOW)


def challenges(problem: Problem) -> list[str]:
    return [value for name, value in problem.headers if name == "WWW-Authenticate"]


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_open_operation_has_no_caller() -> None:
    assert asked() == (None, "open")


@pytest.mark.parametrize(
    ("scheme", "headers", "query"),
    [
        ("token", {"authorization": "Bearer abc"}, ""),
        ("token", {"authorization": "bearer abc"}, ""),
        ("login", basic("user:pass"), ""),
        ("key", {"x-key": "k"}, ""),
        ("asked", {}, "a=1&key=k"),
        ("cookie", {"cookie": "a=b; sid=1; =;junk"}, ""),
        ("oauth", {"authorization": "Bearer abc"}, ""),
    ],
)
def test_presence_is_enough_where_no_credentials_are_known(scheme: str, headers: dict[str, str], query: str) -> None:
    principal, how = asked({scheme: []}, headers=headers, query=query)
    assert (principal.scheme, how) == (scheme, scheme)


def test_missing_token_is_challenged_without_an_error_code() -> None:
    # RFC 6750 §3.1: "If the request lacks any authentication information ... the resource server SHOULD NOT
    # include an error code".
    problem = asked({"token": []})
    assert problem.kind is Kind.UNAUTHENTICATED
    assert challenges(problem) == ['Bearer realm="token"']


def test_wrong_token_is_challenged_as_invalid_token() -> None:
    known = Credential("a", "token", "right")
    problem = asked({"token": []}, headers={"authorization": "Bearer wrong"}, credentials=(known,))
    assert 'error="invalid_token"' in challenges(problem)[0]


def test_lacking_scope_is_forbidden_and_challenged_as_insufficient_scope() -> None:
    known = Credential("a", "oauth", "right", scopes=("read",))
    problem = asked({"oauth": ["write"]}, headers={"authorization": "Bearer right"}, credentials=(known,))
    assert problem.kind is Kind.FORBIDDEN
    assert challenges(problem) == [
        'Bearer realm="oauth", scope="write", error="insufficient_scope", error_description="a lacks the scope write"'
    ]


def test_basic_challenge_names_its_charset() -> None:
    assert challenges(asked({"login": []})) == ['Basic realm="login", charset="UTF-8"']


def test_each_alternative_is_challenged() -> None:
    assert len(challenges(asked({"token": []}, {"key": []}))) == 2


@pytest.mark.parametrize("value", ["Basic", "Basic %%%", "Basic dXNlcg==", "Basic /w==", "Bearer x"])
def test_basic_credentials_of_another_form_are_none(value: str) -> None:
    assert asked({"login": []}, headers={"authorization": value}).kind is Kind.UNAUTHENTICATED


def test_all_schemes_of_one_requirement_are_needed() -> None:
    both: dict[str, list[str]] = {"token": [], "key": []}
    assert asked(both, headers={"x-key": "k"}).kind is Kind.UNAUTHENTICATED
    assert asked(both, headers={"x-key": "k", "authorization": "Bearer a"})[1] == "token and key"


def test_empty_requirement_admits_anyone() -> None:
    principal, how = asked({"token": []}, {})
    assert (principal.name, how) == ("anonymous", "anonymous access is allowed")


def test_expired_credential_is_refused() -> None:
    old = Credential("a", "key", "k", expires=NOW - timedelta(seconds=1))
    assert "expired" in asked({"key": []}, headers={"x-key": "k"}, credentials=(old,)).detail


def test_wrong_credential_is_told_before_a_missing_one() -> None:
    known = Credential("a", "key", "right")
    problem = asked({"token": []}, {"key": []}, headers={"x-key": "wrong"}, credentials=(known,))
    assert "not one that the fixtures know" in problem.detail


def test_scope_patterns_cover_what_they_start() -> None:
    known = Credential("a", "oauth", "t", scopes=("pets:*",))
    found = asked({"oauth": ["pets:read"]}, headers={"authorization": "Bearer t"}, credentials=(known,))
    assert found[0].name == "a"


def test_verifier_judges_what_is_not_known() -> None:
    def verify(token: str, _: datetime) -> Principal | Refused:
        return Principal("made", "token") if token == "good" else Refused("the token is bad")

    good = asked({"token": []}, headers={"authorization": "Bearer good"}, verifiers={"token": verify})
    bad = asked({"token": []}, headers={"authorization": "Bearer bad"}, verifiers={"token": verify})
    assert (good[0].name, bad.detail) == ("made", "the token is bad")


def test_unknown_callers_are_told_apart_without_their_secret() -> None:
    first = asked({"token": []}, headers={"authorization": "Bearer secret-1"})[0].name
    second = asked({"token": []}, headers={"authorization": "Bearer secret-2"})[0].name
    assert first != second
    assert "secret" not in first

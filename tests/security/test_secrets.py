"""No secret is in what is listed, logged or printed, unless it was asked for."""

from __future__ import annotations

import base64
import json
import logging
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import Api, Options, compile_api, create_app
from mock_server.exchange.authentication import Credential
from mock_server.exchange.tokens import TokenRules
from mock_server.model.redaction import REDACTED
from mock_server.model.secretnames import is_secret_name, secrets_in, without_secrets
from mock_server.webhooks.options import WebhookOptions

SECRET = "s3cr3t-0f-ours"
"""One text that stands in every place where a secret may be."""

_ANSWER = {"200": {"description": "Ok.", "content": {"application/json": {"schema": {"type": "object"}}}}}


def described() -> Api:
    """An API with every kind of credential and no fixtures, so that none of them is known by its value."""
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Shop"},
        "query": {"type": "apiKey", "in": "query", "name": "shop_id"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic"},
    }
    account = {
        "type": "object",
        "required": ["name"],
        "properties": {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"},
                       "password": {"type": "string", "minLength": 40}, "url": {"type": "string"}},
    }  # fmt: skip
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    accounts = {"content": {kind: {"schema": account} for kind in kinds}}
    answers = {"201": {"description": "Made.", "content": {"application/json": {"schema": account}}}}
    logins = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return compile_api(
        {
            "openapi": "3.1.0",
            "info": {"title": "Accounts", "version": "1"},
            "components": {"securitySchemes": schemes},
            "security": [{}, *({name: []} for name in schemes)],
            "paths": {
                "/accounts": {"post": {"operationId": "create", "requestBody": accounts, "responses": answers}},
                "/logins": {"post": {"operationId": "login", "requestBody": logins, "responses": _ANSWER}},
                "/me": {"get": {"operationId": "me", "responses": _ANSWER}},
            },
        },
        name="accounts",
    )


@pytest.fixture(scope="module")
def accounts() -> Flask:
    webhooks = WebhookOptions(targets=(f"http://user:{SECRET}@localhost:9/in?token={SECRET}",), background=False)
    return create_app(described(), options=Options(webhooks=webhooks))


@pytest.fixture
def client(accounts: Flask) -> FlaskClient:
    found = accounts.test_client(use_cookies=False)
    found.post("/__mock__/reset")
    return found


LISTINGS = ("requests", "events", "webhooks/deliveries", "webhooks/targets")


def listed(client: FlaskClient, **query: str) -> str:
    """Everything that is told of a universe's traffic."""
    alone = [f"requests/{entry['id']}" for entry in (client.get("/__mock__/requests").json or {})["requests"]]
    return "\n".join(client.get(f"/__mock__/{path}", query_string=query).text for path in (*LISTINGS, *alone))


_BASIC = base64.b64encode(f"ann:{SECRET}".encode()).decode()


@pytest.mark.parametrize("headers", [
    {"Authorization": f"Bearer {SECRET}"}, {"Authorization": f"Basic {_BASIC}"}, {"Authorization": SECRET},
    {"Cookie": f"sid={SECRET}; other=1"}, {"X-Shop": SECRET}, {"x-api-key": SECRET}, {"X-Auth-Token": SECRET},
    {"X-CSRF-Token": SECRET}, {"Ocp-Apim-Subscription-Key": SECRET}, {"Proxy-Authorization": f"Basic {_BASIC}"},
    {"X-Goog-Api-Key": SECRET}, {"X-Client-Secret": SECRET}, {"Private-Token": SECRET},
])  # fmt: skip
def test_credential_in_a_header_is_not_listed(client: FlaskClient, headers: dict[str, str]) -> None:
    client.get("/me", headers=headers)
    told = listed(client)
    assert SECRET not in told
    assert _BASIC not in told
    assert REDACTED in told
    assert next(iter(headers.values())) in listed(client, secrets="true")


@pytest.mark.parametrize("query", [
    "shop_id=", "shop%5Fid=", "api_key=", "apiKey=", "access_token=", "a=1&client_secret=", "password=",
    "X-Amz-Security-Token=",
])  # fmt: skip
def test_credential_in_a_query_is_not_listed(client: FlaskClient, query: str) -> None:
    client.get(f"/me?{query}{SECRET}")
    assert SECRET not in listed(client)
    assert SECRET in listed(client, secrets="true")


_PART = f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--b--\r\n'


@pytest.mark.parametrize(("kind", "body"), [
    ("application/json", json.dumps({"name": "Ann", "password": SECRET})),
    ("application/json", json.dumps({"name": 1, "password": SECRET}, indent=2)),
    ("application/json", '{"name": "Ann", "pass\\u0077ord": "' + SECRET + '"'),
    ("application/x-www-form-urlencoded", f"name=Ann&password={SECRET}"),
    ("application/x-www-form-urlencoded", f"name=Ann&pass%77ord={SECRET}"),
    ("multipart/form-data; boundary=b", _PART),
    ("application/xml", f"<account><password>{SECRET}</password></account>"),
    ("text/plain", f"password={SECRET}"),
])  # fmt: skip
@pytest.mark.parametrize("path", ["/accounts", "/logins", "/nowhere"])
def test_secret_in_a_body_is_not_listed(client: FlaskClient, path: str, kind: str, body: str) -> None:
    client.post(path, data=body, content_type=kind)
    assert SECRET not in listed(client)
    assert SECRET in listed(client, secrets="true")


def test_refusal_that_quotes_a_secret_is_listed_without_it(client: FlaskClient) -> None:
    refused = client.post("/accounts", json={"name": "Ann", "password": "short"})
    assert refused.status_code == 422
    (entry,) = (client.get("/__mock__/requests").json or {})["requests"]
    (violation,) = entry["violations"]
    assert violation["pointer"] == "/password"
    assert violation["got"] == REDACTED
    assert "short" not in violation["message"].partition("shorter")[0]


def test_what_is_no_secret_is_listed(client: FlaskClient) -> None:
    client.get("/me?page_token=abcdefgh&nextPageToken=ijklmnop&keyword=qrstuvwx&order_key=yz",
               headers={"Idempotency-Key": "idem-1234", "X-Request-Id": "req-5678"})  # fmt: skip
    told = listed(client)
    assert all(text in told for text in ("abcdefgh", "ijklmnop", "qrstuvwx", "yz", "idem-1234", "req-5678"))


def test_user_of_a_webhook_url_is_not_listed(client: FlaskClient) -> None:
    told = client.get("/__mock__/webhooks/targets").text
    assert SECRET not in told
    assert "localhost:9/in" in told


def test_log_of_a_failure_has_neither_secrets_nor_commands_for_a_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = {"credentials": [{"name": "ann", "scheme": "key", "value": SECRET}]}
    (tmp_path / "seed.json").write_text(json.dumps(seed))
    (tmp_path / "api.json").write_text(json.dumps(described().root))
    app = create_app(tmp_path / "api.json", seed=tmp_path / "seed.json")
    line = next(iter(app.extensions["apidouble"].apis.values())).line
    monkeypatch.setattr(type(line), "answer", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR, logger="apidouble"):
        path = f"/me/{SECRET}/\x9b31m"
        answer = app.test_client().get("/", environ_overrides={"RAW_URI": path, "HTTP_X_SHOP": SECRET})
    assert answer.status_code == 500
    assert "ZeroDivisionError" in caplog.text  # so that the mistake can be found
    assert SECRET not in caplog.text
    assert "\x9b" not in caplog.text
    assert "Traceback" not in answer.text
    assert "division" not in answer.text


def test_values_do_not_tell_their_secrets_in_a_traceback() -> None:
    rules = TokenRules("key", ("HS256",), None, None, "scope", (), SECRET, SECRET, "k")
    for value in (Credential("ann", "key", SECRET), rules):
        assert SECRET not in repr(value)


# Names, and texts of anybody


@pytest.mark.parametrize("name", [
    "password", "userPassword", "PASSWD", "client_secret", "api-key", "apiKey", "access_token", "refreshToken",
    "X-Api-Key", "cvv", "otp", "pin", "private_key",
])  # fmt: skip
def test_name_says_that_it_is_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", [
    "", "key", "keyword", "order_key", "pageToken", "next_page_token", "continuation-token", "token_type", "max_tokens",
    "passenger", "monkey", "secretary", "idempotency-key",
])  # fmt: skip
def test_name_says_nothing_of_a_secret(name: str) -> None:
    assert not is_secret_name(name)


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=30), st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3))
def test_member_with_a_secret_name_is_hidden_whatever_it_holds(secret: str, others: dict[str, str]) -> None:
    for separators in ((",", ":"), (", ", ": ")):
        text = json.dumps({**others, "password": secret}, separators=separators)
        told = without_secrets(text)
        assert json.loads(told)["password"] == REDACTED
        assert secret in list(secrets_in(text))


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_text_without_a_secret_name_is_shown_as_it_is(text: str) -> None:
    if not list(secrets_in(text)):
        assert without_secrets(text) == text


@pytest.mark.parametrize("piece", [
    '"', '\\"', ',"', ',"\\"', 'name="a"\n', 'name="a"\nx\n', "<a>", "<a ", "a=", 'a="', "://", '"a":', "eyJ",
    '"password":', "password=", '{"password":"', "<password>", " ", "\r\n--",
])  # fmt: skip
def test_hiding_takes_time_in_proportion_to_the_text(piece: str) -> None:
    def took(count: int) -> float:
        text = "password@" + piece * count
        began = time.process_time()
        without_secrets(text)
        return time.process_time() - began

    assert took(30_000 // len(piece)) < 1.0  # a second look at each character would take ten

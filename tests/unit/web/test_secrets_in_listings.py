"""Keys, tokens and signing secrets that an API makes are not shown in what is listed of its traffic."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from mock_server import Options, compile_api, create_app
from mock_server.model.redaction import REDACTED, Secrets
from mock_server.openapi.values import Json
from mock_server.webhooks.options import WebhookOptions
from tests.unit.exchange.tenanted import SESSION, A, described, source_in
from tests.unit.webhooks.shop import OTHER, SECRET, description

LISTINGS = ("/requests", "/events", "/webhooks/deliveries")


@pytest.fixture
def keys(tmp_path: Path) -> FlaskClient:
    """An API whose keys are items of its state, and announced by an event that tells all of them."""
    events = {"key.created": {"on": "created", "payload": {"key": "$resource"}}}
    resources = {**described()["x-mock-resources"], "keys": {"events": events}}
    source = source_in(tmp_path, described(**{"x-mock-resources": resources}))
    targets = WebhookOptions(targets=("http://localhost:9/in",), background=False)
    return create_app(source, options=Options(webhooks=targets)).test_client()


def listed(client: FlaskClient, path: str, **query: str) -> str:
    response = client.get(f"/__mock__{path}", query_string=query)
    assert response.status_code == 200, response.text
    return response.text


@pytest.mark.parametrize("listing", LISTINGS)
def test_key_that_the_api_made_is_in_no_listing(keys: FlaskClient, listing: str) -> None:
    made = str((keys.post("/keys", json={"name": "CI", "status": "active"}, headers={"X-Key": A}).json or {})["secret"])
    assert keys.get("/contacts", headers={"X-Key": made}).status_code == 200
    assert made not in listed(keys, listing)
    assert REDACTED in listed(keys, listing)
    assert made in listed(keys, listing, secrets="true")


def test_seeded_key_is_not_shown_where_an_answer_repeats_it(keys: FlaskClient) -> None:
    assert A in keys.get("/keys", headers={"X-Key": A}).text
    assert A not in listed(keys, "/requests")


def test_token_of_a_session_is_not_shown_in_a_path(keys: FlaskClient) -> None:
    keys.get(f"/contacts/{SESSION}", headers={"X-Key": A})
    assert SESSION not in listed(keys, "/requests")
    assert SESSION in listed(keys, "/requests", secrets="true")


def test_single_exchange_is_shown_without_its_secrets(keys: FlaskClient) -> None:
    keys.get("/keys", headers={"X-Key": A})
    assert A not in listed(keys, "/requests/r1")


def test_json_web_token_is_not_shown_whoever_made_it(keys: FlaskClient) -> None:
    token = jwt.encode({"sub": "ann"}, "a secret of thirty-two bytes, yes", algorithm="HS256")
    keys.post("/contacts", json={"email": token, "state": "new"}, headers={"X-Key": A})
    assert token not in listed(keys, "/requests")


@pytest.mark.parametrize("listing", LISTINGS)
def test_signing_secrets_are_in_no_listing(listing: str) -> None:
    document = description()
    document["x-mock-resources"]["hooks"]["events"] = {"hook.created": {"on": "created", "payload": "$resource"}}
    options = Options(webhooks=WebhookOptions(background=False))
    client = create_app(compile_api(document, name="shop"), options=options).test_client()
    hook: Json = {"url": "http://localhost:9/in", "events": ["*"], "status": "active", "secret": SECRET}
    client.post("/hooks", json={**hook, "oldSecret": OTHER})
    client.post("/__mock__/webhooks/targets", json={"url": "http://localhost:9/all", "secret": SECRET})
    assert client.post("/hooks", json=hook).status_code == 201
    for secret in (SECRET, OTHER):
        assert secret not in listed(client, listing)
    assert "webhook-signature" not in listed(client, "/webhooks/deliveries")


@given(st.lists(st.text(min_size=8, max_size=20), max_size=4), st.text(max_size=20))
def test_no_secret_is_left_in_a_text(secrets: list[str], around: str) -> None:
    found = Secrets.of(secrets)
    shown = found.hidden_in({"a": [around + secret + around for secret in secrets]})
    assert not [each for each in shown["a"] for secret in secrets if secret in each and secret not in REDACTED]


@pytest.mark.parametrize("text", ["", "a", "secret1"])
def test_short_texts_hide_nothing(text: str) -> None:
    assert Secrets.of([text]).hidden_in("a secret1 here") == "a secret1 here"

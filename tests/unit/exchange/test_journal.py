"""What the journal shows, and what it keeps to itself."""

from __future__ import annotations

from mock_server.openapi.values import Json
from tests.acceptance.lines import served

GUARDED: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Vault", "version": "1"},
    "security": [{"key": []}, {"token": []}],
    "paths": {"/gold": {"get": {"operationId": "gold", "responses": {"200": {"description": "shiny"}}}}},
    "components": {
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "query", "name": "Api_Key"},
            "token": {"type": "apiKey", "in": "header", "name": "X-Vault-Token"},
        }
    },
}


def test_credentials_are_redacted_wherever_the_description_puts_them() -> None:
    double = served(GUARDED)
    double.send("GET", "/gold?Api_Key=s3cret&lot=7", headers={"x-vault-token": "t0ken", "authorization": "Basic x"})
    (entry,) = double.universe.journal
    shown = entry.as_json()
    assert shown["url"].endswith("/gold?Api_Key=(redacted)&lot=7")
    assert shown["request"]["headers"]["x-vault-token"] == "(redacted)"
    assert "s3cret" not in str(shown)
    assert "t0ken" not in str(shown)


def test_secrets_are_shown_when_asked_for() -> None:
    double = served(GUARDED)
    double.send("GET", "/gold?Api_Key=s3cret", headers={})
    (entry,) = double.universe.journal
    assert entry.as_json(redact=False)["url"].endswith("?Api_Key=s3cret")


def test_ids_go_on_after_the_journal_is_cleared() -> None:
    double = served(GUARDED)
    double.send("GET", "/gold", headers={})
    double.universe.journal.clear()
    double.send("GET", "/gold", headers={})
    assert [entry.id for entry in double.universe.journal] == ["r2"]

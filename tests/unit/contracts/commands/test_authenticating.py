"""Tokens of an OAuth 2.0 client: fetched when needed, anew before they expire, and in no record."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask, Response, jsonify, request

from contracts.authenticating import PLACEHOLDER, Client, ClientCredentials
from contracts.service import Reply, Unreachable
from tests.unit.contracts.commands.services import served


def _tokens(granted: list[str], *, lifetime: int | None = 100, in_body: bool = False) -> Flask:
    app = Flask("tokens")

    @app.post("/token")
    def token() -> tuple[Response, int]:
        known = request.authorization is not None and request.authorization.password == "pw-of-client"
        if in_body:
            known = request.form.get("client_secret") == "pw-of-client"
        if not known:
            return jsonify(error="invalid_client", error_description="pw-of-client"), 401
        granted.append(f"token-{len(granted)}")
        more = {"expires_in": lifetime} if lifetime is not None else {}
        return jsonify(access_token=granted[-1], **more), 200

    return app


def test_token_is_asked_for_anew_before_it_expires() -> None:
    granted: list[str] = []
    now = [0.0]
    with served(_tokens(granted)) as url:
        tokens = ClientCredentials(Client(f"{url}/token", "me", "pw-of-client"), now=lambda: now[0])
        assert [tokens.token(), tokens.token()] == ["token-0", "token-0"]
        now[0] = 69
        assert tokens.token() == "token-0"
        now[0] = 71
        assert tokens.token() == "token-1"


@pytest.mark.parametrize("in_body", [False, True])
def test_client_shows_itself_as_the_server_takes_it(in_body: bool) -> None:
    with served(_tokens([], lifetime=None, in_body=in_body)) as url:
        assert ClientCredentials(Client(f"{url}/token", "me", "pw-of-client")).token() == "token-0"


def test_refusal_is_told_without_the_secret() -> None:
    with served(_tokens([])) as url, pytest.raises(Unreachable, match="invalid_client") as refused:
        ClientCredentials(Client(f"{url}/token", "me", "pw-of-nobody")).token()
    assert "pw-of" not in str(refused.value)


def test_token_goes_over_the_wire_and_the_placeholder_into_the_record() -> None:
    sent: list[Mapping[str, str]] = []

    def transport(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        sent.append(headers)
        return Reply(200, (), b"")

    with served(_tokens([])) as url:
        signed = ClientCredentials(Client(f"{url}/token", "me", "pw-of-client")).signing(transport)
        recorded = {"Authorization": f"Bearer {PLACEHOLDER}"}
        signed("GET", "/", recorded, b"")
        signed("GET", "/", {}, b"")
    assert sent == [{"Authorization": "Bearer token-0"}, {}]
    assert recorded == {"Authorization": f"Bearer {PLACEHOLDER}"}

"""The APIs that are served: what they are, their descriptions, keys and tokens."""

from __future__ import annotations

from flask import Response, request

from mock_server.errors import ConfigurationError, Place
from mock_server.exchange.tokens import jwks
from mock_server.openapi.values import Json
from mock_server.sandbox import Served
from mock_server.web.control.blueprint import body, control, sandbox, served, universe
from mock_server.web.credentials import credential_json, minted_token
from mock_server.web.responses import json_response


@control.get("/apis")
def list_apis() -> Response:
    """The APIs, their base URLs and credentials."""
    root = request.url_root.rstrip("/")
    apis = sandbox().apis
    several = len(apis) > 1
    return json_response(
        {"apis": [_api_json(each, f"{root}/{name}" if several else root) for name, each in apis.items()]}
    )


def _api_json(api: Served, base_url: str) -> dict[str, Json]:
    return {
        "name": api.name,
        "title": api.api.title,
        "version": api.api.version,
        "base_url": base_url,
        "operations": len(api.api.refs),
        "credentials": [credential_json(api, credential) for credential in api.credentials],
    }


@control.get("/apis/<api>/openapi.json")
def read_description(api: str) -> Response:
    """An API's description, overlays applied."""
    return json_response(dict(served(api).api.root))


@control.get("/apis/<api>/jwks.json")
def read_keys(api: str) -> Response:
    """The keys that an API's tokens are checked with."""
    return json_response(jwks(list(served(api).rules.values())))


@control.post("/apis/<api>/token")
def mint(api: str) -> Response:
    """A token that an API accepts."""
    asked = body()
    try:
        token = minted_token(
            served(api),
            now=universe().clock.now(),
            scheme=asked.get("scheme"),
            subject=asked.get("subject", "user"),
            scopes=asked.get("scopes", ()),
            lifetime=asked.get("lifetime", "P1D"),
            claims=asked.get("claims", {}),
        )
    except ConfigurationError as error:
        raise located(error, "") from None
    return json_response({"token": token})


def located(error: ConfigurationError, pointer: str) -> ConfigurationError:
    """The same error, laid at a place in the request's body."""
    return ConfigurationError(
        error.problem, place=Place("body", pointer), got=error.got, allowed=error.allowed, hint=error.hint
    )

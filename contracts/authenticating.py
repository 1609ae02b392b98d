"""Authentication by OAuth 2.0 client credentials (RFC 6749 §4.4), for services that take short-lived tokens.

A caller's header holds a placeholder, and the token takes its place when a request goes out. So a run may outlive a
token, and no token stands in what was recorded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import field, replace

import requests

from contracts.callers import given_caller
from contracts.service import Caller, Reply, Transport, Unreachable
from contracts.transports import TIMEOUT, Tls
from mock_server.dataclass import dataclass
from mock_server.openapi.compile import Api

PLACEHOLDER = "oauth2-access-token"
EARLY = 30.0
"""Seconds before its end at which a token is asked for anew."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for tokens, and where."""

    token_url: str
    id: str
    secret: str = field(repr=False)
    scope: str = ""


class ClientCredentials:
    """Tokens of one client, asked for when they are needed and again before they expire. Safe to share."""

    def __init__(
        self,
        client: Client,
        *,
        timeout: float = TIMEOUT,
        tls: Tls | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._timeout = timeout
        self._tls = tls or Tls()
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def token(self) -> str:
        """A token that is good for a while; ``Unreachable`` when none is granted."""
        with self._lock:
            if not self._token or self._now() >= self._until:
                self._token, lifetime = self._granted()
                self._until = self._now() + lifetime
            return self._token

    def caller(self, api: Api) -> Caller:
        """The caller who sends the tokens."""
        scopes = frozenset(self._client.scope.split()) or None
        found = given_caller(api, {"Authorization": f"Bearer {PLACEHOLDER}"}, name=self._client.id)
        principal = replace(found.principal, scopes=scopes) if found.principal is not None else None
        return replace(found, principal=principal, secrets=(self._client.secret,))

    def signing(self, transport: Transport) -> Transport:
        """A transport that puts a token where a request has the placeholder."""

        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
            if any(PLACEHOLDER in value for value in headers.values()):
                token = self.token()
                headers = {name: value.replace(PLACEHOLDER, token) for name, value in headers.items()}
            return transport(method, target, headers, body)

        return send

    def _granted(self) -> tuple[str, float]:
        """A new token, and for how many seconds it can be used."""
        answer = self._asked(basic=True)
        if answer.status_code in {400, 401}:  # RFC 6749 §2.3.1: some take the client in the body only
            answer = self._asked(basic=False)
        try:
            told = answer.json()
            token = str(told["access_token"])
        except (ValueError, KeyError, TypeError):
            raise Unreachable(
                f"{self._client.token_url} grants no token",
                got=f"status {answer.status_code}: {_error_of(answer)}",
                allowed="a JSON object with access_token (RFC 6749 §5.1)",
                hint="look at the client's id, its secret and its scope",
            ) from None
        lifetime = told.get("expires_in")
        return token, max(1.0, float(lifetime) - EARLY) if isinstance(lifetime, int | float) else float("inf")

    def _asked(self, *, basic: bool) -> requests.Response:
        client = self._client
        form = {"grant_type": "client_credentials", **({"scope": client.scope} if client.scope else {})}
        if not basic:
            form |= {"client_id": client.id, "client_secret": client.secret}
        try:
            return requests.post(
                client.token_url,
                data=form,
                auth=(client.id, client.secret) if basic else None,
                timeout=self._timeout,
                verify=(self._tls.ca_bundle or True) if self._tls.verify else False,
                cert=self._tls.client_certificate,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unreachable(f"{client.token_url} gives no token", got=type(error).__name__,
                              hint="is this the token endpoint, and is it running?") from None  # fmt: skip


def _error_of(answer: requests.Response) -> str:
    """The error code of a refusal (RFC 6749 §5.2); nothing else of it, which might repeat a secret."""
    try:
        told = answer.json()
    except ValueError:
        return answer.headers.get("Content-Type", "no body")
    return str(told.get("error", "no error code")) if isinstance(told, dict) else "not an object"

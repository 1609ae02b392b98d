"""Callers: who requests come from, made of the credentials of fixtures or of what the user gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from contracts.exchanges import carried
from contracts.service import Caller
from mock_server.errors import ConfigurationError
from mock_server.exchange.authentication import Credential
from mock_server.model.call import Principal
from mock_server.openapi.compile import Api
from mock_server.sandbox import Served


def seeded_callers(served: Served, *, now: datetime) -> tuple[Caller, ...]:
    """The callers that an API's fixtures have credentials for; expired ones are not ``valid``."""
    return tuple(_seeded(served.api, served.credentials, now))


def _seeded(api: Api, credentials: Iterable[Credential], now: datetime) -> Iterator[Caller]:
    for credential in credentials:
        try:
            sent = carried(api.security_schemes[credential.scheme], credential.value)
        except ConfigurationError:
            continue
        expired = credential.expires is not None and credential.expires <= now
        yield Caller(
            credential.name,
            sent.headers,
            sent.query,
            frozenset({credential.scheme}),
            credential.principal(),
            secrets=(credential.value,),
            valid=not expired,
            why="it has expired" if expired else "",
        )


def given_caller(
    api: Api, headers: Mapping[str, str], *, query: Mapping[str, str] | None = None, name: str = "given"
) -> Caller:
    """The caller that the user's own headers (or query parameters) make; it is taken to satisfy every scheme."""
    principal = Principal(name, next(iter(api.security_schemes), ""), None, name)
    values = (*headers.values(), *(query or {}).values())
    secrets = tuple(text for value in values for text in (value, value.rpartition(" ")[2]) if len(text) > 3)
    return Caller(name, dict(headers), dict(query or {}), frozenset(api.security_schemes), principal, secrets)

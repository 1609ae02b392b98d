"""Who calls in a run: made of the options, or of the seed's credentials where the service is on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import UTC, datetime

from contracts.authenticating import Client, ClientCredentials
from contracts.callers import given_caller, seeded_callers
from contracts.commands.asked import Identity
from contracts.options import caller_of, environment_caller, expanded, header_of
from contracts.service import Caller
from contracts.transports import Tls
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.openapi.compile import Api
from mock_server.sandbox import Served

_CREDENTIAL_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Identified:
    """Who calls. ``common`` are headers that go with every request; ``tokens`` are those of an OAuth 2.0 client.

    ``secrets`` are all the texts that nothing may show, ``word`` is what there is to say about it.
    """

    callers: tuple[Caller, ...] = ()
    common: Mapping[str, str] | None = field(default=None, repr=False)
    tokens: ClientCredentials | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    word: str = ""


def identified(
    identity: Identity,
    served: Served,
    environ: Mapping[str, str],
    *,
    local: bool,
    tls: Tls | None = None,
    timeout: float = 10.0,
) -> Identified:
    """The callers that options ask for. A ``ConfigurationError`` for a credential or a variable that is not there."""
    if not identity.given:
        return _seeded(served, local=local)
    headers = dict(header_of(text, environ) for text in identity.headers)
    own, common = _parted(served.api, headers)
    tokens = _client(identity, environ, tls=tls, timeout=timeout)
    callers = [tokens.caller(served.api)] if tokens is not None else []
    callers += [_of_seed(served, name) for name in identity.credentials]
    callers += [environment_caller(served.api, text, environ) for text in identity.environment]
    callers += [caller_of(served.api, text, environ) for text in identity.callers]
    if callers:
        callers = [replace(caller, headers={**own, **caller.headers}) for caller in callers]
    elif own:
        callers = [given_caller(served.api, own)]
    names = [caller.name for caller in callers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError("two callers go by one name", got=twice)
    values = [*headers.values(), *(value.rpartition(" ")[2] for value in headers.values())]
    secrets = (*values, *(secret for caller in callers for secret in caller.secrets))
    return Identified(tuple(callers), common, tokens, secrets)


def _seeded(served: Served, *, local: bool) -> Identified:
    """The credentials of the seed, which are meant for a service on this machine and for no other."""
    if not served.api.security_schemes:
        return Identified()
    if not served.credentials:
        return Identified(
            word="no credential is given, so only what needs none can be called; see --header, --auth-env"
        )
    if not local:
        return Identified(word="the seed's credentials are not sent to another machine unless --credential names them")
    callers = seeded_callers(served, now=datetime.now(UTC))
    names = ", ".join(caller.name for caller in callers[:4]) + (", …" if len(callers) > 4 else "")
    secrets = tuple(secret for caller in callers for secret in caller.secrets)
    return Identified(callers, secrets=secrets, word=f"with the seed's credentials: {names}")


def _parted(api: Api, headers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The headers that are a credential, which some requests must do without, and those for every request."""
    named = {scheme.parameter.lower() for scheme in api.security_schemes.values() if scheme.location == "header"}
    known = (_CREDENTIAL_HEADERS | named) if api.security_schemes else frozenset()
    own = {name: value for name, value in headers.items() if name.lower() in known}
    return own, {name: value for name, value in headers.items() if name not in own}


def _of_seed(served: Served, name: str) -> Caller:
    callers = {caller.name: caller for caller in seeded_callers(served, now=datetime.now(UTC))}
    if name not in callers:
        known = ", ".join(callers) or "it has none"
        raise ConfigurationError("the seed has no such credential", got=name, allowed=known,
                                 hint=did_you_mean(name, callers))  # fmt: skip
    return callers[name]


def _client(
    identity: Identity, environ: Mapping[str, str], *, tls: Tls | None, timeout: float
) -> ClientCredentials | None:
    if identity.token_url is None:
        if identity.client_id or identity.secret_variable:
            raise ConfigurationError("--oauth2-token-url says where tokens are granted", got="no URL")
        return None
    if identity.client_id is None or identity.secret_variable is None:
        raise ConfigurationError("a client has an id and a secret", got="--oauth2-token-url alone",
                                 allowed="with --oauth2-client-id and --oauth2-client-secret-env")  # fmt: skip
    secret = expanded(f"env:{identity.secret_variable}", environ)
    client = Client(identity.token_url, identity.client_id, secret, identity.scope)
    return ClientCredentials(client, timeout=timeout, tls=tls)

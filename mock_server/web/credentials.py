"""Credentials as a client uses them: on the wire, in a list, and freshly minted."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime

from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.exchange.authentication import Credential
from mock_server.exchange.tokens import mint_token
from mock_server.model.clock import parse_duration
from mock_server.openapi.values import Json
from mock_server.sandbox import Served


def credential_json(served: Served, credential: Credential) -> dict[str, Json]:
    """One credential: where it travels, and its ``value`` as it is sent, the HTTP scheme's name included."""
    scheme = served.api.security_schemes[credential.scheme]
    return {
        "name": credential.name,
        "description": credential.description,
        "scheme": credential.scheme,
        "in": scheme.location or "header",
        "parameter": scheme.parameter or "Authorization",
        "value": _wire_value(scheme.scheme, credential.value),
        "scopes": list(credential.scopes) if credential.scopes is not None else None,
        "tenant": credential.tenant,
        "plan": credential.plan,
    }


def credential_text(served: Served, credential: Credential) -> str:
    """One credential as a header line, or as the query parameter that it is."""
    shown = credential_json(served, credential)
    if shown["in"] == "query":
        return f"?{shown['parameter']}={shown['value']}"
    if shown["in"] == "cookie":
        return f"Cookie: {shown['parameter']}={shown['value']}"
    return f"{shown['parameter']}: {shown['value']}"


def _wire_value(http_scheme: str, value: str) -> str:
    if http_scheme == "basic":  # RFC 7617 §2
        return "Basic " + base64.b64encode(value.encode()).decode()
    return f"Bearer {value}" if http_scheme == "bearer" else value


def minted_token(
    served: Served,
    *,
    now: datetime,
    scheme: str | None,
    subject: str,
    scopes: Sequence[str],
    lifetime: str,
    claims: Mapping[str, Json],
) -> str:
    """A token that an API accepts, signed with the sandbox's own key; ``lifetime`` is an ISO 8601 duration.

    Without a ``scheme`` it is for the first that has tokens. Raises ``ConfigurationError``.
    """
    rules = served.rules
    if not rules:
        raise ConfigurationError(
            f"{served.name} has no security scheme whose tokens can be minted",
            hint="that takes an x-mock-jwt annotation on the scheme, and its key in the seed",
        )
    chosen = scheme if scheme is not None else next(iter(rules))
    if chosen not in rules:
        raise ConfigurationError(
            f"{served.name} has no token scheme {chosen!r}",
            allowed=", ".join(rules),
            hint=did_you_mean(chosen, rules),
        )
    span = parse_duration(lifetime)
    import jwt  # late, as in tokens.py

    try:
        return mint_token(rules[chosen], subject=subject, scopes=scopes, now=now, lifetime=span, claims=claims)
    except OverflowError:
        raise ConfigurationError("a token cannot live that long", got=lifetime) from None
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise ConfigurationError(f"no token can say this: {error}", got=dict(claims)) from None

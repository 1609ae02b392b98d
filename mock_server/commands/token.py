"""``apidouble token``: a token that the sandbox accepts."""

from __future__ import annotations

import json

import click

from mock_server.errors import ConfigurationError
from mock_server.exchange.tokens import mint_token
from mock_server.model.clock import parse_duration
from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox


@click.command()
@click.argument("api", metavar="NAME|FILE")
@click.option("--scope", "scopes", multiple=True, help="A scope of the token; may be repeated.")
@click.option("--subject", default="user", show_default=True)
@click.option("--scheme", help="The security scheme, when the API has several with tokens.")
@click.option("--lifetime", default="P1D", show_default=True, help="An ISO 8601 duration; negative for an expired one.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=JSON", help="Sets or overrides a claim.")
def token(
    api: str, scopes: tuple[str, ...], subject: str, scheme: str | None, lifetime: str, claims: tuple[str, ...]
) -> None:
    """Print a JSON Web Token, signed with the sandbox's own key."""
    sandbox = Sandbox([source_of(api)], options=Options(eager=False))
    served = next(iter(sandbox.apis.values()))
    if not served.rules:
        raise ConfigurationError(f"{served.name} has no security scheme with tokens of its own")
    chosen = scheme if scheme is not None else next(iter(served.rules))
    if chosen not in served.rules:
        raise ConfigurationError("no such token scheme", got=chosen, allowed=", ".join(served.rules))
    click.echo(
        mint_token(
            served.rules[chosen],
            subject=subject,
            scopes=list(scopes),
            now=sandbox.clock.now(),
            lifetime=parse_duration(lifetime),
            claims=dict(_claim(text) for text in claims),
        )
    )


def _claim(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value

"""``apidouble token``: a token that the sandbox accepts."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox
from mock_server.web.credentials import minted_token

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Print a token that a double accepts.")
@click.argument("api", metavar="NAME|FILE")
@click.option("--scope", "scopes", multiple=True, help="A scope of the token; may be repeated.")
@click.option("--subject", default="user", show_default=True, help="Who the token is for.")
@click.option("--scheme", help="The security scheme; the first with tokens when left out.")
@click.option(
    "--lifetime",
    default="P1D",
    show_default=True,
    help="An ISO 8601 duration; a negative one (-PT1H) makes a token that has expired.",
)
@click.option("--claim", "claims", multiple=True, metavar="NAME=JSON", help="Adds or overrides a claim.")
@click.option("--seed", type=_FILE, help="The seed file with the keys.")
def token(
    api: str,
    scopes: tuple[str, ...],
    subject: str,
    scheme: str | None,
    lifetime: str,
    claims: tuple[str, ...],
    seed: Path | None,
) -> None:
    """Print a JSON Web Token, signed with the sandbox's own key."""
    sandbox = Sandbox([source_of(api, seed=seed)], options=Options(eager=False))
    click.echo(
        minted_token(
            next(iter(sandbox.apis.values())),
            now=sandbox.clock.now(),
            scheme=scheme,
            subject=subject,
            scopes=scopes,
            lifetime=lifetime,
            claims=dict(_claim(text) for text in claims),
        )
    )


def _claim(text: str) -> tuple[str, object]:
    """A claim's name and its value: JSON, or the text itself where it is none."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise click.BadParameter(f"{text!r} is not NAME=JSON", param_hint="--claim")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value

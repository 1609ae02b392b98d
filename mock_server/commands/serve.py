"""``apidouble serve``: the sandbox server."""

from __future__ import annotations

import ipaddress
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path

import click

from mock_server.commands.banner import banner
from mock_server.errors import ConfigurationError
from mock_server.packs import pack_names, source_of
from mock_server.sandbox import Options, Sandbox
from mock_server.web.ports import check_port, free_port
from mock_server.web.serving import Serving
from mock_server.web.serving import serve as run_server

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def cache_folder() -> Path:
    """Where parsed descriptions are kept: ``$XDG_CACHE_HOME/apidouble`` or its default."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "apidouble"


@click.command(short_help="Serve API doubles.")
@click.argument("sources", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 finds a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Beyond loopback the control API wants a token.")
@click.option(
    "--overlay",
    "overlays",
    multiple=True,
    type=_FILE,
    help="An OpenAPI Overlay to apply; may be repeated, and is applied in order.",
)
@click.option("--seed", type=_FILE, help="A seed file: initial resources, credentials, keys.")
@click.option("--seed-number", default=0, show_default=True, help="Decides every made-up value.")
@click.option("--watch", is_flag=True, help="Reload what changes on disk; the state is kept.")
@click.option("--allow-remote", is_flag=True, help="Let $ref fetch http(s) URLs.")
@click.option("--allow-outside", is_flag=True, help="Let $ref leave the description's folder.")
@click.option("--no-cache", is_flag=True, help="Do not keep parsed descriptions in the cache folder.")
def serve(
    sources: tuple[str, ...],
    port: int,
    host: str,
    overlays: tuple[Path, ...],
    seed: Path | None,
    seed_number: int,
    watch: bool,
    allow_remote: bool,
    allow_outside: bool,
    no_cache: bool,
) -> None:
    """Serve API doubles: the packs or description files that are named, or every pack."""
    if len(sources) != 1 and (overlays or seed is not None):
        raise ConfigurationError("--overlay and --seed go with one description", got=" ".join(sources) or "every pack")
    chosen = tuple(
        replace(
            source,
            allow_remote=source.allow_remote or allow_remote,
            allow_outside=source.allow_outside or allow_outside,
        )
        for source in (source_of(text, overlays=overlays, seed=seed) for text in sources or pack_names())
    )
    if not chosen:
        raise ConfigurationError("there is nothing to serve", hint="give the path of an OpenAPI description")
    cache = None if no_cache else cache_folder()
    if sys.stderr.isatty():
        click.echo(f"reading {', '.join(source.name for source in chosen)} …", err=True)
    port = port or free_port(host)
    check_port(host, port)
    sandbox = Sandbox(chosen, options=Options(seed=seed_number, cache=cache))
    token = None if is_loopback(host) else secrets.token_urlsafe(18)
    for line in banner(sandbox, host=host, port=port, token=token):
        click.echo(line)
    sys.stdout.flush()
    run_server(Serving(chosen, host, port, seed_number, cache, token, watch), sandbox)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server on that host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

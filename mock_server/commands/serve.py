"""``apidouble serve``: the sandbox server."""

from __future__ import annotations

import gc
import ipaddress
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path

import click

from mock_server.commands.banner import banner
from mock_server.commands.printing import say
from mock_server.errors import ConfigurationError
from mock_server.packs import pack_names, source_of
from mock_server.sandbox import MAX_BODY, Sandbox, uncollected
from mock_server.web.ports import check_port, free_port
from mock_server.web.serving import Serving, state_file
from mock_server.web.serving import serve as run_server
from mock_server.webhooks.options import WebhookOptions

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
@click.option(
    "--max-body",
    default=MAX_BODY,
    show_default=True,
    type=click.IntRange(1),
    metavar="BYTES",
    help="Refuse longer request bodies (413).",
)
@click.option("--no-limits", is_flag=True, help="Answer any number of requests, whatever limits an API has.")
@click.option("--webhook", "webhooks", multiple=True, metavar="URL", help="Deliver every event here; may be repeated.")
@click.option(
    "--allow-webhook-host",
    "webhook_hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Let webhooks go to this host, too, and not to this machine only; may be repeated.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the state in this file: read at start, written when something has changed.",
)
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
    max_body: int,
    no_limits: bool,
    webhooks: tuple[str, ...],
    webhook_hosts: tuple[str, ...],
    state: Path | None,
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
    delivering = _delivering(webhooks, webhook_hosts, loopback=is_loopback(host))
    cache = None if no_cache else cache_folder()
    if sys.stderr.isatty():
        click.echo(f"reading {', '.join(source.name for source in chosen)} …", err=True)
    port = port or free_port(host)
    check_port(host, port)
    token = None if is_loopback(host) else secrets.token_urlsafe(18)
    serving = Serving(chosen, host, port, seed_number, cache, token, watch, not no_limits, delivering, state, max_body)
    with uncollected():
        sandbox = Sandbox(chosen, options=serving.options())
        gc.freeze()  # none of it will ever be garbage, and a forked worker shares the pages that nobody marks
    kept = state_file(state, sandbox) if state is not None else None
    for line in banner(sandbox, host=host, port=port, token=token):
        say(" ".join(line.splitlines()))  # a title has no lines of its own
    if kept is not None:
        click.echo(f"\nthe state is kept in {kept.path}: {kept.told()}")
    sys.stdout.flush()
    run_server(serving, sandbox, kept=kept)


def _delivering(targets: tuple[str, ...], hosts: tuple[str, ...], *, loopback: bool) -> WebhookOptions:
    """Where webhooks go; a ``ConfigurationError`` for a target that nothing would be sent to.

    Who can reach the server may give it webhook URLs. From beyond ``loopback`` they are not to lead to this machine,
    but for the targets that are given here.
    """
    given = WebhookOptions(targets, frozenset(hosts))
    if targets:
        from mock_server.webhooks.posting import Poster  # with urllib3, for those who want deliveries

        poster = Poster(allowed_hosts=given.allowed_hosts)
        for url in targets:
            refusal = poster.refusal(url)
            if refusal is not None:
                raise ConfigurationError(f"--webhook {url}: {refusal}")
    return given if loopback else given.beyond_loopback()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server on that host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

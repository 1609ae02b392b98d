"""``apidouble serve``: the sandbox server."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from mock_server.errors import ConfigurationError
from mock_server.exchange.authentication import Credential
from mock_server.model.anatomy import anatomy_of
from mock_server.model.inference.bodies import request_schema
from mock_server.openapi import jsontext
from mock_server.openapi.values import Direction
from mock_server.packs import pack_names, source_of
from mock_server.sampling import Sampler, Unsampleable
from mock_server.sandbox import Options, Sandbox, Served
from mock_server.web.control import on_the_wire
from mock_server.web.serving import Serving
from mock_server.web.serving import serve as run_server


def cache_folder() -> Path:
    """Where parsed descriptions are kept: ``$XDG_CACHE_HOME/apidouble`` or its default."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "apidouble"


@click.command()
@click.argument("sources", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 finds a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Off loopback the control API wants a token.")
@click.option("--overlay", "overlays", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="An OpenAPI Overlay to apply, in order; may be repeated.")  # fmt: skip
@click.option("--seed", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A seed file.")
@click.option("--seed-number", default=0, show_default=True, help="Decides every made-up value.")
@click.option("--watch", is_flag=True, help="Reload descriptions when they change; the state is kept.")
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
    if len(sources) > 1 and (overlays or seed is not None):
        raise ConfigurationError("--overlay and --seed go with one description", got=" ".join(sources))
    chosen = tuple(
        replace(
            source_of(text, overlays=overlays, seed=seed),
            **({"allow_remote": True} if allow_remote else {}),
            **({"allow_outside": True} if allow_outside else {}),
        )
        for text in sources or pack_names()
    )
    if not chosen:
        raise ConfigurationError("there is nothing to serve", hint="give the path of an OpenAPI description")
    cache = None if no_cache else cache_folder()
    if sys.stderr.isatty():
        click.echo(f"reading {', '.join(source.name for source in chosen)} …", err=True)
    sandbox = Sandbox(chosen, options=Options(seed=seed_number, cache=cache))
    port = port or _free_port(host)
    _check_port(host, port)
    token = None if _is_loopback(host) else secrets.token_urlsafe(18)
    for line in banner(sandbox, host=host, port=port, token=token):
        click.echo(line)
    sys.stdout.flush()
    run_server(Serving(chosen, host, port, seed_number, cache, token, watch))


def banner(sandbox: Sandbox, *, host: str, port: int, token: str | None) -> Iterator[str]:
    """What is printed at start: each API's URL and credentials, a curl line to try, and the control API."""
    shown_host = f"[{host}]" if ":" in host else host
    root = f"http://{shown_host}:{port}"
    several = len(sandbox.apis) > 1
    yield click.style("apidouble", bold=True) + f" serves {_count(sandbox)}; stop it with Ctrl-C"
    for name, served in sandbox.apis.items():
        url = f"{root}/{name}" if several else root
        yield ""
        yield click.style(f"{served.api.title} {served.api.version}".strip(), bold=True)
        yield f"  {click.style(url, fg='cyan')}   {len(served.api.refs)} operations"
        for credential in served.credentials[:6]:
            yield f"  {credential.name}: {_shown(served, credential)}"
        if len(served.credentials) > 6:
            yield f"  and {len(served.credentials) - 6} more at {root}/__mock__/apis"
        example = curl_example(served, url)
        if example is not None:
            yield f"  try: {example}"
    yield ""
    yield f"control API: {root}/__mock__/openapi.json" + (f"  (Authorization: Bearer {token})" if token else "")


def _count(sandbox: Sandbox) -> str:
    apis = len(sandbox.apis)
    operations = sum(len(served.api.refs) for served in sandbox.apis.values())
    return f"{apis} API{'s' if apis != 1 else ''} with {operations} operations"


def _shown(served: Served, credential: Credential) -> str:
    header = _credential_header(served, credential)
    text = header if len(header) <= 76 else header[:60] + "…"
    about = f"   {credential.description}" if credential.description else ""
    return f"{text}{click.style(about, dim=True)}"


def _credential_header(served: Served, credential: Credential) -> str:
    scheme = served.api.security_schemes[credential.scheme]
    value = on_the_wire(scheme.scheme, credential.value)
    if scheme.location == "query":
        return f"?{scheme.parameter}={value}"
    if scheme.location == "cookie":
        return f"Cookie: {scheme.parameter}={value}"
    return f"{scheme.parameter or 'Authorization'}: {value}"


def curl_example(served: Served, url: str) -> str | None:
    """A curl line that creates something, or else reads something; None when no operation is that simple."""
    refs = list(served.api.refs.values())
    ranked = sorted(refs[:400], key=lambda ref: (bool(ref.template.parameters), ref.method != "POST", ref.method != "GET"))
    for ref in ranked:
        if ref.template.parameters or ref.method not in {"POST", "GET"}:
            continue
        operation = served.api.operation(ref.id)
        if any(parameter.required for parameter in operation.parameters):
            continue
        base = served.api.base_paths[0] if served.api.base_paths else ""
        parts = ["curl"]
        if operation.security and operation.security[0]:
            scheme = operation.security[0][0][0]
            known = next((c for c in served.credentials if c.scheme == scheme.name and c.expires is None), None)
            if known is None or len(known.value) > 80:
                continue
            parts.append(f"-H {_quoted(_credential_header(served, known))}")
        if ref.method == "POST":
            schema = request_schema(operation)
            if schema is None or anatomy_of(schema, Direction.REQUEST).is_array:
                continue
            try:
                body = Sampler(schema.bundle(Direction.REQUEST), direction=Direction.REQUEST).sample(
                    seed=served.model.seed, now=served.model.epoch
                )
            except Unsampleable:
                continue
            text = jsontext.dumps(body).decode()
            if len(text) > 300:
                continue
            parts.append(f"-H 'Content-Type: application/json' -d {_quoted(text)}")
        return " ".join([*parts, f"{url}{base}{ref.template.text}"])
    return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _free_port(host: str) -> int:
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _check_port(host: str, port: int) -> None:
    """Refuses a port that is taken before anything is printed."""
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port}", got=str(error.strerror), hint="choose another one with --port, or 0 for any"
            ) from None

"""``apidouble check``: whether an implementation keeps the contract. Here are its options; ``checking.py`` does it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

import click

from contracts.commands.asked import Asked, Choice, Identity, Target, Wanted
from contracts.extra import need_extra

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_WRITTEN = click.Path(dir_okay=False, path_type=Path)

_TARGET = (
    click.option("--url", metavar="URL", help="Where the service is: what stands before the description's paths."),
    click.option("--overlay", "overlays", multiple=True, type=_FILE, help="An OpenAPI Overlay to apply; repeatable."),
    click.option("--seed", type=_FILE, help="What the service holds after a reset, and credentials."),
    click.option("--reset", metavar="URL|COMMAND|MODULE:FUNCTION",
                 help="Resets the service: a URL to POST to, a shell command, or a Python function."),
    click.option("--closed/--open", "closed", default=None, help="Whether the service holds nothing but the seed when "
                 "an attempt begins (closed; it needs --reset) or may hold more. [default: closed with --reset]"),
)  # fmt: skip
REACHING = (
    click.option("--session-header", metavar="NAME", help="A header by which a test server keeps states apart, so that "
                 "several workers can reset theirs (Mock-Session)."),
    click.option("--allow-remote", is_flag=True, help="Check a service that is not on this machine."),
    click.option("--timeout", default=10.0, show_default=True, type=click.FloatRange(min=0.1), metavar="SECONDS",
                 help="How long one request may take."),
    click.option("--rate", metavar="N/s", help="At most so many requests: 50/s, 600/m."),
    click.option("--ca-bundle", type=click.Path(exists=True), help="Certificates to trust instead of the system's."),
    click.option("--client-cert", "client_certificate", metavar="FILE[:KEY]", help="Our own certificate, and its key."),
    click.option("--insecure", is_flag=True, help="Take any certificate."),
)  # fmt: skip
IDENTITY = (
    click.option("--header", "-H", "headers", multiple=True, metavar="'NAME: VALUE'",
                 help="Goes with every request; ${VAR} is taken from the environment. Repeatable."),
    click.option("--credential", "credentials", multiple=True, metavar="NAME", help="A credential of the seed."),
    click.option("--auth-env", "environment", multiple=True, metavar="[SCHEME=]VAR",
                 help="The environment variable with the credential of a security scheme."),
    click.option("--caller", "callers", multiple=True, metavar="'name=N;header=…'", help="One of several callers: "
                 "name, header, query, scheme, scopes, tenant, plan. Repeatable."),
    click.option("--oauth2-token-url", "token_url", metavar="URL", help="Get tokens here (RFC 6749 §4.4)."),
    click.option("--oauth2-client-id", "client_id", metavar="ID"),
    click.option("--oauth2-client-secret-env", "secret_variable", metavar="VAR", help="The variable with its secret."),
    click.option("--oauth2-scope", "scope", default="", metavar="'S S'"),
)  # fmt: skip
_CHOICE = (
    click.option("--include", "included", multiple=True, metavar="CHOICE", help="Only these operations: an operation "
                 "id, tag:…, path:…, method:…, with * for anything. Repeatable."),
    click.option("--exclude", "excluded", multiple=True, metavar="CHOICE", help="Not these; they are never called."),
    click.option("--check", "checks", multiple=True, metavar="NAME", help="Only these checks or families."),
    click.option("--skip", "skipped", multiple=True, metavar="NAME", help="Not these (`apidouble checks` lists them)."),
    click.option("--max-time", default="60s", show_default=True, metavar="TIME", help="For the whole run: 90s, 5m."),
    click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Tasks at a time."),
    click.option("--seed-number", default=0, show_default=True, help="Decides everything that is drawn."),
    click.option("--size", default=1.0, show_default=True, type=click.FloatRange(0.01, 100), help="More, or less."),
)  # fmt: skip
_WANTED = (
    click.option("--junit", type=_WRITTEN, help="Write JUnit XML."),
    click.option("--sarif", type=_WRITTEN, help="Write SARIF, for code scanning."),
    click.option("--json", type=_WRITTEN, help="Write JSON."),
    click.option("--html", type=_WRITTEN, help="Write a page to look at."),
    click.option("--har", type=_WRITTEN, help="Write the exchanges of the findings as HAR."),
    click.option("--github", is_flag=True, help="Print annotations for GitHub Actions. [default: when it runs there]"),
    click.option("--findings", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
                 help="Write a file for each finding, for `apidouble replay`."),
    click.option("--baseline", type=_WRITTEN, help="Findings that are accepted for now."),
    click.option("--update-baseline", is_flag=True, help="Accept in the baseline what is found."),
    click.option("--strict", is_flag=True, help="Questions fail the run, too."),
    click.option("--quiet", "-q", is_flag=True, help="Print nothing but findings."),
)  # fmt: skip


Command = TypeVar("Command", bound=Callable[..., Any])
Kind = TypeVar("Kind")


def options(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[Command], Command]:
    """A decorator that adds groups of options to a command, in their order."""

    def add(command: Command) -> Command:
        for group in reversed(groups):
            for option in reversed(group):
                command = option(command)
        return command

    return add


@click.command(short_help="Check that a service keeps its contract.")
@click.argument("description", metavar="NAME|FILE")
@options(_TARGET, REACHING, IDENTITY, _CHOICE, _WANTED)
@click.option("--dry-run", is_flag=True, help="List what would be done, and send nothing.")
@click.option("--clean-up/--no-clean-up", default=True, show_default=True, help="Delete at the end what was created.")
def check(description: str, url: str | None, **given: Any) -> None:
    """Check that the service at --url keeps the contract of an API: a pack's name, or a description file.

    It creates, changes and deletes things there; --dry-run says which. Exit codes: 0 the contract holds, 1 there are
    findings, 2 wrong usage or a description that cannot be used, 3 the service cannot be reached or used.
    """
    if url is None and not given["dry_run"]:
        raise click.UsageError("--url says where the service is")
    if given["update_baseline"] and given["baseline"] is None:
        raise click.UsageError("--update-baseline goes with --baseline FILE")
    # The checks bring Hypothesis, Schemathesis and openapi-core; `apidouble --help` does without.
    need_extra()
    from contracts.commands.checking import checked

    sys.exit(checked(asked(description, url, given), os.environ))


def asked(description: str, url: str | None, given: dict[str, Any]) -> Asked:
    """What the options ask for."""

    def those(kind: Callable[..., Kind], **more: Any) -> Kind:
        return kind(**{name: given[name] for name in signature(kind).parameters if name in given}, **more)

    target = those(Target, url=url.rstrip("/")) if url is not None else None
    return those(Asked, description=description, target=target, identity=those(Identity), choice=those(Choice),
                 wanted=those(Wanted))  # fmt: skip

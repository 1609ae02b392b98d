"""``apidouble checks``: what can be checked, or what one check is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from contracts.checks.registry import Check, all_checks, chosen
from contracts.extra import need_extra
from mock_server.openapi import jsontext


@click.command(short_help="List the checks, or explain one.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts; its shape is kept stable.")
def checks(name: str | None, as_json: bool) -> None:
    """List the checks that `apidouble check` makes, or explain one by its NAME (a family: its checks)."""
    need_extra()
    wanted = chosen((name,), ()) if name is not None else frozenset(all_checks())
    found = [check for check in all_checks().values() if check.name in wanted]
    if as_json:
        click.echo(jsontext.dumps([{**asdict(check), "family": str(check.family)} for check in found]).decode())
        return
    if name in all_checks():
        for line in _explained(found[0]):
            click.echo(line)
        return
    width = max((len(check.name) for check in found), default=0)
    family = ""
    for check in found:
        if check.family != family:
            click.echo(click.style(str(check.family), bold=True))
            family = check.family
        click.echo(f"  {check.name:<{width}}  {check.summary}")


def _explained(check: Check) -> Iterator[str]:
    yield click.style(check.name, bold=True) + f"  ({check.family})"
    yield f"  {check.summary}"
    yield f"  source:  {check.source}"
    if check.example:
        yield f"  finds:   {check.example}"
    if check.fault is not None:
        yield f"  fault:   {check.fault} of the Web Fuzzing Commons"

"""``apidouble list``: the packs, or the operations of one API."""

from __future__ import annotations

import click

from mock_server.commands.printing import say
from mock_server.openapi import jsontext
from mock_server.openapi.compile import Api
from mock_server.openapi.values import Json
from mock_server.packs import pack_names, source_of
from mock_server.sandbox import Options, Sandbox, Served


def summary(api: Api) -> dict[str, Json]:
    """One API as ``apidouble list --json`` shows it. An operation without provenance counts as documented.

    ``marked`` says whether any operation tells where it comes from.
    """
    inferred = sum(1 for ref in api.refs.values() if provenance(ref.operation.value) == "inferred")
    marked = any("x-provenance" in (ref.operation.value or {}) for ref in api.refs.values())
    return {
        "name": api.name,
        "title": api.title,
        "version": api.version,
        "base_path": api.base_paths[0] if api.base_paths else "",
        "operations": len(api.refs),
        "documented": len(api.refs) - inferred,
        "inferred": inferred,
        "marked": marked,
    }


def provenance(operation: Json) -> str:
    """``documented`` or ``inferred``: where an operation comes from."""
    noted = operation.get("x-provenance") if isinstance(operation, dict) else None
    status = noted.get("status") if isinstance(noted, dict) else noted
    return "inferred" if status == "inferred" else "documented"


@click.command("list", short_help="List the API packs, or one API's operations.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts; its shape is kept stable.")
def list_command(name: str | None, as_json: bool) -> None:
    """List the API packs, or the operations of one pack or description file."""
    sources = [source_of(name)] if name is not None else [source_of(known) for known in pack_names()]
    if not sources:
        click.echo("no API pack is installed")
        return
    sandbox = Sandbox(sources, options=Options(eager=False))
    if as_json:
        click.echo(jsontext.dumps([summary(served.api) for served in sandbox.apis.values()]).decode())
        return
    if name is not None:
        _operations(next(iter(sandbox.apis.values())))
        return
    rows = [summary(served.api) for served in sandbox.apis.values()]
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        say(f"{row['name']:<{width}}  {_counts(row)}  {row['title']} {row['version']}")


def _counts(row: dict[str, Json]) -> str:
    found = f"{row['operations']:>4} operations"
    return f"{found}, {row['documented']} documented, {row['inferred']} inferred" if row["marked"] else found


def _operations(served: Served) -> None:
    found = summary(served.api)
    say(f"{found['title']} {found['version']}: {_counts(found).strip()}")
    refs = served.api.refs.values()
    id_width = max((len(ref.id) for ref in refs), default=0)
    path_width = max((len(ref.template.text) for ref in refs), default=0)
    for ref in refs:
        meaning = served.model.meaning(ref.id)
        resource = f" {meaning.resource.name}" if meaning.resource is not None else ""
        noted = "  (inferred)" if provenance(ref.operation.value) == "inferred" else ""
        say(
            f"  {ref.method:<7}{ref.id:<{id_width}}  {ref.template.text:<{path_width}}  "
            + click.style(f"{meaning.behaviour}{resource}{noted}", dim=True)
        )

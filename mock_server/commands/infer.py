"""``apidouble infer``: what a description is taken to mean, with the reason of each guess, and an overlay to edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from mock_server.model.meaning import Meaning, Resource
from mock_server.openapi.values import Json
from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox, Served


@click.command()
@click.argument("source", metavar="NAME|FILE")
@click.option("--explain", is_flag=True, help="Print every guess with its reason.")
@click.option("--write", "target", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the guesses as an OpenAPI Overlay to edit.")  # fmt: skip
def infer(source: str, explain: bool, target: Path | None) -> None:
    """Show what is inferred from a description: resources, and what each operation does to them."""
    sandbox = Sandbox([source_of(source)], options=Options(eager=False))
    served = next(iter(sandbox.apis.values()))
    for line in report(served, explain=explain):
        click.echo(line)
    if target is not None:
        target.write_text(overlay_text(served), encoding="utf-8")
        click.echo(f"\nwrote {target}; apply it with: apidouble serve {source} --overlay {target}")


def report(served: Served, *, explain: bool) -> Iterator[str]:
    """The inferred model as lines of text."""
    meanings = [served.model.meaning(operation_id) for operation_id in served.api.refs]
    for resource, its in _by_resource(meanings):
        yield ""
        yield click.style(resource.name, bold=True) + f"  {_where(resource)}"
        if explain:
            for reason in resource.reasons:
                yield f"    {reason.about}: {reason.decision}" + click.style(f"  ({reason.why})", dim=True)
        for meaning in its:
            yield from _operation(served, meaning, explain=explain)
    rest = [meaning for meaning in meanings if meaning.resource is None]
    if rest:
        yield ""
        yield click.style("without state", bold=True) + "  answered by the documented example or a sample"
        for meaning in rest:
            yield from _operation(served, meaning, explain=explain)


def _by_resource(meanings: list[Meaning]) -> list[tuple[Resource, list[Meaning]]]:
    found: dict[str, tuple[Resource, list[Meaning]]] = {}
    for meaning in meanings:
        if meaning.resource is not None:
            found.setdefault(meaning.resource.qualified, (meaning.resource, []))[1].append(meaning)
    return list(found.values())


def _where(resource: Resource) -> str:
    key = f"key {resource.key}" if resource.key else "no key in the body"
    return f"{resource.item_path or resource.collection_path}, {'one thing' if resource.singleton else key}"


def _operation(served: Served, meaning: Meaning, *, explain: bool) -> Iterator[str]:
    ref = served.api.refs[meaning.operation_id]
    yield f"  {ref.method:<7}{ref.template.text}  {click.style(meaning.behaviour, fg='green')}"
    if explain:
        for reason in meaning.reasons:
            yield f"      {reason.about}: {reason.decision}" + click.style(f"  ({reason.why})", dim=True)


def overlay(served: Served) -> dict[str, Json]:
    """The inferred model as an OpenAPI Overlay 1.0 document of ``x-mock-*`` annotations."""
    meanings = [served.model.meaning(operation_id) for operation_id in served.api.refs]
    resources = {resource.name: _resource(resource) for resource, _ in _by_resource(meanings) if not resource.singleton}
    actions: list[Json] = [{"target": "$", "update": {"x-mock-resources": resources}}]
    for meaning in meanings:
        ref = served.api.refs[meaning.operation_id]
        if meaning.resource is not None and not meaning.resource.singleton:
            path = ref.template.text.replace("\\", "\\\\").replace("'", "\\'")
            actions.append({"target": f"$.paths['{path}'].{ref.method.lower()}", "update": {"x-mock-operation": _annotation(meaning)}})
    return {"overlay": "1.0.0", "info": {"title": f"What {served.api.title} means", "version": "1.0.0"}, "actions": actions}


def _resource(resource: Resource) -> dict[str, Json]:
    value: dict[str, Json] = {"existence": "any" if resource.open_world else "created"}
    if resource.key is not None:
        value["key"] = resource.key
    rules = {name: rule for name, rule in resource.assigned.items() if ":" not in rule and rule != "key"}
    if rules:
        value["assigned"] = rules
    if resource.states is not None:
        value["states"] = {"property": resource.states.property}
        if resource.states.initial is not None:
            value["states"]["initial"] = resource.states.initial
    return value


def _annotation(meaning: Meaning) -> dict[str, Json]:
    value: dict[str, Json] = {"behavior": meaning.behaviour}
    if meaning.resource is not None:
        value["resource"] = meaning.resource.name
    if meaning.key_parameter is not None:
        value["keyParameter"] = meaning.key_parameter
    if meaning.envelope.path:
        value["item"] = "/" + "/".join(meaning.envelope.path)
    if meaning.envelope.fields:
        value["fields"] = {"/" + "/".join(path): role for path, role in meaning.envelope.fields.items()}
    if meaning.request_path:
        value["requestPath"] = "/" + "/".join(meaning.request_path)
    filters = {
        narrowing.parameter: {"property": "/" + "/".join(narrowing.property), "operator": narrowing.operator}
        for narrowing in meaning.listing.filters
    }
    if filters:
        value["filters"] = filters
    return value


def overlay_text(served: Served) -> str:
    """The overlay as YAML."""
    head = "# Written by `apidouble infer --write`. Edit what is wrong, delete what you agree with.\n"
    return head + yaml.safe_dump(overlay(served), sort_keys=False, allow_unicode=True, width=110)

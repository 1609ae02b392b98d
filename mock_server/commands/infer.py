"""``apidouble infer``: what a description is taken to mean, and why; and an overlay to edit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import isodate
import yaml

from mock_server.commands.printing import say
from mock_server.errors import ConfigurationError
from mock_server.model.meaning import Listing, Meaning, Reason, Resource, Transition
from mock_server.openapi import pointers
from mock_server.openapi.values import Json
from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox, Served
from mock_server.wholefiles import write_whole

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Show what a description is taken to mean.")
@click.argument("source", metavar="NAME|FILE")
@click.option("--overlay", "overlays", multiple=True, type=_FILE, help="An OpenAPI Overlay to apply first.")
@click.option("--explain", is_flag=True, help="Print every guess with its reason.")
@click.option(
    "--write",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the guesses as an OpenAPI Overlay to edit.",
)
def infer(source: str, overlays: tuple[Path, ...], explain: bool, target: Path | None) -> None:
    """Show what is inferred from a description: its resources, and what each operation does to them."""
    sandbox = Sandbox([source_of(source, overlays=overlays)], options=Options(eager=False))
    served = next(iter(sandbox.apis.values()))
    for line in report(served, explain=explain):
        say(line)
    if target is not None:
        _write(target, overlay_text(served))
        click.echo(f"\nwrote {target}; apply it with: apidouble serve {source} --overlay {target}")


def _write(target: Path, text: str) -> None:
    try:
        write_whole(target, text)
    except OSError as error:
        raise ConfigurationError("the overlay cannot be written", got=f"{target}: {error.strerror}") from None


# The report


def report(served: Served, *, explain: bool) -> Iterator[str]:
    """What an API means as lines of text: each resource with its operations, then those without state."""
    meanings = _meanings(served)
    for number, (resource, its) in enumerate(_by_resource(meanings)):
        if number:
            yield ""
        yield click.style(resource.name, bold=True) + f"  {_where(resource)}"
        for line in _by_itself(resource):
            yield "    " + click.style(line, fg="cyan")
        if explain:
            yield from _reasons(resource.reasons, "    ")
        for meaning in its:
            yield from _operation(served, meaning, explain=explain)
    rest = [meaning for meaning in meanings if meaning.resource is None]
    if rest:
        yield ""
        yield click.style("without state", bold=True) + "  answered by the documented example or a sample"
        for meaning in rest:
            yield from _operation(served, meaning, explain=explain)


def _meanings(served: Served) -> list[Meaning]:
    return [served.model.meaning(operation_id) for operation_id in served.api.refs]


def _by_resource(meanings: Iterable[Meaning]) -> list[tuple[Resource, list[Meaning]]]:
    found: dict[str, tuple[Resource, list[Meaning]]] = {}
    for meaning in meanings:
        if meaning.resource is not None:
            found.setdefault(meaning.resource.qualified, (meaning.resource, []))[1].append(meaning)
    return list(found.values())


def _where(resource: Resource) -> str:
    path = resource.item_path or resource.collection_path or "at no path of its own"
    if resource.singleton:
        return f"{path}, one thing"
    return f"{path}, " + (f"key {resource.key}" if resource.key else "no key in the body")


def _by_itself(resource: Resource) -> Iterator[str]:
    """What happens to a resource's items, or because of them, without anybody asking for it."""
    transitions = resource.states.transitions.values() if resource.states is not None else ()
    for transition in transitions:
        if transition.timed:
            sources = ", ".join(transition.sources) or "any state"
            when = f"at {transition.at.source}" if transition.at is not None else f"after {_duration(transition)}"
            yield f"{transition.name}: {sources} → {transition.target} {when}"
    for rule in resource.effects:
        condition = f" when {rule.when.text}" if rule.when is not None else ""
        yield f"on {', '.join(sorted(rule.on))}{condition}: {rule.action} {rule.target}"
    for serial in resource.serials:
        yield f"{pointers.join('', *serial.path)}: numbered {serial.format}"


def _duration(transition: Transition) -> str:
    assert transition.after is not None
    return str(isodate.duration_isoformat(transition.after))


def _operation(served: Served, meaning: Meaning, *, explain: bool) -> Iterator[str]:
    ref = served.api.refs[meaning.operation_id]
    yield f"  {ref.method:<7}{ref.template.text}  {click.style(meaning.behaviour, fg='green')}"
    if explain:
        yield from _reasons(meaning.reasons, "      ")


def _reasons(reasons: Iterable[Reason], indent: str) -> Iterator[str]:
    for reason in reasons:
        yield f"{indent}{reason.about}: {reason.decision}" + click.style(f"  ({reason.why})", dim=True)


# The overlay


def overlay_text(served: Served) -> str:
    """What an API means as an OpenAPI Overlay 1.0 in YAML, with the reasons as comments.

    Applying it changes nothing. What the server assigns is told by the comments alone: as an annotation it
    would also overrule what callers send.
    """
    head = {"overlay": "1.0.0", "info": {"title": f"What {served.api.title} means", "version": "1.0.0"}}
    parts = [
        "# Written by `apidouble infer --write`. Edit what is wrong, delete what you agree with.\n",
        _yaml(head),
        "actions:\n",
    ]
    for reasons, action in _actions(served):
        parts += [_comment(reason) for reason in reasons]
        parts.append(_yaml([action]))
    return "".join(parts)


def _yaml(value: Json) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)


def _comment(reason: Reason) -> str:
    text = f"{reason.about}: {reason.decision} ({reason.why})"
    return "# " + " ".join(text.split()) + "\n"


def _actions(served: Served) -> Iterator[tuple[tuple[Reason, ...], Json]]:
    """The overlay's actions, each with the reasons for it."""
    meanings = _meanings(served)
    for resource, _ in _by_resource(meanings):
        if not resource.singleton:
            update = {"x-mock-resources": {resource.name: _resource(resource)}}
            yield resource.reasons, {"target": "$", "update": update}
    for meaning in meanings:
        ref = served.api.refs[meaning.operation_id]
        at_hand = ref.operation.uri == served.api.documents.root  # an overlay reaches no other file
        if meaning.resource is not None and not meaning.resource.singleton and at_hand:
            update = {"x-mock-operation": _annotation(meaning)}
            yield meaning.reasons, {"target": _target(ref.operation.pointer), "update": update}


def _target(pointer: str) -> str:
    """A JSON pointer as a JSONPath (RFC 9535 §2.3.1)."""
    steps = []
    for name in pointers.split(pointer):
        quoted = name.replace("\\", "\\\\").replace("'", "\\'")
        steps.append(f".{name}" if name.isascii() and name.isalpha() else f"['{quoted}']")
    return "$" + "".join(steps)


def _resource(resource: Resource) -> dict[str, Json]:
    value: dict[str, Json] = {"existence": "any" if resource.open_world else "created"}
    if resource.key is not None:
        value["key"] = resource.key
    if resource.states is not None:
        value["states"] = {"property": resource.states.property}
        if resource.states.initial is not None:
            value["states"]["initial"] = resource.states.initial
    return value


def _annotation(meaning: Meaning) -> dict[str, Json]:
    assert meaning.resource is not None
    value: dict[str, Json] = {"behavior": meaning.behaviour, "resource": meaning.resource.name}
    if meaning.key_parameter is not None:
        value["keyParameter"] = meaning.key_parameter
    if meaning.envelope.path:
        value["item"] = pointers.join("", *meaning.envelope.path)
    if meaning.envelope.fields:
        value["fields"] = {pointers.join("", *path): role for path, role in meaning.envelope.fields.items()}
    if meaning.request_path:
        value["requestPath"] = pointers.join("", *meaning.request_path)
    return value | _listing(meaning.listing)


def _listing(listing: Listing) -> dict[str, Json]:
    value: dict[str, Json] = {}
    filters = {
        narrowing.parameter: {
            "property": pointers.join("", *narrowing.property),
            "operator": narrowing.operator,
        }
        for narrowing in listing.filters
    }
    if filters:
        value["filters"] = filters
    roles = ("limit", "offset", "page", "after", "before", "sort", "order", "search")
    parameters = {role: getattr(listing, role) for role in roles if getattr(listing, role) is not None}
    if parameters:
        value["parameters"] = parameters
    if listing.default_limit is not None:
        value["defaultLimit"] = listing.default_limit
    if listing.default_sort is not None:
        value["defaultSort"] = listing.default_sort
    return value

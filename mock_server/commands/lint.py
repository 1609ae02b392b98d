"""``apidouble lint``: everything that is wrong with a description, its overlays, its seed and its exchanges.

Exchanges are the business of ``contracts``, which nothing here imports: it registers itself as an entry point of the
group ``apidouble.lint``, a function from source and served API to findings.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import click

from mock_server.commands.banner import counted
from mock_server.commands.printing import say
from mock_server.errors import ApidoubleError, DescriptionError, Place, did_you_mean
from mock_server.openapi import pointers
from mock_server.openapi.description import MediaType, Operation, Parameter
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction
from mock_server.packs import ApiSource, pack_names, source_of
from mock_server.sandbox import Options, Sandbox, Served

_STATUS = re.compile(r"[1-5]([0-9]{2}|XX)|default")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Find what is wrong with descriptions, overlays and seeds.")
@click.argument("sources", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--overlay", "overlays", multiple=True, type=_FILE, help="An OpenAPI Overlay to apply.")
@click.option("--seed", type=_FILE, help="A seed file to check with the description.")
def lint(sources: tuple[str, ...], overlays: tuple[Path, ...], seed: Path | None) -> None:
    """Check descriptions, their overlays and their seeds: the packs or files that are named, or every pack.

    Exit code 1 when anything is found.
    """
    if len(sources) != 1 and (overlays or seed is not None):
        raise click.UsageError("--overlay and --seed go with one description")
    found = 0
    for text in sources or pack_names():
        for finding in findings(source_of(text, overlays=overlays, seed=seed)):
            say(str(finding))
            found += 1
    click.echo(counted(found, "finding"), err=True)
    sys.exit(1 if found else 0)


def findings(source: ApiSource) -> Iterator[ApidoubleError]:
    """What is wrong, each thing once; a description that cannot be read has one finding only."""
    told: set[str] = set()
    for finding in _findings(source):
        if str(finding) not in told:
            told.add(str(finding))
            yield finding


def _findings(source: ApiSource) -> Iterator[ApidoubleError]:
    try:
        sandbox = Sandbox([replace(source, seed=None)], options=Options(eager=False))
    except ApidoubleError as error:
        yield error
        return
    served = next(iter(sandbox.apis.values()))
    broken = False
    for finding in _description_findings(served):
        broken = True
        yield finding
    if broken or source.fixtures is None:
        return
    try:
        seeded = Sandbox([source, *_family(source)], options=Options(eager=False))
    except ApidoubleError as error:
        yield error
        return
    for linter in entry_points(group="apidouble.lint"):
        yield from linter.load()(source, seeded.api(source.name))


def _family(source: ApiSource) -> list[ApiSource]:
    """The other packs that share the source's fixtures, whose resources the seed may hold too."""
    if source.fixtures is None:
        return []
    others = (source_of(name) for name in pack_names() if name != source.name)
    return [other for other in others if other.fixtures == source.fixtures]


def _description_findings(served: Served) -> Iterator[ApidoubleError]:
    yield from _repeated_ids(served)
    for operation_id in served.api.refs:
        try:
            operation = served.api.operation(operation_id)
        except ApidoubleError as error:
            yield error
            continue
        yield from _path_parameters(served, operation)
        yield from _statuses(served, operation)
        for parameter in operation.parameters:
            yield from _parameter(served, parameter)
        for media, direction in _contents(operation):
            yield from _media(served, media, direction)
        yield from _links(served, operation)
        yield from _meaning(served, operation_id)
    try:
        served.line.committing.compile()
    except ApidoubleError as error:
        yield error


def _meaning(served: Served, operation_id: str) -> Iterator[ApidoubleError]:
    try:
        served.model.meaning(operation_id)
    except ApidoubleError as error:
        yield error


def _repeated_ids(served: Served) -> Iterator[ApidoubleError]:
    """An operationId is unique among all operations (OAS 3.1 §4.8.10); a repeated one was given a number."""
    for ref in served.api.refs.values():
        written = ref.operation.value.get("operationId")
        if written is not None and str(written) != ref.id:
            pointer = pointers.join(ref.operation.pointer, "operationId")
            yield DescriptionError(
                "two operations have the same operationId",
                place=served.api.documents.place(ref.operation.uri, pointer),
                got=str(written),
                hint=f"give it one of its own; here it goes by {ref.id!r}",
            )


def _path_parameters(served: Served, operation: Operation) -> Iterator[ApidoubleError]:
    described = {parameter.name for parameter in operation.parameters if parameter.location == "path"}
    wanted = set(served.api.refs[operation.id].template.parameters)
    place = served.api.documents.place(operation.located.uri, operation.located.pointer)
    for name in sorted(described - wanted):
        yield DescriptionError(
            f"the path has no parameter {name!r}",
            place=place,
            got=operation.path,
            allowed=", ".join(sorted(wanted)) or "no path parameter",
            hint=did_you_mean(name, wanted),
        )
    for name in sorted(wanted - described):
        yield DescriptionError(
            f"the path parameter {name!r} is not described",
            place=place,
            got=operation.path,
            hint="add it to parameters, with in: path and required: true",
        )


def _statuses(served: Served, operation: Operation) -> Iterator[ApidoubleError]:
    """Responses are keyed by status, class of statuses or ``default`` (OAS 3.1 §4.8.16)."""
    for status, response in operation.responses.items():
        if not _STATUS.fullmatch(status):
            yield DescriptionError(
                "responses are keyed by status",
                place=served.api.documents.place(response.located.uri, response.located.pointer),
                got=status,
                allowed="100 to 599, 1XX to 5XX, default",
            )
    if not operation.responses:
        yield DescriptionError(
            "no response is described, so none can be given",
            place=served.api.documents.place(operation.located.uri, operation.located.pointer),
            hint="add responses, at least one for success",
        )


def _parameter(served: Served, parameter: Parameter) -> Iterator[ApidoubleError]:
    if parameter.media_type is not None:
        yield from _media(served, parameter.media_type, Direction.REQUEST)
    elif parameter.schema is not None:
        yield from _schema(parameter.schema, Direction.REQUEST)


def _contents(operation: Operation) -> Iterator[tuple[MediaType, Direction]]:
    if operation.request_body is not None:
        for media in operation.request_body.content:
            yield media, Direction.REQUEST
    for response in operation.responses.values():
        for media in response.content:
            yield media, Direction.RESPONSE


def _media(served: Served, media: MediaType, direction: Direction) -> Iterator[ApidoubleError]:
    if media.schema is None:
        return
    broken = list(_schema(media.schema, direction))
    yield from broken
    for example in () if broken else media.examples:
        for violation in media.schema.violations(example.value, direction, where="example"):
            at = pointers.join("", "examples", example.name, "value") if example.name else "/example"
            yield DescriptionError(
                f"this example breaks its schema: {violation.message}",
                place=_place(served, media, at + violation.pointer),
                got=violation.got,
            )


def _place(served: Served, media: MediaType, pointer: str) -> Place:
    return served.api.documents.place(media.located.uri, media.located.pointer + pointer)


def _schema(schema: Schema, direction: Direction) -> Iterator[ApidoubleError]:
    """What keeps a schema from being compiled: a reference to nothing, a pattern that is none."""
    try:
        schema.accepts(None, direction)
    except ApidoubleError as error:
        yield error


def _links(served: Served, operation: Operation) -> Iterator[ApidoubleError]:
    known = served.api.refs
    for response in operation.responses.values():
        for link in response.links:
            if link.operation_id is not None and link.operation_id not in known:
                pointer = pointers.join(response.located.pointer, "links", link.name)
                yield DescriptionError(
                    "this link leads to no operation",
                    place=served.api.documents.place(response.located.uri, pointer),
                    got=link.operation_id,
                    hint=did_you_mean(link.operation_id, known),
                )

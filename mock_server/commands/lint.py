"""``apidouble lint``: everything that is wrong with a description, its overlays, its seed and its exchanges."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from mock_server.errors import ApidoubleError, DescriptionError, Place
from mock_server.openapi import pointers
from mock_server.openapi.description import MediaType, Operation
from mock_server.openapi.values import Direction
from mock_server.packs import ApiSource, pack_names, source_of
from mock_server.sandbox import Options, Sandbox, Served


@click.command()
@click.argument("sources", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--overlay", "overlays", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lint(sources: tuple[str, ...], overlays: tuple[Path, ...], seed: Path | None) -> None:
    """Check descriptions, their overlays and their seeds. Exit code 1 when anything is found."""
    found = 0
    for text in sources or pack_names():
        source = source_of(text, overlays=overlays, seed=seed)
        for finding in findings(source):
            click.echo(str(finding), err=False)
            found += 1
    click.echo(f"{found} finding{'s' if found != 1 else ''}", err=True)
    sys.exit(1 if found else 0)


def findings(source: ApiSource) -> Iterator[ApidoubleError]:
    """What is wrong, most fundamental first; a description that cannot be read has one finding only."""
    try:
        sandbox = Sandbox([replace(source, seed=None)], options=Options(eager=False))
    except ApidoubleError as error:
        yield error
        return
    served = next(iter(sandbox.apis.values()))
    broken = False
    for operation_id in served.api.refs:
        for error in _operation_findings(served, operation_id):
            broken = True
            yield error
    if source.seed is not None and not broken:
        try:
            Sandbox([source, *_family(source)], options=Options(eager=False))
        except ApidoubleError as error:
            yield error


def _family(source: ApiSource) -> list[ApiSource]:
    """The other packs that share the source's fixtures, whose resources the seed may hold too."""
    if source.fixtures is None:
        return []
    others = (source_of(name) for name in pack_names() if name != source.name)
    return [other for other in others if other.fixtures == source.fixtures]


def _operation_findings(served: Served, operation_id: str) -> Iterator[ApidoubleError]:
    try:
        operation = served.api.operation(operation_id)
        served.model.meaning(operation_id)
    except ApidoubleError as error:
        yield error
        return
    yield from _path_parameters(served, operation)
    for media in _contents(operation):
        yield from _media(served, media)
    for parameter in operation.parameters:
        if parameter.schema is not None:
            try:
                parameter.schema.accepts(None, Direction.REQUEST)
            except DescriptionError as error:
                yield error


def _path_parameters(served: Served, operation: Operation) -> Iterator[ApidoubleError]:
    described = {p.name for p in operation.parameters if p.location == "path"}
    wanted = set(served.api.refs[operation.id].template.parameters)
    place = _place(served, operation.located.uri, operation.located.pointer)
    for name in sorted(described - wanted):
        yield DescriptionError(f"the path has no parameter {name!r}", place=place, allowed=", ".join(sorted(wanted)))
    for name in sorted(wanted - described):
        yield DescriptionError(f"the path parameter {name!r} is not described", place=place,
                               hint="add it to parameters, with in: path and required: true")  # fmt: skip


def _contents(operation: Operation) -> Iterator[tuple[MediaType, Direction]]:
    if operation.request_body is not None:
        for media in operation.request_body.content:
            yield media, Direction.REQUEST
    for response in operation.responses.values():
        for media in response.content:
            yield media, Direction.RESPONSE


def _media(served: Served, content: tuple[MediaType, Direction]) -> Iterator[ApidoubleError]:
    media, direction = content
    if media.schema is None:
        return
    try:
        media.schema.accepts(None, direction)
    except DescriptionError as error:
        yield error
        return
    for example in media.examples:
        for violation in media.schema.violations(example.value, direction, where="example"):
            pointer = media.located.pointer + (
                pointers.join("", "examples", example.name, "value") if example.name else "/example"
            )
            yield DescriptionError(
                f"the example breaks its schema: {violation.message}",
                place=_place(served, media.located.uri, pointer + violation.pointer),
                got=violation.got,
            )


def _place(served: Served, uri: str, pointer: str) -> Place:
    return served.api.documents.place(uri, pointer)

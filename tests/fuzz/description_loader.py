"""Fuzzing of the description loader: whatever a file holds, nothing but an ``ApidoubleError`` comes out, and soon.

    pip install atheris                                            # in an environment of Python 3.11 to 3.13
    python -m tests.fuzz.description_loader -max_total_time=600    # or -runs=100000, and other options of libFuzzer

The first byte of an input says what the others are: bytes of a YAML file, of a JSON file, or changes of a small
description, which is then compiled whole. A crash leaves a file ``crash-…`` in the working directory: shorten it by
``-minimize_crash=1``, mend the loader, and keep the file in ``tests/fuzz/corpus/description_loader`` under a name
that tells what was wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mock_server.errors import ApidoubleError
from mock_server.exchange.authentication import Authenticator
from mock_server.exchange.line import Line
from mock_server.model.model import Model
from mock_server.openapi import source
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json
from tests.fuzz.driving import drive
from tests.fuzz.mutations import Choices, mutated
from tests.fuzz.small_descriptions import SMALL

CORPUS = Path(__file__).parent / "corpus" / "description_loader"
_LIMITS = source.Limits(max_bytes=200_000, max_nodes=20_000)
_EPOCH = datetime(2026, 1, 2, tzinfo=UTC)


def one_input(data: bytes) -> None:
    """Loads what some bytes stand for; raises where the loader raises anything but an ``ApidoubleError``."""
    if not data:
        return
    kind, rest = data[0] % 4, data[1:]
    try:
        if kind in {0, 1}:
            _compile(source.parse(rest, name=("a.yaml", "a.json")[kind], limits=_LIMITS))
        else:
            choices = Choices(rest)
            _compile(mutated(choices.one_of(SMALL), choices))
    except ApidoubleError:
        return


def _compile(value: Json) -> None:
    documents = Documents.from_value(value, limits=_LIMITS)
    model = Model(Api(documents, name="fuzzed"), seed=1, epoch=_EPOCH)
    line = Line(model, authenticator=Authenticator((), verifiers={}))
    for operation_id in tuple(model.api.refs):
        try:
            model.api.operation(operation_id)
        except ApidoubleError:
            continue  # the others are compiled all the same
    line.compile()
    _use_schemas(line)


def _use_schemas(line: Line) -> None:
    """Every schema is read when it is first asked about a value."""
    from mock_server.openapi.values import Direction

    for operation in line.api.operations():
        contents: list[Any] = [response.content for response in operation.responses.values()]
        contents += [operation.request_body.content] if operation.request_body is not None else []
        for media in (media for content in contents for media in content):
            if media.schema is not None:
                media.schema.accepts({}, Direction.RESPONSE)


if __name__ == "__main__":
    drive("tests.fuzz.description_loader", CORPUS)

"""What a story needs of the service that it is played to: its APIs, callers, clock and data.

A world is closed where the service begins with exactly the seed, and open where there may be other data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from contracts import arazzo
from contracts.bench import Bench
from contracts.exchanges import Request, Transcript
from contracts.exchanges import Step as TranscriptStep
from contracts.service import Powers
from mock_server.dataclass import dataclass
from mock_server.model.clock import parse_duration
from mock_server.openapi.compile import Api
from mock_server.openapi.source import parse
from mock_server.openapi.templates import Fit
from mock_server.openapi.values import Json

LONGEST_WAIT = 5.0
"""Seconds that a story really waits for, where the clock of the service cannot be moved."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a story needs.

    ``apis`` are those that it speaks to, ``credentials`` the names of its callers, ``seconds`` how far it moves the
    clock; it ``writes`` into the state. ``calls`` are method, path and expected status of its requests, ``texts`` every
    value that stands in it.
    """

    apis: frozenset[str]
    credentials: frozenset[str]
    seconds: float
    writes: bool
    calls: tuple[tuple[str, str, int], ...]
    texts: frozenset[str]


def transcript_needs(transcript: Transcript) -> Needs:
    """What a transcript needs of the service that it is played to."""
    steps = transcript.steps
    made = [step.exchange for step in steps if step.exchange is not None]
    values = [(sent.path, sent.query, sent.headers, sent.value, told.value) for sent, told in made]
    return Needs(
        frozenset(sent.api for sent, _ in made) | {step.write.api for step in steps if step.write is not None},
        frozenset(step.credential for step in steps if step.credential is not None),
        sum(parse_duration(step.clock).total_seconds() for step in steps if step.clock is not None),
        any(step.write is not None for step in steps),
        tuple((sent.method, sent.path, told.status) for sent, told in made),
        texts_of(values),
    )


def workflow_needs(path: Path, described: arazzo.Arazzo, workflow: arazzo.Workflow) -> Needs:
    """What a workflow needs of the service that it is gone through on."""
    seen: set[str] = set()
    steps = tuple(_steps(described, workflow, seen))
    document = parse(path.read_bytes(), name=str(path))
    written = [entry for entry in document["workflows"] if entry["workflowId"] in seen]
    return Needs(
        frozenset(step.api.name for step in steps if step.api is not None),
        frozenset(step.credential for step in steps if step.credential is not None),
        sum(parse_duration(step.clock).total_seconds() for step in steps if step.clock is not None),
        any(step.write is not None for step in steps),
        tuple((step.operation.method, step.api.refs[step.operation.id].template.text, 200) for step in steps
              if step.operation is not None and step.api is not None),
        texts_of([written, document.get("components")]),
    )  # fmt: skip


def why_not(bench: Bench, needs: Needs) -> str | None:
    """Why a story cannot be played to this service; None when it can."""
    others = sorted(needs.apis - {bench.served.name})
    if others:
        return f"it speaks to {' and '.join(others)} as well, and only {bench.served.name} is checked"
    missing = sorted(needs.credentials - {caller.name for caller in bench.callers})
    if missing:
        return f"there is no credential by the name of {' or '.join(missing)}"
    if powers_of(bench) is None:
        if needs.writes:
            return "it needs somebody to write into the service's state"
        if needs.seconds > LONGEST_WAIT:
            return f"it needs a clock that can be moved by {timedelta(seconds=needs.seconds)}"
    return hindrance(bench, [(operation_of(bench.served.api, method, path), status) for method, path, status
                             in needs.calls], needs.texts)  # fmt: skip


# Open worlds

_BY_ITSELF = frozenset({"create", "read", "replace", "update", "delete", "act", "sample"})
"""Behaviours whose answers are about one item, whatever else there is."""


def texts_of(value: Any) -> frozenset[str]:
    """Every text and number in some values, and the segments of those that are paths."""
    return frozenset(_texts(value))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (text for member in value.values() for text in _texts(member))
    elif isinstance(value, list | tuple):
        yield from (text for member in value for text in _texts(member))
    elif isinstance(value, str):
        yield value
        yield from (segment for segment in value.partition("?")[0].split("/") if segment)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def hindrance(bench: Bench, calls: Iterable[tuple[str | None, int]], texts: frozenset[str]) -> str | None:
    """Why a story cannot be played where there may be other data than the seed; None when it can.

    ``calls`` are the operations that it calls, with the statuses that it expects; ``texts`` is what stands in it.
    """
    if bench.closed and bench.source.seed is not None:
        return None
    named = sorted(texts & _seeded_keys(bench))
    if named:
        return f"it speaks of {named[0]}, which is there only with the seed"
    for operation_id, status in calls:
        if operation_id is None or status >= 400:
            continue
        meaning = bench.roster.meaning(operation_id)
        if meaning.behaviour not in _BY_ITSELF and bench.served.api.operation(operation_id).method == "GET":
            return f"what {operation_id} answers depends on all that is there, and there may be more than the seed"
    return None


def _seeded_keys(bench: Bench) -> frozenset[str]:
    """The keys of what the seed has, its parents' and tenants' included."""
    state = bench.double.universes.default.seed_state
    found = {part for name in state.resources for partition, collection in state.partitions(name)
             for part in (*partition.scope, *(entry.key for entry in collection))}  # fmt: skip
    return frozenset(found - {""})


# Parts


def steps_of(described: arazzo.Arazzo, workflow: arazzo.Workflow) -> tuple[arazzo.Step, ...]:
    """The steps of a workflow and of those that it leads to."""
    return tuple(_steps(described, workflow, set()))


def _steps(described: arazzo.Arazzo, workflow: arazzo.Workflow, seen: set[str]) -> Iterator[arazzo.Step]:
    if workflow.id in seen:
        return
    seen.add(workflow.id)
    others = [*workflow.depends_on]
    for step in workflow.steps:
        yield step
        others += [step.workflow] if step.workflow is not None else []
        others += [each.workflow for each in (*step.on_success, *step.on_failure) if each.workflow is not None]
    for name in others:
        yield from _steps(described, described.workflows[name], seen)


def own_part(transcript: Transcript, api: str) -> Transcript | None:
    """A transcript without the reads of other APIs, where nothing else depends on them; None where that cannot be."""
    kept: list[TranscriptStep] = []
    bound: set[str] = set()
    for step in transcript.steps:
        spoken = step.exchange[0].api if step.exchange is not None else api
        if step.write is not None and step.write.api != api:
            return None
        if spoken == api or step.exchange is None:
            kept.append(step)
        elif step.exchange[0].method in {"GET", "HEAD"}:
            bound |= set(_bound([dict(step.exchange[1].headers), step.exchange[1].value]))
            kept += [replace(step, exchange=None)] if step.clock is not None or step.write is not None else []
        else:
            return None
    said = "".join(_written(step.exchange[0]) for step in kept if step.exchange is not None)
    if any(f"{{{name}}}" in said or f'"$bind": "{name}"' in said for name in bound):
        return None
    return replace(transcript, steps=tuple(kept))


def _written(request: Request) -> str:
    return json.dumps([request.path, dict(request.query), dict(request.headers), request.value])


def _bound(value: Json) -> Iterator[str]:
    """The names that an expected value binds."""
    if isinstance(value, list):
        yield from (name for member in value for name in _bound(member))
    elif isinstance(value, dict):
        if isinstance(value.get("$bind"), str):
            yield value["$bind"]
        if isinstance(value.get("$match"), str):
            yield from re.compile(value["$match"]).groupindex
        yield from (name for member in value.values() for name in _bound(member))


# Requests


def powers_of(bench: Bench) -> Powers | None:
    """What can be done to the service past its API; nothing where others use it as well."""
    return bench.service.powers if bench.service.resettable else None


def below_base(api: Api, url: str) -> str:
    """A path as it is below the base URL: without the base path of the described servers, where that is in front."""
    path, mark, query = url.partition("?")
    for base in api.base_paths:
        if base and path.startswith(base + "/") and not _known(api, path):
            return path[len(base) :] + mark + query
    return url


def operation_of(api: Api, method: str, url: str) -> str | None:
    """The operation that a request is for, None for one that leads nowhere."""
    match = api.match(method, below_base(api, url).partition("?")[0])
    return match.target if match.fit is Fit.FULL else None


def _known(api: Api, path: str) -> bool:
    return api.match("GET", path).fit is not Fit.NONE

"""Stories: workflows in several steps, and transcripts of the vendor's document, played to the service.

They are the witnesses that know nothing of the model. What they send goes through the service like everything else,
so that each reply is judged by itself as well. A story that a service cannot be asked to play (it needs another API,
a clock that moves by a day, or the seed's items) is inapplicable, and says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

from contracts import arazzo, exchanges, workflows
from contracts.bench import Bench, Held, Task
from contracts.checks import exchange as exchange_check
from contracts.checks import workflow as workflow_check
from contracts.exchanges import Answer, Presented, Target, Transcript
from contracts.findings import Finding
from contracts.hunting import Inapplicable
from contracts.service import Caller, Powers, Recorded, Unreachable
from contracts.wire import WireRequest
from contracts.worlds import (
    LONGEST_WAIT,
    Needs,
    below_base,
    operation_of,
    own_part,
    powers_of,
    steps_of,
    transcript_needs,
    why_not,
    workflow_needs,
)
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, FixtureError
from mock_server.model.clock import parse_duration
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json

_AGAIN = "it did not happen each time that the same requests were sent"
_LIMITED = 429
_TAKEN = 409


@dataclass(slots=True)
class Stage:
    """The service as a story sees it; ``recorded`` is what was said so far."""

    bench: Bench
    until: float
    recorded: list[Recorded] = field(default_factory=list)
    unfrozen: bool = False

    @property
    def target(self) -> Target:
        """What transcripts and workflows are run against."""
        return Target(self.send, self.present, self.advance, self.freeze, self.merge)

    @property
    def powers(self) -> Powers | None:
        """What can be done past the API: nothing to a service that others use as well."""
        return powers_of(self.bench)

    def send(self, api: str, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Sends, judges, and gives what came back."""
        if api != self.bench.served.name:
            raise Inapplicable(f"it speaks to {api} as well")
        if time.monotonic() >= self.until:
            raise Inapplicable("there was no time to play it to its end")
        request = WireRequest(method, below_base(self.bench.served.api, url), dict(headers), body)
        operation_id = operation_of(self.bench.served.api, method, url)
        recorded = self.bench.service.send(request, operation_id=operation_id, caller=self._caller(headers))
        self.recorded.append(recorded)
        for found in self.bench.judges(recorded):
            self.bench.hunt.add(replace(found, sequence=tuple(self.recorded), seed=self.bench.hunt.seed))
        return recorded.status, dict(recorded.reply.headers), recorded.reply.body

    def _caller(self, headers: Mapping[str, str]) -> Caller | None:
        """Whose credential a request carries; those in the query are part of the URL already."""
        return next((caller for caller in self.bench.callers if caller.headers and not caller.query
                     and caller.headers.items() <= headers.items()), None)  # fmt: skip

    def present(self, api: str, name: str) -> Presented:
        """How the caller of a name is told from others."""
        caller = next((caller for caller in self.bench.callers if caller.name == name), None)
        if api != self.bench.served.name or caller is None:
            raise Inapplicable(f"there is no credential by the name of {name}")
        return Presented(dict(caller.headers), dict(caller.query))

    def advance(self, duration: str) -> None:
        """Moves the service's clock, or waits where it is a real one and the time is short."""
        seconds = parse_duration(duration).total_seconds()
        if self.powers is not None:
            self.powers.advance(duration)
        elif seconds > LONGEST_WAIT or time.monotonic() + seconds > self.until:
            raise Inapplicable(f"it needs a clock that can be moved by {duration}")
        else:
            time.sleep(max(0.0, seconds))

    def freeze(self) -> None:
        """Makes the clock stand still; a real one goes on."""
        if self.powers is not None:
            self.powers.freeze()
        else:
            self.unfrozen = True

    def merge(self, api: str, resource: str, key: str, members: Json) -> None:
        """Writes into the service's state, past its API."""
        if api != self.bench.served.name or self.powers is None:
            raise Inapplicable("it needs somebody to write into the service's state")
        self.powers.merge(resource, key, members)


Story: TypeAlias = Callable[[Stage], Finding | None]
"""Plays a story; a finding when it does not hold. May raise ``Inapplicable``."""


# Tasks


def tasks(bench: Bench) -> Iterator[Task]:
    """One task for each workflow beside the description, and for each transcript of its fixtures."""
    if workflow_check.CHECK.name in bench.checks:
        yield from _workflow_tasks(bench)
    if exchange_check.CHECK.name in bench.checks:
        yield from _exchange_tasks(bench)


def _exchange_tasks(bench: Bench) -> Iterator[Task]:
    fixtures = bench.source.fixtures
    for path in exchanges.exchange_files(fixtures) if fixtures is not None else ():
        try:
            transcript = exchanges.load(path)
        except ApidoubleError as error:
            bench.notes[f"exchange {path.stem}"] = str(error)
            continue
        api = bench.served.api
        transcript = own_part(transcript, bench.served.name) or transcript
        requests = [step.exchange[0] for step in transcript.steps if step.exchange is not None]
        called = [operation_of(api, each.method, each.path) for each in requests if each.api == bench.served.name]
        if called and _may_call(bench, called):
            operations = tuple(dict.fromkeys(found for found in called if found is not None))
            make = _make(_transcript(transcript), transcript_needs(transcript))
            yield Task(exchange_check.CHECK.family, f"exchange {path.stem}", "exchange", operations, make)


def _workflow_tasks(bench: Bench) -> Iterator[Task]:
    for path in sorted(bench.source.description.parent.glob("*.arazzo.yaml")):
        try:
            described = arazzo.load(path, lambda file: _api_of(bench, file))
        except ApidoubleError as error:
            bench.notes[f"workflow {path.stem}"] = str(error)
            continue
        for workflow in described.workflows.values():
            steps = steps_of(described, workflow)
            called = [step.operation.id for step in steps if step.operation is not None and step.api is not None
                      and step.api.name == bench.served.name]  # fmt: skip
            if called and _may_call(bench, called):
                make = _make(_workflow(described, workflow), workflow_needs(path, described, workflow))
                name = f"workflow {workflow.id}"
                yield Task(workflow_check.CHECK.family, name, "workflow", tuple(dict.fromkeys(called)), make)


def _may_call(bench: Bench, called: Iterable[str | None]) -> bool:
    return all(each is None or each in bench.roster.operations for each in called)


def _api_of(bench: Bench, path: Path) -> Api:
    own = bench.source.description.resolve()
    if path == own:
        return bench.served.api
    outside = bench.source.allow_outside
    if not outside and not path.is_relative_to(own.parent):
        raise FixtureError("a workflow goes through an API outside of the description's folder", got=str(path),
                           allowed=f"descriptions below {own.parent}")  # fmt: skip
    return _sibling(path, outside=outside)


@cache
def _sibling(path: Path, *, outside: bool) -> Api:
    """Another API that workflows go through, by the name of its pack; it is read and never called."""
    name = path.parent.name if path.stem == "openapi" else path.stem
    return Api(Documents.load(path, allow_outside=outside), name=name)


# Playing


def _make(story: Story, needs: Needs) -> Callable[[Bench], Held]:
    def make(bench: Bench) -> Held:
        why = why_not(bench, needs)
        if why is not None:
            return Held(1, 1, why)
        try:
            return played(bench, story)
        except Inapplicable as reason:
            return Held(1, 1, str(reason))
        except Unreachable:
            raise
        except ApidoubleError as error:
            return Held(1, 1, str(error))
        finally:
            if powers_of(bench) is not None:
                bench.service.reset()  # a clock that was stopped or moved is nobody else's

    return make


def played(bench: Bench, story: Story) -> Held:
    """Plays a story; one that fails is played again where it can begin anew, to see whether it always does."""
    until = min(bench.until(), bench.hunt.deadline)
    found: Finding | None = None
    for attempt in (1, 2):
        stage = Stage(bench, until)
        bench.service.reset()
        try:
            failed = story(stage)
        except Inapplicable:
            if found is None:
                raise
            break
        if failed is None:
            found = found.noting(_AGAIN) if found is not None else None
            break
        if _throttled(stage, failed):
            if attempt == 1 and bench.service.resettable and bench.service.wait_for(stage.recorded[-1]):
                continue
            if found is None:
                raise Inapplicable("the service refuses more requests (429)")
            break
        if _in_the_way(stage, failed):
            raise Inapplicable("something that is there already stands in its way (409)")
        found = failed
        if not bench.service.resettable:
            break
    if found is not None:
        bench.hunt.add(replace(found, seed=bench.hunt.seed))
    return Held(attempt)


def _throttled(stage: Stage, failed: Finding) -> bool:
    """Whether a story ended because the service has had enough of requests, not because of what it was asked."""
    told = [difference for difference in failed.differences if difference.pointer == "status"]
    return bool(told) and stage.recorded[-1].status == _LIMITED


def _in_the_way(stage: Stage, failed: Finding) -> bool:
    """Whether a story failed because of what others have put into an open world: what it makes is there already."""
    told = [difference for difference in failed.differences if difference.pointer == "status"]
    return bool(told) and not stage.bench.closed and stage.recorded[-1].status == _TAKEN


def _transcript(transcript: Transcript) -> Story:
    def play(stage: Stage) -> Finding | None:
        failure = exchanges.run(transcript, stage.target)
        if failure is None:
            return None
        if stage.unfrozen and all(_by_the_clock(each.message) for each in failure.mismatches):
            raise Inapplicable("it compares moments, for which the clock would have to stand still")
        return exchange_check.finding(transcript, failure, stage.recorded)

    return play


def _by_the_clock(message: str) -> bool:
    """Whether a difference may come of a clock that went on meanwhile: another value, at a place that is there."""
    return not any(said in message for said in ("is missing", "is not expected", "is another one", "is not JSON"))


def _workflow(described: arazzo.Arazzo, workflow: arazzo.Workflow) -> Story:
    def go(stage: Stage) -> Finding | None:
        found = workflows.run(described, workflow.id, stage.target)
        return None if found.passed else workflow_check.finding(found, stage.recorded)

    return go

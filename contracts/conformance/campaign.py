"""A campaign: one run of Schemathesis' engine against the service of a bench."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import orjson
import requests
import schemathesis
from schemathesis import BaseSchema, Case, HookContext
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.engine.run import PhaseName
from schemathesis.errors import SchemathesisError
from schemathesis.generation.meta import CoverageScenario, coverage_scenario
from schemathesis.specs.openapi.schemas import OpenApiSchema

from contracts.bench import Bench, Held
from contracts.conformance.blaming import AGREEING, Blame, Failed
from contracts.conformance.line import BASE, Line, wire_of
from contracts.conformance.offline import offline
from contracts.conformance.settings import configured
from contracts.conformance.shadow import Shadow
from contracts.conformance.verification import Verifier
from contracts.drafting import Wishes
from contracts.findings import Finding
from contracts.judge import Verdict
from contracts.judging import REPLY_CHECKS, Judges
from contracts.service import Caller, Recorded, Unreachable
from contracts.wire import WireRequest
from mock_server.openapi.compile import Api
from mock_server.openapi.expansion import plain
from mock_server.openapi.values import Json

_TRIES = 3
"""How often a request that is refused with 429 is sent again."""
_TWICE = 5
"""How many replies of an operation with one status openapi-core judges as well, which is slow over large bodies."""
_DRAFTS = 12
"""Drafts from which the known values of path parameters are taken."""


class Campaign:
    """Drives Schemathesis through the service of a bench, and adds what is found to its hunt.

    The engine works in a thread of its own, one request after the other.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._api = bench.served.api
        self._line = Line(self._deliver)
        self._verify = _verifier(self._api)
        self._ids = {f"{ref.method} {ref.template.text}": name for name, ref in self._api.refs.items()}
        self._callers: dict[str, Caller | None] = {}
        self._met: dict[str, Finding] = {}
        self._judged: dict[int, frozenset[str]] = {}
        self._kinds: Counter[tuple[str | None, int]] = Counter()
        self._alone = Judges(self._api, judge=None, checks=bench.checks)
        self._replies: dict[tuple[Any, ...], frozenset[str]] = {}
        self._stop: Callable[[], None] = lambda: None
        self._unreachable: Unreachable | None = None
        self._sent = 0
        self._why = ""
        self._shadow = Shadow(bench)
        self._blame = Blame(
            self._api,
            verify=lambda recorded: self._verify(recorded.request),
            judged=self._second_opinion,
            silent=self._is_silent,
            opaque=self._is_opaque,
            expected=self._shadow.refuses,
            closed=bench.closed,
            seed=bench.hunt.seed,
        )

    def single(self, operation_id: str, *, examples: int) -> Held:
        """Examples, coverage and fuzzing of one operation."""
        return self._run((operation_id,), ("examples", "coverage", "fuzzing"), examples)

    def sequences(self, *, examples: int) -> Held:
        """Sequences of operations along described and inferred links."""
        return self._run(self._bench.roster.operations, ("stateful",), examples)

    def _run(self, operations: Sequence[str], phases: Sequence[str], examples: int) -> Held:
        bench = self._bench
        bench.service.reset()
        until = min(bench.until(), bench.hunt.deadline)
        self._callers = {name: bench.drafter.caller(self._api.operation(name)) for name in operations}
        config = configured(
            self._api,
            phases=phases,
            examples=examples,
            seed=bench.hunt.seed,
            checks=bench.checks,
            callers=self._callers,
            known={name: dict(self._known(name)) for name in operations},
        )
        config.max_time = max(1, round(until - time.monotonic()))
        with offline():
            stream = from_schema(self._schema(config, operations)).execute()
            self._stop = stream.stop
            for event in stream:
                self._take(event, last=PhaseName(phases[-1]))
        self._tell()
        self._shadow.close()
        if self._unreachable is not None:
            raise self._unreachable
        return Held(self._sent, 0, self._why)

    def _schema(self, config: schemathesis.Config, operations: Sequence[str]) -> BaseSchema:
        loaded = schemathesis.openapi.from_dict(_document(self._api), config=config)
        line, keeps = self._line, self._keeps

        class Bound(OpenApiSchema):
            """The description, with requests that go down the line."""

            @property
            def transport(self) -> Line:
                return line

        location = self._bench.source.description.resolve().as_uri()
        bound = Bound(loaded.raw_schema, loaded.config, location=location)

        def filter_case(context: HookContext, case: Case[Any]) -> bool:
            return keeps(case)

        bound.hooks.register_hook_with_name(filter_case, "filter_case")
        named = {name: label for label, name in self._ids.items()}
        return bound.include(name=[named[operation_id] for operation_id in operations])

    def _known(self, operation_id: str) -> Iterator[tuple[str, list[str]]]:
        """Values of path parameters with which an operation finds something: those of one place, in their order."""
        names = self._api.refs[operation_id].template.parameters
        drafts = []
        if names:
            wishes = Wishes(lean=True, caller=self._callers[operation_id])
            drafts = [
                self._bench.drafter.draft(operation_id, self._bench.pool, number, wishes) for number in range(_DRAFTS)
            ]
        paths = [{name: plain(value) for name, value in draft.path.items()} for draft in drafts if draft is not None]
        *parents, key = names or ("",)
        for name in parents if paths else ():
            yield name, [paths[0][name]]
        if paths:
            beside = [path[key] for path in paths if all(path[name] == paths[0][name] for name in parents)]
            yield key, list(dict.fromkeys(beside))

    # Sending

    def _deliver(self, request: WireRequest) -> Recorded:
        """Sends a request of Schemathesis', waits where the service asks for it, and judges the reply."""
        bench = self._bench
        if bench.hunt.first_only and bench.hunt.left == 0:
            self._stop()
            raise KeyboardInterrupt
        operation_id = self._verify.leads_to(request)
        caller = self._callers.get(operation_id or "")
        known = caller if caller is not None and _carries(request, caller) else None
        try:
            for _ in range(_TRIES):
                recorded = bench.service.send(request, operation_id=operation_id, caller=known)
                self._sent += 1
                if recorded.status != 429 or not bench.service.wait_for(recorded):
                    break
        except Unreachable as error:
            self._unreachable = error
            self._stop()
            raise KeyboardInterrupt from None
        self._shadow.follow(recorded)
        self._judge(recorded)
        return recorded

    def _judge(self, recorded: Recorded) -> None:
        """Makes the reply checks; a reply that was seen before is not judged again."""
        headers = tuple(sorted(header for header in recorded.reply.headers if header[0].lower() != "date"))
        key = (recorded.operation_id, recorded.request.method, recorded.status, headers, recorded.reply.body)
        found = self._replies.get(key)
        if found is None:
            kind = (recorded.operation_id, recorded.status)
            self._kinds[kind] += 1
            judges = self._bench.judges if self._kinds[kind] <= _TWICE else self._alone
            findings = list(judges(recorded))
            for finding in findings:
                self._meet(replace(finding, seed=self._bench.hunt.seed))
            found = self._replies[key] = frozenset(finding.check for finding in findings)
        self._judged[recorded.number] = found

    def _keeps(self, case: Case[Any]) -> bool:
        """Whether a generated case is sent: an invalid one only if it is invalid on the wire as well."""
        meta = case.meta
        if meta is None or not meta.generation.mode.is_negative:
            return True
        operation_id = self._ids[case.operation.label]
        caller = self._callers[operation_id]
        try:
            told = case.as_transport_kwargs(base_url=BASE, headers=dict(caller.headers) if caller is not None else None)
            verified = self._verify(wire_of(requests.Request(**told).prepare()))
        except (requests.RequestException, SchemathesisError, ValueError):
            return True  # what cannot be sent is for the engine to say
        if coverage_scenario(case) is CoverageScenario.UNSPECIFIED_HTTP_METHOD:
            return verified.operation_id is None
        return verified.violates(operation_id) or case.operation.schema.is_security_param_negated(case)

    # Taking what the engine tells

    def _take(self, event: events.EngineEvent, *, last: PhaseName) -> None:
        if isinstance(event, events.ScenarioFinished):
            for failed in self._failed(event.recorder):
                finding = self._blame(failed)
                if finding is not None and not self._agrees(failed):
                    self._meet(finding)
            self._tell()
            self._line.exchanges.clear()
            self._judged.clear()
        elif isinstance(event, events.NonFatalError):
            self._why = " ".join(f"{event.label}: {event.info.title}: {event.info.message}".split())
        elif isinstance(event, events.PhaseFinished) and event.phase.name is last:
            self._stop()  # with a limit of time it would begin the phase again

    def _failed(self, recorder: ScenarioRecorder) -> Iterator[Failed]:
        exchanges = self._line.exchanges
        for case_id, nodes in recorder.checks.items():
            for node in nodes:
                if node.failure_info is None or case_id not in exchanges:
                    continue
                failure = node.failure_info.failure
                chain = recorder.iter_chain_cases(case_id=case_id, related_case_ids=failure.related_case_ids())
                sequence = [exchanges[case.id] for case in chain if case.id in exchanges]
                sequence.sort(key=lambda recorded: recorded.number)
                operation = self._api.operation(self._ids[recorder.cases[case_id].value.operation.label])
                yield Failed(node.name, failure.title, failure.message, operation, tuple(sequence))

    def _agrees(self, failed: Failed) -> bool:
        """Whether a reply check of ours has found the same, which is then told once, with a note."""
        ours = AGREEING.get(failed.check)
        if ours is None:
            return False
        note = f"Schemathesis finds it too ({failed.check})"
        for found in (self._met, self._bench.hunt.found):
            for mark, finding in tuple(found.items()):
                if (finding.check, finding.operation_id) == (ours, failed.operation.id):
                    if note not in finding.notes:
                        found[mark] = finding.noting(note)
                    return True
        return False

    def _meet(self, finding: Finding) -> None:
        """Keeps a finding until the scenario is over: the one with the smallest requests is told."""
        known = self._met.get(finding.fingerprint)
        if known is None or _size(finding) < _size(known):
            self._met[finding.fingerprint] = finding

    def _tell(self) -> None:
        met, self._met = self._met, {}
        for finding in met.values():
            self._bench.hunt.add(finding)

    def _is_silent(self, recorded: Recorded, check: str) -> bool:
        made = check in self._bench.checks and check in REPLY_CHECKS and recorded.operation_id is not None
        return made and check not in self._judged.get(recorded.number, frozenset({check}))

    def _is_opaque(self, recorded: Recorded) -> bool:
        """Whether a request has a cursor, or a key under which another request may have been sent before."""
        request, model = recorded.request, self._bench.served.model
        listing = model.meaning(recorded.operation_id or "").listing
        idempotency = model.annotations.idempotency
        names = {name for name, _ in parse_qsl(request.target.partition("?")[2], keep_blank_values=True)}
        keys = {name.lower() for name in request.headers}
        return bool(names & {listing.after, listing.before}) or (
            idempotency is not None and idempotency.header.lower() in keys
        )

    def _second_opinion(self, recorded: Recorded) -> Verdict | None:
        judge = self._bench.judges.judge
        request = recorded.request
        return (
            judge.request(request.method, request.target, request.headers, request.body) if judge is not None else None
        )


def _carries(request: WireRequest, caller: Caller) -> bool:
    """Whether a request already has all that a caller's credential puts on the wire, and sending it adds nothing."""
    sent = {name.lower(): value for name, value in request.headers.items()}
    headers = {name.lower(): value for name, value in caller.headers.items()}
    return not caller.query and "cookie" not in headers and headers.items() <= sent.items()


def _size(finding: Finding) -> tuple[int, int]:
    sent = [recorded.request for recorded in finding.sequence]
    return len(sent), sum(len(request.target) + len(request.body) for request in sent)


# What campaigns of one API share

_verifiers: WeakKeyDictionary[Api, Verifier] = WeakKeyDictionary()


def _verifier(api: Api) -> Verifier:
    return _verifiers.setdefault(api, Verifier(api))


def _document(api: Api) -> dict[str, Json]:
    """The description without its servers: where the service is, is the service's business."""
    absent = {"servers", "host", "basePath", "schemes"}
    copied: dict[str, Json] = orjson.loads(orjson.dumps({k: v for k, v in api.root.items() if k not in absent}))
    return copied

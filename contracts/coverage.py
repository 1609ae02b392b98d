"""Coverage: which part of a description a run has exercised, which not, and why not.

Every exchange is noted as it passes; what that costs is a few microseconds once a body's schema has been seen in full.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, field
from typing import Any
from urllib.parse import parse_qsl

from contracts.bindings import json_of
from contracts.exercised import Probe, probe_of
from contracts.roster import behaviour_of
from contracts.running import Report
from contracts.service import Caller, Recorded
from mock_server.dataclass import dataclass
from mock_server.model.filters import value_at
from mock_server.model.meaning import OWN_KEY, Meaning, Resource
from mock_server.model.model import Model
from mock_server.openapi.description import Operation, Parameter
from mock_server.openapi.values import Direction, Json

_UNHEARD = frozenset({401, 403, 429})
"""Statuses of a service that did not look at what was sent."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are, and how many of them were exercised."""

    met: int
    all: int

    @property
    def percent(self) -> float:
        """From 0 to 100; 100 where there is nothing to exercise."""
        return round(100 * self.met / self.all, 1) if self.all else 100.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.met + other.met, self.all + other.all)


@dataclass(frozen=True, slots=True)
class OperationCovered:
    """What was exercised of one operation.

    ``statuses`` are the described ones with how often each came, ``undescribed`` those that came besides. ``missed``
    says in words which parameters and schema keywords were not exercised. ``why`` is why it was never called.
    """

    operation_id: str
    method: str
    path: str
    calls: int
    statuses: Mapping[str, int]
    undescribed: Mapping[str, int]
    parameters: Tally
    body: Tally
    missed: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class MovesCovered:
    """The moves between the states of one resource, and how often each was seen."""

    resource: str
    moves: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Covered:
    """What a run has exercised of a description."""

    operations: Tally
    statuses: Tally
    parameters: Tally
    bodies: Tally
    moves: Tally
    rows: tuple[OperationCovered, ...]
    resources: tuple[MovesCovered, ...]

    def tallies(self) -> Iterator[tuple[str, Tally]]:
        """Each tally with what it counts."""
        yield "operations", self.operations
        yield "status codes", self.statuses
        yield "parameters", self.parameters
        yield "request bodies", self.bodies
        yield "state moves", self.moves

    def as_json(self) -> dict[str, Any]:
        """The whole as JSON: percentages first, then every operation and every resource."""
        totals = {name.replace(" ", "_"): {**asdict(tally), "percent": tally.percent} for name, tally in self.tallies()}
        return {
            "totals": totals,
            "operations": [asdict(row) | {"statuses": dict(row.statuses)} for row in self.rows],
            "resources": [asdict(resource) for resource in self.resources],
        }


@dataclass(slots=True)
class _Noted:
    """What was met of one operation so far. ``met`` are numbers of facets; sets and dicts need no lock to grow."""

    operation: Operation
    meaning: Meaning
    parameters: Mapping[tuple[str, str], tuple[Parameter, Probe]]
    bodies: Mapping[str, Probe]
    statuses: dict[int, int] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    media: set[str] = field(default_factory=set)


class Coverage:
    """Watches the exchanges of a run (``watch``), and tells afterwards what they have exercised (``covered``)."""

    def __init__(self, model: Model, *, operations: Iterable[str] | None = None) -> None:
        self.model = model
        self.planned = frozenset(model.api.refs if operations is None else operations)
        self._noted: dict[str, _Noted] = {}
        self._states: dict[tuple[str, tuple[str, ...], str], str] = {}
        self._moves: dict[tuple[str, str], int] = {}

    def watch(self, recorded: Recorded) -> None:
        """Notes one exchange. Cheap, and safe to call from several threads."""
        if recorded.operation_id is None or recorded.operation_id not in self.model.api.refs:
            return
        noted = self._noted.get(recorded.operation_id)
        if noted is None:
            noted = self._noted.setdefault(recorded.operation_id, self._first(recorded.operation_id))
        status = recorded.status
        noted.statuses[status] = noted.statuses.get(status, 0) + 1
        if status not in _UNHEARD:
            _note_parameters(noted, recorded)
            _note_body(noted, recorded)
        if recorded.ok:
            self._note_states(noted.meaning, recorded)

    def covered(self, report: Report, *, callers: Sequence[Caller] = ()) -> Covered:
        """What was exercised in a run, with the reasons for what was not."""
        why = _reasons(report)
        rows = tuple(self._row(operation_id, why, callers) for operation_id in self.model.api.refs)
        resources = tuple(self._resources())
        moves = [seen for resource in resources for seen in resource.moves.values()]
        return Covered(
            Tally(sum(row.calls > 0 for row in rows), len(rows)),
            _sum(Tally(sum(map(bool, row.statuses.values())), len(row.statuses)) for row in rows),
            _sum(row.parameters for row in rows),
            _sum(row.body for row in rows),
            Tally(sum(map(bool, moves)), len(moves)),
            rows,
            resources,
        )

    def _first(self, operation_id: str) -> _Noted:
        operation = self.model.api.operation(operation_id)
        parameters = {
            (parameter.location, parameter.name): (parameter, probe_of(_schema_of(parameter), _label(parameter)))
            for parameter in operation.parameters
        }
        bodies = {
            media.name.lower(): probe_of(media.schema.bundle(Direction.REQUEST) if media.schema else True, media.name)
            for media in (operation.request_body.content if operation.request_body is not None else ())
        }
        return _Noted(operation, self.model.meaning(operation_id), parameters, bodies)

    def _row(self, operation_id: str, why: Mapping[str, str], callers: Sequence[Caller]) -> OperationCovered:
        noted = self._noted.get(operation_id) or self._first(operation_id)
        operation = noted.operation
        calls = sum(noted.statuses.values())
        statuses = dict.fromkeys(operation.responses, 0)
        undescribed: dict[str, int] = {}
        for status, times in sorted(noted.statuses.items()):
            response = operation.response_for(status)
            if response is not None:
                statuses[response.status] = statuses.get(response.status, 0) + times
            else:
                undescribed[str(status)] = times
        parameters = frozenset(_parameter_facets(noted))
        bodies = frozenset(facet for probe in noted.bodies.values() for facet in probe.facets())
        missed = tuple(sorted((parameters | bodies) - noted.met)) if calls else ()
        return OperationCovered(
            operation_id,
            operation.method,
            operation.path,
            calls,
            statuses,
            undescribed,
            Tally(len(parameters & noted.met), len(parameters)),
            Tally(len(bodies & noted.met), len(bodies)),
            missed,
            "" if calls else self._why(operation, why, callers),
        )

    def _why(self, operation: Operation, why: Mapping[str, str], callers: Sequence[Caller]) -> str:
        if operation.id not in self.planned:
            return "it was excluded"
        if operation.security and callers and not any(_satisfies(operation, caller) for caller in callers):
            names = sorted({scheme.name for requirement in operation.security for scheme, _ in requirement})
            return f"no caller has a credential for {' or '.join(names)}"
        return why.get(operation.id, "no check calls it")

    # States

    def _note_states(self, meaning: Meaning, recorded: Recorded) -> None:
        resource = meaning.resource
        if resource is None or resource.states is None:
            return
        shown: Any = value_at(json_of(recorded), meaning.envelope.path)
        for item in shown if isinstance(shown, list) else (shown,):
            if isinstance(item, dict):
                self._note_state(resource, item, recorded)

    def _note_state(self, resource: Resource, item: Mapping[str, Json], recorded: Recorded) -> None:
        states = resource.states
        assert states is not None
        state = item.get(states.property)
        if not isinstance(state, str):
            return
        key = str(item.get(resource.key or OWN_KEY))
        where = (resource.qualified, (recorded.caller.tenant or "",) if recorded.caller else (), key)
        before = self._states.get(where)
        self._states[where] = state
        made = recorded.operation_id is not None and behaviour_of(
            self.model.meaning(recorded.operation_id), self.model) == "create"  # fmt: skip
        if before is None or before == state or made:  # a new item is no move of an old one with the same key
            return
        moves = [name for name, move in states.transitions.items() if move.target == state and move.leaves(before)]
        for name in moves or ([] if states.transitions else [f"{before} → {state}"]):
            self._moves[resource.qualified, name] = self._moves.get((resource.qualified, name), 0) + 1

    def _resources(self) -> Iterator[MovesCovered]:
        seen: set[str] = set()
        for operation_id in self.model.api.refs:
            resource = self.model.meaning(operation_id).resource
            if resource is None or resource.states is None or resource.qualified in seen:
                continue
            seen.add(resource.qualified)
            names = dict.fromkeys(resource.states.transitions, 0)
            names |= {name: times for (owner, name), times in self._moves.items() if owner == resource.qualified}
            if names:
                yield MovesCovered(resource.name, names)


def _note_parameters(noted: _Noted, recorded: Recorded) -> None:
    if not noted.parameters:
        return
    query: dict[str, list[str]] = {}
    _, _, text = recorded.request.target.partition("?")
    for name, value in parse_qsl(text, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    headers = {name.lower(): value for name, value in recorded.request.headers.items()}
    for (location, name), (parameter, probe) in noted.parameters.items():
        if location == "path":
            noted.met.add(f"{probe.label} sent")
            continue
        if location == "query":
            values = query.get(name, [])
        elif location == "header":
            values = [headers[name.lower()]] if name.lower() in headers else []
        else:
            continue
        if values:
            noted.met.add(f"{probe.label} sent")
            probe.note_text(values, noted.met)
        elif not parameter.required:
            noted.met.add(f"{probe.label} left out")


def _note_body(noted: _Noted, recorded: Recorded) -> None:
    if not noted.bodies:
        return
    headers = recorded.request.headers
    sent = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    name = sent.partition(";")[0].strip().lower()
    probe = noted.bodies.get(name)
    if probe is None or not recorded.request.body:
        return
    noted.met.add(f"{probe.label} sent")
    if probe.leaf or not name.endswith("json") or probe.exhausted(noted.met):
        return
    try:
        value = json.loads(recorded.request.body)
    except (ValueError, RecursionError):
        return
    probe.note(value, noted.met)


def _parameter_facets(noted: _Noted) -> Iterator[str]:
    for parameter, probe in noted.parameters.values():
        if parameter.location == "cookie":
            continue
        yield f"{probe.label} sent"
        if parameter.location != "path":
            if not parameter.required:
                yield f"{probe.label} left out"
            yield from (facet for facet in probe.facets() if facet != f"{probe.label} sent")


def _schema_of(parameter: Parameter) -> Json:
    return parameter.schema.bundle(Direction.REQUEST) if parameter.schema is not None else True


def _label(parameter: Parameter) -> str:
    return f"{parameter.location} {parameter.name}"


def _sum(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally(0, 0))


def _satisfies(operation: Operation, caller: Caller) -> bool:
    return any(all(scheme.name in caller.schemes for scheme, _ in requirement) for requirement in operation.security)


def _reasons(report: Report) -> dict[str, str]:
    """Why operations were not called: that there was no time for a task of theirs, else what their tasks say."""
    found: dict[str, str] = {}
    for task in report.left:
        for operation_id in task.operations:
            found.setdefault(operation_id, "there was no time")
    for done in report.done:
        why = done.error.partition("\n")[0] or (
            done.held.why if done.held is not None and not done.held.applied else ""
        )
        for operation_id in done.task.operations if why else ():
            found.setdefault(operation_id, why)
    return found

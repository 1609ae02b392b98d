"""Drift: where the double of a test no longer answers as the real service did when the test was recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

import yaml

from contracts.exchanges import Expected, Transcript
from contracts.replies import overlay_target
from contracts.testing.recording.aligning import (
    Bound,
    Called,
    Other,
    Recorded,
    counterpart,
    made_calls,
    others,
    recorded_calls,
)
from contracts.testing.recording.diverging import ABSENT, Answers, Difference
from contracts.testing.recording.knowing import Known
from contracts.testing.recording.opaque import DATE, DATE_TIME, HTTP_DATE, NOTHING, UUID, json_of, sight_of
from mock_server.dataclass import dataclass
from mock_server.errors import Place
from mock_server.exchange.journal import Entry
from mock_server.model.meaning import Meaning, Resource
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Json
from mock_server.sandbox import Served

RECORD_AGAIN = "if the service has changed since, record again: pytest --mock-api-record=URL"

_SHOWN = 100
_MOST = 20
_MOST_TESTS = 3
_RANDOM = re.compile(r"(?=\D*\d)\S{6,}\Z")
_INDEX = re.compile(r"/\d+(?=/|\Z)")
_UNIQUE = ("email", "slug", "code", "number", "sku", "username", "handle", "domain", "name")
_NOT_COMPARED = frozenset({"content-type", "location", "content-location", "link"})


@dataclass(frozen=True, slots=True)
class Drift:
    """One place at which double and recording part.

    ``where`` is ``request``, ``status``, ``header X`` or ``body`` with a JSON pointer; ``recorded`` and ``double`` are
    what the two have there, as texts to read. ``sentence`` says it in one sentence, ``remedy`` what to do. ``place`` is
    the step of the recording.
    """

    operation_id: str
    where: str
    recorded: str
    double: str
    sentence: str
    remedy: str
    place: Place

    @property
    def about(self) -> tuple[str, str, str]:
        """What two tests tell alike: operation, place without positions in lists, sentence."""
        return self.operation_id, _INDEX.sub("/*", self.where), self.sentence

    def __str__(self) -> str:
        lines = [f"{self.operation_id}: {self.sentence}", f"  recorded: {self.recorded}", f"  double:   {self.double}"]
        first, *rest = self.remedy.split("\n")
        lines += [f"  to do:    {first}", *(" " * len("  to do:    ") + line for line in rest)]
        return "\n".join(lines)


def drift(recording: Transcript, served: Served, calls: Iterable[Entry]) -> tuple[Drift, ...]:
    """Where a test's exchanges with a double are not as they were with the real service.

    ``calls`` is the journal of the universe. Requests are paired by operation and likeness, so that threads may send
    them in another order; one too many or too few is said once and nothing else follows from it.
    """
    entries = sorted((entry for entry in calls if entry.api == served.name), key=lambda entry: int(entry.id[1:]))
    return tuple(_Comparison(recording, served, entries).drifts())


@dataclass(slots=True)
class _Comparison:
    recording: Transcript
    served: Served
    entries: Sequence[Entry]
    bound: Bound = field(default_factory=Bound)

    def drifts(self) -> Iterator[Drift]:
        api = self.served.api
        recorded, waiting = recorded_calls(api, self.recording.steps), made_calls(api, self.entries)
        known = Known(self.entries)
        for number, one in enumerate(recorded):
            fitting = [call for call in waiting if call.operation == one.operation]
            call = counterpart(one, recorded[number + 1 :], fitting, self.bound)
            if call is None:
                yield self._unmet(one)
                continue
            waiting.remove(call)
            yield from self._changed_request(one, list(others(one, call, self.bound)))
            yield from self._answers(one, call, known)
        for call in waiting:
            yield self._unrecorded(call)

    # Requests

    def _unmet(self, one: Recorded) -> Drift:
        sent = f"{one.request.method} {one.path}"
        sentence = "this request was recorded, and the test has not sent it"
        return Drift(one.operation, "request", sent, "not sent", sentence,
                     _again("the test does something else now"), one.step.place)  # fmt: skip

    def _unrecorded(self, call: Called) -> Drift:
        sent = f"{call.entry.request.method} {call.path}, answered {call.entry.response.status}"
        place = Place(str(self.recording.path))
        return Drift(call.operation, "request", "not sent", sent, "this request was not recorded",
                     _again("the test does something else now"), place)  # fmt: skip

    def _changed_request(self, one: Recorded, found: list[Other]) -> Iterator[Drift]:
        """That the test sends something else, unless it is another random text each time."""
        telling = [each for each in found if not (_is_random(each.recorded) and _is_random(each.sent))]
        if telling:
            first = telling[0]
            more = f" (and {len(telling) - 1} more)" if len(telling) > 1 else ""
            yield Drift(one.operation, f"request {first.pointer}", _shown(first.recorded), _shown(first.sent),
                        f"the test sends another request than was recorded{more}",
                        _again("the test does something else now"), one.step.place)  # fmt: skip

    # Answers

    def _answers(self, one: Recorded, call: Called, known: Known) -> Iterator[Drift]:
        assert one.step.exchange is not None
        expected, response = one.step.exchange[1], call.entry.response
        operation = self._operation(call)
        number = next(n for n, entry in enumerate(self.entries) if entry is call.entry)
        if expected.status != response.status:
            known.forget(number)
            yield self._status(one, expected, call, operation)
            return
        headers = {name.lower(): value for name, value in response.headers}
        described = operation.response_for(response.status) if operation is not None else None
        yield from self._headers(
            one, expected, headers, {h.name.lower() for h in described.headers} if described else set()
        )
        if expected.content is None:
            return
        if expected.content == "text":
            yield from self._text(one, expected, response.body)
            return
        body = json_of(response.body)
        if body is NOTHING:
            text = response.body.decode("utf-8", "replace")
            yield self._drift(one, "body", expected.value, text, "the body is no JSON",
                              _again("the double answers in another media type"))  # fmt: skip
            return
        meaning = call.entry.trace.meaning
        answers = Answers(self.served, meaning, self.bound, known, number)
        sight = sight_of(described, headers.get("content-type", ""))
        for found in answers.differences(expected.value, body, sight, error=response.status >= 400):
            yield self._member(one, found, meaning, operation, error=response.status >= 400)

    def _operation(self, call: Called) -> Operation | None:
        named = call.entry.trace.operation_id
        return self.served.api.operation(named) if named is not None else None

    def _status(self, one: Recorded, expected: Expected, call: Called, operation: Operation | None) -> Drift:
        status = call.entry.response.status
        if expected.status < 400 and status < 400:
            advice = _overlay(operation, {"x-mock-operation": {"status": expected.status}})
        elif expected.status == 409 and status < 400 and self._repeated(call):
            resource = call.entry.trace.meaning.resource if call.entry.trace.meaning is not None else None
            assert resource is not None
            advice = _action("$", {"x-mock-resources": {resource.name: {"unique": [[self._repeated(call)]]}}})
        elif expected.status >= 400 and status < 400:
            guard = {"when": "$request.body#/… == …", "problem": "conflict" if expected.status == 409 else "invalid",
                     "status": expected.status, "detail": "…"}  # fmt: skip
            advice = _overlay(operation, {"x-mock-operation": {"guards": [guard]}})
        elif expected.status >= 400:
            kind = call.entry.trace.refused.kind.value if call.entry.trace.refused is not None else "default"
            advice = _action("$", {"x-mock-errors": {kind: {"status": expected.status}}})
        else:
            problem = call.entry.trace.refused
            advice = f"the double refuses: {problem.detail}" if problem is not None else "look at the double's answer"
        return self._drift(one, "status", expected.status, status, f"the service answers {expected.status}, the double "
                           f"{status}", f"{advice}\n{RECORD_AGAIN}")  # fmt: skip

    def _repeated(self, call: Called) -> str:
        """The member, "" for none, that repeats a value of an earlier request, likely one that has to be unique."""
        meaning, mine = call.entry.trace.meaning, json_of(call.entry.request.body)
        if meaning is None or meaning.resource is None or not isinstance(mine, dict):
            return ""
        bodies = [json_of(entry.request.body) for entry in self.entries[: call.number] if entry.api == self.served.name]
        same = [name for name, value in mine.items() if isinstance(value, str) and len(value) > 2
                and any(isinstance(body, dict) and body.get(name) == value for body in bodies)]  # fmt: skip
        telling = [name for name in same if any(word in name.lower() for word in _UNIQUE)]
        return next(iter((*telling, *same)), "")

    def _headers(
        self, one: Recorded, expected: Expected, headers: Mapping[str, str], described: set[str]
    ) -> Iterator[Drift]:
        recorded = {name.lower(): (name, value) for name, value in expected.headers.items()}
        for lower, (name, value) in recorded.items():
            got = headers.get(lower)
            where = f"header {name}"
            if got is None:
                yield self._drift(one, where, value, ABSENT, f"the double leaves out the header {name}",
                                  _again("the header matters"))  # fmt: skip
            elif lower == "content-type" and not _fits(value, got):
                yield self._drift(one, where, value, got, "the media types differ",
                                  _again("the description names another media type first"))  # fmt: skip
            elif lower not in _NOT_COMPARED and not _fits(value, got):
                yield self._drift(one, where, value, got, f"the header {name} has another value", _again("it matters"))
        for name in sorted(described & set(headers) - set(recorded) - {"set-cookie"}):
            yield self._drift(one, f"header {name}", ABSENT, headers[name], f"the service leaves out the header {name}",
                              _again("the description is wrong about it"))  # fmt: skip

    def _text(self, one: Recorded, expected: Expected, body: bytes) -> Iterator[Drift]:
        text = body.decode("utf-8", "replace")
        if not _fits(expected.value, text):
            yield self._drift(
                one, "body", expected.value, text, "the text of the body is another one", _again("it matters")
            )

    def _member(
        self, one: Recorded, found: Difference, meaning: Meaning | None, operation: Operation | None, *, error: bool
    ) -> Drift:
        resource = meaning.resource if meaning is not None and not error else None
        sentence = _sentence(found)
        remedy = _remedy(found, self.served.api, resource, operation, error=error)
        where = f"body {found.pointer}" if found.pointer else "body"
        return self._drift(one, where, found.recorded, found.double, sentence, f"{remedy}\n{RECORD_AGAIN}")

    def _drift(self, one: Recorded, where: str, recorded: Json, double: Json, sentence: str, remedy: str) -> Drift:
        return Drift(one.operation, where, _shown(recorded), _shown(double), sentence, remedy, one.step.place)


# What is said


def _sentence(found: Difference) -> str:
    name = pointers.split(found.pointer)[-1] if found.pointer else "the body"
    name = f"item {name}" if name.isdigit() else name
    return {
        "missing": f"the service shows {name}, the double does not",
        "unlisted": "the service lists an item that the double does not",
        "listed": "the double lists an item that the service does not",
        "extra": f"the double shows {name}, the service does not",
        "type": f"{name} has another type",
        "value": f"{name} has another value",
        "length": f"{name} has another number of entries",
        "order": f"{name} comes in another order",
        "identity": f"{name} is the same value as elsewhere in only one of the two",
        "form": f"{name} is written in another form",
    }[found.kind]


def _remedy(found: Difference, api: Api, resource: Resource | None, operation: Operation | None, *, error: bool) -> str:
    name = pointers.split(found.pointer)[-1] if found.pointer else ""
    top = resource is not None and name in resource.anatomy.members
    if found.kind == "missing" and found.sight.schema is None and name and not name.isdigit():
        return f"describe it: {_described(name, found.recorded, resource, operation)}"
    if error:
        return "say in the overlay how errors look:\n" + _action("$", {"x-mock-errors": {"default": {"body": "…"}}})
    if found.kind == "order":
        return _overlay(operation, {"x-mock-operation": {"defaultSort": "…"}})
    if resource is not None and top and found.kind == "extra":
        return _action("$", {"x-mock-resources": {resource.name: {"hidden": [name]}}})
    if resource is not None and top and found.kind in {"missing", "value", "type"}:
        value = "…" if isinstance(found.recorded, dict) else found.recorded
        return _action("$", {"x-mock-resources": {resource.name: {"defaults": {name: value}}}})
    return "annotate it in the overlay, or mend the pack"


def _described(name: str, value: Json, resource: Resource | None, operation: Operation | None) -> str:
    """The action that adds a member to the description, where the schema goes by a name."""
    schema = {"properties": {name: {"type": _type(value)}}}
    if resource is not None and resource.schema is not None and resource.anatomy.name:
        return _action(f"$.components.schemas['{resource.anatomy.name}']", schema)
    return _overlay(operation, {"responses": "…"})


def _type(value: Json) -> str:
    if isinstance(value, dict) and "$match" in value:
        return "string"
    if isinstance(value, dict) and any(name.startswith("$") for name in value):
        return "integer"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "string")


def _overlay(operation: Operation | None, update: Mapping[str, Any]) -> str:
    return _action(overlay_target(operation), update) if operation is not None else "describe the path"


def _action(target: str, update: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump([{"target": target, "update": dict(update)}], sort_keys=False, width=110,
                               allow_unicode=True, default_flow_style=None)  # fmt: skip
    return text.rstrip()


def _again(when: str) -> str:
    return f"if {when}, say so in the overlay or mend the pack; {RECORD_AGAIN}"


_NOTATIONS = {DATE_TIME: "a date-time", DATE: "a date", HTTP_DATE: "an HTTP date", UUID: "a UUID", "^": "a text"}


def _shown(value: Json) -> str:
    """A value in a few words; markers as what they stand for."""
    if value is ABSENT:
        return "(not there)"
    text = json.dumps(_spoken(value), ensure_ascii=False) if not _is_marker(value) else str(_spoken(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _is_marker(value: Json) -> bool:
    return isinstance(value, dict) and any(name.startswith("$") for name in value)


def _spoken(value: Json) -> Json:
    if isinstance(value, list):
        return [_spoken(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if not _is_marker(value):
        return {name: _spoken(inner) for name, inner in value.items()}
    pattern = value.get("$match")
    form = _NOTATIONS.get(pattern, f"a text like {pattern}") if pattern is not None else "a number"
    return f"<{form}, {value['$bind']}>" if "$bind" in value else f"<{form}>"


def _is_random(value: Json) -> bool:
    """Whether a value of a request could be another one each time the test runs."""
    return isinstance(value, str) and any(_RANDOM.match(word) for word in value.split())


def _fits(expected: Json, got: str) -> bool:
    if isinstance(expected, dict):
        pattern = expected.get("$match")
        return pattern is None or re.search(pattern, got) is not None
    return bool(expected == got)


# The report


def drift_text(found: Iterable[tuple[str, Sequence[Drift]]], *, most: int = _MOST) -> str:
    """The drifts of a run for people, by operation; what several tests tell is told once. "" if there is none.

    ``found`` are the tests with what drifted in each; of more than ``most`` only the number is told.
    """
    grouped: dict[str, dict[tuple[str, str, str], tuple[Drift, list[str]]]] = {}
    for test, drifts in found:
        for one in drifts:
            tests = grouped.setdefault(one.operation_id, {}).setdefault(one.about, (one, []))[1]
            if test not in tests:
                tests.append(test)
    lines: list[str] = []
    told = 0
    total = sum(len(entries) for entries in grouped.values())
    for operation_id, entries in grouped.items():
        if told >= most:
            break
        lines.append(operation_id)
        for one, tests in list(entries.values())[: most - told]:
            lines += _told(one, tests)
            told += 1
    if total > told:
        lines.append(f"… and {total - told} more")
    return "\n".join(lines)


def _told(one: Drift, tests: Sequence[str]) -> Iterator[str]:
    yield f"  {one.where}: {one.sentence}"
    yield f"    recorded: {one.recorded}"
    yield f"    double:   {one.double}"
    first, *rest = one.remedy.split("\n")
    yield f"    to do:    {first}"
    yield from (f"              {line}" for line in rest)
    yield f"    recorded in {one.place}"
    more = f" and {len(tests) - _MOST_TESTS} more" if len(tests) > _MOST_TESTS else ""
    yield f"    in {', '.join(tests[:_MOST_TESTS])}{more}"

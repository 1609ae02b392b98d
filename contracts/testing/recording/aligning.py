"""Aligning: which request of a run is which request of a recording, by operation and likeness."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any
from urllib.parse import parse_qsl, unquote

from contracts.bindings import leaves
from contracts.exchanges import Request, Step
from contracts.service import same_json
from contracts.testing.recording.hiding import HIDDEN
from contracts.testing.recording.opaque import NOTHING, json_of
from mock_server.dataclass import dataclass
from mock_server.exchange.journal import Entry
from mock_server.exchange.matching import Matcher
from mock_server.openapi.compile import Api
from mock_server.openapi.templates import Fit
from mock_server.openapi.values import Json

_NAMED = re.compile(r"\{(\w+)\}")
_HALF = 0.5


@dataclass(slots=True)
class Bound:
    """What the names of a recording stand for in a run: ``names`` by name, ``owners`` the other way round.

    ``said`` gives, for a text that recorded requests say, what the run's requests say in its place.
    """

    names: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    said: dict[str, Json] = field(default_factory=dict)

    def bind(self, name: str, value: Json) -> None:
        """Takes a value for what a name stands for, unless it stands for one already."""
        if name not in self.names:
            self.names[name] = value
            self.owners.setdefault(_text(value), name)

    def owner(self, value: Json) -> str | None:
        """The name that stands for a value."""
        return self.owners.get(_text(value))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded exchange: its number, its operation (method and path template where there is none), its path
    below the base path.
    """

    number: int
    operation: str
    path: str
    step: Step
    request: Request


@dataclass(frozen=True, slots=True)
class Called:
    """A request of a run: its number among them, its operation, and its path below the base path."""

    number: int
    operation: str
    path: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Other:
    """A place where a run's request is not what was recorded."""

    pointer: str
    recorded: Json
    sent: Json


def recorded_calls(api: Api, steps: Sequence[Step]) -> list[Recorded]:
    """The exchanges of a recording with their operations."""
    matcher = Matcher(api)
    found: list[Recorded] = []
    for step in steps:
        if step.exchange is not None and step.exchange[0].api == api.name:
            request = step.exchange[0]
            path = _NAMED.sub(r"\1", request.path)  # a name is as good a key as any
            operation, below = _operation(api, matcher, request.method, path)
            found.append(Recorded(len(found), operation, request.path[len(path) - len(below) :], step, request))
    return found


def made_calls(api: Api, entries: Sequence[Entry]) -> list[Called]:
    """The exchanges of a run, in the order in which they began."""
    matcher = Matcher(api)
    found: list[Called] = []
    for entry in sorted(entries, key=lambda entry: int(entry.id[1:])):
        if entry.api == api.name:
            operation, path = _operation(api, matcher, entry.request.method, entry.request.path)
            found.append(Called(len(found), operation, path, entry))
    return found


def _operation(api: Api, matcher: Matcher, method: str, path: str) -> tuple[str, str]:
    match, base = matcher.match(method, path)
    below = path[len(base) :] or "/"
    if match.fit is Fit.FULL and match.target is not None:
        return match.target, below
    return f"{method} {next(iter(api.candidates(below)), below)}", below


def counterpart(
    recorded: Recorded, later: Sequence[Recorded], waiting: Sequence[Called], bound: Bound
) -> Called | None:
    """The request of a run that a recorded one is.

    Of those that wait the likest, the earlier one first; but not one that a later recorded request is more like, as
    long as there are fewer that wait than are recorded.
    """
    others = [one for one in later if one.operation == recorded.operation]
    found: list[tuple[float, int, Called]] = []
    scarce = len(waiting) <= len(others)
    for call in waiting:
        score = likeness(recorded, call, bound)
        claimed = any(likeness(other, call, bound) > score for other in others)
        if not (claimed and scarce):
            found.append((score - (1.0 if claimed else 0.0), -call.number, call))
    return max(found, key=lambda entry: entry[:2])[2] if found else None


def likeness(one: Recorded, call: Called, bound: Bound) -> float:
    """How much of a recorded request a run's request says, from 0 to 1; what cannot be compared counts half."""
    recorded, sent = dict(_recorded_parts(one)), dict(_sent_parts(one.request, call))
    places = {**recorded, **sent}
    if not places:
        return 1.0
    total = 0.0
    for place in places:
        if place in recorded and place in sent:
            same = _same(recorded[place], sent[place], bound)
            total += _HALF if same is None else float(same)
    return total / len(places)


def others(one: Recorded, call: Called, bound: Bound) -> Iterator[Other]:
    """Where a run's request is not what was recorded; what it says instead is remembered in ``bound``."""
    recorded, sent = dict(_recorded_parts(one)), dict(_sent_parts(one.request, call))
    for place in {**recorded, **sent}:
        if place not in recorded or place not in sent:
            if HIDDEN[:-1] not in str(recorded.get(place)):
                yield Other(place, recorded.get(place), sent.get(place))
            continue
        before, now = recorded[place], sent[place]
        same = _same(before, now, bound)
        if isinstance(before, str) and isinstance(now, str) and same is not None:
            bound.said.setdefault(before, now)
        if isinstance(before, dict) and "$bind" in before and same is None:
            bound.bind(before["$bind"], now)
        if same is False:
            yield Other(place, before, now)


def _same(before: Json, now: Json, bound: Bound) -> bool | None:
    """Whether two values of a request are the same; None where that cannot be known."""
    if isinstance(before, dict):
        if "$bind" in before:
            name = before["$bind"]
            return _text(bound.names[name]) == _text(now) if name in bound.names else None
        return None
    if isinstance(before, str):
        if HIDDEN[:-1] in before or _NAMED.search(before):
            return None
        return bool(before == now or bound.said.get(before, NOTHING) == now)
    return same_json(before, now)


def _recorded_parts(one: Recorded) -> Iterator[tuple[str, Json]]:
    request = one.request
    for number, segment in enumerate(one.path.split("/")):
        named = _NAMED.fullmatch(segment)
        yield f"path/{number}", {"$bind": named[1]} if named is not None else unquote(segment)
    for name, value in request.query.items():
        for number, one in enumerate(value if isinstance(value, list) else [value]):
            yield f"query/{name}/{number}", one
    if request.content == "body":
        yield from ((f"body{pointer}", value) for pointer, value in _leaves(request.value))
    elif request.content == "text" and _is_form(request):
        yield from ((f"body/{name}", value) for name, value in parse_qsl(request.value, keep_blank_values=True))


def _sent_parts(request: Request, call: Called) -> Iterator[tuple[str, Json]]:
    for number, segment in enumerate(call.path.split("/")):
        yield f"path/{number}", unquote(segment)
    numbers: dict[str, int] = {}
    for name, value in parse_qsl(call.entry.request.query, keep_blank_values=True):
        if name.lower() not in call.entry.trace.secrets:
            yield f"query/{name}/{numbers.get(name, 0)}", value
            numbers[name] = numbers.get(name, 0) + 1
    body = json_of(call.entry.request.body)
    if request.content != "text" and body is not NOTHING:
        yield from ((f"body{pointer}", value) for pointer, value in _leaves(body))
    elif request.content == "text" and _is_form(request):
        form = parse_qsl(call.entry.request.body.decode("utf-8", "replace"), keep_blank_values=True)
        yield from ((f"body/{name}", value) for name, value in form)


def _is_form(request: Request) -> bool:
    found: Mapping[str, Any] = {name.lower(): value for name, value in request.headers.items()}
    return str(found.get("content-type", "")).startswith("application/x-www-form-urlencoded")


def _leaves(value: Json) -> Iterator[tuple[str, Json]]:
    """The scalars in a value, markers left whole."""
    whole: dict[str, Json] = {}
    for pointer, name, found in leaves(value):
        if name.startswith("$"):
            whole[pointer.rpartition("/")[0]] = {name: found}
        else:
            whole[pointer] = found
    return iter(whole.items())


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)

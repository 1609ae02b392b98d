"""Exchange files: transcripts written by hand from a vendor's document, run against anything that answers.

``exchanges.schema.json`` beside this module describes the files, ``expectations`` the markers in them. They
are one of the witnesses that know nothing of the model: what they expect comes from the document alone.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, urlencode

import jsonschema_rs

from contracts.expectations import Bindings, Mismatch, check_expected, check_sent, compare, resolved
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, ConfigurationError, FixtureError, Place, did_you_mean
from mock_server.openapi import pointers
from mock_server.openapi.description import SecurityScheme
from mock_server.openapi.source import line_of, parse
from mock_server.openapi.values import Json
from mock_server.packs import ApiSource
from mock_server.sandbox import Served

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""What came back: status, headers, body."""

Send: TypeAlias = Callable[[str, str, str, Mapping[str, str], bytes], Answer]
"""Sends one request: the API's name, the method, path and query, headers, body."""

_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Presented:
    """How a credential travels: the headers and query parameters that carry it."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


Present: TypeAlias = Callable[[str, str], Presented]
"""Looks up how a credential travels: the API's name, the credential's name."""

Advance: TypeAlias = Callable[[str], None]
"""Moves the clock on by an ISO 8601 duration."""

Freeze: TypeAlias = Callable[[], None]
"""Makes the clock stand still, where that can be done."""


def _goes_on() -> None:
    """The clock of a real service does."""


Merge: TypeAlias = Callable[[str, str, str, Json], None]
"""Merges members into a stored item, past the API: API, resource, key (after its parents' keys), members."""


def _not_ours(api: str, resource: str, key: str, members: Json) -> None:
    raise ConfigurationError(f"the state of {api} cannot be written to", got=f"{resource}/{key}")


@dataclass(frozen=True, slots=True)
class Target:
    """What exchanges are run against: how to send a request, carry a credential, and move the clock."""

    send: Send
    present: Present
    advance: Advance
    freeze: Freeze = _goes_on
    merge: Merge = _not_ours


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it is written, markers included. ``content`` names the one of body and text it has."""

    api: str
    method: str
    path: str
    query: Mapping[str, Json]
    headers: Mapping[str, Json]
    content: str | None
    value: Json


@dataclass(frozen=True, slots=True)
class Expected:
    """One expected response. ``content`` names the one of body and text it has; None says nothing."""

    status: int
    headers: Mapping[str, Json]
    content: str | None
    value: Json


@dataclass(frozen=True, slots=True)
class StateWrite:
    """What somebody else does before a step: members merged into a stored item, past the API."""

    api: str
    resource: str
    key: str
    merge: Json


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange of a transcript, or a move of the clock; ``place`` is where it is written, ``repeat`` how often.

    ``source`` says where the document has it, "" where the transcript as a whole says so.
    """

    place: Place
    name: str
    clock: str | None
    credential: str | None
    exchange: tuple[Request, Expected] | None
    repeat: int = 1
    write: StateWrite | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """An exchange file as it was read; ``frozen`` says that the clock stands still between its steps."""

    path: Path
    title: str
    source: str
    steps: tuple[Step, ...]
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that did not get the expected response, with every difference; ``str()`` is a report to read."""

    step: Step
    request: str
    mismatches: tuple[Mismatch, ...]
    body: bytes

    def __str__(self) -> str:
        name = f" ({self.step.name})" if self.step.name else ""
        lines = [f"{self.step.place}{name}: {self.request}"]
        for mismatch in self.mismatches:
            lines.append(f"  {mismatch.pointer} {mismatch.message}")
            lines.append(f"    expected: {_shown(mismatch.expected)}")
            lines.append(f"    got:      {_shown(mismatch.got)}")
        if self.body:
            lines.append(f"  the whole body: {self.body.decode('utf-8', 'replace')[:1000]}")
        return "\n".join(lines)


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


# Reading


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    text = resources.files("contracts").joinpath("exchanges.schema.json").read_text("utf-8")
    return jsonschema_rs.Draft202012Validator(json.loads(text))


def exchange_files(fixtures: Path) -> tuple[Path, ...]:
    """The exchange files of a pack's fixtures, in the order of their names."""
    return tuple(sorted((fixtures / "exchanges").glob("*.yaml")))


def load(path: Path) -> Transcript:
    """A transcript; a ``FixtureError`` that names file and line for one that cannot be used."""
    data = path.read_bytes()
    document = parse(data, name=str(path))
    for error in _validator().iter_errors(document):
        pointer = "".join(pointers.join("", step) for step in error.instance_path)
        raise FixtureError(
            f"this is no exchange file: {error.message}",
            place=Place(str(path), pointer, line_of(data, pointer)),
            got=error.instance,
            hint="contracts/exchanges.schema.json describes exchange files",
        )
    steps = []
    for index, entry in enumerate(document["steps"]):
        pointer = pointers.join("/steps", index)
        place = Place(str(path), pointer, line_of(data, pointer))
        steps.append(_step(entry, place, default_api=document.get("api", "")))
    return Transcript(
        path, document["title"], document.get("source", ""), tuple(steps), document.get("clock") == "frozen"
    )


def findings(source: ApiSource, served: Served) -> Iterator[ApidoubleError]:
    """What is wrong with an API's exchange files; ``apidouble lint`` asks for it by the entry point of that name."""
    if source.fixtures is None:
        return
    known = [credential.name for credential in served.credentials]
    for path in exchange_files(source.fixtures):
        try:
            transcript = load(path)
        except ApidoubleError as error:
            yield error
            continue
        for step in transcript.steps:
            if step.credential is None or step.exchange is None or step.exchange[0].api != served.name:
                continue
            if step.credential not in known:
                yield FixtureError(
                    f"{served.name} has no such credential",
                    place=step.place,
                    got=step.credential,
                    allowed=", ".join(known),
                    hint=did_you_mean(step.credential, known),
                )


def _step(entry: Mapping[str, Json], place: Place, *, default_api: str) -> Step:
    exchange = None
    if "request" in entry:
        check_sent(entry["request"], Place(place.file, place.pointer + "/request", place.line))
        check_expected(entry["response"], Place(place.file, place.pointer + "/response", place.line))
        exchange = (_request(entry["request"], place, default_api=default_api), _expected(entry["response"]))
    return Step(
        place,
        entry.get("name", ""),
        entry.get("clock"),
        entry.get("credential"),
        exchange,
        entry.get("repeat", 1),
        _write(entry["state"], place, default_api=default_api) if "state" in entry else None,
        entry.get("source", ""),
    )


def _write(entry: Mapping[str, Json], place: Place, *, default_api: str) -> StateWrite:
    check_sent(entry["merge"], Place(place.file, place.pointer + "/state/merge", place.line))
    api = entry.get("api", default_api)
    if not api:
        raise FixtureError("this write goes to no API", place=place, hint="give the file or the write an `api`")
    return StateWrite(api, entry["resource"], entry["key"], entry["merge"])


def _request(entry: Mapping[str, Json], place: Place, *, default_api: str) -> Request:
    api = entry.get("api", default_api)
    if not api:
        raise FixtureError("this request goes to no API", place=place, hint="give the file or the request an `api`")
    content = _content(entry)
    return Request(
        api=api,
        method=entry["method"],
        path=entry["path"],
        query=entry.get("query", {}),
        headers=entry.get("headers", {}),
        content=content,
        value=entry[content] if content is not None else None,
    )


def _expected(entry: Mapping[str, Json]) -> Expected:
    content = _content(entry)
    return Expected(entry["status"], entry.get("headers", {}), content, entry[content] if content is not None else None)


def _content(entry: Mapping[str, Json]) -> str | None:
    return next((name for name in ("body", "text") if name in entry), None)


# Running


def run(transcript: Transcript, target: Target) -> Failure | None:
    """The first step that does not get its response, or None when all do; later steps may depend on it."""
    bindings = Bindings()
    if transcript.frozen:
        target.freeze()
    for step in transcript.steps:
        if step.clock is not None:
            target.advance(step.clock)
        if step.write is not None:
            key = _key(step.write.key, bindings, step.place)
            target.merge(step.write.api, step.write.resource, key, resolved(step.write.merge, bindings, step.place))
        if step.exchange is None:
            continue
        request, expected = step.exchange
        url, headers, body = _written(request, step, bindings, target.present)
        for number in range(1, step.repeat + 1):
            answer = target.send(request.api, request.method, url, headers, body)
            mismatches, bindings = _judged(expected, answer, bindings)
            if mismatches:
                which = f" (number {number} of {step.repeat})" if step.repeat > 1 else ""
                sent = f"{request.method} {url} of {request.api}{which}"
                return Failure(step, sent, tuple(mismatches), answer[2])
    return None


def _written(request: Request, step: Step, bindings: Bindings, present: Present) -> tuple[str, dict[str, str], bytes]:
    """A request as it is sent: path with query, headers, body."""
    presented = present(request.api, step.credential) if step.credential is not None else Presented()
    place = Place(step.place.file, step.place.pointer + "/request", step.place.line)
    path = re.sub(r"\{(\w+)\}", lambda found: _segment(bindings.value(found[1], place=place)), request.path)
    query = _pairs({**resolved(request.query, bindings, place), **presented.query})
    headers = {**resolved(request.headers, bindings, place), **presented.headers}
    body = b""
    if request.content == "body":
        body = json.dumps(resolved(request.value, bindings, place), ensure_ascii=False).encode()
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
    elif request.content == "text":
        body = request.value.encode()
    return path + (f"?{urlencode(query, quote_via=quote)}" if query else ""), headers, body


def _key(text: str, bindings: Bindings, place: Place) -> str:
    """A key with what was bound to the names in its braces."""
    return re.sub(r"\{(\w+)\}", lambda found: _text(bindings.value(found[1], place=place)), text)


def _segment(value: Json) -> str:
    return quote(_text(value), safe="")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _pairs(query: Mapping[str, Json]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in query.items():
        members: Iterable[Json] = value if isinstance(value, list) else [value]
        found += [(name, _text(member)) for member in members]
    return found


def _judged(expected: Expected, answer: Answer, bindings: Bindings) -> tuple[list[Mismatch], Bindings]:
    status, headers, body = answer
    found: list[Mismatch] = []
    if status != expected.status:
        found.append(Mismatch("status", expected.status, status, "is another one"))
    present = {name.lower(): value for name, value in headers.items()}
    for name, wanted in expected.headers.items():
        if name.lower() not in present:
            found.append(Mismatch(f"header {name}", wanted, None, "is missing"))
            continue
        more, bindings = compare(wanted, present[name.lower()], bindings, pointer=f"header {name}")
        found += more
    if expected.content is None:
        return found, bindings
    observed: Json = body.decode("utf-8", "replace")
    if expected.content == "body":
        try:
            observed = json.loads(body)
        except ValueError:
            return [*found, Mismatch("body", expected.value, observed, "is not JSON")], bindings
    more, bindings = compare(expected.value, observed, bindings, pointer=f"{expected.content} ")
    return found + more, bindings


def carried(scheme: SecurityScheme, value: str) -> Presented:
    """How a credential of a security scheme travels (OAS 3.1 §4.8.27)."""
    if scheme.kind == "apiKey":
        if scheme.location == "query":
            return Presented(query={scheme.parameter: value})
        if scheme.location == "cookie":
            return Presented({"Cookie": f"{scheme.parameter}={value}"})
        return Presented({scheme.parameter: value})
    if scheme.scheme == "basic":
        return Presented({"Authorization": f"Basic {base64.b64encode(value.encode()).decode()}"})
    if scheme.scheme:
        return Presented({"Authorization": f"{scheme.scheme.capitalize()} {value}"})
    raise ConfigurationError("a credential of this kind of security scheme is not sent in a request", got=scheme.kind)

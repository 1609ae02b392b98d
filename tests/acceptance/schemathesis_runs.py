"""Runs of Schemathesis' own command line against a double, what they find, and what we have to say about it.

``schemathesis.yaml`` beside this file has the settings of each description and the arguments.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import orjson
import yaml

from contracts.exchanges import carried
from mock_server import MockServer
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.universe import Universe
from mock_server.model.model import Model
from mock_server.model.state import State
from mock_server.openapi.values import Json
from mock_server.sandbox import Served

_FILE = Path(__file__).with_name("schemathesis.yaml")
_COMMAND = Path(sys.executable).parent / "schemathesis"
_KEYS_EACH = 6
"""How many keys that the state has are offered for a path parameter; more would be drawn too seldom to meet."""
_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Argument:
    """Why a finding is no mistake.

    It is about findings of ``check`` in one of ``runs``, at an operation ("GET /things") that one of ``operations``
    (patterns as of the shell) matches, answered with ``status`` and with something that ``says`` is found in.
    """

    runs: tuple[str, ...]
    operations: tuple[str, ...]
    check: str
    status: int
    why: str
    says: str = ""

    def __str__(self) -> str:
        return f"{self.check} {self.status} {self.says!r}: {self.why}"


@dataclass(frozen=True, slots=True)
class Settings:
    """How one description is run.

    ``credentials`` names a seeded one for each security scheme, and ``known`` gives values for parameters
    ("query.name"). ``apart`` are operations (by id) that leave nothing for the others and therefore get a double of
    their own; ``sample`` those that a small run is about, none for all. ``unaccepted`` are the operations ("GET
    /things") that a full run never sees succeed, each with the reason.
    """

    credentials: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    apart: Sequence[str] = ()
    sample: Sequence[str] = ()
    unaccepted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One failed check, with the answer that failed it."""

    operation: str
    check: str
    status: int
    answer: str
    told: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.operation} {self.check} {self.status}: {self.told}\n    {self.answer[:600]}"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run found. ``answers`` counts the statuses that each operation was answered with."""

    findings: tuple[Finding, ...]
    broken: tuple[str, ...]
    answers: Mapping[str, Counter[int]]

    @property
    def cases(self) -> int:
        return sum(sum(statuses.values()) for statuses in self.answers.values())

    def __add__(self, other: Run) -> Run:
        answers = {name: Counter(statuses) for name, statuses in self.answers.items()}
        for name, statuses in other.answers.items():
            answers.setdefault(name, Counter()).update(statuses)
        return Run(self.findings + other.findings, self.broken + other.broken, answers)


# The file


@cache
def _file() -> Mapping[str, Json]:
    found: Mapping[str, Json] = yaml.safe_load(_FILE.read_text())
    return found


def settings(name: str) -> Settings:
    """How a description is run, as the file says."""
    return Settings(**_file()["runs"].get(name) or {})


def names() -> Set[str]:
    """The descriptions that the file is about."""
    argued = {name for argument in _file()["argued"] for name in argument["runs"]}
    return argued | set(_file()["runs"])


def arguments(name: str) -> Sequence[Argument]:
    """What is argued about one description."""
    every = (
        Argument(**{**entry, "runs": tuple(entry["runs"]), "operations": tuple(entry["operations"])})
        for entry in _file()["argued"]
    )
    return [argument for argument in every if name in argument.runs]


# The command line


def judged(
    description: Path, server: MockServer, folder: Path, *, settings: Settings, examples: int, sampled: bool
) -> Run:
    """What all checks in all phases find, with a fixed seed."""
    (served,) = server.sandbox.apis.values()
    universe = server.sandbox.universes.default
    chosen: list[list[str]] = [[part for name in settings.sample if sampled for part in _included(name)]]
    if not (sampled and settings.sample):
        chosen = [[part for name in settings.apart for part in ("--exclude-operation-id", name)]]
        chosen += [_included(name) for name in settings.apart]
    found = Run((), (), {})
    for options in chosen:
        universe.reset()
        furnish(served, universe, settings)
        (folder / "schemathesis.toml").write_text("\n".join(_config(served, universe.state, settings)))
        found += _run(description, server.url, folder, examples=examples, options=options)
    return found


def furnish(served: Served, universe: Universe, settings: Settings) -> None:
    """Creates an item, from the description's example, of every resource that the seed has none of."""
    credentials = {c.scheme: c for c in served.credentials if settings.credentials.get(c.scheme) == c.name}
    for operation in served.api.operations():
        meaning = served.model.meaning(operation.id)
        body = operation.request_body.content[0] if operation.request_body is not None else None
        if meaning.behaviour != "create" or meaning.resource is None or body is None or not body.examples:
            continue
        if "{" in operation.path or any(universe.state.partitions(meaning.resource.qualified)):
            continue
        headers = {"content-type": body.name}
        for scheme, _ in operation.security[0] if operation.security else ():
            if scheme.name in credentials:
                sent = carried(scheme, credentials[scheme.name].value).headers
                headers |= {name.lower(): value for name, value in sent.items()}
        content = orjson.dumps(body.examples[0].value)
        path = served.api.base_paths[0] + operation.path
        served.line.answer(RawRequest(operation.method, path, "", headers, content, "http://double.test"), universe)


def _included(operation_id: str) -> list[str]:
    return ["--include-operation-id", operation_id]


def _run(description: Path, url: str, folder: Path, *, examples: int, options: Iterable[str]) -> Run:
    report = folder / "report.ndjson"
    ended = subprocess.run(
        [_COMMAND, "--config-file", "schemathesis.toml", "run", description, "--origin", url, "--checks", "all",
         "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(examples), "--seed", "1",
         "--generation-database", "none", "--no-color", "--continue-on-failure", "--no-shrink",
         "--report-ndjson-path", report, *options],
        capture_output=True, text=True, check=False, cwd=folder, timeout=_SECONDS,
    )  # fmt: skip
    if ended.returncode not in (0, 1):
        raise AssertionError(f"Schemathesis did not run: {ended.returncode}\n{ended.stdout}\n{ended.stderr}")
    return read(report)


def _config(served: Served, state: State, settings: Settings) -> Iterator[str]:
    """Schemathesis' settings: the credentials, and values that the state knows, so that not all that is asked for is
    missing."""
    credentials = {credential.name: credential for credential in served.credentials}
    tenants = {""}
    for scheme, name in settings.credentials.items():
        tenants.add(credentials[name].tenant or "")
        kind = "bearer" if served.api.security_schemes[scheme].kind == "http" else "api_key"
        yield f"[auth.openapi.{scheme}]\n{kind} = {json.dumps(credentials[name].value)}"
    dictionaries: dict[tuple[str, ...], str] = {}
    bindings = ["[parameters]", *_bound(settings.known, dictionaries)]
    for operation_id in served.api.refs:
        keys = known_keys(state, served.model, operation_id, tenants=tenants, known=settings.known)
        if keys:
            bindings.append(f"[[operations]]\ninclude-operation-id = {json.dumps(operation_id)}")
            parameters = {f"parameters.path.{name}": held[:_KEYS_EACH] for name, held in keys.items()}
            bindings += _bound(parameters, dictionaries)
    for values, name in dictionaries.items():
        yield f"[dictionaries.{name}]\nvalues = {json.dumps(values)}"
    yield from bindings


def _bound(parameters: Mapping[str, Sequence[str]], dictionaries: dict[tuple[str, ...], str]) -> Iterator[str]:
    """Parameters with the dictionaries that their values are in, which are added where they are missing."""
    for parameter, values in parameters.items():
        dictionary = dictionaries.setdefault(tuple(values), f"known{len(dictionaries)}")
        table, dot, name = parameter.rpartition("parameters.")
        yield f'{table}{dot}"{name}" = {{ dictionary = "{dictionary}", probability = 0.7 }}'


def known_keys(
    state: State, model: Model, operation_id: str, *, tenants: Set[str], known: Mapping[str, Sequence[str]]
) -> Mapping[str, Sequence[str]]:
    """The keys that the state has for each path parameter of an operation, in the order of the state.

    Only those of some tenants, and below what is ``known`` of other path parameters ("path.name").
    """
    meaning = model.meaning(operation_id)
    found: dict[str, list[str]] = {}
    if meaning.resource is None:
        return found
    at = meaning.resource.tenant_at
    for partition, held in state.partitions(meaning.resource.qualified):
        scope = partition.scope
        if at is not None and scope[at] not in tenants:
            continue
        parents = list(zip(meaning.scope, scope if at is None else scope[:at] + scope[at + 1 :], strict=False))
        if any(key not in known.get(f"path.{parameter}", (key,)) for parameter, key in parents):
            continue
        for parameter, key in parents:
            found.setdefault(parameter, []).append(key)
        if meaning.key_parameter is not None:
            found.setdefault(meaning.key_parameter, []).extend(entry.key for entry in held)
    return {name: list(dict.fromkeys(keys)) for name, keys in found.items() if keys and f"path.{name}" not in known}


# The report


def read(report: Path) -> Run:
    """What a report in Schemathesis' line format tells."""
    findings: dict[Finding, None] = {}
    broken: list[str] = []
    answers: dict[str, Counter[int]] = {}
    with report.open() as lines:
        for line in lines:
            ((event, told),) = json.loads(line).items()
            if event in ("NonFatalError", "FatalError"):
                broken.append(json.dumps(told)[:2000])
            elif event == "ScenarioFinished":
                findings.update(dict.fromkeys(_findings(told["recorder"])))
                _count(told["recorder"], answers)
    return Run(tuple(findings), tuple(broken), answers)


def _findings(recorder: Mapping[str, Json]) -> Iterator[Finding]:
    for case, checks in recorder.get("checks", {}).items():
        interaction = recorder.get("interactions", {}).get(case, {})
        response, sent = interaction.get("response") or {}, interaction.get("request") or {}
        for check in checks:
            failure = (check.get("failure_info") or {}).get("failure")
            if failure is not None:
                told = " ".join(str(failure.get("message") or failure.get("title")).split())
                yield Finding(
                    failure.get("operation") or recorder.get("label", ""),
                    check["name"],
                    response.get("status_code", 0),
                    _text(response.get("content")),
                    f"{told} [{sent.get('method')} {sent.get('uri')} {_text(sent.get('body'))[:300]}]",
                )


def _count(recorder: Mapping[str, Json], answers: dict[str, Counter[int]]) -> None:
    for case, recorded in recorder.get("cases", {}).items():
        response = recorder.get("interactions", {}).get(case, {}).get("response")
        if response is not None:
            operation = f"{recorded['value']['method']} {recorded['value']['path']}"
            answers.setdefault(operation, Counter())[response["status_code"]] += 1


def _text(content: Json) -> str:
    """A body of the report as text; bytes are written in base64 there."""
    if isinstance(content, dict) and "$base64" in content:
        return base64.b64decode(content["$base64"]).decode(errors="replace")
    return "" if content is None else str(content)


# What we say to it


def unargued(findings: Iterable[Finding], arguments: Sequence[Argument]) -> Sequence[Finding]:
    """The findings that no argument is about, the first of each kind."""
    left: dict[tuple[str, str, int], Finding] = {}
    for found in findings:
        if not any(_about(argument, pattern, found) for argument in arguments for pattern in argument.operations):
            left.setdefault((found.operation, found.check, found.status), found)
    return list(left.values())


def idle(findings: Sequence[Finding], arguments: Iterable[Argument]) -> Sequence[str]:
    """The arguments, for each operation in them, that no finding needs any more."""
    return [
        f"{pattern}: {argument}"
        for argument in arguments
        for pattern in argument.operations
        if not any(_about(argument, pattern, found) for found in findings)
    ]


def never_accepted(run: Run, server: MockServer) -> Set[str]:
    """The operations of which no request succeeded."""
    (served,) = server.sandbox.apis.values()
    operations = {f"{ref.method} {ref.template.text}" for ref in served.api.refs.values()}
    return {name for name in operations if not any(status < 400 for status in run.answers.get(name, ()))}


def _about(argument: Argument, pattern: str, finding: Finding) -> bool:
    """Whether an argument, at the operations of one of its patterns, is about a finding."""
    return (
        (argument.check, argument.status) == (finding.check, finding.status)
        and fnmatchcase(finding.operation, pattern)
        and re.search(argument.says, finding.answer) is not None
    )

"""Runs of Schemathesis' own command line against a double, what they find, and what we have to say about it.

``schemathesis.yaml`` beside this file holds the settings of each description and the arguments.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from mock_server import MockServer, Sandbox
from mock_server.model.model import Model
from mock_server.model.state import State
from mock_server.openapi.values import Json
from mock_server.sandbox import Served

FILE = Path(__file__).with_name("schemathesis.yaml")
_COMMAND = Path(sys.executable).parent / "schemathesis"
_KEYS_EACH = 6
"""How many keys that the state has are offered for a path parameter; more would be drawn too seldom to meet."""
_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Argument:
    """Why a finding is no mistake.

    It is about findings of ``check`` in one of ``runs``, at an operation ("GET /things") that one of ``operations``
    (patterns as of the shell) matches, answered with ``status`` and, where given, with what ``says`` matches.
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
    """How one description is run: a seeded credential for each scheme, and what is looked at on CI.

    ``sample`` are the operation ids that a small run is about; none means all.
    """

    credentials: Mapping[str, str]
    sample: tuple[str, ...]


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
    """What one run found. ``answers`` counts the statuses of each operation's answers; ``output`` is for a reader."""

    findings: tuple[Finding, ...]
    broken: tuple[str, ...]
    answers: Mapping[str, Counter[int]]
    output: str

    @property
    def cases(self) -> int:
        return sum(sum(statuses.values()) for statuses in self.answers.values())


@cache
def _file() -> Mapping[str, Json]:
    found: Mapping[str, Json] = yaml.safe_load(FILE.read_text())
    return found


def settings(name: str) -> Settings:
    """How a description is run, as the file says."""
    found = _file()["runs"].get(name, {})
    return Settings(found.get("credentials", {}), tuple(found.get("sample", ())))


def names() -> tuple[str, ...]:
    """The descriptions that the file has settings for."""
    return tuple(_file()["runs"])


def arguments(name: str) -> list[Argument]:
    """What is argued about one description."""
    listed = _file()["argued"]
    every = [Argument(**{**entry, "runs": tuple(entry["runs"]), "operations": tuple(entry["operations"])})
             for entry in listed]  # fmt: skip
    return [argument for argument in every if name in argument.runs]


def judged(
    description: Path, server: MockServer, folder: Path, *, settings: Settings, examples: int, sampled: bool
) -> Run:
    """One run of all checks in all phases, with a fixed seed."""
    (served,) = server.sandbox.apis.values()
    config = folder / "schemathesis.toml"
    tenants = {c.tenant or "" for c in served.credentials if c.name in settings.credentials.values()}
    config.write_text("\n".join([*_auth(served, settings), *_known(server.sandbox, served, tenants)]))
    report = folder / "report.ndjson"
    chosen = [part for name in settings.sample for part in ("--include-operation-id", name)] if sampled else []
    ended = subprocess.run(
        [_COMMAND, "--config-file", config, "run", description, "--origin", server.url, "--checks", "all",
         "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(examples), "--seed", "1",
         "--generation-database", "none", "--no-color", "--continue-on-failure", "--no-shrink",
         "--report-ndjson-path", report, *chosen],
        capture_output=True, text=True, check=False, cwd=folder, timeout=_SECONDS,
    )  # fmt: skip
    if ended.returncode not in (0, 1):
        raise AssertionError(f"Schemathesis did not run: {ended.returncode}\n{ended.stdout}\n{ended.stderr}")
    return read(report, ended.stdout)


def _auth(served: Served, settings: Settings) -> Iterator[str]:
    """The settings that give Schemathesis a credential for each scheme."""
    known = {credential.name: credential.value for credential in served.credentials}
    for scheme, name in settings.credentials.items():
        kind = "bearer" if served.api.security_schemes[scheme].kind == "http" else "api_key"
        yield f"[auth.openapi.{scheme}]\n{kind} = {json.dumps(known[name])}"


def _known(sandbox: Sandbox, served: Served, tenants: Set[str]) -> Iterator[str]:
    """The settings that offer keys of the seed for path parameters, so that not every item asked for is missing."""
    dictionaries: dict[tuple[str, ...], str] = {}
    bindings = []
    for ref in served.api.refs.values():
        keys = _keys(sandbox.universes.default.state, served.model, ref.id, tenants)
        if keys:
            bindings.append(f"[[operations]]\ninclude-operation-id = {json.dumps(ref.id)}")
        for parameter, held in keys.items():
            dictionary = dictionaries.setdefault(tuple(held)[:_KEYS_EACH], f"keys{len(dictionaries)}")
            bindings.append(f'parameters."path.{parameter}" = {{ dictionary = "{dictionary}", probability = 0.7 }}')
    for keys_of, name in dictionaries.items():
        yield f"[dictionaries.{name}]\nvalues = {json.dumps(keys_of)}"
    yield from bindings


def _keys(state: State, model: Model, operation_id: str, tenants: Set[str]) -> Mapping[str, Mapping[str, None]]:
    """The keys that the state has for each path parameter of an operation, in the order of the state."""
    meaning = model.meaning(operation_id)
    found: dict[str, dict[str, None]] = {}
    if meaning.resource is None:
        return found
    at = meaning.resource.tenant_at
    for partition, held in state.partitions(meaning.resource.qualified):
        scope = partition.scope
        if at is not None and scope[at] not in tenants:
            continue
        for parameter, key in zip(meaning.scope, scope if at is None else scope[:at] + scope[at + 1 :], strict=False):
            found.setdefault(parameter, {})[key] = None
        if meaning.key_parameter is not None:
            found.setdefault(meaning.key_parameter, {}).update(dict.fromkeys(entry.key for entry in held))
    return {parameter: keys for parameter, keys in found.items() if keys}


def read(report: Path, output: str = "") -> Run:
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
                recorder = told["recorder"]
                findings.update(dict.fromkeys(_findings(recorder)))
                _count(recorder, answers)
    return Run(tuple(findings), tuple(broken), answers, output)


def _findings(recorder: Mapping[str, Json]) -> Iterator[Finding]:
    for case, checks in recorder.get("checks", {}).items():
        interaction = recorder.get("interactions", {}).get(case, {})
        response = interaction.get("response") or {}
        for check in checks:
            failure = (check.get("failure_info") or {}).get("failure")
            if failure is not None:
                sent = interaction.get("request") or {}
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
            value = recorded["value"]
            operation = f"{value['method']} {value['path']}"
            answers.setdefault(operation, Counter())[response["status_code"]] += 1


def _text(content: Json) -> str:
    """A body of the report as text; bytes are written in base64 there."""
    if isinstance(content, dict) and "$base64" in content:
        return base64.b64decode(content["$base64"]).decode(errors="replace")
    return "" if content is None else str(content)


def argued(finding: Finding, argument: Argument) -> bool:
    """Whether an argument is about a finding."""
    return (
        (argument.check, argument.status) == (finding.check, finding.status)
        and any(_matches(pattern, finding) for pattern in argument.operations)
        and re.search(argument.says, finding.answer) is not None
    )


def _matches(pattern: str, finding: Finding) -> bool:
    return fnmatchcase(finding.operation, pattern.replace("[", "[[]"))


def unargued(findings: Sequence[Finding], arguments: Sequence[Argument]) -> list[Finding]:
    """The findings that no argument is about, one of each kind."""
    left = {
        (found.operation, found.check, found.status): found
        for found in reversed(findings)
        if not any(argued(found, argument) for argument in arguments)
    }
    return list(reversed(left.values()))


def idle(findings: Sequence[Finding], arguments: Sequence[Argument]) -> list[str]:
    """The arguments, and the operations in them, that no finding needs any more."""
    return [
        f"{pattern}: {argument}"
        for argument in arguments
        for pattern in argument.operations
        if not any(_matches(pattern, found) and argued(found, argument) for found in findings)
    ]

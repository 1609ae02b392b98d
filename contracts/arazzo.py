"""Arazzo descriptions (Arazzo 1.0): workflows over the operations of one or more APIs, read and checked.

Everything that can be wrong with one is told when it is read, with file and line: an operation that is not described,
a parameter that the operation does not have, an expression that does not parse, a step that nobody goes to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import jsonschema_rs
from jsonpath_rfc9535 import JSONPathError, JSONPathQuery
from jsonpath_rfc9535 import compile as compile_path

from mock_server.dataclass import dataclass
from mock_server.errors import FixtureError, Place, did_you_mean
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.criteria import Criterion, parse_criterion
from mock_server.openapi.description import Operation
from mock_server.openapi.expressions import (
    Expression,
    ExpressionSyntaxError,
    ValueTemplate,
    parse,
    template_value,
)
from mock_server.openapi.source import line_of
from mock_server.openapi.source import parse as parse_source
from mock_server.openapi.values import Json

ApiOf = Callable[[Path], Api]
"""Gives the compiled API for the path of a description file."""

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Condition:
    """One success criterion: ``text`` judged as a simple condition, a regular expression or a JSONPath.

    ``context`` is the expression whose value the latter two look at.
    """

    text: str
    context: Expression | None
    judge: Criterion | re.Pattern[str] | JSONPathQuery


@dataclass(frozen=True, slots=True)
class Action:
    """What follows a step. ``kind``: end, goto or retry; ``wait`` and ``limit`` are those of a retry."""

    name: str
    kind: str
    step: str | None = None
    workflow: str | None = None
    wait: float = 0
    limit: int = 1
    criteria: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """A value for a parameter; ``location`` None in the steps that call a workflow, where it is an input."""

    name: str
    location: str | None
    value: ValueTemplate


@dataclass(frozen=True, slots=True)
class Payload:
    """A request body: ``value`` with ``replacements`` laid over it, each at its path."""

    content_type: str | None
    value: ValueTemplate | None
    replacements: tuple[tuple[tuple[str, ...], ValueTemplate], ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """What somebody else does before a step: members merged into a stored item."""

    resource: str
    key: ValueTemplate
    merge: ValueTemplate


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a call of ``operation`` of ``api``, or of the workflow ``workflow``."""

    id: str
    place: Place
    description: str
    api: Api | None
    operation: Operation | None
    workflow: str | None
    arguments: tuple[Argument, ...]
    payload: Payload | None
    criteria: tuple[Condition, ...]
    on_success: tuple[Action, ...]
    on_failure: tuple[Action, ...]
    outputs: Mapping[str, Expression]
    credential: str | None = None
    clock: str | None = None
    write: Write | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """A sequence of steps towards a goal. ``inputs`` is the JSON Schema of what it is started with."""

    id: str
    place: Place
    summary: str
    inputs: Json
    depends_on: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: Mapping[str, Expression]


@dataclass(frozen=True, slots=True)
class Arazzo:
    """An Arazzo description: its workflows by id, and its components as they are written."""

    path: Path
    title: str
    workflows: Mapping[str, Workflow]
    components: Mapping[str, Json] = field(default_factory=dict)


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    text = resources.files("contracts").joinpath("arazzo.schema.json").read_text("utf-8")
    return jsonschema_rs.Draft202012Validator(json.loads(text))


def load(path: Path, api_of: ApiOf) -> Arazzo:
    """The workflows of a file; a ``FixtureError`` that names file and line for one that cannot be used."""
    data = path.read_bytes()
    document = parse_source(data, name=str(path))
    reader = _Reader(path, data, document if isinstance(document, dict) else {}, {})
    for error in _validator().iter_errors(document):
        pointer = "".join(pointers.join("", step) for step in error.instance_path)
        raise reader.error(f"this is no Arazzo description: {error.message}", pointer, got=error.instance)
    for index, entry in enumerate(document["sourceDescriptions"]):
        if entry.get("type", "openapi") == "openapi":
            source = (path.parent / entry["url"]).resolve()
            if not source.is_file():
                raise reader.error("there is no such file", f"/sourceDescriptions/{index}/url", got=entry["url"])
            reader.apis[entry["name"]] = api_of(source)
    workflows = [reader.workflow(entry, f"/workflows/{at}") for at, entry in enumerate(document["workflows"])]
    found = {workflow.id: workflow for workflow in workflows}
    for workflow in workflows:
        reader.check_targets(workflow, found)
    return Arazzo(path, document["info"]["title"], found, document.get("components") or {})


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    data: bytes
    document: Mapping[str, Json]
    apis: dict[str, Api]

    def place(self, pointer: str) -> Place:
        return Place(str(self.path), pointer, line_of(self.data, pointer))

    def error(self, problem: str, pointer: str, **facts: Any) -> FixtureError:
        return FixtureError(problem, place=self.place(pointer), **facts)

    def parsed(self, make: Callable[[], Parsed], pointer: str) -> Parsed:
        try:
            return make()
        except ExpressionSyntaxError as error:
            raise self.error(error.problem, pointer + error.pointer, got=error.text, hint=error.hint) from None

    def template(self, value: Json, pointer: str) -> ValueTemplate:
        return self.parsed(lambda: template_value(value), pointer)

    def expressions(self, values: Mapping[str, str], pointer: str) -> dict[str, Expression]:
        return {
            name: self.parsed(lambda text=text: parse(text), pointers.join(pointer, name))  # type: ignore[misc]  # bound now
            for name, text in values.items()
        }

    # Workflows

    def workflow(self, entry: Mapping[str, Json], pointer: str) -> Workflow:
        return Workflow(
            id=entry["workflowId"],
            place=self.place(pointer),
            summary=entry.get("summary", ""),
            inputs=entry.get("inputs", True),
            depends_on=tuple(entry.get("dependsOn") or ()),
            steps=tuple(self.step(step, entry, pointers.join(pointer, "steps", at), pointer)
                        for at, step in enumerate(entry["steps"])),
            outputs=self.expressions(entry.get("outputs") or {}, pointer + "/outputs"),
        )  # fmt: skip

    def step(self, entry: Mapping[str, Json], workflow: Mapping[str, Json], pointer: str, above: str) -> Step:
        api, operation = self.operation(entry, pointer)
        own, shared = self.arguments(entry, pointer), self.arguments(workflow, above)
        if operation is not None:
            self.check_arguments(operation, own, pointer)
            # What the workflow says for all of its steps concerns those that have such a parameter.
            shared = [argument for argument in shared if _describes(operation, argument)]
        overridden = {(argument.name, argument.location) for argument in own}
        write = entry.get("x-mock-state")
        return Step(
            id=entry["stepId"],
            place=self.place(pointer),
            description=entry.get("description", ""),
            api=api,
            operation=operation,
            workflow=entry.get("workflowId"),
            arguments=(*own, *(a for a in shared if (a.name, a.location) not in overridden)),
            payload=self.payload(entry["requestBody"], pointer + "/requestBody") if "requestBody" in entry else None,
            criteria=self.criteria(entry.get("successCriteria") or (), pointer + "/successCriteria"),
            on_success=self.actions(entry, workflow, "onSuccess", "successActions", pointer, above),
            on_failure=self.actions(entry, workflow, "onFailure", "failureActions", pointer, above),
            outputs=self.expressions(entry.get("outputs") or {}, pointer + "/outputs"),
            credential=entry.get("x-mock-credential", workflow.get("x-mock-credential")),
            clock=entry.get("x-mock-clock"),
            write=Write(
                write["resource"],
                self.template(write["key"], pointer + "/x-mock-state/key"),
                self.template(write["merge"], pointer + "/x-mock-state/merge"),
            )
            if write is not None
            else None,
        )

    def operation(self, entry: Mapping[str, Json], pointer: str) -> tuple[Api | None, Operation | None]:
        """The API and operation that a step calls; None and None where it calls a workflow."""
        if "workflowId" in entry:
            return None, None
        if "operationPath" in entry:
            return self.by_path(entry["operationPath"], pointer + "/operationPath")
        text = entry["operationId"]
        named = re.fullmatch(r"\$sourceDescriptions\.([A-Za-z0-9_-]+)\.(.+)", text)
        searched = {named[1]: self.apis[named[1]]} if named and named[1] in self.apis else self.apis
        wanted = named[2] if named else text
        found = [api for api in searched.values() if wanted in api.refs]
        if len(found) == 1:
            return found[0], found[0].operation(wanted)
        known = [operation_id for api in searched.values() for operation_id in api.refs]
        raise self.error(
            "several sources have this operation" if found else "no source describes this operation",
            pointer + "/operationId",
            got=text,
            hint="write $sourceDescriptions.<name>.<operationId>" if found else did_you_mean(wanted, known),
        )

    def by_path(self, text: str, pointer: str) -> tuple[Api, Operation]:
        """``{$sourceDescriptions.shop.url}#/paths/~1things/get``."""
        found = re.fullmatch(r"\{\$sourceDescriptions\.([A-Za-z0-9_-]+)\.url\}#/paths/([^/]+)/([a-z]+)", text)
        api = self.apis.get(found[1]) if found else None
        if found is None or api is None:
            raise self.error("this is no path to an operation", pointer, got=text,
                             allowed="{$sourceDescriptions.<name>.url}#/paths/<~1path>/<method>")  # fmt: skip
        template = found[2].replace("~1", "/").replace("~0", "~")
        for ref in api.refs.values():
            if ref.template.text == template and ref.method.lower() == found[3]:
                return api, api.operation(ref.id)
        raise self.error("the source describes no such operation", pointer, got=text,
                         hint=did_you_mean(template, [ref.template.text for ref in api.refs.values()]))  # fmt: skip

    def arguments(self, holder: Mapping[str, Json], pointer: str) -> list[Argument]:
        entries = enumerate(holder.get("parameters") or ())
        return [self.argument(entry, f"{pointer}/parameters/{at}") for at, entry in entries]

    def argument(self, entry: Mapping[str, Json], pointer: str) -> Argument:
        written, at = self.reused(entry, "parameters", pointer)
        return Argument(written["name"], written.get("in"), self.template(written["value"], at + "/value"))

    def reused(self, entry: Mapping[str, Json], kind: str, pointer: str) -> tuple[Mapping[str, Json], str]:
        """What a reusable object stands for, its own value laid over, and where that is written."""
        if "reference" not in entry:
            return entry, pointer
        name = entry["reference"].removeprefix(f"$components.{kind}.")
        known = (self.document.get("components") or {}).get(kind) or {}
        if name not in known:
            raise self.error("this component does not exist", pointer + "/reference", got=entry["reference"],
                             allowed=", ".join(known), hint=did_you_mean(name, known))  # fmt: skip
        overlaid = {**known[name], **({"value": entry["value"]} if "value" in entry else {})}
        return overlaid, pointer if "value" in entry else pointers.join("/components", kind, name)

    def check_arguments(self, operation: Operation, arguments: Iterable[Argument], pointer: str) -> None:
        for at, argument in enumerate(arguments):
            if argument.location is None:
                raise self.error("a parameter of an operation says where it goes", f"{pointer}/parameters/{at}",
                                 got=argument.name, allowed="in: path, query, header or cookie")  # fmt: skip
            if argument.location != "header" and not _describes(operation, argument):
                known = [p.name for p in operation.parameters if p.location == argument.location]
                raise self.error(f"{operation.id} has no such {argument.location} parameter",
                                 f"{pointer}/parameters/{at}/name", got=argument.name, allowed=", ".join(known),
                                 hint=did_you_mean(argument.name, known))  # fmt: skip

    def payload(self, entry: Mapping[str, Json], pointer: str) -> Payload:
        return Payload(
            entry.get("contentType"),
            self.template(entry["payload"], pointer + "/payload") if "payload" in entry else None,
            tuple(
                (pointers.split(laid["target"]), self.template(laid["value"], f"{pointer}/replacements/{at}/value"))
                for at, laid in enumerate(entry.get("replacements") or ())
            ),
        )  # fmt: skip

    def criteria(self, entries: Iterable[Mapping[str, Json]], pointer: str) -> tuple[Condition, ...]:
        return tuple(self.condition(entry, f"{pointer}/{at}") for at, entry in enumerate(entries))

    def condition(self, entry: Mapping[str, Json], pointer: str) -> Condition:
        text, place = entry["condition"], pointer + "/condition"
        kind = entry.get("type", "simple")
        context = self.parsed(lambda: parse(entry["context"]), pointer + "/context") if "context" in entry else None
        if kind == "simple":
            return Condition(text, context, self.parsed(lambda: parse_criterion(text), place))
        try:
            return Condition(text, context, re.compile(text) if kind == "regex" else compile_path(text))
        except (re.error, JSONPathError) as error:
            raise self.error(f"this {kind} does not parse: {error}", place, got=text) from None

    def actions(
        self, step: Mapping[str, Json], workflow: Mapping[str, Json], own: str, shared: str, pointer: str, above: str
    ) -> tuple[Action, ...]:
        """A step's actions, else those that its workflow has for all of its steps."""
        entries = step.get(own)
        place = f"{pointer}/{own}" if entries is not None else f"{above}/{shared}"
        if entries is None:
            entries = workflow.get(shared) or ()
        found = []
        for at, entry in enumerate(entries):
            written, here = self.reused(entry, shared, f"{place}/{at}")
            found.append(
                Action(
                    written["name"],
                    written["type"],
                    written.get("stepId"),
                    written.get("workflowId"),
                    written.get("retryAfter", 0),
                    written.get("retryLimit", 1),
                    self.criteria(written.get("criteria") or (), here + "/criteria"),
                )
            )
        return tuple(found)

    def check_targets(self, workflow: Workflow, known: Mapping[str, Workflow]) -> None:
        """Refuses steps and workflows that are gone to, called or waited for and do not exist."""
        steps = {step.id for step in workflow.steps}
        if len(steps) < len(workflow.steps):
            raise FixtureError("two steps have the same id", place=workflow.place)
        for step in workflow.steps:
            called = [step.workflow] if step.workflow is not None else []
            for action in (*step.on_success, *step.on_failure):
                called += [action.workflow] if action.workflow is not None else []
                if action.step is not None and action.step not in steps:
                    raise FixtureError("there is no such step", place=step.place, got=action.step,
                                       allowed=", ".join(steps), hint=did_you_mean(action.step, steps))  # fmt: skip
            for name in (*called, *workflow.depends_on):
                if name not in known:
                    raise FixtureError("there is no such workflow", place=step.place, got=name,
                                       allowed=", ".join(known), hint=did_you_mean(name, known))  # fmt: skip


def _describes(operation: Operation, argument: Argument) -> bool:
    return any(p.name == argument.name and p.location == argument.location for p in operation.parameters)

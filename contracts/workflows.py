"""Arazzo workflows run against a target: what each step was sent, what it answered, and how it was judged.

A retry waits on the target's own clock: on a double the virtual clock is advanced, so that no test sleeps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import jsonschema

from contracts.arazzo import Action, Arazzo, Condition, Step, Workflow
from contracts.exchanges import Answer, Presented, Target
from contracts.wire import WireRequest, written
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.model.members import with_member
from mock_server.model.outcome import NO_BODY
from mock_server.openapi.criteria import Criterion
from mock_server.openapi.expressions import MISSING, Context, Expression, Message
from mock_server.openapi.values import Json

_MOST_STEPS = 200
"""How many steps one run may take; a workflow that goes round in circles ends there."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step that was made: the request and its answer (None for a called workflow), and the criteria that failed."""

    step: Step
    request: WireRequest | None
    answer: Answer | None
    failed: tuple[str, ...]
    outputs: Mapping[str, Json]

    @property
    def passed(self) -> bool:
        return not self.failed

    def __str__(self) -> str:
        lines = [f"{self.step.place}: step {self.step.id}"]
        if self.request is not None and self.answer is not None:
            status, _, body = self.answer
            lines.append(f"  {self.request.method} {self.request.target} answered {status}")
            if self.request.body:
                lines.append(f"  sent:     {self.request.body.decode('utf-8', 'replace')[:600]}")
            lines.append(f"  answered: {body.decode('utf-8', 'replace')[:1000]}")
        lines += [f"  does not hold: {condition}" for condition in self.failed]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow that was run: its steps in the order they were made, and what it gives."""

    workflow: Workflow
    steps: tuple[StepReport, ...]
    outputs: Mapping[str, Json]
    failure: str | None = None

    @property
    def passed(self) -> bool:
        return self.failure is None

    def __str__(self) -> str:
        if self.failure is None:
            return f"{self.workflow.id}: {len(self.steps)} steps passed"
        last = f"\n{self.steps[-1]}" if self.steps else ""
        return f"{self.workflow.id}: {self.failure}{last}"


def run(arazzo: Arazzo, workflow_id: str, target: Target, *, inputs: Mapping[str, Json] | None = None) -> Run:
    """One workflow on a target, those it depends on first. Inputs that are not given take their schema's defaults.

    A ``ConfigurationError`` when there is no such workflow or the inputs break their schema.
    """
    workflow = arazzo.workflows.get(workflow_id)
    if workflow is None:
        raise ConfigurationError(
            f"{arazzo.path} has no workflow {workflow_id!r}",
            allowed=", ".join(arazzo.workflows),
            hint=did_you_mean(workflow_id, arazzo.workflows),
        )
    return _Runner(arazzo, target).run(workflow, inputs or {})


@dataclass(slots=True)
class _Runner:
    """The state of one run: what earlier workflows gave, and how many steps were made in all."""

    arazzo: Arazzo
    target: Target
    finished: dict[str, Run] = field(default_factory=dict)
    made: int = 0

    def run(self, workflow: Workflow, given: Mapping[str, Json]) -> Run:
        for name in workflow.depends_on:
            if name not in self.finished:
                needed = self.run(self.arazzo.workflows[name], {})
                if not needed.passed:
                    return Run(workflow, needed.steps, {}, f"{name}, which it depends on, failed: {needed.failure}")
        found = _Walk(self, workflow, _with_defaults(workflow, given)).walk()
        self.finished[workflow.id] = found
        return found


def _with_defaults(workflow: Workflow, given: Mapping[str, Json]) -> dict[str, Json]:
    """The inputs, with the defaults of their schema, valid."""
    schema = workflow.inputs
    properties = schema.get("properties") or {} if isinstance(schema, dict) else {}
    inputs = {name: member["default"] for name, member in properties.items() if "default" in member} | dict(given)
    try:
        jsonschema.validate(inputs, schema, cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError as error:
        raise ConfigurationError(
            f"the inputs of {workflow.id} break their schema: {error.message}", place=workflow.place, got=error.instance
        ) from None
    return inputs


@dataclass(slots=True)
class _Walk:
    """One way through a workflow."""

    runner: _Runner
    workflow: Workflow
    inputs: Mapping[str, Json]
    reports: list[StepReport] = field(default_factory=list)
    outputs: dict[str, Json] = field(default_factory=dict)
    tries: dict[tuple[str, str], int] = field(default_factory=dict)

    def walk(self) -> Run:
        steps, at = self.workflow.steps, 0
        while at < len(steps):
            self.runner.made += 1
            if self.runner.made > _MOST_STEPS:
                return self._ended(f"went through {_MOST_STEPS} steps without an end")
            step = steps[at]
            report, context = self._make(step)
            self.reports.append(report)
            self.outputs[step.id] = {"outputs": report.outputs}
            action = self._action(step, report, context)
            if action is None:
                if not report.passed:
                    return self._ended(f"step {step.id} failed")
                at += 1
            elif action.kind == "end":
                return self._ended(None if report.passed else f"step {step.id} failed")
            elif action.kind == "retry":
                self.runner.target.advance(f"PT{action.wait}S")
            elif action.step is not None:
                at = next(index for index, other in enumerate(steps) if other.id == action.step)
            else:
                assert action.workflow is not None
                found = self.runner.run(self.runner.arazzo.workflows[action.workflow], {})
                return self._ended(found.failure)
        return self._ended(None)

    def _ended(self, failure: str | None) -> Run:
        context = Context(bindings=self._bindings())
        return Run(self.workflow, tuple(self.reports), _evaluated(self.workflow.outputs, context), failure)

    def _bindings(self) -> dict[str, Json]:
        done = {name: {"outputs": run.outputs} for name, run in self.runner.finished.items()}
        return {
            "inputs": self.inputs,
            "steps": self.outputs,
            "workflows": done,
            "components": self.runner.arazzo.components,
        }

    # One step

    def _make(self, step: Step) -> tuple[StepReport, Context]:
        context = Context(bindings=self._bindings())
        if step.clock is not None:
            self.runner.target.advance(step.clock)
        if step.write is not None:
            api = self._api_name(step)
            key = str(step.write.key.evaluate(context))
            self.runner.target.merge(api, step.write.resource, key, step.write.merge.evaluate(context))
        if step.workflow is not None:
            return self._call(step, context)
        assert step.api is not None
        assert step.operation is not None
        values = {
            (argument.location or "query", argument.name): value
            for argument in step.arguments
            if (value := argument.value.evaluate(context)) is not MISSING
        }
        payload = step.payload
        body = _body(step, context)
        request = written(
            step.api, step.operation, values, body=body, content_type=payload.content_type if payload else None
        )
        presented = self.runner.target.present(step.api.name, step.credential) if step.credential else Presented()
        target = request.target
        if presented.query:
            more = "&".join(f"{name}={value}" for name, value in presented.query.items())
            target += ("&" if "?" in target else "?") + more
        headers = {**request.headers, **presented.headers}
        answer = self.runner.target.send(step.api.name, request.method, target, headers, request.body)
        context = _after(context, request, values, body, answer)
        failed = tuple(criterion.text for criterion in step.criteria if not _holds(criterion, context))
        if not step.criteria and not 200 <= answer[0] < 400:
            failed = ("the status is that of a success",)
        return StepReport(step, request, answer, failed, _evaluated(step.outputs, context)), context

    def _api_name(self, step: Step) -> str:
        named = step.api or next((other.api for other in self.workflow.steps if other.api is not None), None)
        if named is None:
            raise ConfigurationError("this step writes state, but nothing says of which API", place=step.place)
        return named.name

    def _call(self, step: Step, context: Context) -> tuple[StepReport, Context]:
        """A step that is a workflow of its own; its parameters are that workflow's inputs."""
        assert step.workflow is not None
        given = {argument.name: argument.value.evaluate(context) for argument in step.arguments}
        found = self.runner.run(self.runner.arazzo.workflows[step.workflow], given)
        context = Context(bindings={**context.bindings, "outputs": found.outputs})
        failed = tuple(criterion.text for criterion in step.criteria if not _holds(criterion, context))
        if not found.passed:
            failed = (str(found), *failed)
        return StepReport(step, None, None, failed, _evaluated(step.outputs, context)), context

    def _action(self, step: Step, report: StepReport, context: Context) -> Action | None:
        """The first action whose criteria hold; a retry only as often as it may be made."""
        for action in step.on_success if report.passed else step.on_failure:
            if not all(_holds(criterion, context) for criterion in action.criteria):
                continue
            if action.kind == "retry":
                tried = self.tries.get((step.id, action.name), 0)
                if tried >= action.limit:
                    continue
                self.tries[(step.id, action.name)] = tried + 1
            return action
        return None


def _body(step: Step, context: Context) -> Json:
    if step.payload is None:
        return NO_BODY
    body = step.payload.value.evaluate(context) if step.payload.value is not None else {}
    for path, template in step.payload.replacements:
        value = template.evaluate(context)
        if value is not MISSING:
            body = with_member(body, path, value) if path else value
    return body


def _after(
    context: Context, request: WireRequest, values: Mapping[tuple[str, str], Json], body: Json, answer: Answer
) -> Context:
    """What is known once a step has been answered."""
    status, headers, content = answer

    def of(location: str) -> dict[str, Json]:
        return {name: value for (place, name), value in values.items() if place == location}

    sent = Message(request.headers, of("query"), of("path"), MISSING if body is NO_BODY else body)
    return Context(
        url=request.target,
        method=request.method,
        status_code=status,
        request=sent,
        response=Message(headers=headers, body=_read(content)),
        bindings=context.bindings,
    )


def _read(content: bytes) -> Any:
    """A body as expressions see it: JSON, else its text; nothing where there is none."""
    if not content:
        return MISSING
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _evaluated(expressions: Mapping[str, Expression], context: Context) -> dict[str, Json]:
    found = {name: expression.evaluate(context) for name, expression in expressions.items()}
    return {name: value for name, value in found.items() if value is not MISSING}


def _holds(condition: Condition, context: Context) -> bool:
    judge = condition.judge
    if isinstance(judge, Criterion):
        return judge.holds(context)
    assert condition.context is not None
    value = condition.context.evaluate(context)
    if value is MISSING:
        return False
    if hasattr(judge, "search"):
        return judge.search(value if isinstance(value, str) else json.dumps(value)) is not None
    return bool(judge.find(value))

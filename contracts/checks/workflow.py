"""A documented workflow can be gone through to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding, Side
from contracts.service import NOT_JSON, Recorded
from contracts.workflows import Run, StepReport
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "workflow",
    Family.WORKFLOW,
    summary="Every step of a documented workflow meets its success criteria.",
    source="Arazzo 1.0 §5.9 (success criteria), and the API's own workflows",
    example="a checkout that stays unpaid after it was confirmed",
)

_IN_BODY = re.compile(r"\$response\.body#(/[^\s)]*)")
_IN_HEADER = re.compile(r"\$response\.header\.([!#-'*+.^_`|~0-9A-Za-z-]+)")


def finding(found: Run, recorded: Sequence[Recorded]) -> Finding:
    """What to say of a workflow that failed."""
    last = recorded[-1] if recorded else None
    report = found.steps[-1] if found.steps else None
    if report is not None and report.step.description:
        step = f"step {report.step.id} (“{report.step.description.strip().rstrip('.')}”)"
    else:
        step = f"step {report.step.id}" if report is not None else "its beginning"
    name = f"{found.workflow.id} (“{found.workflow.summary}”)" if found.workflow.summary else found.workflow.id
    why = "" if found.failure is None or found.failure.endswith("failed") else f": {found.failure}"
    return Finding(
        CHECK.name,
        Side.SERVICE,
        f"the workflow {name} ends at {step}{why}",
        (last.operation_id if last is not None else None) or "",
        tuple(recorded),
        tuple(_differences(report, last)) if report is not None else (),
        report.step.place if report is not None else found.workflow.place,
    )


def _differences(report: StepReport, last: Recorded | None) -> Iterator[Difference]:
    for criterion in report.failed:
        pointer, got = _looked_at(criterion, last)
        yield Difference(pointer, criterion, got, "does not hold")


def _looked_at(criterion: str, last: Recorded | None) -> tuple[str, Json]:
    """The place that a criterion speaks of, as far as it can be told, and what is there."""
    if last is None:
        return "criterion", None
    if (inside := _IN_BODY.search(criterion)) is not None:
        body = last.json
        return inside[1], _at(body, inside[1]) if body is not NOT_JSON else None
    if (header := _IN_HEADER.search(criterion)) is not None:
        return f"header {header[1]}", last.header(header[1])
    if "$statusCode" in criterion or criterion.startswith("the status"):
        return "status", last.status
    return "criterion", last.status


def _at(body: Json, pointer: str) -> Json:
    try:
        return pointers.lookup(body, pointer)
    except (LookupError, ValueError):
        return None

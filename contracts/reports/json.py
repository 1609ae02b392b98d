"""The whole report as JSON, for programs. ``version`` changes when a member goes or changes its meaning."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from contracts.findings import Finding
from contracts.outcomes import Outcome
from contracts.replaying import finding_value
from contracts.reports.curl import curl
from contracts.reports.material import LIKELY, Material, anchor, family_of, family_rows, line_text
from contracts.reports.pytest_code import pytest_code
from contracts.running import Done

VERSION = 1


def json_report(material: Material) -> str:
    """The report as a JSON document."""
    value = material.secrets.hidden_in(json_value(material))
    return json.dumps(value, indent=2, ensure_ascii=True, default=repr) + "\n"


def json_value(material: Material) -> dict[str, Any]:
    """The report as a JSON value, secrets not yet taken out."""
    report = material.report
    return {
        "apidouble": {"report": VERSION},
        "run": {
            "api": report.plan.source.name,
            "description": str(report.plan.source.description),
            "base_url": report.base_url,
            "command": list(material.command),
            "began": report.began.isoformat(),
            "seconds": round(report.elapsed, 3),
            "seed": report.plan.seed,
            "closed": report.plan.closed,
            "checks": sorted(report.plan.checks),
            "exchanges": report.exchanges,
            "notes": list(report.notes),
        },
        "outcome": str(material.standing.outcome),
        "why": material.standing.why,
        "holds": material.standing.outcome is Outcome.HOLDS,
        "families": [asdict(row) for row in family_rows(report)],
        "findings": [_finding(one, material) for one in material.findings],
        "tasks": [_done(one) for one in report.done]
        + [{"name": one.name, "family": str(one.family), "check": one.check, "operations": list(one.operations),
            "outcome": "left", "why": "there was no time"} for one in report.left],
        "coverage": material.covered.as_json(),
    }  # fmt: skip


def _finding(finding: Finding, material: Material) -> dict[str, Any]:
    return {
        **finding_value(finding),
        "family": family_of(finding),
        "fails": finding.fails,
        "likely_wrong": LIKELY[finding.side],
        "page": anchor(finding.check),
        "where": material.where(finding.place) if finding.place is not None else None,
        "line": line_text(finding.place).strip() if finding.place is not None else "",
        "curl": curl(finding, material.secrets, material.report.base_url) if finding.sequence else "",
        "pytest": pytest_code(finding, material.secrets, material.report.base_url) if finding.sequence else "",
        "again": material.again(finding),
    }


def _done(done: Done) -> dict[str, Any]:
    held = done.held
    applied = held is not None and held.applied
    return {
        "name": done.task.name,
        "family": str(done.task.family),
        "check": done.task.check,
        "operations": list(done.task.operations),
        "outcome": "error" if held is None else "made" if applied else "fruitless",
        "why": done.error or (held.why if held is not None else ""),
        "attempts": held.attempts if held is not None else 0,
        "fruitless": held.fruitless if held is not None else 0,
        "seconds": round(done.elapsed, 3),
    }

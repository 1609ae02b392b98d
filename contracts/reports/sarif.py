"""SARIF 2.1.0: each finding at the line of the description that it is about, for code scanning.

Written as plain JSON: of the packages for SARIF one is given up, one names the suppressions wrongly, and one (generated
from the published schema) is slow to import, so it checks this in the tests instead.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from contracts.checks.registry import Check, all_checks
from contracts.findings import Finding
from contracts.reports.junit import finding_text
from contracts.reports.material import LIKELY, Material, anchor, check_of, line_text

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(material: Material) -> str:
    """The report as a SARIF log of one run. Findings are errors, questions are notes, accepted ones suppressed."""
    met = {finding.check for finding in material.findings}
    rules = [_rule(check, material) for name, check in all_checks().items() if name in met]
    rules += [{"id": name} for name in sorted(met - all_checks().keys())]
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "apidouble", "version": version("apidouble"), "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"description": {"text": "the folder that the run was started in"}}},
        "invocations": [_invocation(material)],
        "results": [_result(one, numbers[one.check], material) for one in material.findings],
    }
    value = material.secrets.hidden_in({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _rule(check: Check, material: Material) -> dict[str, Any]:
    text = f"{check.summary} ({check.source})"
    page = material.home + anchor(check.name)
    rule: dict[str, Any] = {
        "id": check.name,
        "name": "".join(word.title() for word in check.name.split("_")),
        "shortDescription": {"text": check.summary},
        "fullDescription": {"text": text},
        "help": {"text": f"{text}\nAn example of what it finds: {check.example or check.summary}\nSee {page}"},
        "properties": {"tags": [str(check.family)]},
    }
    if material.home:  # SARIF §3.49.12 wants an absolute URI
        rule["helpUri"] = page
    if check.fault is not None:
        rule["properties"]["tags"].append(f"WFC F{check.fault}")
    return rule


def _invocation(material: Material) -> dict[str, Any]:
    report = material.report
    began = report.began.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "executionSuccessful": True,
        "startTimeUtc": began,
        "commandLine": material.text(" ".join(material.command)),
    }


def _result(finding: Finding, number: int, material: Material) -> dict[str, Any]:
    check = check_of(finding)
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": number,
        "kind": "fail",
        "level": "error" if finding.fails else "note",
        "message": {"text": f"{material.text(finding.sentence)}\n\n{finding_text(finding, material)}"},
        "locations": [_location(finding, material)],
        "partialFingerprints": {"apidouble/v1": finding.fingerprint},
        "properties": {"side": str(finding.side), "likelyWrong": LIKELY[finding.side],
                       "operation": finding.operation_id, "family": str(check.family) if check else ""},
    }  # fmt: skip
    if finding.accepted is not None:
        result["suppressions"] = [{"kind": "external", "justification": finding.accepted}]
    return result


def _location(finding: Finding, material: Material) -> dict[str, Any]:
    logical = {"name": finding.operation_id or "API", "kind": "function"}
    place = finding.place
    if place is None:
        return {"logicalLocations": [logical]}
    path = material.path(place)
    artifact = {"uri": quote(path)} if PurePath(path).is_absolute() else {"uri": quote(path), "uriBaseId": "ROOT"}
    physical: dict[str, Any] = {"artifactLocation": artifact}
    if place.line is not None:
        text = line_text(place)
        physical["region"] = {"startLine": place.line, **({"snippet": {"text": material.text(text)}} if text else {})}
    if place.pointer:
        logical["fullyQualifiedName"] = place.pointer
    return {"physicalLocation": physical, "logicalLocations": [logical]}

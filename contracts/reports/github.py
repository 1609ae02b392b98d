"""For GitHub Actions: workflow commands that mark lines of the description, and a job summary in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.findings import Finding
from contracts.reports.bodies import cut, written
from contracts.reports.curl import curl
from contracts.reports.material import LIKELY, Material, anchor, family_rows, spoken

_MOST = 50
"""Findings that a summary shows in full; GitHub takes a megabyte."""


def github_commands(material: Material) -> str:
    """One workflow command a line: ``::error`` for findings, ``::notice`` for questions."""
    return "".join(_command(one, material) + "\n" for one in material.findings if one.accepted is None)


def _command(finding: Finding, material: Material) -> str:
    properties: dict[str, str] = {}
    if finding.place is not None:
        properties["file"] = material.path(finding.place)
        if finding.place.line is not None:
            properties["line"] = str(finding.place.line)
    properties["title"] = f"{finding.check} {finding.operation_id}".strip()
    written_out = ",".join(f"{name}={_property(material.text(value))}" for name, value in properties.items())
    text = f"{finding.sentence}\nlikely wrong: {LIKELY[finding.side]}\nrun again: {material.again(finding)}"
    return f"::{'error' if finding.fails else 'notice'} {written_out}::{_data(material.text(text))}"


def _data(text: str) -> str:
    """A message as workflow commands take it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property's value as workflow commands take it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def github_summary(material: Material) -> str:
    """The job summary, for ``$GITHUB_STEP_SUMMARY``."""
    return "\n".join(_summary(material)) + "\n"


def _summary(material: Material) -> Iterator[str]:
    report = material.report
    standing = material.standing
    yield f"## The contract {standing.outcome}" + (f": {_html(standing.why)}" if standing.why else "") + "\n"
    where = f"{_cell(report.plan.source.name)} at {_cell(material.text(report.base_url))}"
    yield (f"{where}: {report.exchanges} exchanges in {report.elapsed:.1f} s, seed {report.plan.seed}.\n")
    yield "| family | tasks | came to nothing | findings | questions |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for row in family_rows(report):
        yield f"| {row.family} | {row.made} of {row.tasks} | {row.fruitless} | {row.findings} | {row.questions} |"
    yield ""
    yield "| covered | | |"
    yield "| --- | ---: | ---: |"
    for name, tally in material.covered.tallies():
        yield f"| {name} | {tally.percent} % | {tally.met} of {tally.all} |"
    shown = [one for one in material.findings if one.accepted is None]
    for finding in shown[:_MOST]:
        yield ""
        yield from _finding(finding, material)
    if len(shown) > _MOST:
        yield f"\n…and {len(shown) - _MOST} more."


def _finding(finding: Finding, material: Material) -> Iterator[str]:
    mark = "❌" if finding.fails else "❓"
    yield "<details>"
    yield f"<summary>{mark} {_html(material.text(finding.sentence))} <code>{_html(finding.check)}</code></summary>\n"
    where = f", described at {_code(material.where(finding.place))}" if finding.place is not None else ""
    yield f"Likely wrong: {LIKELY[finding.side]}{where}. Check: {_code(anchor(finding.check))}.\n"
    if finding.differences:
        yield "| where | expected | got | |"
        yield "| --- | --- | --- | --- |"
        for one in finding.differences[:10]:
            cells = (spoken(one.pointer), written(one.expected), written(one.got), one.message)
            yield "| " + " | ".join(_cell(material.text(cell)) for cell in cells) + " |"
        yield ""
    if finding.sequence:
        yield from _fenced(curl(finding, material.secrets, material.report.base_url), "sh")
    if finding.remedy:
        yield from _fenced(material.text(finding.remedy), "yaml")
    yield from _fenced(material.again(finding), "sh")
    yield "</details>"


def _fenced(text: str, language: str) -> Iterator[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    yield f"{fence}{language}\n{cut(text.rstrip(), 8000)}\n{fence}\n"


def _code(text: str) -> str:
    return f"<code>{_html(text)}</code>"


def _cell(text: str) -> str:
    return _html(text).replace("|", "\\|").replace("\n", " ")


def _html(text: str) -> str:
    found = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{mark}" if mark in "*_`[]" else mark for mark in found)

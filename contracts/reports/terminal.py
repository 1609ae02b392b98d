"""The report on a terminal: each finding so that it can be read aloud and run, then one table for the whole."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from contracts.conditions import telling, together
from contracts.coverage import Tally
from contracts.findings import Finding, Side
from contracts.outcomes import Outcome
from contracts.reports.bodies import capitalized, cut, written
from contracts.reports.colour import painted
from contracts.reports.curl import curl
from contracts.reports.material import LIKELY, Material, check_of, family_rows, line_text, spoken
from contracts.reports.pytest_code import pytest_code

_WIDTH = 100
_LABEL = 12
_BODY = 600
_SHOWN = 5
"""How many differences of one finding are shown."""

_STYLES = {Outcome.HOLDS: "good", Outcome.BROKEN: "bad", Outcome.UNKNOWN: "question"}

Paint = Callable[[str, str], str]


def terminal(material: Material, *, colour: bool = False, tests: bool = True, accepted: bool = False) -> str:
    """The whole report as text. ``tests`` adds each finding as a test; ``accepted`` shows what a baseline takes."""

    def paint(text: str, style: str) -> str:
        return painted(text, style, colour=colour)

    lines: list[str] = []
    shown = [one for one in material.findings if accepted or one.accepted is None]
    for number, finding in enumerate(shown, 1):
        lines += finding_lines(finding, number, len(shown), material, paint, tests=tests)
    lines += _summary(material, paint)
    return "\n".join(lines) + "\n"


def finding_lines(
    finding: Finding, number: int, of: int, material: Material, paint: Paint, *, tests: bool
) -> Iterator[str]:
    kind, style = ("Finding", "bad") if finding.fails else ("Question", "question")
    if finding.accepted is not None:
        kind, style = "Accepted", "dim"
    head = f"{kind} {number} of {of}"
    rest = material.text(f"{finding.check} · {finding.operation_id or 'no operation'} · {finding.fingerprint}")
    yield paint("─" * _WIDTH, "dim")
    yield f"{paint(head, style)}  {paint(rest, 'dim')}"
    yield ""
    sentence = material.text(finding.sentence).rstrip(".")
    yield paint(textwrap.fill(capitalized(sentence) + ".", _WIDTH), "title")
    yield ""
    yield from _labelled("Likely wrong", _blame(finding), paint)
    if finding.accepted is not None:
        yield from _labelled("Accepted", material.text(finding.accepted), paint)
    if finding.place is not None:
        described = material.text(f"{material.where(finding.place)}  {line_text(finding.place).strip()}")
        yield from _labelled("Described", described, paint)
    yield from _labelled("Run again", material.again(finding), paint)
    if finding.fingerprint in material.replays:
        yield from _labelled("Replay", material.text(material.replays[finding.fingerprint]), paint)
    for note in finding.notes:
        yield from _labelled("Note", material.text(note), paint)
    yield from _differences(finding, material, paint)
    yield from _sequence(finding, material, paint)
    if tests and finding.sequence and finding.side is Side.SERVICE:
        code = pytest_code(finding, material.secrets, material.report.base_url)
        yield from _block("As a test", code, paint, style="dim")
    if finding.remedy:
        title = "What would settle it" if finding.side is not Side.SERVICE else "What to do"
        yield from _block(title, material.text(finding.remedy), paint)
    yield ""


def _blame(finding: Finding) -> str:
    check = check_of(finding)
    return LIKELY[finding.side] + (f": {check.summary} ({check.source})" if check is not None else "")


def _labelled(label: str, text: str, paint: Paint) -> Iterator[str]:
    wrapped = textwrap.wrap(text, _WIDTH - _LABEL - 2, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"{paint(label.ljust(_LABEL), 'dim')}  {wrapped[0]}"
    yield from (" " * (_LABEL + 2) + line for line in wrapped[1:])


def _block(title: str, text: str, paint: Paint, *, style: str = "") -> Iterator[str]:
    yield ""
    yield title
    for line in text.rstrip("\n").split("\n"):
        yield f"  {paint(line, style) if style else line}".rstrip()


def _differences(finding: Finding, material: Material, paint: Paint) -> Iterator[str]:
    if not finding.differences:
        return
    yield ""
    yield f"Expected {paint('-', 'expected')} and got {paint('+', 'got')}"
    for one in finding.differences[:_SHOWN]:
        message = paint(f"  {material.text(one.message)}", "dim") if one.message else ""
        yield f"  {material.text(spoken(one.pointer))}{message}"
        yield "    " + paint(f"- {material.text(written(one.expected))}", "expected")
        yield "    " + paint(f"+ {material.text(written(one.got))}", "got")
    if len(finding.differences) > _SHOWN:
        yield f"  and {len(finding.differences) - _SHOWN} more"


def _sequence(finding: Finding, material: Material, paint: Paint) -> Iterator[str]:
    if not finding.sequence:
        return
    yield ""
    yield "What was sent, and what came"
    width = max(len(one.request.method) for one in finding.sequence)
    told, race = telling(finding), together(finding)
    for number, one in enumerate(finding.sequence[: told + 1]):
        target = cut(material.text(one.request.target), 200)
        who = paint(f"  as {material.text(one.caller.name)}", "dim") if one.caller is not None else ""
        at_once = paint("  at the same moment", "dim") if number in race else ""
        yield f"  {one.request.method.ljust(width)} {target}{who}{at_once}"
        reply = f"{one.status} {' '.join(material.body(one, reply=True, most=_BODY).split())}".rstrip()
        lines = _wrapped(reply, " " * (width + 3))
        if number != told and len(lines) > 1:  # in full where it matters
            lines = [f"{lines[0]} …"]
        yield from (paint(line, "good" if one.ok else "question") for line in lines)
    if told + 1 < len(finding.sequence):
        yield paint(f"  and {_count(len(finding.sequence) - told - 1, 'request')} after it, to be sure", "dim")
    yield from _block("In a shell", curl(finding, material.secrets, material.report.base_url), paint, style="code")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "    ", break_on_hyphens=False)


def _summary(material: Material, paint: Paint) -> Iterator[str]:
    report = material.report
    yield paint("─" * _WIDTH, "dim")
    yield paint(
        f"{'family':<14}{'tasks':>12}{'came to nothing':>18}{'findings':>11}{'questions':>12}{'seconds':>10}", "dim"
    )
    for row in family_rows(report):
        tasks = f"{row.made} of {row.tasks}"
        found = paint(f"{row.findings:>11}", "bad" if row.findings else "good")
        yield f"{row.family:<14}{tasks:>12}{row.fruitless:>18}{found}{row.questions:>12}{row.seconds:>10.1f}"
    yield ""
    for name, tally in material.covered.tallies():
        if tally.all:
            yield f"{name:<16}{_bar(tally)} {tally.percent:>5.1f} %  {paint(f'{tally.met} of {tally.all}', 'dim')}"
    yield from _unvisited(material, paint)
    for note in report.notes:
        yield from _labelled("Note", material.text(note), paint)
    yield ""
    yield _verdict(material, paint)


def _bar(tally: Tally) -> str:
    full = round(tally.percent / 5)
    return "█" * full + "░" * (20 - full)


def _unvisited(material: Material, paint: Paint) -> Iterator[str]:
    """The operations that were not called, together under the reason for it."""
    reasons: dict[str, list[str]] = {}
    for row in material.covered.rows:
        if not row.calls:
            reasons.setdefault(row.why, []).append(row.operation_id)
    if not reasons:
        return
    yield ""
    yield "Not called"
    for why, operations in reasons.items():
        names = ", ".join(operations[:8]) + (f" and {len(operations) - 8} more" if len(operations) > 8 else "")
        yield from textwrap.wrap(material.text(f"{names}: {cut(why, 200)}"), _WIDTH, initial_indent="  ",
                                 subsequent_indent="    ", break_on_hyphens=False)  # fmt: skip


def _verdict(material: Material, paint: Paint) -> str:
    report = material.report
    fails = sum(one.fails for one in report.findings)
    accepted = sum(one.accepted is not None for one in report.findings)
    questions = len(report.findings) - fails - accepted
    parts = [_count(fails, "finding"), _count(questions, "question")]
    parts += [f"{accepted} accepted"] if accepted else []
    standing = material.standing
    head = paint(str(standing.outcome), _STYLES[standing.outcome])
    why = f" ({material.text(standing.why)})" if standing.why else ""
    far = " as far as there was time" if report.left and standing.outcome is Outcome.HOLDS else ""
    lines = [f"The contract {head}{far}{why}: {', '.join(parts)}."]
    rest = f"{_count(report.exchanges, 'exchange')} in {report.elapsed:.1f} s, seed {report.plan.seed}"
    tasks = len(report.done) + len(report.left)
    if report.left:
        rest += f"; {len(report.done)} of {tasks} tasks were made, then time was up: --max-time gives more"
    return "\n".join((*lines, paint(f"{rest}.", "dim")))


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"

"""What a contract test says: the same words as ``apidouble check``, and how pytest runs it again."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path

from contracts.coverage import Covered, Tally
from contracts.findings import Finding
from contracts.reports.bodies import capitalized
from contracts.reports.material import Material, material
from contracts.reports.terminal import finding_lines
from contracts.running import Plan, Report
from contracts.service import Caller
from mock_server.dataclass import dataclass
from mock_server.model.redaction import Secrets

_NONE = Tally(0, 0)
_NOTHING = Covered(_NONE, _NONE, _NONE, _NONE, _NONE, (), ())


@dataclass(frozen=True, slots=True)
class Telling:
    """How findings are told: of what run, without which ``secrets``, found again by which ``command``.

    ``tests`` adds each finding as a test. Paths are told from ``root``.
    """

    plan: Plan
    callers: tuple[Caller, ...]
    base_url: str
    command: tuple[str, ...]
    root: Path = field(default_factory=Path.cwd)
    secrets: tuple[str, ...] = ()
    tests: bool = False

    def hidden(self, text: str) -> str:
        """A text without secrets."""
        return str(Secrets.of(self.secrets).hidden_in(text))


class _Again(Material):
    """Material whose findings are found again by a command of pytest, which is all of ``command``."""

    def again(self, finding: Finding) -> str:
        return self.text(shlex.join(self.command))


def findings_text(findings: Sequence[Finding], telling: Telling) -> str:
    """Findings as they are printed by ``apidouble check``."""
    report = Report(telling.plan, tuple(findings), (), (), 0, 0.0, datetime.now(UTC), telling.base_url)
    made = material(report, _NOTHING, telling.callers, command=telling.command, root=telling.root)
    told = _Again(made.report, made.covered, made.secrets, made.command, made.root)
    lines: list[str] = []
    for number, finding in enumerate(findings, 1):
        lines += finding_lines(finding, number, len(findings), told, lambda text, _: text, tests=telling.tests)
    return telling.hidden("\n".join(lines).rstrip("\n"))


def result_text(
    findings: Sequence[Finding], again: Iterable[tuple[Finding, str]], telling: Telling, *, error: str = ""
) -> str:
    """All that one test has found: each finding in full, and in short what a test before has told already.

    ``again`` has the findings that are known, with the name of that test. ``error`` is why the test broke off.
    """
    return "\n\n".join(_parts(findings, again, telling, error))


def _parts(
    findings: Sequence[Finding], again: Iterable[tuple[Finding, str]], telling: Telling, error: str
) -> Iterator[str]:
    if error:
        yield telling.hidden(error)
    if findings:
        yield findings_text(findings, telling)
    for finding, name in again:
        yield telling.hidden(
            f"{sentence(finding)} ({finding.check}, {finding.fingerprint})\n"
            f"  {name} has found this before and shows it in full. To see it here, run this test alone:\n"
            f"  {shlex.join(telling.command)}"
        )


def sentence(finding: Finding) -> str:
    """The sentence of a finding, from its capital letter to its full stop."""
    return capitalized(finding.sentence.rstrip(".")) + "."


def question_text(finding: Finding, telling: Telling) -> str:
    """A question with what would settle it; its first line tells it from others. In full where tests are told."""
    lines = [f"{sentence(finding)} ({finding.check}, {finding.fingerprint})"]
    lines += [f"  {note}" for note in finding.notes]
    if finding.remedy:
        lines += ["  What would settle it:", textwrap.indent(finding.remedy.rstrip("\n"), "    ")]
    lines += [f"  Asked again by: {shlex.join(telling.command)}"]
    full = f"\n{findings_text([finding], telling)}" if telling.tests else ""
    return telling.hidden("\n".join(lines)) + full

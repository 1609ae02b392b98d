"""What every report is made of, and what several of them say in the same words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from contracts.bench import Task
from contracts.checks.registry import CHECKS, Check, Family
from contracts.coverage import Covered
from contracts.findings import Finding, Side
from contracts.outcomes import Standing, standing
from contracts.reports.bodies import cut, shown
from contracts.reports.secrets import Secrets, handed_out
from contracts.running import Report
from contracts.service import Caller, Recorded
from mock_server.dataclass import dataclass
from mock_server.errors import Place, visible

LIKELY = {
    Side.SERVICE: "the service",
    Side.DOUBLE: "the model's guess (a question)",
    Side.DESCRIPTION: "the description (a question)",
}
"""Who is likely wrong, by side."""

CHECKS_PAGE = "docs/checks.md"


@dataclass(frozen=True, slots=True)
class Material:
    """A run, what it covered, and what must not be shown of it.

    ``command`` is the command line that made the run, without ``--check`` and ``--seed-number``; ``root`` the folder
    that paths of files are told from. ``home`` is the URL of the project's pages, with a slash at its end, "" where
    none is known. ``stopped`` is why the run ended early, "" when it did not. ``replays`` are the commands
    that replay findings which were written into files, by fingerprint.
    """

    report: Report
    covered: Covered
    secrets: Secrets = field(default_factory=Secrets)
    command: tuple[str, ...] = ("apidouble", "check")
    root: Path = Path()
    home: str = ""
    stopped: str = ""
    replays: Mapping[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """What the run comes to."""
        return standing(self.report, stopped=self.stopped)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, those that fail the run first, then questions, then what a baseline accepts."""
        sides = list(Side)
        return tuple(sorted(self.report.findings, key=lambda one: (one.accepted is not None, sides.index(one.side))))

    def text(self, text: str) -> str:
        """A text that can be shown: without secrets, without control characters."""
        return visible(self.secrets.hidden(text))

    def body(self, recorded: Recorded, *, reply: bool, most: int = 2000) -> str:
        """The body of a request or a reply that can be shown."""
        body = recorded.reply.body if reply else recorded.request.body
        return cut(shown(self.secrets.hidden_bytes(body), most=most), most)

    def again(self, finding: Finding) -> str:
        """The command that finds a finding again."""
        seed = finding.seed if finding.seed is not None else self.report.plan.seed
        return self.text(shlex.join([*self.command, "--check", finding.check, "--seed-number", str(seed)]))

    def where(self, place: Place) -> str:
        """A place as ``file:line``, told from the root."""
        path = self.path(place)
        return path if place.line is None else f"{path}:{place.line}"

    def path(self, place: Place) -> str:
        """The file of a place, told from the root where it is below it."""
        try:
            return Path(place.file).resolve().relative_to(self.root.resolve()).as_posix()
        except (ValueError, OSError):
            return place.file


def material(report: Report, covered: Covered, callers: Sequence[Caller] = (), *,
             command: tuple[str, ...] = ("apidouble", "check"), root: Path | None = None,
             home: str = "", stopped: str = "") -> Material:  # fmt: skip
    """The material of a run. What ``callers``, and those met in sequences, carry is shown nowhere.

    Nor is what the service handed out: cookies, tokens, keys.
    """
    exchanges = [recorded for one in report.findings for recorded in one.sequence]
    met = (recorded.caller for recorded in exchanges if recorded.caller is not None)
    secrets = Secrets([*callers, *met, *handed_out(exchanges)])
    return Material(report, covered, secrets, command, root if root is not None else Path.cwd(), home, stopped)


def check_of(finding: Finding) -> Check | None:
    """The check that made a finding, None when it is not registered."""
    return CHECKS.get(finding.check)


_SPOKEN = {
    "items": "how many items a page has",
    "items/twice": "how often one walk shows an item",
    "items/lost": "an item of the list",
    "items/order": "the order of the keys",
    "items/end": "how the walk ends",
    "won": "how many of the updates are granted",
    "keys": "how many different keys",
    "listed": "an item that was made",
    "effect": "the status of a read, before and after",
    "status/existence": "status",
}
"""What the places of differences mean that are no JSON pointers, because several replies show them together."""


def spoken(pointer: str) -> str:
    """The place of a difference in words, or as the JSON pointer that it is."""
    if pointer in {"", "/"}:
        return "the whole body"
    if pointer.startswith("/"):
        return pointer
    word, _, rest = pointer.partition("/")
    if word == "tenant" and rest:
        return f"the status of {rest} for another tenant"
    return _SPOKEN.get(pointer, pointer.replace("/", " "))


def family_of(finding: Finding) -> str:
    """The family of a finding's check."""
    check = check_of(finding)
    return str(check.family) if check is not None else str(Family.CONFORMANCE)


def anchor(check: str) -> str:
    """The page about a check, with its anchor."""
    return f"{CHECKS_PAGE}#{check.lower()}"


def line_text(place: Place) -> str:
    """The text of a description's line, "" where it cannot be read."""
    if place.line is None:
        return ""
    try:
        with Path(place.file).open(encoding="utf-8", errors="replace") as file:
            return next((line.rstrip("\n") for number, line in enumerate(file, 1) if number == place.line), "")
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """One line of the summary: a family's tasks and findings."""

    family: str
    tasks: int
    made: int
    fruitless: int
    findings: int
    questions: int
    seconds: float


def family_rows(report: Report) -> Iterator[FamilyRow]:
    """The summary, family by family; those of which nothing was planned are left out."""
    for family in Family:
        done = [one for one in report.done if one.task.family is family]
        left = [one for one in report.left if one.family is family]
        own = [one for one in report.findings if family_of(one) == family]
        if done or left or own:
            fails = sum(one.fails for one in own)
            fruitless = sum(one.held is None or not one.held.applied for one in done)
            yield FamilyRow(family, len(done) + len(left), len(done), fruitless, fails, len(own) - fails,
                            sum(one.elapsed for one in done))  # fmt: skip


def task_of(finding: Finding, tasks: Sequence[Task]) -> Task | None:
    """The task that most likely met a finding: of its check and operation, else one that calls the operation."""
    exact = [one for one in tasks if one.check == finding.check and finding.operation_id in one.operations]
    near = [one for one in tasks if one.check == finding.check or finding.operation_id in one.operations]
    return next(iter([*exact, *near]), None)

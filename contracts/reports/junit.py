"""JUnit XML: one test case for each task, so that a CI server shows a run like any other tests.

Written by ``junitparser``, which knows the form that CI servers read.
"""

from __future__ import annotations

from collections.abc import Iterable

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from contracts.bench import Task
from contracts.checks.registry import Family
from contracts.findings import Finding
from contracts.reports.bodies import written
from contracts.reports.curl import curl
from contracts.reports.material import LIKELY, Material, family_of, spoken, task_of
from contracts.running import Done


def junit(material: Material) -> str:
    """The report as JUnit XML: a suite for each family, failures for findings, questions as output of their case."""
    report = material.report
    tasks = [*(one.task for one in report.done), *report.left]
    owned: dict[str, list[Finding]] = {}
    lost: list[Finding] = []
    for finding in material.findings:
        task = task_of(finding, tasks)
        if task is not None:
            owned.setdefault(task.name, []).append(finding)
        else:
            lost.append(finding)
    whole = JUnitXml("apidouble")
    for family in Family:
        cases = [_made(one, owned.get(one.task.name, ()), material) for one in report.done if one.task.family is family]
        cases += [_left(one, owned.get(one.name, ()), material) for one in report.left if one.family is family]
        cases += [_alone(one, material) for one in lost if family_of(one) == family]
        if cases:
            suite = TestSuite(family)
            suite.timestamp = report.began.isoformat(timespec="seconds")
            suite.add_testcases(cases)
            suite.add_property("seed", str(report.plan.seed))
            whole.add_testsuite(suite)
    whole.update_statistics()  # type: ignore[no-untyped-call]  # junitparser annotates some of its functions only
    found = whole.tostring()  # type: ignore[no-untyped-call]  # the same
    return (found.decode() if isinstance(found, bytes) else str(found)) + "\n"


def _case(name: str, family: str, seconds: float, material: Material) -> TestCase:
    # A point in a class name makes a tree in some viewers.
    return TestCase(material.text(name), classname=f"apidouble.{family}", time=round(seconds, 3))


def _made(done: Done, findings: Iterable[Finding], material: Material) -> TestCase:
    case = _case(done.task.name, done.task.family, done.elapsed, material)
    _add(case, findings, material)
    if done.error:
        case.result = [*case.result, Error(material.text(done.error), "Unreachable")]
    elif not case.result and done.held is not None and not done.held.applied:
        case.result = [Skipped(material.text(done.held.why or "nothing came of it"))]
    return case


def _left(task: Task, findings: Iterable[Finding], material: Material) -> TestCase:
    case = _case(task.name, task.family, 0.0, material)
    _add(case, findings, material)
    if not case.result:
        case.result = [Skipped("there was no time")]
    return case


def _alone(finding: Finding, material: Material) -> TestCase:
    """A case for a finding that belongs to no task."""
    case = _case(f"{finding.check} {finding.operation_id}", family_of(finding), 0.0, material)
    _add(case, [finding], material)
    return case


def _add(case: TestCase, findings: Iterable[Finding], material: Material) -> None:
    failures: list[FinalResult] = []
    questions: list[str] = []
    for finding in findings:
        text = finding_text(finding, material)
        if finding.fails:
            failure = Failure(material.text(finding.sentence), finding.check)
            failure.text = text
            failures.append(failure)
        else:
            questions.append(text)
    case.result = failures
    if questions:
        case.system_out = "\n\n".join(questions)


def finding_text(finding: Finding, material: Material) -> str:
    """A finding as plain text: the sentence, who is likely wrong, the differences, the commands."""
    lines = [finding.sentence, f"likely wrong: {LIKELY[finding.side]}", f"fingerprint: {finding.fingerprint}"]
    lines += [f"accepted: {finding.accepted}"] if finding.accepted is not None else []
    lines += [f"described: {material.where(finding.place)}"] if finding.place is not None else []
    for one in finding.differences:
        where = spoken(one.pointer)
        lines.append(f"{where}: expected {written(one.expected)}, got {written(one.got)}  {one.message}")
    lines += [f"note: {note}" for note in finding.notes]
    if finding.sequence:
        lines += ["", curl(finding, material.secrets, material.report.base_url)]
    lines += ["to settle it:", finding.remedy] if finding.remedy else []
    lines.append(f"run again: {material.again(finding)}")
    return material.text("\n".join(lines))

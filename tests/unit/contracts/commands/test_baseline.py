"""Baselines: what they accept, until when, and what is wrong with one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from contracts.baseline import UNSAID, Accepted, Baseline, read_baseline, write_baseline
from contracts.findings import Finding, Side
from mock_server import ConfigurationError

ONE = Finding("read_your_write", Side.SERVICE, "text reads back as another value", "readNote")
TWO = replace(ONE, operation_id="listNotes")
TODAY = date(2026, 5, 10)


def _accepting(expires: date | None = None) -> Baseline:
    entry = Accepted(ONE.fingerprint, ONE.check, ONE.operation_id, ONE.sentence, "known since May", expires)
    return Baseline({ONE.fingerprint: entry})


def test_listed_finding_is_accepted_with_its_reason_and_no_other() -> None:
    verdict = _accepting().judged([ONE, TWO], today=TODAY)
    assert [finding.accepted for finding in verdict.findings] == ["known since May", None]
    assert [finding.fails for finding in verdict.findings] == [False, True]


@pytest.mark.parametrize(("expires", "fails"), [(date(2026, 5, 9), True), (TODAY, False), (date(2026, 5, 11), False)])
def test_entry_is_accepted_until_the_end_of_its_day(expires: date, fails: bool) -> None:
    verdict = _accepting(expires).judged([ONE], today=TODAY)
    assert verdict.findings[0].fails is fails
    assert bool(verdict.expired) is fails


def test_entry_that_nothing_meets_is_stale() -> None:
    assert [entry.fingerprint for entry in _accepting().judged([TWO], today=TODAY).stale] == [ONE.fingerprint]


def test_update_adds_what_is_new_and_keeps_reasons() -> None:
    updated = _accepting(TODAY).updated([ONE, TWO])
    assert updated.entries[ONE.fingerprint].reason == "known since May"
    assert updated.entries[ONE.fingerprint].expires == TODAY
    assert updated.entries[TWO.fingerprint].reason == UNSAID


@pytest.mark.parametrize("name", ["baseline.yaml", "baseline.json"])
def test_written_baseline_reads_as_it_was(tmp_path: Path, name: str) -> None:
    baseline = _accepting(TODAY)
    write_baseline(baseline, tmp_path / name)
    assert read_baseline(tmp_path / name) == baseline


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("findings: 3", "a list of findings"),
        ("findings: [{fingerprint: abc}]", "has a reason"),
        ("findings: [{check: abc, reason: x}]", "has a fingerprint"),
        ("findings: [{fingerprint: abc, reason: x, expire: 2026-01-01}]", "did you mean 'expires'"),
        ("findings: [{fingerprint: abc, reason: x, expires: soon}]", "expires is a day"),
        ("{", "neither YAML nor JSON"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=says):
        read_baseline(path)

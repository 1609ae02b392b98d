"""The page of the checks says what the register says."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.checks.registry import all_checks
from contracts.reference import FAULTS, checks_page
from contracts.reports.material import anchor

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checks.md"


def test_page_is_generated_from_the_register() -> None:
    assert PAGE.read_text(encoding="utf-8") == checks_page(), "run: python -m contracts.reference > docs/checks.md"


@pytest.mark.parametrize("name", all_checks())
def test_every_check_says_what_must_hold_and_who_says_so(name: str) -> None:
    check = all_checks()[name]
    assert check.summary
    assert check.source
    assert check.fault is None or check.fault in FAULTS


def test_anchors_of_reports_are_headings_of_the_page() -> None:
    headings = {line.removeprefix("### ") for line in checks_page().splitlines() if line.startswith("### ")}
    assert {anchor(name).partition("#")[2] for name in all_checks()} == {name.lower() for name in headings}

"""What a run comes to: only one that checked something, to its end, holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.findings import Side
from contracts.outcomes import Outcome, standing
from contracts.reports.github import github_summary
from contracts.reports.html import html
from contracts.reports.json import json_value
from contracts.reports.terminal import terminal
from contracts.running import Report
from tests.unit.contracts.reports.broken_shop import Shop


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


@pytest.fixture
def made(shop: Shop) -> Report:
    """A run whose one task was made."""
    report = shop.report()
    return replace(report, done=report.done[:1], left=())


def test_run_that_found_nothing_holds(made: Report) -> None:
    assert standing(made).outcome is Outcome.HOLDS


def test_finding_breaks_it_even_where_the_run_was_stopped(shop: Shop, made: Report) -> None:
    broken = replace(made, findings=(shop.finding(),))
    assert standing(broken, stopped="by Ctrl-C").outcome is Outcome.BROKEN


def test_question_does_not_break_it(shop: Shop, made: Report) -> None:
    assert standing(replace(made, findings=(shop.finding(side=Side.DOUBLE),))).outcome is Outcome.HOLDS


def test_run_that_was_stopped_is_not_known_to_hold(made: Report) -> None:
    assert standing(made, stopped="it was stopped by Ctrl-C").why == "it was stopped by Ctrl-C"


def test_run_with_tasks_that_could_not_be_made_is_not_known_to_hold(shop: Shop) -> None:
    assert standing(shop.report()).why == "1 of 3 tasks could not be made"


@pytest.mark.parametrize("which", [slice(0, 0), slice(1, 2)], ids=["no task", "a task that came to nothing"])
def test_run_that_checked_nothing_is_not_known_to_hold(shop: Shop, which: slice) -> None:
    report = shop.report()
    assert standing(replace(report, done=report.done[which])).why == "nothing was checked"


def test_every_report_says_that_it_is_not_known(shop: Shop) -> None:
    told = shop.material()
    assert "The contract is not known to hold (1 of 3 tasks could not be made)" in terminal(told)
    assert "is not known to hold: 1 of 3 tasks could not be made" in html(told)
    assert "The contract is not known to hold: 1 of 3 tasks could not be made" in github_summary(told)
    value = json_value(told)
    assert (value["holds"], value["outcome"]) == (False, "is not known to hold")

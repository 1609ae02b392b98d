"""The state machine, beside a service that was written without the model: what it finds, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.checks.registry import chosen
from contracts.findings import Side
from contracts.running import Plan, Report, run
from contracts.service import Recorded, Service
from mock_server.packs import source_of
from tests.unit.contracts.ledger import DESCRIPTION, Ledger

AGREEMENT = chosen(("agreement",), ())


def checked(tmp_path: Path, ledger: Ledger, *, closed: bool = True, overlay: str = "", **options: Any) -> Report:
    description = tmp_path / "ledger.yaml"
    description.write_text(yaml.safe_dump(DESCRIPTION))
    overlays = []
    if overlay:
        document = {"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": yaml.safe_load(overlay)}
        overlays = [tmp_path / "overlay.yaml"]
        overlays[0].write_text(yaml.safe_dump(document))

    def make(_: int, watch: Callable[[Recorded], None]) -> Service:
        return Service(ledger.send, base_url="http://ledger", reset=ledger.reset if closed else None, watch=watch)

    plan = Plan(source_of(str(description), overlays=overlays), AGREEMENT, closed=closed, seconds=60, **options)
    return run(plan, make, ())


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_a_correct_service_is_not_blamed(tmp_path: Path, closed: bool) -> None:
    report = checked(tmp_path, Ledger(), closed=closed)
    assert [(found.check, found.sentence) for found in report.findings] == []
    assert report.exchanges > 100
    assert all(done.held is not None and done.held.applied for done in report.done)


MISTAKES = {
    # mistake: (the check that finds it, the fewest requests that show it)
    "lost update": ("model_content", 3),
    "patch replaces": ("model_content", 2),
    "long names are cut": ("model_content", 2),
    "opened_at moves": ("model_stability", 2),
    "stale list": ("model_list", 2),
    "filter ignored": ("model_list", 3),
    "total too high": ("model_page", 1),
    "delete does nothing": ("model_refusal", 3),
    "ids come back": ("model_identity", 3),
    "ghosts": ("model_refusal", 1),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_and_shown_in_the_fewest_requests(tmp_path: Path, mistake: str) -> None:
    check, fewest = MISTAKES[mistake]
    report = checked(tmp_path, Ledger(mistake))
    found = [finding for finding in report.findings if finding.side is Side.SERVICE]
    assert check in {finding.check for finding in found}, [(f.check, f.sentence) for f in report.findings]
    assert not report.holds
    telling = min((finding for finding in found if finding.check == check), key=lambda f: len(f.sequence))
    shown = [(recorded.request.method, recorded.request.target) for recorded in telling.sequence]
    assert len(telling.sequence) <= fewest, shown
    assert telling.differences
    assert telling.place is not None
    assert telling.place.line is not None


@pytest.mark.parametrize("mistake", ["lost update", "delete does nothing"])
def test_a_mistake_is_found_among_other_data(tmp_path: Path, mistake: str) -> None:
    ledger = Ledger(mistake)
    for owner in ("Ines", "Tomo", "Wati"):
        ledger.send("POST", "/accounts", {}, f'{{"owner": "{owner}", "currency": "IDR"}}'.encode())
    report = checked(tmp_path, ledger, closed=False)
    assert MISTAKES[mistake][0] in {finding.check for finding in report.findings if finding.fails}


def test_a_rule_that_the_description_does_not_tell_is_a_question_that_its_remedy_settles(tmp_path: Path) -> None:
    report = checked(tmp_path, Ledger("one each"))
    assert report.holds
    [question] = report.findings
    assert (question.check, question.side) == ("model_status", Side.DOUBLE)
    assert [recorded.request.method for recorded in question.sequence] == ["POST", "POST"]
    assert "unique" in question.remedy
    settled = checked(tmp_path, Ledger("one each"), overlay=question.remedy)
    assert settled.findings == ()


def test_what_the_overlay_says_and_the_service_does_not_do_is_the_services_mistake(tmp_path: Path) -> None:
    overlay = "- {target: $, update: {x-mock-resources: {accounts: {unique: [[owner]]}}}}"
    report = checked(tmp_path, Ledger(), overlay=overlay)
    assert {finding.check for finding in report.findings if finding.fails} == {"model_refusal"}


def test_the_same_seed_finds_the_same_sequence(tmp_path: Path) -> None:
    runs = [checked(tmp_path, Ledger("lost update"), seed=7) for _ in range(2)]
    told = [
        [[(r.request.method, r.request.target, r.request.body) for r in f.sequence] for f in report.findings]
        for report in runs
    ]
    assert told[0] == told[1]

"""Proof that the tester tests: it finds every planted mistake, and nothing where none is planted."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts import exchanges
from contracts.callers import seeded_callers
from contracts.checks.registry import all_checks
from contracts.findings import Finding
from contracts.running import Plan, run
from contracts.service import Recorded, Service
from contracts.targets import in_process
from contracts.transports import into_universe, over_http
from mock_server.packs import pack
from mock_server.sandbox import Options, Sandbox
from tests.planted_bugs.bakery import create_app
from tests.planted_bugs.killing import MUTANTS, callers, checks, hunted, hunted_small, service_of, source
from tests.planted_bugs.model_mutants import MODEL_MUTANTS, ModelMutant
from tests.planted_bugs.mutants import BAKERY, BAKERY_MUTANTS, Mutant, representative
from tests.planted_bugs.pack_mutants import AT_FULL_SIZE, PACK_MUTANTS
from tests.planted_bugs.serving import listening

FULL = bool(os.environ.get("APIDOUBLE_PLANTED"))
"""The full size: every check and operation against each mutant, and a minute for each correct service."""

SECONDS = 60.0 if FULL else 10.0
CORRECT_SECONDS = 60.0 if FULL else 3.0
SCALE = 1.0 if FULL else 0.25

_HERE = Path(__file__).parent


def told(findings: tuple[Finding, ...]) -> str:
    """The findings that fail a run, to read."""
    return "\n".join(
        f"{finding.check} {finding.operation_id}: {finding.sentence}\n  "
        + "\n  ".join(f"{r.request.method} {r.request.target} {r.request.body[:200]!r} -> {r.status} "
                      f"{r.reply.body[:200]!r}" for r in finding.sequence)
        for finding in findings if finding.fails
    )  # fmt: skip


# The list itself


def test_the_names_of_mutants_are_unique() -> None:
    assert len({str(mutant) for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_every_mutant_names_checks_that_there_are(mutant: Mutant) -> None:
    assert set(mutant.checks) <= set(all_checks())


def test_every_planted_branch_of_the_bakery_is_a_mutant() -> None:
    sources = [path.read_text() for path in (_HERE / BAKERY).glob("*.py")]
    branches = {part.partition('"')[0] for text in sources for part in text.split('planted("')[1:]}
    branches |= {part.partition('"')[0] for text in sources for part in text.split('unguarded_when="')[1:]} - {""}
    assert branches == {mutant.name for mutant in MUTANTS if mutant.target == BAKERY}


# Correct services


CORRECT = [(target, closed) for target in (BAKERY, "kirimdev", "layercake", "cloudvelous-crm")
           for closed in (True, False)]  # fmt: skip
HELD_ELSEWHERE = {("kirimdev", True), ("kirimdev", False), ("layercake", True), ("cloudvelous-crm", True)}
"""Those of which ``tests/acceptance/test_checks_hold.py`` shows the same at the small size."""


@pytest.mark.parametrize(
    ("target", "closed"),
    [
        pytest.param(target, closed, id=f"{target}-{'closed' if closed else 'open'}")
        for target, closed in CORRECT
        if FULL or (target, closed) not in HELD_ELSEWHERE
    ],
)
def test_a_correct_service_is_not_blamed(target: str, *, closed: bool) -> None:
    plan = Plan(source(target), checks(()), closed=closed, seconds=CORRECT_SECONDS, scale=SCALE,
                task_seconds=CORRECT_SECONDS / 4)  # fmt: skip
    report = run(plan, service_of(target, None, closed=closed), callers(target))
    assert report.holds, told(report.findings)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_the_correct_bakery_is_not_blamed_over_http(*, closed: bool) -> None:
    app = create_app()
    with listening(app) as url:
        transport = over_http(url)
        reset: Callable[[], None] = app.extensions["bakery"].reset

        def make(_: int, watch: Callable[[Recorded], None]) -> Service:
            return Service(transport, base_url=url, reset=reset if closed else None, watch=watch)

        plan = Plan(source(BAKERY), checks(()), closed=closed, seconds=CORRECT_SECONDS, scale=SCALE,
                    task_seconds=CORRECT_SECONDS / 4)  # fmt: skip
        report = run(plan, make, callers(BAKERY))
    assert report.holds, told(report.findings)


# Mutants


def _marked(mutant: Mutant) -> object:
    marks = [pytest.mark.xfail(reason=mutant.survives, strict=True)] if mutant.survives else []
    if str(mutant) in AT_FULL_SIZE:
        marks.append(pytest.mark.skipif(not FULL, reason="hunted at full size only (APIDOUBLE_PLANTED=1)"))
    return pytest.param(mutant, id=str(mutant), marks=marks)


PLAYED = MUTANTS if FULL else (*representative(BAKERY_MUTANTS), *PACK_MUTANTS)
"""The mutants that are tried: all, or of the bakery's one for each check."""


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [_marked(mutant) for mutant in PLAYED])
def test_a_mutant_is_killed(mutant: Mutant) -> None:
    report = hunted(mutant, seconds=SECONDS) if FULL else hunted_small(mutant, seconds=SECONDS)
    assert not report.holds, [(done.task.name, done.held, done.error) for done in report.done]


# The shared model


def _sandbox(fixtures: str) -> Sandbox:
    return Sandbox([pack(fixtures)], options=Options(limits=False))


def _plays(mutant: ModelMutant) -> bool:
    """Whether the transcript that is the witness holds."""
    source_ = pack(mutant.fixtures)
    assert source_.fixtures is not None
    box = Sandbox([source_])
    path = source_.fixtures / "exchanges" / f"{mutant.transcript}.yaml"
    return exchanges.run(exchanges.load(path), in_process(box, box.universes.default)) is None


@pytest.mark.parametrize("mutant", MODEL_MUTANTS, ids=str)
def test_a_mistake_of_the_shared_model_is_found_by_a_transcript(
    mutant: ModelMutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.plant(monkeypatch)
    assert not _plays(mutant)


@pytest.mark.parametrize("fixtures", sorted({(m.fixtures, m.transcript) for m in MODEL_MUTANTS}), ids="-".join)
def test_the_witnesses_hold_without_the_mistakes(fixtures: tuple[str, str]) -> None:
    assert _plays(next(mutant for mutant in MODEL_MUTANTS if (mutant.fixtures, mutant.transcript) == fixtures))


@pytest.mark.parametrize("mutant", [mutant for mutant in MODEL_MUTANTS if mutant.relation is not None], ids=str)
def test_a_mistake_of_the_shared_model_is_found_by_a_relation(
    mutant: ModelMutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Service and oracle are the same wrong model; only exchanges against each other can tell."""
    assert mutant.relation is not None
    check, operations = mutant.relation
    mutant.plant(monkeypatch)
    box = _sandbox(mutant.fixtures)
    api = next(iter(box.apis.values()))

    def make(_: int, watch: Callable[[Recorded], None]) -> Service:
        universe = box.universes.default
        return Service(into_universe(box, api.name, universe), base_url="http://localhost", reset=universe.reset,
                       watch=watch)  # fmt: skip

    plan = Plan(pack(mutant.fixtures), frozenset({check}), operations=operations, closed=True, seconds=SECONDS,
                first_only=True)  # fmt: skip
    assert not run(plan, make, seeded_callers(api, now=datetime.now(UTC))).holds

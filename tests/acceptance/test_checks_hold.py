"""Every check against services that are correct by definition, the doubles themselves: none is blamed for anything.

By default the runs are short. ``APIDOUBLE_CHECKS=60`` is the full size: that many seconds for each, and all of a task.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.callers import seeded_callers
from contracts.checks.registry import all_checks
from contracts.findings import Side
from contracts.resetting import resetting
from contracts.running import Plan, Report, run
from contracts.service import Service, Watch
from contracts.targets import powers_in_process
from contracts.transports import into_universe, over_http
from mock_server import MockServer, Options
from mock_server.packs import ApiSource, source_of
from mock_server.sandbox import Sandbox

DESCRIPTIONS = Path(__file__).parent / "descriptions"
SHOP = str(DESCRIPTIONS / "shop.yaml")
UNLIMITED = Options(limits=False)

PACKS = (
    "cloudvelous-crm",
    "cloudvelous-analytics",
    "cloudvelous-ai",
    "kirimdev",
    "kirimdev@3.1.1",
    "layercake",
    "versori",
)
PLAIN = (SHOP, str(DESCRIPTIONS / "openapi-3.1" / "tasks.yaml"))
REPZO = "repzo"
SOME_OF_REPZO = ("client", "product")
"""The collections of Repzo that are checked here, of more than a hundred."""


FULL = os.environ.get("APIDOUBLE_CHECKS")
SECONDS = float(FULL or 5)
SCALE = 1.0 if FULL else 0.15

SENSIBLE = 0.3
"""The least part of a run's tasks that has to come to something: the cheapest ones need what only few APIs have."""


def held(plan: Plan, make: Callable[[int, Watch], Service], box: Sandbox) -> Report:
    """The report of a run, when it blames nobody and could make what it planned."""
    served = next(iter(box.apis.values()))
    report = run(plan, make, seeded_callers(served, now=datetime.now(UTC)))
    blamed = [
        (f.check, f.operation_id, f.sentence, [(r.request.method, r.request.target, r.status) for r in f.sequence])
        for f in report.findings
        if f.side is Side.SERVICE
    ]
    assert not blamed
    assert not [(done.task.name, done.error) for done in report.done if done.error]
    return report


def share_applied(report: Report) -> float:
    """Which part of the tasks that began in time came to anything."""
    made = [done.held for done in report.done if done.held is not None and done.held.attempts]
    assert made
    return sum(held.applied for held in made) / len(made)


def in_process(source: ApiSource, *, closed: bool = True, operations: tuple[str, ...] | None = None) -> Report:
    """A run against a double in this process."""
    box = Sandbox([source], options=UNLIMITED)
    served = next(iter(box.apis.values()))

    def make(number: int, watch: Watch) -> Service:
        universe = box.universes.get(f"checked-{number}")
        return Service(into_universe(box, served.name, universe), base_url="http://localhost",
                       reset=universe.reset if closed else None, watch=watch, wait=lambda _: None,
                       powers=powers_in_process(box, universe, served.name))  # fmt: skip

    plan = Plan(source, frozenset(all_checks()), operations=operations, closed=closed, seconds=SECONDS, scale=SCALE,
                task_seconds=SECONDS / 5)  # fmt: skip
    return held(plan, make, box)


@contextmanager
def running(source: ApiSource) -> Iterator[str]:
    """The URL of a double of one API."""
    with MockServer(source, options=UNLIMITED) as server:
        yield server.url


@pytest.mark.parametrize("name", PACKS)
def test_no_check_blames_a_pack(name: str) -> None:
    report = in_process(source_of(name))
    assert share_applied(report) > SENSIBLE


@pytest.mark.parametrize("collection", SOME_OF_REPZO)
def test_no_check_blames_a_part_of_repzo(collection: str) -> None:
    source = source_of(REPZO)
    api = next(iter(Sandbox([source], options=UNLIMITED).apis.values())).api
    operations = tuple(name for name, ref in api.refs.items() if ref.template.text.split("/")[1:2] == [collection])
    assert operations
    report = in_process(source, operations=operations)
    assert share_applied(report) > SENSIBLE


@pytest.mark.parametrize("description", PLAIN, ids=lambda path: Path(path).stem)
def test_no_check_blames_a_plain_description(description: str) -> None:
    report = in_process(source_of(description))
    assert share_applied(report) > SENSIBLE


def test_no_check_blames_a_pack_with_data_of_others() -> None:
    report = in_process(source_of("kirimdev"), closed=False)
    assert share_applied(report) > SENSIBLE


@pytest.mark.parametrize("name", ["kirimdev", SHOP], ids=["kirimdev", "shop"])
def test_no_check_blames_a_double_over_http(name: str) -> None:
    source = source_of(name)
    box = Sandbox([source], options=UNLIMITED)
    with running(source) as url:
        transport, reset = over_http(url), resetting(f"{url}/__mock__/reset")

        def make(_: int, watch: Watch) -> Service:
            return Service(transport, base_url=url, reset=reset, watch=watch)

        plan = Plan(source, frozenset(all_checks()), closed=True, seconds=SECONDS, scale=SCALE,
                    task_seconds=SECONDS / 5)  # fmt: skip
        report = held(plan, make, box)
    assert share_applied(report) > SENSIBLE

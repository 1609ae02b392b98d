"""A running sandbox is checked like a service of its own: its clock is moved and its state written over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from contracts import receiving, stories
from contracts.bench import Bench
from contracts.callers import seeded_callers
from contracts.checks.registry import chosen
from contracts.hunting import Hunt
from contracts.resetting import resetting
from contracts.running import Plan, bench
from contracts.service import Service
from contracts.targets import powers_over_http
from contracts.transports import over_http
from mock_server import MockServer
from mock_server.packs import pack


@pytest.fixture(scope="module")
def at() -> Iterator[Bench]:
    """A bench on a sandbox that listens, with powers over it."""
    source = pack("kirimdev")
    with MockServer(source) as server:
        root = server.url.removesuffix("/kirimdev")
        service = Service(
            over_http(server.url),
            base_url=server.url,
            reset=resetting(f"{root}/__mock__/reset"),
            powers=powers_over_http(root, "default", "kirimdev"),
        )
        plan = Plan(source, chosen(("exchange", "webhook"), ()), closed=True)
        hunt = Hunt(time.monotonic() + 60, plan.checks)
        served = server.sandbox.api("kirimdev")
        yield bench(plan, service, hunt, seeded_callers(served, now=datetime.now(UTC)))


@pytest.mark.parametrize("name", ["exchange onboarding", "exchange setup-links"])
def test_a_transcript_that_moves_the_clock_and_writes_state_holds_over_http(at: Bench, name: str) -> None:
    task = next(task for task in stories.tasks(at) if task.name == name)
    held = task.make(at)
    assert held.applied, held.why
    assert [str(finding) for finding in at.hunt.found.values()] == []


@pytest.mark.parametrize("name", ["webhook createContact to", "webhook retry to"])
def test_webhooks_of_a_running_sandbox_are_received(at: Bench, name: str) -> None:
    task = next(task for task in receiving.tasks(at) if task.name.startswith(name))
    held = task.make(at)
    assert held.applied, held.why
    assert [str(finding) for finding in at.hunt.found.values()] == []

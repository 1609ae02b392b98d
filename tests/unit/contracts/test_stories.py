"""Transcripts and workflows played to a service: those of packs hold on their double, and planted bugs are found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from contracts.bench import Bench, Held
from contracts.callers import seeded_callers
from contracts.checks.registry import chosen
from contracts.exchanges import load
from contracts.findings import Finding, Side
from contracts.hunting import Hunt
from contracts.running import Plan, bench
from contracts.service import Reply, Service, Transport
from contracts.stories import tasks
from contracts.targets import powers_in_process
from contracts.transports import into_universe
from contracts.worlds import own_part
from mock_server.packs import pack
from mock_server.sandbox import Options, Sandbox

Change = Callable[[str, str, Reply], Reply]


def bench_of(
    name: str, *, change: Change | None = None, closed: bool = True, powers: bool = True, limits: bool = True
) -> Bench:
    """A bench on a pack's double, whose replies ``change`` spoils."""
    source = pack(name)
    box = Sandbox([source], options=Options(limits=limits))
    served = box.api(name)
    universe = box.universes.get("story")
    service = Service(
        _changed(into_universe(box, name, universe), change),
        base_url="http://localhost",
        reset=universe.reset if closed else None,
        wait=lambda _: None,
        powers=powers_in_process(box, universe, name) if powers else None,
    )
    plan = Plan(source, chosen(("exchange", "workflow"), ()), closed=closed)
    hunt = Hunt(time.monotonic() + 60, plan.checks)
    return bench(plan, service, hunt, seeded_callers(served, now=datetime.now(UTC)))


def _changed(transport: Transport, change: Change | None) -> Transport:
    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = transport(method, target, headers, body)
        return change(method, target, reply) if change is not None else reply

    return send


def made(at: Bench, *names: str) -> dict[str, Held]:
    """How the tasks of some names (all, if none is given) ended."""
    found = {task.name: task for task in tasks(at)}
    return {name: found[name].make(at) for name in names or found}


def findings(at: Bench) -> list[Finding]:
    return list(at.hunt.found.values())


@pytest.mark.parametrize(("name", "tells"), [("kirimdev", {"exchange older-version"}), ("layercake", set())])
def test_every_story_of_a_pack_holds_on_its_double(name: str, tells: set[str]) -> None:
    at = bench_of(name)
    ended = made(at)
    assert [str(finding) for finding in findings(at)] == []
    assert {story for story, held in ended.items() if not held.applied} == tells
    assert len(ended) > 20


def spoiled(method: str, target: str, reply: Reply) -> Reply:
    """A customer begins as active, not as pending."""
    if method == "POST" and target == "/customers":
        return replace(reply, body=reply.body.replace(b'"pending"', b'"active"'))
    return reply


def test_a_transcript_that_does_not_hold_names_its_step_and_its_line() -> None:
    at = bench_of("kirimdev", change=spoiled)
    made(at, "exchange customers")
    (found,) = findings(at)
    assert (found.check, found.side, found.operation_id) == ("exchange", Side.SERVICE, "createCustomer")
    assert "a name is enough" in found.sentence
    assert "seed 001" in found.sentence
    assert [(each.pointer, each.expected, each.got) for each in found.differences] == [
        ("/data/status", "pending", "active")
    ]
    assert found.place is not None
    assert found.place.file.endswith("customers.yaml")
    assert found.place.line
    assert [recorded.operation_id for recorded in found.sequence] == ["createCustomer"]
    assert found.sequence[-1].caller is not None


def test_a_workflow_that_does_not_hold_names_its_step_and_its_criterion() -> None:
    at = bench_of("kirimdev", change=spoiled)
    made(at, "workflow onboard-a-customer")
    (found,) = findings(at)
    assert (found.check, found.operation_id) == ("workflow", "createCustomer")
    assert "onboard-a-customer" in found.sentence
    assert "step create" in found.sentence
    assert [(each.pointer, each.got) for each in found.differences] == [("/data/status", "active")]


def test_what_happens_only_once_is_said_to_be_unsteady() -> None:
    calls: list[str] = []

    def once(method: str, target: str, reply: Reply) -> Reply:
        calls.append(target)
        return spoiled(method, target, reply) if len(calls) == 1 else reply

    at = bench_of("kirimdev", change=once)
    made(at, "exchange customers")
    (found,) = findings(at)
    assert any("not happen each time" in note for note in found.notes)


def test_a_limit_that_is_switched_off_is_a_question_only() -> None:
    at = bench_of("layercake", limits=False)
    made(at, "exchange limits")
    assert {found.side for found in findings(at)} == {Side.DOUBLE}


def test_a_service_that_has_had_enough_is_not_blamed() -> None:
    def tired(method: str, target: str, reply: Reply) -> Reply:
        return Reply(429, (("Retry-After", "1"), ("Content-Type", "application/json")), b"{}")

    at = bench_of("kirimdev", change=tired)
    ended = made(at, "exchange customers")
    assert findings(at) == []
    assert "429" in ended["exchange customers"].why


def test_a_real_clock_is_not_asked_to_move_by_an_hour() -> None:
    at = bench_of("kirimdev", powers=False)
    ended = made(at, "exchange customers", "workflow onboard-a-customer", "exchange health")
    assert "a clock that can be moved" in ended["exchange customers"].why
    assert "somebody to write" in ended["workflow onboard-a-customer"].why
    assert ended["exchange health"].applied


def test_a_clock_that_cannot_be_stopped_makes_no_finding_of_moments() -> None:
    at = bench_of("layercake", powers=False)
    ended = made(at, "exchange webhooks")
    assert findings(at) == []
    assert ended["exchange webhooks"].attempts == 1


def test_an_open_world_is_not_asked_for_what_the_seed_has() -> None:
    at = bench_of("kirimdev", closed=False)
    ended = made(at, "exchange accounts", "exchange health")
    assert findings(at) == []
    assert "there only with the seed" in ended["exchange accounts"].why
    assert ended["exchange health"].applied


def test_a_story_of_several_apis_is_played_as_far_as_it_is_of_this_one() -> None:
    at = bench_of("cloudvelous-crm")
    ended = made(at)
    assert findings(at) == []
    assert "cloudvelous-analytics" in ended["workflow count-a-new-lead"].why
    assert ended["exchange create-lead"].applied, "what it reads elsewhere is left out"


def test_a_caller_that_is_not_given_makes_a_story_inapplicable() -> None:
    at = bench_of("kirimdev")
    at.callers = ()
    assert "no credential by the name of platform" in made(at, "exchange customers")["exchange customers"].why


def test_what_depends_on_another_api_is_not_left_out(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(
        dedent("""
            title: both
            api: shop
            steps:
              - request: {api: bank, method: GET, path: /rates}
                response: {status: 200, body: {rate: {$bind: rate}}}
              - request: {method: GET, path: "/prices/{rate}"}
                response: {status: 200}
        """)
    )
    assert own_part(load(path), "shop") is None

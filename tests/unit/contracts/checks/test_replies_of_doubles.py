"""The reply checks do not blame the doubles: over the packs' transcripts, and in runs against plain descriptions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.callers import seeded_callers
from contracts.checks.registry import all_checks
from contracts.exchanges import Answer, Send, exchange_files, load
from contracts.exchanges import run as rerun
from contracts.findings import Finding
from contracts.hunting import Hunt
from contracts.judging import Judges
from contracts.relations import tasks
from contracts.running import Plan, bench, judge_of
from contracts.service import Recorded, Reply, Service
from contracts.targets import in_process
from contracts.transports import into_universe
from contracts.wire import WireRequest
from mock_server.openapi.templates import Fit
from mock_server.packs import pack, pack_names, source_of
from mock_server.sandbox import Options, Sandbox
from tests.unit.contracts.checks.replying import REPLY_CHECKS

DESCRIPTIONS = Path(__file__).parents[3] / "acceptance" / "descriptions"
PACKS = tuple(pack(name) for name in pack_names())
FOLDERS = tuple({source.fixtures: None for source in PACKS if source.fixtures is not None})


def listening(plain: Send, box: Sandbox, judges: Mapping[str, Judges], said: list[str]) -> Send:
    """Sends as ``plain`` does; what the judges say of each answer is added to ``said``."""

    def send(api: str, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = plain(api, method, url, headers, body)
        status, answered, content = answer
        found = box.api(api).api.match(method, url.partition("?")[0])
        operation_id = found.target if found.fit is Fit.FULL else None
        request = WireRequest(method, url, headers, body)
        recorded = Recorded(1, operation_id, request, Reply(status, tuple(answered.items()), content))
        said.extend(f"{method} {url}: {one.check}: {one.sentence}" for one in judges[api](recorded))
        return answer

    return send


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_transcripts_of_packs_give_no_finding(folder: Path) -> None:
    all_checks()
    sources = [source for source in PACKS if source.fixtures == folder]
    box = Sandbox(sources)
    judges = {
        name: Judges(served.api, judge=judge_of(source), checks=REPLY_CHECKS)
        for (name, served), source in zip(box.apis.items(), sources, strict=True)
    }
    said: list[str] = []
    for path in exchange_files(folder):
        target = in_process(box, box.universes.get(f"replies-{path.stem}"))
        heard = replace(target, send=listening(target.send, box, judges, said))
        assert rerun(load(path), heard) is None
    assert said == []


def reported(file: str, spoil: Callable[[Reply], Reply] = lambda reply: reply) -> tuple[list[Finding], int]:
    """What the relation tasks find in the replies of a double, spoilt on their way; and how many replies there were."""
    source = source_of(str(DESCRIPTIONS / file))
    box = Sandbox([source], options=Options(limits=False))
    served = next(iter(box.apis.values()))
    universe = box.universes.get("replies")
    plain = into_universe(box, served.name, universe)

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return spoil(plain(method, target, headers, body))

    sent: list[Recorded] = []
    service = Service(send, base_url="http://double.test", reset=universe.reset, watch=sent.append, wait=lambda _: None)
    all_checks()
    plan = Plan(source, REPLY_CHECKS | {"read_your_write"}, closed=True)
    hunt = Hunt(time.monotonic() + 60, plan.checks)
    at = bench(plan, service, hunt, seeded_callers(served, now=datetime.now(UTC)))
    for task in tasks(at):
        task.make(at)
    return [one for one in hunt.found.values() if one.check in REPLY_CHECKS], len(sent)


@pytest.mark.parametrize("file", ["pets.yaml", "shop.yaml"])
def test_runs_against_plain_descriptions_give_questions_at_most(file: str) -> None:
    found, sent = reported(file)
    assert sent > 10
    assert [one for one in found if one.fails] == []
    # A refusal that such a description leaves out is a question to its author, and nothing else is.
    assert {one.check for one in found} <= {"undescribed_status"}


def test_run_finds_a_reply_that_breaks_its_schema() -> None:
    def spoil(reply: Reply) -> Reply:
        return replace(reply, body=reply.body.replace(b'"name":', b'"nam":')) if reply.status < 300 else reply

    found = [one for one in reported("pets.yaml", spoil)[0] if one.check == "reply_schema"]
    assert found
    assert all(one.fails and one.sequence[-1].ok and one.place is not None for one in found)

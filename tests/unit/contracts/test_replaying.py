"""A finding in a file still happens on a broken service, and is gone on a correct one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.findings import Difference
from contracts.replaying import Verdict, read_finding, replay, write_finding
from contracts.service import Caller, Reply, Service
from contracts.wire import WireRequest
from mock_server.errors import FixtureError

from .reports.broken_shop import ALICE, SECRET, Shop

CALLERS = [ALICE]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "finding.json"
    write_finding(Shop().finding(), path)
    return path


def test_a_finding_reads_back_as_it_was_written(tmp_path: Path) -> None:
    finding = Shop().finding()
    path = tmp_path / "finding.json"
    write_finding(finding, path)
    read = read_finding(path, CALLERS)
    assert read.fingerprint == finding.fingerprint
    assert read.differences == finding.differences
    assert [one.reply.body for one in read.sequence] == [one.reply.body for one in finding.sequence]
    assert (read.place, read.seed, read.side) == (finding.place, 7, finding.side)


def test_it_still_happens_on_a_service_that_is_still_broken(file: Path) -> None:
    found = replay(file, Shop().service, CALLERS)
    assert found.still
    assert [difference.pointer for difference in found.differences] == ["/price"]


def test_it_is_gone_from_a_service_that_is_correct(file: Path) -> None:
    found = replay(file, Shop(broken=False).service, CALLERS)
    assert found.verdict is Verdict.GONE


def test_ids_of_the_new_server_take_the_places_of_the_old_ones(file: Path) -> None:
    shop = Shop()
    unreset = Service(shop.service._transport, base_url="http://localhost")
    for _ in range(3):
        unreset.send(
            WireRequest("POST", "/products", {"Content-Type": "application/json"}, b'{"name": "a", "price": 1}')
        )
    found = replay(file, unreset, CALLERS)
    assert found.still
    assert found.sequence[1].request.target == "/products/4"


def test_credentials_are_those_that_are_given_now(file: Path) -> None:
    renewed = Caller("alice", {"Authorization": "Bearer renewed"}, secrets=("renewed",))
    assert SECRET not in file.read_text(encoding="utf-8")
    found = replay(file, Shop().service, [renewed])
    assert found.sequence[0].request.headers["Authorization"] == "Bearer renewed"


def test_nothing_is_said_when_an_earlier_request_goes_astray(file: Path) -> None:
    refusing = Service(lambda *_: Reply(503, (), b""), base_url="http://localhost")
    found = replay(file, refusing, CALLERS)
    assert found.verdict is Verdict.ASTRAY
    assert "request 1 of 2 (POST /products) is answered 503; it was 201" in found.why


def test_an_expected_status_is_what_the_last_reply_is_held_against(tmp_path: Path) -> None:
    finding = Shop().finding()
    made, read = finding.sequence
    lost = replace(read, reply=replace(read.reply, status=404))
    finding = replace(finding, sequence=(made, lost), differences=(Difference("status", 200, 404, ""),))
    path = tmp_path / "finding.json"
    write_finding(finding, path)
    assert replay(path, Shop().service, CALLERS).verdict is Verdict.GONE


@pytest.mark.parametrize(("text", "told"), [("{", "cannot be read"), ("[]", "no finding"), ("{}", "no finding")])
def test_a_file_that_is_no_finding_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FixtureError, match=told):
        read_finding(path)


def test_an_unknown_caller_is_asked_for(file: Path) -> None:
    with pytest.raises(FixtureError, match="not known here"):
        read_finding(file, [])

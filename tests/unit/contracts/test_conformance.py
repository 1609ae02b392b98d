"""Conformance: what Schemathesis finds through our line, what is verified, and who is blamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks

from contracts.checks.schemathesis import CHECKS_OF_SCHEMATHESIS
from contracts.conformance.campaign import Campaign
from contracts.conformance.verification import Verifier
from contracts.findings import Side
from contracts.service import Recorded
from contracts.wire import WireRequest
from mock_server.openapi.compile import Api
from mock_server.packs import ApiSource
from mock_server.sandbox import Sandbox
from tests.unit.contracts.conformance_shop import DESCRIPTION, TOKEN, blamed, cakes, checked, sequenced


@pytest.fixture
def api(tmp_path: Path) -> Api:
    import json

    path = tmp_path / "cakes.json"
    path.write_text(json.dumps(DESCRIPTION))
    (served,) = Sandbox([ApiSource("cakes", path)]).apis.values()
    return served.api


def test_every_check_of_the_installed_library_is_registered() -> None:
    load_all_checks()
    assert set(CHECKS_OF_SCHEMATHESIS) == set(CHECKS.get_all_names())


@pytest.mark.parametrize(
    ("bug", "operation_id", "check"),
    [
        ("takes any limit", "listCakes", "schemathesis_negative_data_rejection"),
        ("takes long names", "createCake", "schemathesis_negative_data_rejection"),
        ("misses no header", "listCakes", "schemathesis_missing_required_header"),
        ("ignores the credential", "listCakes", "schemathesis_ignored_auth"),
        ("answers text", "listCakes", "schemathesis_content_type_conformance"),
        ("forgets a header", "createCake", "schemathesis_response_headers_conformance"),
        ("fails on no name", "createCake", "schemathesis_not_a_server_error"),
    ],
)
def test_planted_bug_is_found_by_its_check(tmp_path: Path, bug: str, operation_id: str, check: str) -> None:
    assert check in blamed(checked(tmp_path, cakes(bug), check, operation_id=operation_id))


@pytest.mark.parametrize("operation_id", ["listCakes", "createCake"])
def test_a_correct_service_is_blamed_for_nothing(tmp_path: Path, operation_id: str) -> None:
    report = checked(tmp_path, cakes(), "conformance", operation_id=operation_id)
    assert not list(blamed(report))
    assert report.exchanges > 20


def test_what_a_reply_check_of_ours_finds_is_not_told_twice(tmp_path: Path) -> None:
    found = checked(tmp_path, cakes("answers text"), "conformance", operation_id="listCakes").findings
    assert "reply_media_type" in {finding.check for finding in found}
    assert "schemathesis_content_type_conformance" not in {finding.check for finding in found}
    assert any("Schemathesis" in note for finding in found for note in finding.notes)


def test_a_finding_shows_the_request_that_makes_it(tmp_path: Path) -> None:
    name = "schemathesis_negative_data_rejection"
    (found,) = checked(tmp_path, cakes("takes long names"), name, operation_id="createCake").findings
    assert found.sequence[-1].status == 201
    assert len(found.sequence[-1].json["name"]) > 20
    assert found.place is not None
    assert found.differences[0].pointer == "status"


def test_requests_carry_the_credential_of_the_caller(tmp_path: Path) -> None:
    sent: list[Recorded] = []
    checked(tmp_path, cakes(), "schemathesis_negative_data_rejection", operation_id="createCake", sent=sent)
    assert {recorded.request.headers.get("Authorization") for recorded in sent} == {TOKEN}
    assert {recorded.caller.name for recorded in sent if recorded.caller is not None} == {"given"}


def test_valid_wire_forms_are_not_sent_as_invalid_ones(tmp_path: Path, api: Api) -> None:
    sent: list[Recorded] = []
    check = "schemathesis_negative_data_rejection"
    report = checked(tmp_path, cakes(), check, operation_id="listCakes", sent=sent)
    assert not report.findings
    verify = Verifier(api)
    refused = [recorded for recorded in sent if recorded.status == 400]
    assert refused
    assert all(verify(recorded.request).violates("listCakes") for recorded in refused)


def test_something_generated_as_invalid_is_valid_on_the_wire_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out: list[str] = []
    keeps = Campaign._keeps

    def spied(campaign: Campaign, case: Case[Any]) -> bool:
        kept = keeps(campaign, case)
        if not kept:
            left_out.append(str(case.query))
        return kept

    monkeypatch.setattr(Campaign, "_keeps", spied)
    checked(tmp_path, cakes(), "schemathesis_negative_data_rejection", operation_id="listCakes")
    assert left_out


def test_what_is_served_after_its_delete_is_found_by_a_sequence(tmp_path: Path) -> None:
    name = "schemathesis_use_after_free"
    (found,) = sequenced(tmp_path, forgetful=True, check=name).findings
    assert found.side is Side.SERVICE
    assert [recorded.request.method for recorded in found.sequence][-2:] == ["DELETE", "GET"]
    assert found.sequence[0].request.method == "POST"


def test_a_correct_delete_is_not_blamed(tmp_path: Path) -> None:
    report = sequenced(tmp_path, forgetful=False, check="schemathesis_use_after_free")
    assert not report.findings
    assert report.exchanges > 5


@pytest.mark.parametrize(
    ("target", "valid"),
    [
        ("/cakes?limit=1", True),  # generated as the text "1"
        ("/cakes?tags=", True),  # generated as [] or [""]
        ("/cakes?unknown=1", True),
        ("/cakes?limit=0", False),
        ("/cakes?limit=one", False),
        ("/cakes?limit=null", False),
    ],
)
def test_the_wire_decides_what_is_invalid(api: Api, target: str, valid: bool) -> None:
    verified = Verifier(api)(WireRequest("GET", target, {"X-Shop": "vienna"}, b""))
    assert verified.is_valid_for("listCakes") is valid
    assert verified.violates("listCakes") is not valid


def test_a_request_that_leads_elsewhere_breaks_nothing(api: Api) -> None:
    verified = Verifier(api)(WireRequest("GET", "/cakes/7", {}, b""))
    assert verified.operation_id is None
    assert not verified.violates("listCakes")

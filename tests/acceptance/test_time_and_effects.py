"""Time, effects and serial numbers on a whole server: seeds, sibling APIs, the control API, threads over HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from mock_server import Api, MockServer, Options, compile_api
from mock_server.errors import AnnotationError
from mock_server.openapi.values import Json
from mock_server.packs import source_of
from mock_server.sandbox import Sandbox
from mock_server.web.app import app_for
from tests.unit.model.doubles import INTEGER, MOMENT, TEXT, crud, document, ref, thing
from tests.unit.web.controlled import NOW, Double, double

MESSAGE = thing(
    {
        "id": INTEGER,
        "campaign": INTEGER,
        "number": TEXT,
        "text": TEXT,
        "status": {"type": "string", "enum": ["queued", "sent", "delivered"]},
        "sent_at": MOMENT,
        "expires_at": TEXT,
    },
    "id",
)
CAMPAIGN = thing({"id": INTEGER, "name": TEXT, "sent": INTEGER, "messages": INTEGER}, "id")
SCHEMAS = {"Message": MESSAGE, "Campaign": CAMPAIGN}
MESSAGES: dict[str, Json] = {
    "assigned": {"number": {"serial": "M-{year}-{number:04}"}},
    "unique": [["text"]],
    "states": {
        "property": "status",
        "initial": "queued",
        "transitions": {
            "send": {"from": ["queued"], "to": "sent", "after": "PT1S", "set": {"sent_at": "$now"}},
            "deliver": {"from": ["sent"], "to": "delivered", "after": "PT2S"},
        },
    },
    "events": {
        "message.moved": {
            "on": "updated",
            "when": "$before#/status != $resource#/status",
            "payload": {"id": "$resource#/id", "status": "$resource#/status", "at": "$now"},
        }
    },
    "effects": [
        {"on": "created", "update": "campaigns", "key": "$resource#/campaign", "increase": {"messages": 1}},
        {"on": "updated", "when": "$before#/status == 'queued' && $resource#/status == 'sent'", "update": "campaigns",
         "key": "$resource#/campaign", "increase": {"sent": 1}},
    ],
}  # fmt: skip


def paths(name: str, schema: str) -> dict[str, Any]:
    taken = SCHEMAS[schema]["properties"]
    return crud(ref(schema), thing({member: taken[member] for member in taken if member != "id"}), path=name)


def outbox() -> dict[str, Any]:
    """Messages with all their rules, and the campaigns that these change."""
    return document(
        {**paths("/messages", "Message"), **paths("/campaigns", "Campaign")},
        SCHEMAS,
        **{"x-mock-namespace": "mail", "x-mock-resources": {
            "messages": deepcopy(MESSAGES), "campaigns": {"assigned": {"sent": "zero", "messages": "zero"}}}},
    )  # fmt: skip


def office() -> dict[str, Any]:
    """Another API on the same messages, which declares no rule of its own."""
    return document(
        paths("/messages", "Message"),
        SCHEMAS,
        **{"x-mock-namespace": "mail", "x-mock-resources": {"messages": {"key": "id"}}},
    )


def api(description: dict[str, Any], name: str) -> Api:
    return compile_api(description, name=name)


@pytest.fixture
def mail() -> Double:
    """Both APIs, the clock at ``NOW``."""
    return double(api(outbox(), "outbox"), api(office(), "office"))


def advance(mail: Double, by: str) -> None:
    assert mail.control("POST", "/clock", json={"advance": by}).status_code == 200


def events(mail: Double) -> list[tuple[str, str, Any]]:
    found = mail.control("GET", "/events").json["events"]
    return [(event["time"], event["api"], event["payload"]["status"]) for event in found]


# Sibling APIs


def test_rules_of_one_description_hold_for_writes_through_another(mail: Double) -> None:
    mail.call("POST", "/outbox/campaigns", json={"name": "spring"})
    made = mail.call("POST", "/office/messages", json={"campaign": 1, "status": "queued"})
    assert made.status_code == 201, made.text
    advance(mail, "PT1S")
    assert mail.call("GET", "/office/messages/1").json["status"] == "sent"
    assert mail.call("GET", "/outbox/campaigns/1").json == {"id": 1, "name": "spring", "sent": 1, "messages": 1}
    assert events(mail) == [("2026-01-02T03:04:06Z", "outbox", "sent")]


def test_rules_that_two_descriptions_declare_alike_hold_once() -> None:
    mail = double(api(outbox(), "outbox"), api(outbox(), "twin"))
    mail.call("POST", "/outbox/campaigns", json={"name": "spring"})
    mail.call("POST", "/twin/messages", json={"campaign": 1})
    advance(mail, "PT5S")
    assert mail.call("GET", "/outbox/campaigns/1").json["messages"] == 1
    assert [status for _, _, status in events(mail)] == ["sent", "delivered"]


# The control API


@pytest.mark.parametrize("look", ["/state/outbox", "/state/outbox/messages", "/state/outbox/messages/1"])
def test_what_is_due_has_happened_whenever_the_control_api_looks(mail: Double, look: str) -> None:
    mail.call("POST", "/outbox/messages", json={})
    advance(mail, "PT1H")
    assert '"status":"delivered"' in mail.control("GET", look).text.replace(" ", "")


def test_a_snapshot_is_taken_after_what_is_due(mail: Double) -> None:
    mail.call("POST", "/outbox/messages", json={})
    advance(mail, "PT1S")
    mail.control("PUT", "/snapshots/sent")
    advance(mail, "PT1H")
    assert mail.call("GET", "/outbox/messages/1").json["status"] == "delivered"
    mail.control("POST", "/snapshots/sent/restore")
    mail.control("POST", "/clock", json={"freeze": "2026-01-02T03:04:07Z"})
    assert mail.call("GET", "/outbox/messages/1").json["status"] == "sent"


def test_advancing_the_clock_runs_what_becomes_due_at_once(mail: Double) -> None:
    mail.call("POST", "/outbox/messages", json={})
    advance(mail, "PT3S")
    state = mail.app.extensions["apidouble"].universes.default.state
    assert state.timers is None


def test_an_item_that_the_control_api_puts_into_a_state_waits_in_it(mail: Double) -> None:
    put = mail.control("PUT", "/state/outbox/messages/5", json={"status": "sent", "campaign": 1})
    assert put.status_code == 200, put.text
    advance(mail, "PT1.9S")
    assert mail.call("GET", "/outbox/messages/5").json["status"] == "sent"
    advance(mail, "PT0.1S")
    assert mail.call("GET", "/outbox/messages/5").json["status"] == "delivered"


def test_writes_of_the_control_api_have_effects(mail: Double) -> None:
    mail.call("POST", "/outbox/campaigns", json={"name": "spring"})
    mail.control("PUT", "/state/office/messages/5", json={"status": "queued", "campaign": 1})
    assert mail.call("GET", "/outbox/campaigns/1").json["messages"] == 1


def test_an_effect_that_breaks_something_refuses_a_write_of_the_control_api() -> None:
    broken = outbox()
    broken["x-mock-resources"]["messages"]["effects"][0]["set"] = {"name": 1}
    mail = double(api(broken, "outbox"))
    mail.call("POST", "/campaigns", json={"name": "spring"})
    refused = mail.control("PUT", "/state/outbox/messages/5", json={"status": "queued", "campaign": 1})
    assert refused.status_code == 422
    assert "breaks its schema" in refused.text
    assert mail.call("GET", "/messages").json == []


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "/state/outbox/messages", [{"id": 1, "status": "queued", "number": "M-2026-0041"}]),
        ("PUT", "/state/outbox", {"messages": [{"id": 1, "status": "queued", "number": "M-2026-0041"}]}),
        ("PATCH", "/state/outbox", {"messages": [{"id": 1, "status": "queued", "number": "M-2026-0041"}]}),
        ("POST", "/seed", {"outbox": {"messages": [{"id": 1, "status": "queued", "number": "M-2026-0041"}]}}),
    ],
)
def test_items_that_are_written_in_bulk_wait_and_count_as_those_of_a_seed(
    mail: Double, method: str, target: str, body: Json
) -> None:
    mail.call("POST", "/outbox/messages", json={})
    advance(mail, "PT0.5S")
    assert mail.control(method, target, json=body).status_code in {200, 204}
    advance(mail, "PT0.6S")
    assert mail.call("GET", "/outbox/messages/1").json["status"] == "queued"
    advance(mail, "PT0.4S")
    assert mail.call("GET", "/outbox/messages/1").json["status"] == "sent"
    assert mail.call("POST", "/outbox/messages", json={}).json["number"] == "M-2026-0042"
    assert len(events(mail)) == 1


def test_resources_that_are_taken_away_in_bulk_leave_no_timers(mail: Double) -> None:
    mail.call("POST", "/outbox/messages", json={})
    assert mail.control("PUT", "/state/outbox", json={}).status_code == 200
    assert mail.app.extensions["apidouble"].universes.default.state.timers is None


# Seeds


@pytest.fixture
def seeded(tmp_path: Path) -> Sandbox:
    (tmp_path / "mail.json").write_text(json.dumps(outbox()))
    (tmp_path / "seed.yaml").write_text(
        "resources:\n"
        "  campaigns: [{id: 1, name: spring, sent: 0, messages: 1}]\n"
        "  messages: [{id: 1, status: queued, campaign: 1, number: M-2026-0007}]\n"
    )
    source = source_of(str(tmp_path / "mail.json"), seed=tmp_path / "seed.yaml")
    CLOCK[0] = 1767323045.0  # NOW
    return Sandbox([source], options=Options(clock=lambda: CLOCK[0]))


CLOCK = [0.0]
"""The real time of sandboxes with a seed."""


def message(box: Sandbox, session: str) -> Any:
    return Double(app_for(box)).call("GET", "/messages/1", headers={"Mock-Session": session}).json


def test_a_seeded_item_waits_from_when_its_universe_begins(seeded: Sandbox) -> None:
    CLOCK[0] += 100
    assert message(seeded, "late")["status"] == "queued"
    CLOCK[0] += 1
    assert message(seeded, "late")["status"] == "sent"
    assert message(seeded, "later")["status"] == "queued"
    assert message(seeded, "default")["status"] == "delivered"
    seeded.universes.default.reset()
    assert message(seeded, "default")["status"] == "queued"


def test_two_universes_of_one_seed_go_the_same_way(seeded: Sandbox) -> None:
    first, second = seeded.universes.get("a"), seeded.universes.get("b")
    CLOCK[0] += 10
    assert message(seeded, "a") == message(seeded, "b")
    assert [event.event for event in first.events] == [event.event for event in second.events]
    assert len(first.events) == 2


def test_seeded_numbers_count(seeded: Sandbox) -> None:
    made = Double(app_for(seeded)).call("POST", "/messages", json={})
    assert made.json["number"] == "M-2026-0008"


# Over HTTP


def test_eight_threads_get_numbers_without_a_gap_or_a_repeat_and_refusals_use_none() -> None:
    with MockServer(api(outbox(), "outbox")) as server, requests.Session() as session:
        session.post(server.url + "/campaigns", json={"name": "spring"}, timeout=10)

        def create(worker: int) -> list[str]:
            numbers = []
            for count in range(25):
                # Every fourth text is another worker's, so that one of the two is refused.
                text = f"shared {count}" if count % 4 == 0 else f"{worker} {count}"
                answer = requests.post(server.url + "/messages", json={"campaign": 1, "text": text}, timeout=10)
                assert answer.status_code in {201, 409}
                if answer.status_code == 201:
                    numbers.append(answer.json()["number"])
            return numbers

        with ThreadPoolExecutor(8) as pool:
            numbers = [number for found in pool.map(create, range(8)) for number in found]
        year = numbers[0][:7]
        assert sorted(numbers) == [f"{year}{count:04}" for count in range(1, len(numbers) + 1)]
        assert len(numbers) == 8 * 18 + 7
        campaign = session.get(server.url + "/campaigns/1", timeout=10).json()
        assert campaign["messages"] == len(numbers)


def test_threads_that_look_at_once_make_every_move_once() -> None:
    with MockServer(api(outbox(), "outbox")) as server:
        universe = server.sandbox.universes.default
        universe.clock = universe.clock.frozen()
        for _ in range(40):
            requests.post(server.url + "/messages", json={}, timeout=10)
        universe.clock = universe.clock.advanced(timedelta(hours=1))
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: requests.get(server.url + "/messages", timeout=10).json(), range(16)))
        assert {item["status"] for answer in answers for item in answer} == {"delivered"}
        moves = [(event.event.data["id"], event.event.data["status"]) for event in universe.events]
        assert len(moves) == len(set(moves)) == 80


def test_messages_go_their_way_over_http_when_the_clock_is_advanced() -> None:
    with MockServer(api(outbox(), "outbox")) as server, requests.Session() as session:
        control = server.url + "/__mock__"
        session.post(control + "/clock", json={"freeze": NOW}, timeout=10)
        session.post(server.url + "/campaigns", json={"name": "spring"}, timeout=10)
        session.post(server.url + "/messages", json={"campaign": 1}, timeout=10)
        session.post(control + "/clock", json={"advance": "PT1H"}, timeout=10)
        told = session.get(control + "/events", timeout=10).json()["events"]
        assert [(event["time"], event["payload"]["status"]) for event in told] == [
            ("2026-01-02T03:04:06Z", "sent"),
            ("2026-01-02T03:04:08Z", "delivered"),
        ]
        assert session.get(server.url + "/campaigns/1", timeout=10).json()["sent"] == 1


# At start


def test_an_effect_on_nothing_stops_the_program_before_the_port_opens() -> None:
    broken = outbox()
    broken["x-mock-resources"]["messages"]["effects"][0]["update"] = "campaings"
    with pytest.raises(AnnotationError, match="did you mean 'campaigns'"):
        Sandbox([api(broken, "outbox")])

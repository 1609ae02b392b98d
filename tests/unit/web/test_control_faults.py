"""Faults through the control API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mock_server.openapi.values import Json
from tests.unit.web.controlled import Double, double, pets


@pytest.fixture
def zoo() -> Double:
    return double(pets())


def test_fault_strikes_as_often_as_it_counts(zoo: Double) -> None:
    fault = {"operation_id": "listpets", "status": 503, "count": 2}
    assert zoo.control("POST", "/faults", json=fault).status_code == 201
    assert [zoo.call("GET", "/pets").status_code for _ in range(3)] == [503, 503, 200]
    shown = zoo.control("GET", "/faults").json["faults"][0]
    assert (shown["count"], shown["struck"]) == (0, 2)


def test_fault_adds_headers_to_the_answer_in_the_descriptions_own_words(zoo: Double) -> None:
    zoo.control("POST", "/faults", json={"status": 503, "headers": {"Retry-After": "5"}})
    answer = zoo.call("GET", "/pets")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["status"] == 503


def test_fault_answers_what_no_description_has(zoo: Double) -> None:
    page = {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<h1>Bad Gateway</h1>"}
    zoo.control("POST", "/faults", json=page)
    answer = zoo.call("GET", "/pets")
    assert (answer.status_code, answer.content_type, answer.text) == (502, "text/html", "<h1>Bad Gateway</h1>")


def test_fault_leaves_other_operations_alone(zoo: Double) -> None:
    zoo.control("POST", "/faults", json={"operation_id": "listpets", "status": 500})
    assert zoo.create("Rex")["name"] == "Rex"


def test_struck_write_changes_nothing(zoo: Double) -> None:
    zoo.control("POST", "/faults", json={"operation_id": "createpets", "status": 500, "count": 1})
    assert zoo.call("POST", "/pets", json={"name": "Rex"}).status_code == 500
    assert zoo.names() == []


def test_fault_of_one_api_leaves_the_other_alone() -> None:
    both = double(pets("north"), pets("south"))
    both.control("POST", "/faults", json={"api": "north", "status": 418})
    assert both.call("GET", "/north/pets").status_code == 418
    assert both.call("GET", "/south/pets").status_code == 200


@pytest.mark.parametrize(("probability", "statuses"), [(0, {200}), (1, {500}), (0.5, {200, 500})])
def test_fault_strikes_with_its_probability(zoo: Double, probability: float, statuses: set[int]) -> None:
    zoo.control("POST", "/faults", json={"status": 500, "probability": probability})
    assert {zoo.call("GET", "/pets").status_code for _ in range(40)} == statuses


def test_delayed_answer_is_the_answer_it_would_have_been(zoo: Double) -> None:
    zoo.control("POST", "/faults", json={"delay": 0.05})
    before = datetime.now(UTC)
    assert zoo.call("GET", "/pets").json == []
    assert (datetime.now(UTC) - before).total_seconds() >= 0.05


def test_faults_taken_back_strike_no_more(zoo: Double) -> None:
    zoo.control("POST", "/faults", json={"status": 500})
    assert zoo.control("DELETE", "/faults").status_code == 204
    assert zoo.control("GET", "/faults").json == {"faults": []}
    assert zoo.call("GET", "/pets").status_code == 200


@pytest.mark.parametrize(
    ("asked", "pointer", "said"),
    [
        ({"operation_id": "listpet", "status": 500}, "/operation_id", "did you mean 'listpets'?"),
        ({"operation_id": 5}, "/operation_id", "must be a string"),
        ({"api": "pest"}, "/api", "did you mean 'pets'?"),
        ({"status": True}, "/status", "must be an integer"),
        ({"body": "busy"}, "", "'status'"),
        ({"status": 500, "headers": {"A b": "1"}}, "/headers/A b", "must match"),
        ({"status": "500"}, "/status", "must be an integer"),
        ({"status": 99}, "/status", "at least 200"),
        ({"status": 10**30}, "/status", "at most 599"),
        ({"delay": -1}, "/delay", "at least 0"),
        ({"delay": 3600}, "/delay", "at most 60"),
        ({"delay": "1s"}, "/delay", "must be a number"),
        ({"reset": "yes"}, "/reset", "must be a boolean"),
        ({"probability": 1.5}, "/probability", "at most 1"),
        ({"count": 1.5}, "/count", "must be an integer"),
        ({"count": -1}, "/count", "at least 0"),
        ({"staus": 500}, "/staus", "did you mean 'status'?"),
        ({}, "", "at least 1 property"),
    ],
)
def test_fault_that_makes_no_sense_is_refused(zoo: Double, asked: Json, pointer: str, said: str) -> None:
    response = zoo.control("POST", "/faults", json=asked)
    assert response.status_code == 422
    assert response.json["errors"][0]["pointer"] == pointer
    assert said in response.json["detail"]
    assert zoo.control("GET", "/faults").json == {"faults": []}

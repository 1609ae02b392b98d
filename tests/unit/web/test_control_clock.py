"""The virtual clock through the control API."""

from __future__ import annotations

import pytest

from mock_server.openapi.values import Json
from tests.unit.web.controlled import NOW, Double, double


@pytest.fixture
def pets() -> Double:
    return double()


@pytest.mark.parametrize(
    ("asked", "now", "frozen"),
    [
        ({"advance": "PT1H"}, "2026-01-02T04:04:05Z", False),
        ({"advance": "-PT5S"}, "2026-01-02T03:04:00Z", False),
        ({"advance": "P30D"}, "2026-02-01T03:04:05Z", False),
        ({"freeze": True}, NOW, True),
        ({"freeze": "2030-01-01T00:00:00Z"}, "2030-01-01T00:00:00Z", True),
        ({"freeze": "2030-01-01T01:00:00+01:00", "advance": "PT1S"}, "2030-01-01T00:00:01Z", True),
        ({"freeze": False}, NOW, False),
    ],
)
def test_clock_goes_where_it_is_told(pets: Double, asked: Json, now: str, frozen: bool) -> None:
    response = pets.control("POST", "/clock", json=asked)
    assert (response.status_code, response.json) == (200, {"now": now, "frozen": frozen})
    assert pets.control("GET", "/clock").json == {"now": now, "frozen": frozen}


def test_resumed_clock_goes_on_from_where_it_stood(pets: Double) -> None:
    pets.control("POST", "/clock", json={"freeze": "2030-01-01T00:00:00Z"})
    assert pets.control("POST", "/clock", json={"freeze": False}).json == {
        "now": "2030-01-01T00:00:00Z",
        "frozen": False,
    }


@pytest.mark.parametrize(
    ("asked", "pointer", "said"),
    [
        ({"advance": 3600}, "/advance", "must be a string"),
        ({"advance": "an hour"}, "/advance", "not an ISO 8601 duration"),
        ({"advance": "P99999Y"}, "/advance", "cannot go that far"),
        ({"advance": "-P3000Y"}, "/advance", "cannot go that far"),
        ({"freeze": 1}, "/freeze", "must be a boolean or a string"),
        ({"freeze": "noon"}, "/freeze", "not an RFC 3339 date-time"),
        ({"freeze": "2030-01-01T00:00:00"}, "/freeze", "not an RFC 3339 date-time"),
        ({"freeze": "0001-01-01T00:00:00+23:00"}, "/freeze", "cannot go that far"),
        ({"freeze": True, "advance": "nonsense"}, "/advance", "not an ISO 8601 duration"),
        ({"advanse": "PT1H"}, "/advanse", "did you mean 'advance'?"),
        ({}, "", "at least 1 property"),
    ],
)
def test_clock_that_cannot_be_set_stays_as_it_was(pets: Double, asked: Json, pointer: str, said: str) -> None:
    response = pets.control("POST", "/clock", json=asked)
    assert response.status_code == 422
    assert response.json["errors"][0]["pointer"] == pointer
    assert said in response.json["detail"]
    assert pets.control("GET", "/clock").json == {"now": NOW, "frozen": False}


def test_clock_needs_a_body(pets: Double) -> None:
    assert pets.control("POST", "/clock").status_code == 422


def test_body_is_json_whatever_its_content_type_says(pets: Double) -> None:
    response = pets.control(
        "POST", "/clock", data='{"advance": "PT1H"}', content_type="application/x-www-form-urlencoded"
    )
    assert response.json["now"] == "2026-01-02T04:04:05Z"


def test_clock_of_another_session_is_left_alone(pets: Double) -> None:
    pets.control("POST", "/clock", json={"advance": "PT1H"}, headers={"Mock-Session": "a"})
    assert pets.control("GET", "/clock").json["now"] == NOW

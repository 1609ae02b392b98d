"""The journal, the events and the sessions through the control API."""

from __future__ import annotations

import pytest

from mock_server import compile_api
from mock_server.openapi.values import Json
from tests.unit.web.controlled import NOW, PET, Double, answers, described, double, items


@pytest.fixture
def pets() -> Double:
    return double()


# The journal


def test_exchange_is_in_the_journal(pets: Double) -> None:
    created = pets.call("POST", "/pets", json={"name": "Rex"}, headers={"Accept": "application/json"})
    (entry,) = pets.control("GET", "/requests").json["requests"]
    assert {name: entry[name] for name in ("time", "session", "api", "operation_id", "method", "url", "status")} == {
        "time": NOW,
        "session": "default",
        "api": "pets",
        "operation_id": "createpets",
        "method": "POST",
        "url": "http://localhost/pets",
        "status": 201,
    }
    assert entry["request"]["body"] == '{"name": "Rex"}'
    assert entry["response"]["body"] == created.text
    assert entry["explanation"]["behavior"] == "create"
    assert pets.control("GET", f"/requests/{entry['id']}").json == entry


def test_explained_answer_is_that_of_the_journal(pets: Double) -> None:
    told = pets.call("GET", "/pets", headers={"Prefer": "explain"}).json
    kept = pets.control("GET", f"/requests/{told['request']}").json
    assert kept["explanation"] == told["explanation"]
    assert told["response"]["status"] == 200


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("", ["/pets", "/pets", "/pets/9", "/nowhere"]),
        ("method=get", ["/pets", "/pets/9", "/nowhere"]),
        ("status=404", ["/pets/9", "/nowhere"]),
        ("operation_id=readpets", ["/pets/9"]),
        ("path=/pets&method=POST", ["/pets"]),
        ("violations=true", ["/pets"]),
        ("violations=false", ["/pets", "/pets", "/pets/9", "/nowhere"]),
        ("limit=1", ["/nowhere"]),
        ("limit=0", []),
        ("limit=99", ["/pets", "/pets", "/pets/9", "/nowhere"]),
        ("api=pets&status=200", ["/pets"]),
        ("api=zoo", []),
    ],
)
def test_journal_shows_what_the_filters_admit(pets: Double, query: str, paths: list[str]) -> None:
    for method, path, value in (
        ("GET", "/pets", None),
        ("POST", "/pets", {"name": 5}),
        ("GET", "/pets/9", None),
        ("GET", "/nowhere", None),
    ):
        pets.call(method, path, json=value) if value is not None else pets.call(method, path)
    shown = pets.control("GET", f"/requests?{query}").json["requests"]
    assert [entry["url"].removeprefix("http://localhost") for entry in shown] == paths


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("operation=listpets", "did you mean 'operation_id'?"),
        ("status=ok", "must be an integer"),
        ("status=99", "at least 100"),
        ("limit=-1", "at least 0"),
        ("limit=many", "must be an integer"),
        ("violations=1", "must be a boolean"),
    ],
)
def test_filter_that_makes_no_sense_is_a_400(pets: Double, query: str, said: str) -> None:
    response = pets.control("GET", f"/requests?{query}")
    assert response.status_code == 400
    assert said in response.json["detail"]


def test_emptied_journal_gives_no_id_twice(pets: Double) -> None:
    pets.call("GET", "/pets")
    first = pets.control("GET", "/requests").json["requests"][0]["id"]
    assert pets.control("DELETE", "/requests").status_code == 204
    pets.call("GET", "/pets")
    (entry,) = pets.control("GET", "/requests").json["requests"]
    assert entry["id"] != first
    assert pets.control("GET", f"/requests/{first}").status_code == 404


def test_journal_keeps_the_newest_of_its_capacity() -> None:
    pets = double(journal=2)
    for number in range(4):
        pets.call("GET", f"/pets/{number}")
    shown = pets.control("GET", "/requests").json["requests"]
    assert [entry["url"][-1] for entry in shown] == ["2", "3"]


def test_credentials_are_redacted_unless_asked_for(pets: Double) -> None:
    pets.call("GET", "/pets", headers={"Authorization": "Bearer hush", "Cookie": "sid=hush"})
    assert "hush" not in pets.control("GET", "/requests").text
    shown = pets.control("GET", "/requests?secrets=true").json["requests"][0]
    assert shown["request"]["headers"]["authorization"] == "Bearer hush"


# Events


def test_write_of_an_item_emits_its_event() -> None:
    rule: Json = {
        "pet.sold": {
            "on": "updated",
            "when": "$resource#/status == 'sold'",
            "payload": {"id": "$resource#/id"},
        }
    }
    annotations: dict[str, Json] = {"x-mock-resources": {"pets": {"events": rule}}}
    document = described(items("pets", "petId", PET, kind="integer"), **annotations)
    pets = double(compile_api(document, name="pets"))
    pets.control("PUT", "/state/pets/pets/3", json={"name": "Rex"})
    pets.control("PATCH", "/state/pets/pets/3", json={"status": "sold"})
    (event,) = pets.control("GET", "/events").json["events"]
    assert event.pop("id")
    assert event == {
        "time": NOW,
        "api": "pets",
        "type": "pet.sold",
        "resource": "pets",
        "key": "3",
        "tenant": None,
        "payload": {"id": 3},
        "violations": [],
    }


def test_without_rules_there_are_no_events(pets: Double) -> None:
    pets.create("Rex")
    assert pets.control("GET", "/events").json == {"events": []}


# Sessions


@pytest.mark.parametrize("prefix", ["/__session__/b", "/__session__/%62"])
def test_sessions_do_not_see_each_other(pets: Double, prefix: str) -> None:
    pets.create("Ann", headers={"Mock-Session": "a"})
    response = pets.call("POST", f"{prefix}/pets", json={"name": "Bob"})
    assert response.status_code == 201
    assert pets.names() == []
    assert pets.names(headers={"Mock-Session": "a"}) == ["Ann"]
    assert pets.names(headers={"Mock-Session": "b"}) == ["Bob"]
    for named in ({"headers": {"Mock-Session": "b"}}, {"query_string": {"session": "b"}}):
        assert [pet["name"] for pet in pets.control("GET", "/state/pets/pets", **named).json] == ["Bob"]
    prefixed = pets.call("GET", f"{prefix}/__mock__/state/pets/pets").json
    assert [pet["name"] for pet in prefixed] == ["Bob"]


def test_url_prefix_is_part_of_the_base_url(pets: Double) -> None:
    shown = pets.call("GET", "/__session__/a/__mock__/apis").json
    assert shown["apis"][0]["base_url"] == "http://localhost/__session__/a"


def test_location_of_a_created_item_stays_in_its_session(pets: Double) -> None:
    created = pets.call("POST", "/__session__/a/pets", json={"name": "Ann"})
    assert pets.call("GET", created.headers["Location"]).json == created.json


def test_reset_of_one_session_leaves_the_others(pets: Double) -> None:
    pets.create("Ann", headers={"Mock-Session": "a"})
    pets.create("Bob")
    pets.control("POST", "/reset", headers={"Mock-Session": "a"})
    assert pets.names(headers={"Mock-Session": "a"}) == []
    assert pets.names() == ["Bob"]


def test_dropped_session_begins_anew(pets: Double) -> None:
    pets.create("Ann", headers={"Mock-Session": "a"})
    assert "a" in pets.control("GET", "/sessions").json["sessions"]
    assert pets.control("DELETE", "/sessions/a").status_code == 204
    assert pets.control("GET", "/sessions").json == {"sessions": ["default"]}
    assert pets.names(headers={"Mock-Session": "a"}) == []


def test_dropped_default_session_is_reset(pets: Double) -> None:
    pets.create("Ann")
    assert pets.control("DELETE", "/sessions/default").status_code == 204
    assert pets.names() == []


def test_unknown_session_cannot_be_dropped(pets: Double) -> None:
    pets.create("Ann", headers={"Mock-Session": "worker-1"})
    response = pets.control("DELETE", "/sessions/worker1")
    assert (response.status_code, response.json["hint"]) == (404, "did you mean 'worker-1'?")


@pytest.mark.parametrize("name", ["a b", "x" * 129, "a/b", "é"])
def test_impossible_session_name_is_a_400(pets: Double, name: str) -> None:
    assert pets.call("GET", "/pets", headers={"Mock-Session": name}).status_code == 400
    assert pets.control("GET", "/clock", headers={"Mock-Session": name}).status_code == 400
    assert pets.control("GET", "/clock", query_string={"session": name}).status_code == 400


@pytest.mark.parametrize("path", ["/__session__/a%20b/pets", "/__session__//pets", "/__session__/a%20b/__mock__/clock"])
def test_impossible_session_name_in_the_url_is_a_400(pets: Double, path: str) -> None:
    assert pets.call("GET", path).status_code == 400


def test_session_that_was_idle_longest_goes_when_there_are_too_many() -> None:
    pets = double(sessions=3)
    for name in ("a", "b", "a", "c"):
        pets.create("Rex", headers={"Mock-Session": name})
    sessions = pets.control("GET", "/sessions").json["sessions"]
    assert sorted(sessions) == ["a", "c", "default"]


# What is not there


def test_unknown_control_path_names_the_nearest(pets: Double) -> None:
    response = pets.control("GET", "/clok")
    assert response.status_code == 404
    assert "did you mean '/__mock__/clock'?" in response.json["detail"]


def test_wrong_method_names_the_right_ones(pets: Double) -> None:
    response = pets.control("PUT", "/clock")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert "only GET, HEAD, OPTIONS, POST" in response.json["detail"]


def test_description_of_an_api_is_what_it_was_made_of() -> None:
    document = described({"/now": {"get": {"operationId": "now", "responses": answers({"type": "string"})}}})
    shown = double(compile_api(document, name="time")).control("GET", "/apis/time/openapi.json")
    assert shown.json == document

"""Outcomes with holes: what the double fills in explains itself, and what another service fills in binds."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.model.call import Call
from mock_server.model.minter import realize
from mock_server.model.outcome import NO_BODY, Hole, Outcome, explain, fill
from mock_server.model.state import Put, State, commit
from mock_server.model.step import step
from mock_server.model.world import World
from mock_server.openapi.values import Json
from tests.unit.model.doubles import INTEGER, MOMENT, NOW, TEXT, Double, crud, document, thing

SEAL = {"type": "string", "readOnly": True}
ITEM = thing(
    {"id": INTEGER, "name": TEXT, "created_at": MOMENT, "updated_at": MOMENT, "seal": SEAL},
    "id", "name", "created_at", "updated_at", "seal",
)  # fmt: skip
DOUBLE = Double(document(crud(ITEM, thing({"name": TEXT}, "name"))))
WRITES: list[tuple[str, str, dict[str, Json], Json]] = [
    ("POST", "/things", {}, {"name": "b"}),
    ("PUT", "/things/{id}", {"id": 1}, {"name": "b"}),
    ("PATCH", "/things/{id}", {"id": 1}, {"name": "b"}),
    ("GET", "/things/{id}", {"id": 1}, NO_BODY),
    ("GET", "/things", {}, NO_BODY),
    ("DELETE", "/things/{id}", {"id": 1}, NO_BODY),
]


def outcome(state: State, method: str, path: str, given: dict[str, Json], body: Json) -> Outcome:
    operation_id = DOUBLE.meaning(method, path).operation_id
    call = Call(operation_id, method, given, {}, {}, body, "application/json", None, "http://double", path)
    found = step(World(DOUBLE.model, state, NOW), call)
    assert isinstance(found, Outcome)
    return found


def realized(found: Outcome, state: State) -> Outcome:
    return realize(found, state=state, seed=1, now=NOW)


@pytest.fixture
def state() -> State:
    made = realized(outcome(State(), "POST", "/things", {}, {"name": "a"}), State())
    return commit(State(), made.changes)


@pytest.mark.parametrize(("method", "path", "given", "body"), WRITES)
def test_a_realized_answer_explains_its_own_outcome(
    state: State, method: str, path: str, given: dict[str, Json], body: Json
) -> None:
    found = outcome(state, method, path, given, body)
    made = realized(found, state)
    shown = None if made.body is NO_BODY else made.body
    explanation = explain(found, status=made.status, body=shown)
    assert explanation.agrees, explanation.differences


def test_what_another_service_assigned_is_bound_and_committed(state: State) -> None:
    found = outcome(state, "POST", "/things", {}, {"name": "b"})
    body = {
        "id": 77,
        "name": "b",
        "created_at": "2030-01-01T00:00:00Z",
        "updated_at": "2030-01-01T00:00:00Z",
        "seal": "s",
    }
    explanation = explain(found, status=201, body=body)
    assert explanation.agrees
    later = commit(state, fill(found, explanation.filling).changes)
    assert outcome(later, "GET", "/things/{id}", {"id": 77}, NO_BODY).body == body


@pytest.mark.parametrize(
    ("status", "body", "pointer"),
    [
        (200, {"id": 1, "name": "a"}, ""),
        (201, {"id": 1, "name": "lost", "created_at": "t", "updated_at": "t", "seal": ""}, "/name"),
        (201, {"id": 1, "name": "b"}, "/created_at"),
    ],
)
def test_an_answer_that_differs_is_told_where(state: State, status: int, body: Json, pointer: str) -> None:
    explanation = explain(outcome(state, "POST", "/things", {}, {"name": "b"}), status=status, body=body)
    assert pointer in [difference.pointer for difference in explanation.differences]


def test_true_is_not_one() -> None:
    explanation = explain(Outcome(200, {"n": 1}), status=200, body={"n": True})
    assert not explanation.agrees


def test_one_hole_in_two_places_is_one_value(state: State) -> None:
    hole = Hole("time", "at", MOMENT)
    found = Outcome(200, {"a": hole, "b": [hole]}, has_holes=True)
    body: Any = realized(found, state).body
    assert body["a"] == body["b"][0]
    assert not explain(found, status=200, body={"a": "x", "b": ["y"]}).agrees


def test_a_step_stores_nothing_until_it_is_committed(state: State) -> None:
    found = realized(outcome(state, "POST", "/things", {}, {"name": "b"}), state)
    assert len(outcome(state, "GET", "/things", {}, NO_BODY).body) == 1
    assert len(outcome(commit(state, found.changes), "GET", "/things", {}, NO_BODY).body) == 2
    assert [change.key for change in found.changes if isinstance(change, Put)] == ["2"]

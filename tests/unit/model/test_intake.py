"""Flat requests that fill nested items: the annotation ``intake``."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_server.model.intake import Intake
from tests.unit.model.doubles import TEXT, Double, answers, array, document, operation, path_parameters, ref, thing

PROPERTIES = {"type": "object", "properties": {"email": TEXT}}
ITEM = thing({"id": TEXT, "title": TEXT, "properties": PROPERTIES}, "id", "title", "properties")
FLAT = thing({"name": TEXT, "email": TEXT, "extra": {"type": "object"}, "shop": TEXT, "seats": {"default": 2}})
INTAKE = {"rename": {"name": "title"}, "spread": ["extra"], "drop": ["shop"], "gather": "properties"}


def double() -> Double:
    paths: dict[str, Any] = {
        "/things": {
            "get": operation(answers(array(ref("Thing")))),
            "post": operation(answers(ref("Thing"), 201), body=FLAT),
        },
        "/things/{id}": {
            "parameters": path_parameters(id=TEXT),
            "get": operation(answers(ref("Thing"))),
            "patch": operation(answers(ref("Thing")), body=thing({"name": TEXT, "email": {}, "extra": {}})),
            "put": operation(answers(ref("Thing")), body=FLAT),
        },
    }
    return Double(document(paths, {"Thing": ITEM}, **{"x-mock-resources": {"things": {"intake": INTAKE}}}))


def test_a_flat_request_becomes_a_nested_item() -> None:
    asked = double()
    sent = {"name": "Lamp", "email": "a@b.example", "extra": {"hue": "red"}, "shop": "s1", "seats": 4}
    made = asked.created("/things", sent)
    assert made["title"] == "Lamp"
    assert made["properties"] == {"email": "a@b.example", "hue": "red", "seats": 4}
    assert asked.get(f"/things/{made['id']}").json == made


def test_a_default_of_the_request_is_gathered_too() -> None:
    assert double().created("/things", {"name": "Lamp"})["properties"] == {"seats": 2}


def test_a_patch_merges_into_what_was_gathered() -> None:
    asked = double()
    made = asked.created("/things", {"name": "Lamp", "email": "a@b.example", "extra": {"hue": "red"}})
    changed = asked.patch(f"/things/{made['id']}", {"extra": {"hue": "blue", "size": 1}}).json
    assert changed["properties"] == {"email": "a@b.example", "hue": "blue", "size": 1, "seats": 2}
    assert changed["title"] == "Lamp"


def test_a_put_replaces_what_was_gathered() -> None:
    asked = double()
    made = asked.created("/things", {"name": "Lamp", "email": "a@b.example"})
    changed = asked.put(f"/things/{made['id']}", {"name": "Torch", "extra": {"hue": "blue"}}).json
    assert changed["title"] == "Torch"
    assert "email" not in changed["properties"]
    assert changed["properties"]["hue"] == "blue"


def test_what_would_be_invalid_where_it_is_gathered_is_refused() -> None:
    asked = double()
    refused = asked.post("/things", {"name": "Lamp", "extra": {"email": 5}})
    assert refused.status == 422
    assert "email" in str(refused.json)
    assert asked.get("/things").json == []


NAMES = st.sampled_from(["a", "b", "c", "extra", "own", "gone"])


@given(st.dictionaries(NAMES, st.integers() | st.dictionaries(NAMES, st.integers(), max_size=3), max_size=6))
def test_nothing_that_was_sent_is_lost_unless_it_is_dropped(sent: dict[str, Any]) -> None:
    intake = Intake(spread=("extra",), drop=frozenset({"gone"}), gather="rest")
    taken = intake.taken(sent, ["own"])
    flat = {**taken.get("rest", {}), **{name: value for name, value in taken.items() if name != "rest"}}
    inner = sent.get("extra")
    expected = {**(inner if isinstance(inner, dict) else {}), **sent}
    if isinstance(inner, dict):
        expected = {**inner, **{name: value for name, value in sent.items() if name != "extra"}}
    expected.pop("gone", None)
    assert flat == expected
    assert set(taken) <= {"own", "rest"}

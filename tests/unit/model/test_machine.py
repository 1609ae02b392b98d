"""Random sequences of requests, compared with a plain dictionary and with themselves.

The oracle below is written from HTTP's rules alone and shares no code with the model: an error in the model
cannot hide in it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from tests.unit.model.doubles import INTEGER, TEXT, Double, answers, array, crud, document, operation, thing

NOTE = thing({"id": INTEGER, "title": TEXT, "body": TEXT, "stars": {"type": "integer", "minimum": 0}}, "id", "title")
NEW = thing({name: schema for name, schema in NOTE["properties"].items() if name != "id"}, "title")
CHANGE = {**NEW, "required": []}

TITLES = st.sampled_from(["a", "b", "c"])
NOTES = st.fixed_dictionaries({"title": TITLES}, optional={"body": st.text(max_size=3), "stars": st.integers(0, 3)})
CHANGES = st.fixed_dictionaries(
    {},
    optional={"title": TITLES, "body": st.one_of(st.none(), st.text(max_size=3)), "stars": st.integers(0, 3)},
)
INVALID = st.sampled_from([{}, {"title": 5}, {"title": "a", "stars": -1}, [], "text"])


def notes() -> Double:
    paths = crud(NOTE, NEW, path="/notes", query={"title": TEXT, "min_stars": INTEGER})
    paths["/notes/{id}"]["patch"] = operation(answers(NOTE), body=CHANGE)
    return Double(document(paths))


class NotesMachine(RuleBasedStateMachine):
    """Drives a double of notes and keeps beside it what a client must see."""

    keys = Bundle("keys")

    @initialize()
    def start(self) -> None:
        self.double = notes()
        self.expected: dict[int, dict[str, Any]] = {}
        self.gone: set[int] = set()

    @rule(target=keys, note=NOTES)
    def create(self, note: dict[str, Any]) -> int:
        answer = self.double.post("/notes", note)
        assert answer.status == 201
        key: int = answer.json["id"]
        assert key not in self.expected
        assert key not in self.gone
        assert answer.json == {"id": key, **note}
        self.expected[key] = {"id": key, **note}
        return key

    @rule(key=keys, note=NOTES)
    def replace_twice(self, key: int, note: dict[str, Any]) -> None:
        first = self.double.put(f"/notes/{key}", note)
        after_first = self.double.get("/notes").json
        second = self.double.put(f"/notes/{key}", note)
        assert (first.status, first.json) == (second.status, second.json)
        assert self.double.get("/notes").json == after_first
        if key in self.expected:
            self.expected[key] = {"id": key, **note}
            assert first.json == self.expected[key]
        else:
            assert first.status == 404

    @rule(key=keys, change=CHANGES)
    def patch(self, key: int, change: dict[str, Any]) -> None:
        sent = {name: value for name, value in change.items() if value is not None}
        answer = self.double.patch(f"/notes/{key}", sent)
        if key in self.expected:
            self.expected[key] |= sent
            assert answer.json == self.expected[key]
        else:
            assert answer.status == 404

    @rule(target=keys, key=consumes(keys), again=st.booleans())
    def delete(self, key: int, again: bool) -> Any:
        answer = self.double.delete(f"/notes/{key}")
        assert answer.status == (204 if key in self.expected else 404)
        self.expected.pop(key, None)
        self.gone.add(key)
        assert self.double.get(f"/notes/{key}").status == 404
        return key if again else multiple()

    @rule(key=keys, body=INVALID, method=st.sampled_from(["POST", "PUT", "PATCH"]))
    def fail(self, key: int, body: Any, method: str) -> None:
        if method == "PATCH" and body == {}:
            return
        before = self.double.state
        target = "/notes" if method == "POST" else f"/notes/{key}"
        assert self.double.send(method, target, body).status in {400, 404, 422}
        assert self.double.state is before

    @rule(title=TITLES, stars=st.integers(0, 3))
    def filter(self, title: str, stars: int) -> None:
        found = self.double.get("/notes", {"title": title, "min_stars": stars}).json
        wanted = [n for n in self.expected.values() if n["title"] == title and n.get("stars", -1) >= stars]
        assert found == wanted

    @invariant()
    def reads_agree_and_change_nothing(self) -> None:
        before = self.double.state
        assert self.double.get("/notes").json == list(self.expected.values())
        for key, note in self.expected.items():
            assert self.double.get(f"/notes/{key}").json == note
        for key in self.gone:
            assert self.double.get(f"/notes/{key}").status == 404
        assert self.double.state is before


TestNotes = NotesMachine.TestCase
TestNotes.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_lists_keep_the_order_of_creation_through_writes() -> None:
    double = notes()
    for title in "abc":
        double.created("/notes", {"title": title})
    double.put("/notes/1", {"title": "z"})
    double.patch("/notes/2", {"body": "y"})
    assert [note["id"] for note in double.get("/notes").json] == [1, 2, 3]


def test_two_doubles_of_one_seed_answer_alike() -> None:
    item = thing(
        {"id": {"type": "string", "format": "uuid"}, "token": {"type": "string", "readOnly": True}},
        "id",
        "token",
    )
    description = document({**crud(item, thing({})), "/random": {"get": operation(answers(array(item)))}})

    def conversation(seed: int) -> list[Any]:
        double = Double(description, seed=seed)
        return [double.post("/things", {}).json, double.post("/things", {}).json, double.get("/random").json]

    assert conversation(7) == conversation(7)
    assert conversation(7) != conversation(8)

"""Timed transitions: each at its own moment on the virtual clock, before anybody looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mock_server.errors import AnnotationError
from mock_server.exchange import committing
from mock_server.exchange.committing import MOST_MOVES_AT_ONCE
from mock_server.model.clock import rfc3339
from mock_server.openapi.values import Json
from tests.unit.model.doubles import (
    INTEGER,
    MOMENT,
    NOW,
    TEXT,
    Double,
    answers,
    crud,
    document,
    operation,
    path_parameters,
    ref,
    thing,
)

STATUS = {"type": "string", "enum": ["queued", "sent", "delivered", "cancelled", "expired"]}
MESSAGE = thing(
    {
        "id": INTEGER,
        "status": STATUS,
        "text": TEXT,
        "expires_at": {"type": ["string", "integer", "null"]},
        "sent_at": MOMENT,
        "delivered_on": {"type": "string", "format": "date"},
        "cancelled_at": {"type": "integer"},
        "deleted_at": TEXT,
        "ticks": INTEGER,
    },
    "id",
)
SENT = thing({name: MESSAGE["properties"][name] for name in ("text", "expires_at", "status")})
TRANSITIONS: dict[str, Json] = {
    "send": {"from": ["queued"], "to": "sent", "after": "PT1S", "set": {"sent_at": "$now"}},
    "deliver": {"from": ["sent"], "to": "delivered", "after": "PT2S", "set": {"/delivered_on": "$now"}},
    "cancel": {"from": ["queued", "sent"], "to": "cancelled", "set": {"cancelled_at": "$now"}},
    "requeue": {"from": ["cancelled"], "to": "queued"},
    "expire": {"from": ["queued", "sent"], "to": "expired", "at": "$resource#/expires_at"},
}
EVENTS: dict[str, Json] = {
    "moved": {
        "on": "updated",
        "when": "$before#/status != $resource#/status",
        "payload": {"id": "$resource#/id", "from": "$before#/status", "to": "$resource#/status", "at": "$now"},
    }
}


def messages(*, transitions: Json = None, seed: int = 1, **more: Json) -> Double:
    """Messages that send themselves after a second and are delivered two seconds later."""
    states = {"property": "status", "initial": "queued", "transitions": transitions or TRANSITIONS}
    paths = crud(ref("Message"), SENT, path="/messages")
    for verb in ("cancel", "requeue"):
        if verb in states["transitions"]:
            paths[f"/messages/{{id}}/{verb}"] = {
                "parameters": path_parameters(id=INTEGER),
                "post": operation(
                    {**answers(ref("Message")), **answers(status=409)},
                    **{"x-mock-operation": {"behavior": "act", "transition": verb}},
                ),
            }
    resources = {"messages": {"states": states, "events": EVENTS, **more}}
    return Double(document(paths, {"Message": MESSAGE}, **{"x-mock-resources": resources}), seed=seed)


def later(seconds: float) -> str:
    return rfc3339(NOW + timedelta(seconds=seconds))


def status(double: Double, key: int = 1) -> Json:
    return double.get(f"/messages/{key}").json["status"]


def moves(double: Double) -> list[tuple[int, str, str, str]]:
    """The moves so far by their events: which item, from where, to where, when."""
    return [(e.event.data["id"], e.event.data["from"], e.event.data["to"], e.event.data["at"])
            for e in double.universe.events]  # fmt: skip


def test_an_item_moves_when_its_time_in_a_state_is_over_and_not_before() -> None:
    double = messages()
    assert double.created("/messages", {"text": "hi"})["status"] == "queued"
    double.advance(0.999)
    assert status(double) == "queued"
    double.advance(0.001)
    assert status(double) == "sent"


def test_moves_that_follow_from_one_another_each_happen_at_their_own_time() -> None:
    double = messages()
    double.created("/messages", {})
    double.advance(3600)
    item = double.get("/messages/1").json
    assert (item["status"], item["sent_at"]) == ("delivered", later(1))
    assert moves(double) == [(1, "queued", "sent", later(1)), (1, "sent", "delivered", later(3))]
    assert [recorded.time for recorded in double.universe.events] == [NOW + timedelta(seconds=s) for s in (1, 3)]


def test_moves_of_several_items_happen_in_the_order_of_their_moments() -> None:
    double = messages()
    double.created("/messages", {})
    double.advance(0.5)
    double.created("/messages", {"expires_at": later(1.2)})
    double.advance(60)
    double.get("/messages")
    assert moves(double) == [
        (1, "queued", "sent", later(1)),
        (2, "queued", "expired", later(1.2)),
        (1, "sent", "delivered", later(3)),
    ]


def test_the_moment_of_a_move_is_written_as_its_member_is_described() -> None:
    double = messages()
    double.created("/messages", {})
    double.post("/messages/1/cancel")
    assert double.get("/messages/1").json["cancelled_at"] == int(NOW.timestamp())
    double.created("/messages", {})
    double.advance(86_400)
    assert double.get("/messages/2").json["delivered_on"] == "2026-01-31"


def test_an_item_that_left_its_state_does_not_move_and_one_that_comes_back_waits_anew() -> None:
    double = messages()
    double.created("/messages", {})
    double.advance(0.9)
    assert double.post("/messages/1/cancel").json["status"] == "cancelled"
    double.advance(10)
    assert status(double) == "cancelled"
    double.post("/messages/1/requeue")
    double.advance(0.9)
    assert status(double) == "queued"
    double.advance(0.2)
    assert status(double) == "sent"


def test_a_write_that_leaves_the_state_alone_does_not_start_the_wait_again() -> None:
    double = messages()
    double.created("/messages", {})
    double.advance(0.6)
    assert double.patch("/messages/1", {"text": "new"}).status == 200
    double.advance(0.6)
    assert status(double) == "sent"


def test_an_item_that_is_gone_does_not_move() -> None:
    double = messages()
    double.created("/messages", {})
    double.delete("/messages/1")
    double.advance(10)
    assert double.get("/messages").json == []
    assert double.universe.state.timers is None


def test_a_softly_deleted_item_does_not_move() -> None:
    double = messages(softDelete={"set": {"deleted_at": "$now"}})
    double.created("/messages", {})
    double.delete("/messages/1")
    assert double.universe.state.timers is None


@pytest.mark.parametrize(
    ("given", "moved"),
    [
        (later(0.5), "expired"),
        (later(-99), "expired"),
        (int(NOW.timestamp()), "expired"),
        (int(NOW.timestamp() * 1000) + 500, "expired"),
        ("2026-01-31", "expired"),
        (later(5), "queued"),
        (None, "queued"),
        ("whenever", "queued"),
    ],
)
def test_a_moment_that_an_item_names_is_when_it_moves(given: Json, moved: str) -> None:
    transitions = {"expire": TRANSITIONS["expire"]}
    double = messages(transitions=transitions)
    double.created("/messages", {"expires_at": given})
    double.advance(0.6)
    assert status(double) == moved


def test_a_moment_that_changes_while_the_item_waits_counts_as_it_is_now() -> None:
    double = messages(transitions={"expire": TRANSITIONS["expire"]})
    double.created("/messages", {"expires_at": later(5)})
    double.patch("/messages/1", {"expires_at": later(20)})
    double.advance(10)
    assert status(double) == "queued"
    double.patch("/messages/1", {"expires_at": later(11)})
    double.advance(2)
    assert status(double) == "expired"
    assert moves(double) == [(1, "queued", "expired", later(11))]


def test_a_moment_that_is_taken_away_never_comes() -> None:
    double = messages(transitions={"expire": TRANSITIONS["expire"]})
    double.created("/messages", {"expires_at": later(5)})
    double.patch("/messages/1", {"expires_at": None})
    double.advance(10)
    assert status(double) == "queued"


def test_a_condition_that_does_not_hold_when_the_time_has_come_cancels_the_move() -> None:
    send = {**TRANSITIONS["send"], "when": "$resource#/text == 'go'"}
    double = messages(transitions={"send": send})
    double.created("/messages", {"text": "wait"})
    double.created("/messages", {"text": "wait"})
    double.patch("/messages/2", {"text": "go"})
    double.advance(5)
    assert [item["status"] for item in double.get("/messages").json] == ["queued", "sent"]
    double.patch("/messages/1", {"text": "go"})
    double.advance(5)
    assert status(double) == "queued"


def test_a_move_back_to_its_own_state_ticks() -> None:
    tick = {"from": ["queued"], "to": "queued", "after": "PT1M", "set": {"text": "at {$now}"}}
    double = messages(transitions={"tick": tick})
    double.created("/messages", {})
    double.advance(60 * 10 + 1)
    assert double.get("/messages/1").json["text"] == f"at {later(600)}"
    assert double.universe.state.timers is not None
    assert len(double.universe.state.timers) == 1


def test_an_immediate_move_is_not_in_the_answer_of_the_create_but_in_every_later_one() -> None:
    double = messages(transitions={"send": {**TRANSITIONS["send"], "after": "PT0S"}})
    assert double.created("/messages", {})["status"] == "queued"
    assert status(double) == "sent"


def test_moves_without_an_end_are_a_clear_500_once_and_the_rest_goes_on() -> None:
    loop = {
        "send": {"from": ["queued"], "to": "sent", "after": "PT0S"},
        "back": {"from": ["sent"], "to": "queued", "after": "PT0S"},
    }
    double = messages(transitions=loop)
    double.created("/messages", {})
    refused = double.get("/messages")
    assert refused.status == 500
    assert "without an end" in refused.json["detail"]
    assert "of test/messages/1" in refused.json["detail"]
    assert len(double.universe.events) <= 2 * MOST_MOVES_AT_ONCE
    assert double.get("/messages").status == 200


def test_new_items_that_make_new_items_without_an_end_are_a_clear_500(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "MOST_MOVES", 50)
    double = messages(
        transitions={"send": {**TRANSITIONS["send"], "after": "PT0S"}},
        effects=[{"on": "updated", "create": "messages", "set": {"text": "again"}}],
    )
    double.created("/messages", {})
    assert "without an end: 51 of them" in double.get("/messages").json["detail"]


def test_what_is_due_runs_before_the_state_of_an_item_is_judged() -> None:
    double = messages()
    double.created("/messages", {})
    double.advance(3)
    assert double.post("/messages/1/cancel").status == 409


def test_a_patch_that_makes_a_move_writes_what_the_move_sets() -> None:
    double = messages()
    double.created("/messages", {})
    patched = double.patch("/messages/1", {"status": "cancelled"})
    assert patched.json["cancelled_at"] == int(NOW.timestamp())


def test_an_explanation_tells_which_timers_ran() -> None:
    double = messages()
    double.created("/messages", {})
    double.advance(2)
    decisions = double.get("/messages/1", prefer="explain").json["explanation"]["decisions"]
    told = {"about": "timer", "decision": "send of test/messages/1 to sent", "why": f"due {later(1)}"}
    assert told in decisions


def test_a_snapshot_is_a_reference_and_its_timers_come_with_it() -> None:
    double = messages()
    double.created("/messages", {})
    double.universe.snapshot("queued")
    double.advance(10)
    assert status(double) == "delivered"
    double.universe.restore("queued")
    assert double.universe.state is double.universe.snapshots["queued"].state
    assert status(double) == "delivered"
    double.universe.reset()
    assert double.universe.state.timers is None


def test_a_description_without_timed_transitions_has_no_timers() -> None:
    double = messages(transitions={"cancel": {"to": "cancelled"}})
    double.created("/messages", {})
    assert double.universe.state.timers is None


@pytest.mark.parametrize(
    ("transition", "pointer", "message"),
    [
        ({"to": "sent", "after": "PT1S", "at": "$now"}, "/send", "not both"),
        ({"to": "sent", "after": "-PT1S"}, "/send/after", "does not match"),
        ({"to": "sent", "after": "P"}, "/send/after", "ISO 8601"),
        ({"to": "sent", "after": "1s"}, "/send/after", "does not match"),
        ({"to": "snet"}, "/send/to", "did you mean 'sent'"),
        ({"from": ["qeued"], "to": "sent"}, "/send/from/0", "did you mean 'queued'"),
        ({"to": "sent", "at": "$resorce#/x"}, "/send/at", "did you mean 'resource'"),
        ({"to": "sent", "set": {"text": "$nwo"}}, "/send/set/text", "did you mean 'now'"),
    ],
)
def test_a_mistake_in_a_timed_transition_is_told_with_its_place(transition: Json, pointer: str, message: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        messages(transitions={"send": transition}).model.resource("messages")
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/x-mock-resources/messages/states/transitions" + pointer
    assert message in str(caught.value)


# Against an oracle: a list of what is to come, looked through from the front each time.


class Oracle:
    """Messages as plain dicts, and a list of due moves that is sorted whenever the clock moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.items: dict[int, dict[str, Any]] = {}
        self.due: list[tuple[float, int, int, str]] = []
        self.moved: list[tuple[int, str, str, float]] = []
        self.order = 0

    def enter(self, key: int, state: str) -> None:
        self.items[key]["status"] = state
        # A moment that the item names is the same in every state that it ends.
        stays = "expired" if state in {"queued", "sent"} else None
        self.due = [entry for entry in self.due if entry[2] != key or entry[3] == stays]
        if state == "queued":
            self._wait(key, 1.0, "sent")
        if state == "sent":
            self._wait(key, 2.0, "delivered")
        expiry = self.items[key]["expires"]
        waits = any(entry[2:] == (key, "expired") for entry in self.due)
        if expiry is not None and stays and not waits:
            self.due.append((max(expiry, self.now), self._next(), key, "expired"))

    def expire_at(self, key: int, expiry: float | None) -> None:
        if self.items[key]["expires"] == expiry:
            return
        self.items[key]["expires"] = expiry
        self.due = [entry for entry in self.due if entry[2:] != (key, "expired")]
        if expiry is not None and self.items[key]["status"] in {"queued", "sent"}:
            self.due.append((max(expiry, self.now), self._next(), key, "expired"))

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while self.due and min(self.due)[0] <= until:
            moment, _, key, target = min(self.due)
            self.now = moment
            self.due.remove(min(self.due))
            self.moved.append((key, self.items[key]["status"], target, moment))
            self.enter(key, target)
        self.now = until

    def _wait(self, key: int, seconds: float, target: str) -> None:
        self.due.append((self.now + seconds, self._next(), key, target))

    def _next(self) -> int:
        self.order += 1
        return self.order


MACHINES = (messages(seed=7), messages(seed=7))


class TimerMachine(RuleBasedStateMachine):
    """Random creates, waits, cancels, deletes and changes of moments, in two universes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.doubles = MACHINES
        for double in self.doubles:
            double.seconds = NOW.timestamp()
            double.universe.reset()
        self.oracle = Oracle()
        self.made = 0

    def send(self, method: str, target: str, body: Json = ...) -> int:
        found = [double.send(method, target, body) for double in self.doubles]
        assert found[0] == found[1]
        return found[0].status

    @rule(expiry=st.none() | st.integers(-2, 12))
    def create(self, expiry: int | None) -> None:
        self.made += 1
        moment = None if expiry is None else self.oracle.now + expiry / 2
        body = {"expires_at": None if moment is None else later(moment)}
        assert self.send("POST", "/messages", body) == 201
        self.oracle.items[self.made] = {"status": "", "expires": moment}
        self.oracle.enter(self.made, "queued")

    @rule(halves=st.integers(0, 9), looks=st.booleans())
    def advance(self, halves: int, looks: bool) -> None:
        for double in self.doubles:
            double.advance(halves / 2)
        self.oracle.advance(halves / 2)
        if looks:
            self.doubles[0].get("/messages")

    @precondition(lambda self: self.oracle.items)
    @rule(data=st.data(), verb=st.sampled_from(["cancel", "requeue"]))
    def act(self, data: st.DataObject, verb: str) -> None:
        self.oracle.advance(0)  # what is due at this very moment happens before the verb
        key = data.draw(st.sampled_from(sorted(self.oracle.items)))
        held = self.oracle.items[key]["status"]
        allowed = held in ({"queued", "sent"} if verb == "cancel" else {"cancelled"})
        assert self.send("POST", f"/messages/{key}/{verb}") == (200 if allowed else 409)
        if allowed:
            target = "cancelled" if verb == "cancel" else "queued"
            self.oracle.moved.append((key, held, target, self.oracle.now))
            self.oracle.enter(key, target)

    @precondition(lambda self: self.oracle.items)
    @rule(data=st.data(), expiry=st.none() | st.integers(-2, 12))
    def expire_at(self, data: st.DataObject, expiry: int | None) -> None:
        self.oracle.advance(0)
        key = data.draw(st.sampled_from(sorted(self.oracle.items)))
        moment = None if expiry is None else self.oracle.now + expiry / 2
        body = {"expires_at": None if moment is None else later(moment)}
        assert self.send("PATCH", f"/messages/{key}", body) == 200
        self.oracle.expire_at(key, moment)

    @precondition(lambda self: self.oracle.items)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.oracle.advance(0)
        key = data.draw(st.sampled_from(sorted(self.oracle.items)))
        assert self.send("DELETE", f"/messages/{key}") == 204
        del self.oracle.items[key]
        self.oracle.due = [entry for entry in self.oracle.due if entry[2] != key]

    @invariant()
    def agrees(self) -> None:
        self.oracle.advance(0)
        for double in self.doubles:
            listed = double.get("/messages").json
            assert {m["id"]: m["status"] for m in listed} == {k: v["status"] for k, v in self.oracle.items.items()}
            assert moves(double) == [(key, old, new, later(at)) for key, old, new, at in self.oracle.moved]

    def teardown(self) -> None:
        first, second = self.doubles
        assert [(e.time, e.event) for e in first.universe.events] == [(e.time, e.event) for e in second.universe.events]


TestTimers = TimerMachine.TestCase
TestTimers.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)

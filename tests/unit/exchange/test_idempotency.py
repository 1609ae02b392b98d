"""Idempotency keys: a request that is sent again with its key is answered again, and done once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import AnnotationError
from mock_server.exchange.ledger import Kept, Ledger
from mock_server.exchange.messages import RawResponse
from mock_server.openapi.values import Json
from tests.acceptance.lines import NOW
from tests.unit.exchange.limited import Notes, header, notes, problem


def keyed(**rules: Json) -> Notes:
    return notes(**{"x-mock-idempotency": rules})


def test_the_same_request_with_its_key_is_done_once_and_answered_again() -> None:
    asked = keyed()
    first, again = asked.written(key="k-1"), asked.written(key="k-1")
    assert first.status == 201
    assert (again.status, again.headers, again.body) == (first.status, first.headers, first.body)
    assert asked.count() == 1


def test_white_space_and_the_order_of_members_make_no_other_request() -> None:
    asked = keyed()
    headers = {"content-type": "application/json", "idempotency-key": "k-1"}
    bodies = [b'{"text":"hello","number":1}', b'{ "number": 1.0,\n "text": "hello" }']
    first, again = (asked.served.send("POST", "/notes", headers=headers, body=body) for body in bodies)
    assert again.body == first.body
    assert asked.count() == 1


def test_another_request_with_the_same_key_is_refused() -> None:
    asked = keyed()
    asked.written("hello", key="k-1")
    refused = asked.written("good-bye", key="k-1")
    assert refused.status == 422
    assert problem(refused)["type"] == "urn:apidouble:problem:idempotency-mismatch"
    assert asked.count() == 1
    assert asked.written("hello", key="k-1").status == 201


def test_a_mismatch_is_told_as_the_api_tells_it() -> None:
    asked = keyed(mismatch={"status": 409, "code": "key_reused", "detail": "that key is taken"})
    asked.written("hello", key="k-1")
    refused = asked.written("good-bye", key="k-1")
    assert (refused.status, problem(refused)["code"]) == (409, "key_reused")
    assert problem(refused)["detail"] == "that key is taken"


def test_keys_are_per_caller_and_operation() -> None:
    asked = keyed(operations=["writeNote", "placeNote"])
    assert [asked.written(by=name, key="k-1").status for name in ("ada", "bob", "")] == [201, 201, 201]
    placed = asked.send("PUT", "/notes/7", body={"text": "hello"}, headers={"idempotency-key": "k-1"})
    assert placed.status == 201
    assert asked.count() == 4


def test_refusals_are_not_kept() -> None:
    asked = keyed()
    assert asked.written("", key="k-1").status == 422
    assert asked.written("hello", key="k-1").status == 201


def test_a_key_is_free_again_when_it_has_expired() -> None:
    asked = keyed(expires="PT1H")
    asked.written("hello", key="k-1")
    asked.advance(minutes=59)
    assert asked.written("good-bye", key="k-1").status == 422
    asked.advance(minutes=1)
    assert asked.written("good-bye", key="k-1").status == 201
    assert asked.count() == 2


def test_a_key_that_is_not_as_described_is_invalid() -> None:
    refused = keyed().written(key="k")
    assert refused.status == 400
    assert problem(refused)["errors"][0]["name"] == "Idempotency-Key"


def test_operations_that_do_not_describe_the_header_take_no_keys() -> None:
    asked = keyed()
    for text in ("hello", "good-bye"):
        answer = asked.send("PUT", "/notes/7", body={"text": text}, headers={"idempotency-key": "k-1"})
        assert answer.status < 300


def test_the_header_may_have_another_name() -> None:
    asked = keyed(header="X-Once", operations=["writeNote"])
    for _ in range(2):
        asked.send("POST", "/notes", body={"text": "hello"}, headers={"x-once": "a"})
    assert asked.count() == 1


def test_a_replay_says_so_where_the_api_does() -> None:
    asked = keyed(replayedHeader="Idempotent-Replayed")
    assert header(asked.written(key="k-1"), "Idempotent-Replayed") is None
    assert header(asked.written(key="k-1"), "Idempotent-Replayed") == "true"


def test_the_explanation_says_that_nothing_was_done_again() -> None:
    asked = keyed()
    asked.written(key="k-1")
    assert asked.decisions()["idempotency"] == "answer kept"
    asked.written(key="k-1")
    assert asked.decisions()["idempotency"] == "answered as before"
    asked.written("something else", key="k-1")
    assert asked.decisions()["idempotency"] == "refused"
    asked.written(key="k-1")
    *_, entry = asked.served.universe.journal
    told: dict[str, Any] = entry.as_json()["explanation"]
    assert (told["written"], told["behavior"]) == ([], "create")


def test_a_replay_emits_no_event() -> None:
    events = {"note.written": {"on": "created", "payload": {"text": "$resource#/text"}}}
    asked = notes(**{"x-mock-idempotency": {}, "x-mock-resources": {"notes": {"events": events}}})
    for _ in range(3):
        asked.written(key="k-1")
    assert len(asked.served.universe.events) == 1


def test_a_replay_tells_the_limits_as_they_are_now() -> None:
    asked = notes(
        **{
            "x-mock-idempotency": {"operations": ["listNotes"]},
            "x-mock-limits": {"few": {"window": "PT1M", "limit": 9}},
        }
    )
    left = [header(asked.send("GET", "/notes", headers={"idempotency-key": "k"}), "RateLimit-Remaining")
            for _ in range(3)]  # fmt: skip
    assert left == ["8", "7", "6"]


def test_kept_answers_follow_reset_and_snapshots() -> None:
    asked = keyed()
    universe = asked.served.universe
    universe.snapshot("before")
    asked.written("hello", key="k-1")
    universe.snapshot("after")
    universe.restore("before")
    assert asked.written("good-bye", key="k-1").status == 201
    universe.restore("after")
    assert asked.written("good-bye", key="k-1").status == 422
    universe.reset()
    assert asked.written("good-bye", key="k-1").status == 201


def test_duplicates_at_the_same_time_are_done_once() -> None:
    asked = keyed()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: asked.written(key="k-1"), range(64)))
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert asked.count() == 1


@given(st.lists(st.tuples(st.sampled_from(["k-1", "k-2"]), st.sampled_from(["aa", "bb", ""])), max_size=12))
def test_every_key_is_used_for_one_success(steps: list[tuple[str, str]]) -> None:
    asked = ASKED
    asked.served.universe.reset()
    done: dict[str, tuple[str, bytes]] = {}
    for key, text in steps:
        answer = asked.written(text, key=key)
        if text == "":
            assert answer.status == 422
        elif key not in done:
            assert answer.status == 201
            done[key] = (text, answer.body)
        elif done[key][0] == text:
            assert (answer.status, answer.body) == (201, done[key][1])
        else:
            assert answer.status == 422
    assert asked.count() == len(done)


ASKED = keyed()


def test_only_so_many_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_server.exchange.ledger.MOST_ANSWERS", 3)
    asked = keyed()
    for number in range(5):
        asked.written(key=f"k-{number}")
    assert [place[2] for place in asked.served.universe.ledger.answers] == ["k-2", "k-3", "k-4"]


def test_expired_answers_are_forgotten() -> None:
    asked = keyed(expires="PT1M")
    asked.written(key="k-1")
    asked.advance(minutes=2)
    asked.written(key="k-2")
    assert [place[2] for place in asked.served.universe.ledger.answers] == ["k-2"]


def test_a_copy_of_a_ledger_stays_as_it_is() -> None:
    book = Ledger()
    book.count("a", "few", 1).by_caller["ada",] = 1
    copy = book.copy()
    book.count("a", "few", 1).by_caller["ada",] = 2
    book.keep(("a",), Kept(b"", RawResponse(200, (), b""), NOW, NOW))
    assert copy.count("a", "few", 1).by_caller == {("ada",): 1}
    assert copy.answers == {}


@pytest.mark.parametrize(
    ("rules", "pointer", "words"),
    [
        ({"operations": ["wirteNote"]}, "/x-mock-idempotency/operations/0", "did you mean 'writeNote'"),
        ({"expires": "P"}, "/x-mock-idempotency/expires", "not an ISO 8601 duration"),
        ({"header": "no header"}, "/x-mock-idempotency/header", "breaks the vocabulary"),
        ({"mismatch": {"status": 200}}, "/x-mock-idempotency/mismatch/status", "breaks the vocabulary"),
    ],
)
def test_a_mistake_is_refused_where_it_is(rules: Json, pointer: str, words: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        keyed(**rules)
    assert caught.value.place is not None
    assert caught.value.place.pointer == pointer
    assert words in str(caught.value)


def test_a_sampled_answer_is_never_kept() -> None:
    asked = keyed()
    asked.send("POST", "/notes", body={"text": "hello"}, headers={"idempotency-key": "k-1", "prefer": "dynamic=true"})
    assert asked.served.universe.ledger.answers == {}
    assert json.loads(asked.written("good-bye", key="k-1").body)["text"] == "good-bye"

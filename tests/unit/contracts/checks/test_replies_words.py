"""What bodies tell by their words: errors called successes, problems that are none, traces; and two judges' words."""

from __future__ import annotations

import time

import pytest

from contracts.checks.registry import Family, all_checks
from contracts.service import Recorded
from mock_server.openapi.values import Json
from tests.unit.contracts.checks.replying import JSON, PET, PROBLEM, REPLY_CHECKS, judged, line_of, recorded, seen

HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "not_found"}},
        {"errors": [{"message": "no"}]},
        {"success": False, "message": "no"},
        {"ok": False, "error": "no"},
        {"status": "error", "message": "no"},
    ],
)
def test_error_in_a_success_is_found(body: Json) -> None:
    (found,) = judged(recorded("readPet", 200, body), "error_in_success")
    assert (found.check, found.side) == ("error_in_success", "service")
    assert found.differences[0].pointer.lstrip("/") in body
    assert found.place is not None
    assert found.place.line == line_of("# one pet")


def test_error_in_a_body_of_any_kind_is_a_question() -> None:
    assert seen(recorded("readFree", 200, {"error": "no"})) == [("error_in_success", "description", "/error")]


@pytest.mark.parametrize(
    "reply",
    [
        recorded("readEnvelope", 200, {"error": {"code": 1}}),  # the schema knows it
        recorded("readPet", 200, PET | {"error": None, "errors": [], "success": True, "status": "failed"}),
        recorded("readPet", 200, PET | {"status": "error"}),  # the state of an item may be called so
        recorded("createPet", 201, PET | {"error": "x"}, request=b'{"name": "Rex", "error": "x"}'),
        recorded("readPet", 207, {"errors": [1]}),
        recorded("createPet", 422, {"error": {"code": 1}}, PROBLEM),
    ],
    ids=str,
)
def test_what_only_looks_like_an_error_is_not_blamed(reply: Recorded) -> None:
    assert judged(reply, "error_in_success") == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"status": 500, "title": "No"}, "/status"),
        ({"status": "422"}, "/status"),
        ({"title": ["No"]}, "/title"),
        ({"type": None}, "/type"),
        (["No"], ""),
    ],
)
def test_problem_that_is_none_is_found(body: Json, pointer: str) -> None:
    (found,) = judged(recorded("createPet", 422, body, PROBLEM), "problem_details")
    assert (found.check, found.side, found.differences[0].pointer) == ("problem_details", "service", pointer)
    assert found.place is not None
    assert found.place.line == line_of("description: Refused.")


@pytest.mark.parametrize("body", [{}, {"status": 422, "type": "about:blank", "extra": 1}, {"detail": "no"}])
def test_problem_is_not_blamed(body: Json) -> None:
    assert judged(recorded("createPet", 422, body, PROBLEM)) == []


TRACES = {
    "Python": 'Traceback (most recent call last):\n  File "/app/main.py", line 12, in create\nKeyError: 1',
    "Java": "java.lang.NullPointerException\n\tat com.acme.Pets.read(Pets.java:42)\n\tat java.base/java.x",
    "Node.js": "TypeError: x is undefined\n    at create (/srv/app/pets.js:10:15)\n    at node:internal/process:95:5",
    "Go": "panic: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:9 +0x1d",
    "Ruby": "app/models/pet.rb:12:in `create'\n/gems/rack.rb:1:in `call'",
    "PHP": "Stack trace:\n#0 /var/www/index.php(12): read()\n#1 {main}",
    ".NET": "System.Exception: no\n   at Pets.Api.Read(String id) in C:\\src\\Api.cs:line 42",
    "Rust": "thread 'main' panicked at src/main.rs:2:5",
    "Elixir": "** (KeyError) no\n    (pets 0.1.0) lib/pets.ex:12: Pets.read/1",
}


@pytest.mark.parametrize("language", TRACES)
@pytest.mark.parametrize("status", [400, 500])
def test_stack_trace_is_found_in_every_form(language: str, status: int) -> None:
    trace = TRACES[language]
    in_json = recorded("readPet", status, {"error": {"trace": ["oops", trace]}})
    as_text = recorded("readPet", status, trace.encode(), {"Content-Type": "text/plain"})
    escaped = trace.replace("'", "&#x27;").replace('"', "&quot;").replace("<", "&lt;")
    as_page = recorded("readPet", status, f"<pre>{escaped}</pre>".encode(), HTML)
    assert seen(in_json, "leaked_stack_trace") == [("leaked_stack_trace", "service", "/error/trace/1")]
    for reply in (as_text, as_page):
        (found,) = judged(reply, "leaked_stack_trace")
        assert language in found.sentence
        assert found.place is not None
        assert found.place.line == line_of("operationId: readPet")


@pytest.mark.parametrize(
    "page",
    [
        "<title>KeyError: 1 // Werkzeug Debugger</title>",
        "<p>You&#x27;re seeing this error because you have <code>DEBUG = True</code> in your settings",
        "<title>Action Controller: Exception caught</title>",
        "<b>Fatal error</b>: no in <b>/var/www/a.php</b> on line <b>3</b><br />",
    ],
)
def test_debug_page_is_found(page: str) -> None:
    assert seen(recorded("readPet", 500, page.encode(), HTML), "leaked_stack_trace")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "no pet at /pets/p1", "line": 12}',
        b'{"detail": "body at /name: is no string (and 2 more)", "trace_id": "4bf92f3577b34da6"}',
        b'{"detail": "Look at https://docs.test/errors#stack (a page)", "see": "File \'a.py\'"}',
        b"<html><title>404 Not Found</title><p>nginx/1.25</p></html>",
        b"",
    ],
)
def test_error_in_plain_words_is_not_blamed(body: bytes) -> None:
    assert judged(recorded("readPet", 404, body, HTML), "leaked_stack_trace") == []


def test_trace_that_the_client_sent_is_not_blamed_nor_one_that_an_item_holds() -> None:
    trace = TRACES["Python"]
    said = recorded("createPet", 422, {"got": trace}, request=recorded("createPet", 201, {"name": trace}).reply.body)
    assert judged(said, "leaked_stack_trace") == []
    assert judged(recorded("readPet", 200, PET | {"name": trace}), "leaked_stack_trace") == []


@pytest.mark.parametrize(
    "text", ["at a.", "at " * 30_000, "a.b" * 30_000, "/" * 90_000, "#1 " * 30_000, "(a 1" * 20_000]
)
def test_long_bodies_cost_little(text: str) -> None:
    reply = recorded("readPet", 400, text.encode() * (1 if len(text) > 9 else 20_000), HTML)
    judged(reply, "leaked_stack_trace")
    begun = time.process_time()
    assert judged(reply, "leaked_stack_trace") == []
    assert time.process_time() - begun < 2


def test_reply_that_two_judges_see_differently_is_a_question() -> None:
    (found,) = judged(recorded("readDigits", 200, "\u0661"), "judges_disagree")  # an Arabic digit
    assert (found.side, found.differences[0].pointer) == ("description", "")
    assert "openapi-core" in found.sentence
    assert "jsonschema-rs" in found.sentence
    assert found.place is not None
    assert found.place.line == line_of("pattern: '^\\d+$'")


@pytest.mark.parametrize(
    "reply",
    [
        recorded("readWord", 200, "ABC"),  # openapi-core stumbles over the pattern
        recorded("readPet", 200, PET | {"secret": "x"}),  # and does not look at writeOnly in 3.1
        recorded("readPet", 200, {"id": 1}),
        recorded("readPet", 200, b"NaN"),
        recorded("readAnything", 200, {"id": 1}),
        recorded("readNotes", 200, b"<note/>", {"Content-Type": "application/xml"}),
        recorded("deletePet", 204, {}),
    ],
    ids=str,
)
def test_what_one_judge_cannot_see_is_no_disagreement(reply: Recorded) -> None:
    assert judged(reply, "judges_disagree") == []


def test_every_reply_check_is_registered_with_a_summary_a_source_and_an_example() -> None:
    for name in REPLY_CHECKS:
        found = all_checks()[name]
        assert found.family is Family.CONFORMANCE
        assert found.summary
        assert found.source
        assert found.example


def test_known_reply_is_judged_quickly() -> None:
    reply = recorded("readPet", 200, PET, JSON)
    judged(reply)
    begun = time.process_time()
    for _ in range(100):
        judged(reply)
    assert time.process_time() - begun < 1


def test_judges_that_agree_are_asked_no_more_after_a_while_and_those_that_do_not_always_are() -> None:
    for number in range(200):
        assert judged(recorded("readPet", 200, PET | {"number": number}), "judges_disagree") == []
        if number % 50 == 0:
            assert len(judged(recorded("readDigits", 200, "\u0661" * (number + 1)), "judges_disagree")) == 1

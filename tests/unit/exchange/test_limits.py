"""Limits: how many requests are answered in a window, for whom, and what the others are told."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import AnnotationError
from mock_server.exchange import ledger
from mock_server.model.call import Principal
from mock_server.model.limits import Limit, Window
from mock_server.openapi.values import Json
from tests.acceptance.lines import NOW, served
from tests.unit.exchange.limited import CALLERS, Notes, description, header, limited, notes, problem

TWO = {"window": "PT1M", "limit": 2}


def test_requests_beyond_a_limit_are_429_until_the_window_is_over() -> None:
    asked = limited(few=TWO)  # it is five seconds past the minute
    assert [asked.listed() for _ in range(3)] == [200, 200, 429]
    asked.advance(seconds=54)
    assert asked.listed() == 429
    asked.advance(seconds=1)
    assert [asked.listed() for _ in range(3)] == [200, 200, 429]


def test_a_refusal_says_how_long_to_wait() -> None:
    asked = limited(few={"window": "PT1M", "limit": 0})
    refused = asked.send("GET", "/notes")
    assert header(refused, "Retry-After") == "55"
    assert problem(refused)["type"] == "urn:apidouble:problem:rate-limited"
    asked.advance(seconds=54.75)
    assert header(asked.send("GET", "/notes"), "Retry-After") == "1"


def test_refused_requests_do_not_count() -> None:
    asked = limited(short=TWO, long={"window": "PT1H", "limit": 3})
    assert [asked.listed() for _ in range(9)] == [200, 200] + [429] * 7
    asked.advance(minutes=1)
    assert [asked.listed() for _ in range(2)] == [200, 429]
    # Of the two limits that are exceeded, the client waits for the one that lasts longer.
    assert int(header(asked.send("GET", "/notes"), "Retry-After") or 0) > 60


def test_invalid_requests_count_and_unauthenticated_ones_do_not() -> None:
    asked = limited(few=TWO)
    assert [asked.listed(by="eve") for _ in range(3)] == [200, 200, 429]  # an unknown key is nobody's: anonymous
    strict = Notes(
        served(description(**{"x-mock-limits": {"few": TWO}, "security": [{"key": []}]}), credentials=CALLERS)
    )
    assert [strict.listed() for _ in range(3)] == [401, 401, 401]
    assert [strict.written("", by="ada").status for _ in range(2)] == [422, 422]
    assert strict.listed(by="ada") == 429


@pytest.mark.parametrize(
    ("per", "free"),
    [("caller", {"bob", "cyd", ""}), ("tenant", {"cyd", ""}), ("everyone", set())],
)
def test_requests_count_for_the_caller_the_tenant_or_everyone(per: str, free: set[str]) -> None:
    asked = limited(few={**TWO, "per": per})
    assert [asked.listed("ada"), asked.listed("ada"), asked.listed("ada")] == [200, 200, 429]
    assert {name for name in ("bob", "cyd", "") if asked.listed(name) == 200} == free


def test_a_plan_has_a_number_of_its_own() -> None:
    asked = limited(few={"window": "PT1M", "limit": 1, "plans": {"free": 2, "pro": None}})
    assert [asked.listed("ada") for _ in range(3)] == [200, 200, 429]
    assert [asked.listed("bob") for _ in range(9)] == [200] * 9
    assert [asked.listed("cyd") for _ in range(2)] == [200, 429]


def test_without_a_number_for_other_plans_there_is_no_limit() -> None:
    asked = limited(few={"window": "PT1M", "plans": {"free": 1}})
    assert [asked.listed("cyd") for _ in range(9)] == [200] * 9


@pytest.mark.parametrize(
    ("chosen", "refused"),
    [
        ({}, {"listNotes", "writeNote", "readNote", "placeNote"}),
        ({"operations": ["writeNote"]}, {"writeNote"}),
        ({"tags": ["reading"]}, {"listNotes", "readNote"}),
        ({"methods": ["POST", "PUT"]}, {"writeNote", "placeNote"}),
        ({"tags": ["writing"], "methods": ["PUT"]}, {"placeNote"}),
    ],
)
def test_a_limit_is_for_the_operations_it_names(chosen: dict[str, Json], refused: set[str]) -> None:
    asked = limited(none={"window": "PT1M", "limit": 0, **chosen})
    answers = {
        "listNotes": asked.send("GET", "/notes"),
        "writeNote": asked.written(),
        "readNote": asked.send("GET", "/notes/1"),
        "placeNote": asked.send("PUT", "/notes/1", body={"text": "hello"}),
    }
    assert {name for name, answer in answers.items() if answer.status == 429} == refused


def test_described_headers_tell_how_many_requests_are_left() -> None:
    asked = limited(few=TWO)
    told = [asked.send("GET", "/notes") for _ in range(2)]
    assert [header(answer, "RateLimit-Remaining") for answer in told] == ["1", "0"]
    assert header(told[0], "RateLimit-Limit") == "2"
    assert header(told[0], "RateLimit-Reset") == "55"


def test_headers_that_are_not_described_are_only_on_refusals() -> None:
    asked = limited(few={"window": "PT1M", "limit": 1})
    assert header(asked.written(), "RateLimit-Limit") is None
    refused = asked.written()
    assert [header(refused, f"RateLimit-{name}") for name in ("Limit", "Remaining", "Reset")] == ["1", "0", "55"]


def test_the_limit_that_leaves_least_is_told() -> None:
    asked = limited(few=TWO, many={"window": "PT1M", "limit": 100})
    assert header(asked.send("GET", "/notes"), "RateLimit-Limit") == "2"


@pytest.mark.parametrize(
    ("form", "reset"),
    [
        ({"headers": "x-ratelimit"}, str(int(NOW.timestamp()) + 55)),
        ({"headers": "x-ratelimit", "reset": "in"}, "55"),
        ({"headers": "none"}, None),
    ],
)
def test_other_forms_of_headers(form: dict[str, str], reset: str | None) -> None:
    refused = limited(few={"window": "PT1M", "limit": 0, **form}).send("GET", "/notes")
    assert header(refused, "X-RateLimit-Reset") == reset
    assert header(refused, "RateLimit-Reset") is None
    assert header(refused, "Retry-After") == "55"


def test_a_limit_may_have_its_own_code_and_sentence() -> None:
    asked = limited(few={"window": "PT1M", "limit": 0, "code": "SLOW", "detail": "only {limit}, wait {seconds} s"})
    refused = problem(asked.send("GET", "/notes"))
    assert (refused["code"], refused["detail"]) == ("SLOW", "only 0, wait 55 s")


def test_a_refusal_is_in_the_api_s_own_error_schema() -> None:
    shape = {
        "type": "object",
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        "required": ["code", "message"],
        "additionalProperties": False,
    }
    whole = description(
        **{
            "x-mock-limits": {"few": {"window": "PT1M", "limit": 0}},
            "x-mock-errors": {"rate-limited": {"code": "TOO_FAST", "message": "slow down"}},
        }
    )
    content = {"application/json": {"schema": shape}}
    whole["paths"]["/notes"]["get"]["responses"]["429"] = {"description": "", "content": content}
    refused = Notes(served(whole)).send("GET", "/notes")
    assert problem(refused) == {"code": "TOO_FAST", "message": "slow down"}
    assert header(refused, "Retry-After") == "55"


def test_the_explanation_says_what_is_left_and_of_what() -> None:
    asked = limited(few=TWO)
    decided = []
    for _ in range(3):
        asked.listed()
        decided.append(asked.decisions()["limit few"])
    assert decided == ["1 of 2 left", "0 of 2 left", "0 of 2 left"]


def test_a_reset_forgets_what_was_counted() -> None:
    asked = limited(few=TWO)
    assert [asked.listed() for _ in range(3)][-1] == 429
    asked.served.universe.reset()
    assert asked.listed() == 200


def test_a_snapshot_keeps_what_was_counted() -> None:
    asked = limited(few=TWO)
    asked.listed()
    asked.served.universe.snapshot("one")
    assert [asked.listed(), asked.listed()] == [200, 429]
    for _ in range(2):
        asked.served.universe.restore("one")
        assert [asked.listed(), asked.listed()] == [200, 429]


def test_a_clock_that_is_set_back_begins_another_window() -> None:
    asked = limited(few=TWO)
    assert [asked.listed() for _ in range(3)][-1] == 429
    asked.advance(hours=-1)
    assert asked.listed() == 200


def test_old_windows_are_forgotten() -> None:
    asked = limited(few=TWO)
    for _ in range(5):
        asked.listed("ada")
        asked.listed("bob")
        asked.advance(minutes=1)
    assert [len(count.by_caller) for count in asked.served.universe.ledger.counts.values()] == [2]


def test_only_so_many_callers_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_server.exchange.limiting.MOST_CALLERS", 2)
    asked = limited(few=TWO)
    for name in ("ada", "bob", "cyd"):
        asked.listed(name)
    (count,) = asked.served.universe.ledger.counts.values()
    assert len(count.by_caller) == 2
    assert ledger.MOST_CALLERS > 2


def test_callers_of_one_name_are_told_apart_by_the_items_that_they_are() -> None:
    callers = [Principal("app", "key", tenant="north", item=item) for item in ("k1", "k2")]
    few = Limit("few", Window("PT1M", timedelta(minutes=1)), 2, {}, "caller", frozenset(), "none", False, None, None)
    assert len({few.counted_for(caller) for caller in callers}) == 2


def test_requests_at_the_same_time_are_counted_one_by_one() -> None:
    asked = limited(few={"window": "PT1H", "limit": 100})
    with ThreadPoolExecutor(8) as threads:
        answered = Counter(threads.map(lambda _: asked.listed("ada"), range(400)))
    assert answered == {200: 100, 429: 300}


@given(steps=st.lists(st.tuples(st.sampled_from(["ada", "bob", "cyd"]), st.integers(0, 40)), min_size=1, max_size=60))
def test_no_caller_gets_more_than_its_number_in_any_window(steps: list[tuple[str, int]]) -> None:
    asked = ASKED
    asked.served.universe.reset()
    now = 5  # seconds past the minute, as NOW is
    expected: Counter[tuple[str, int]] = Counter()
    for caller, seconds in steps:
        asked.advance(seconds=seconds)
        now += seconds
        free = expected[caller, now // 60] < 2
        expected[caller, now // 60] += free
        assert asked.listed(caller) == (200 if free else 429)


ASKED = limited(few=TWO)

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
WINDOWS = [Window("PT1M", timedelta(minutes=1)), Window("P7D", timedelta(days=7)), Window("P1M", None, 1),
           Window("P3M", None, 3), Window("P1Y", None, 12)]  # fmt: skip


@given(now=MOMENTS, window=st.sampled_from(WINDOWS))
def test_a_window_is_followed_by_the_next(now: datetime, window: Window) -> None:
    end = window.end(now)
    assert now < end
    assert window.number(end) == window.number(now) + 1
    assert window.number(end - timedelta(microseconds=1)) == window.number(now)


def test_months_and_years_are_those_of_the_calendar() -> None:
    moment = datetime(2024, 12, 15, tzinfo=UTC)
    assert Window("P1M", None, 1).end(moment) == datetime(2025, 1, 1, tzinfo=UTC)
    assert Window("P1Y", None, 12).end(moment) == datetime(2025, 1, 1, tzinfo=UTC)
    asked = limited(few={"window": "P1M", "limit": 1})
    asked.listed()
    asked.advance(days=29)  # NOW is the second of January
    assert asked.listed() == 429
    asked.advance(days=1)
    assert asked.listed() == 200


@pytest.mark.parametrize(
    ("limit", "pointer", "words"),
    [
        ({"window": "PT1M"}, "/x-mock-limits/few", "breaks the vocabulary"),
        ({"window": "soon", "limit": 1}, "/x-mock-limits/few/window", "breaks the vocabulary"),
        ({"window": "P1Q", "limit": 1}, "/x-mock-limits/few/window", "not an ISO 8601 duration"),
        ({"window": "PT0S", "limit": 1}, "/x-mock-limits/few/window", "no time at all"),
        ({**TWO, "operations": ["listNoets"]}, "/x-mock-limits/few/operations/0", "did you mean 'listNotes'"),
        ({**TWO, "tags": ["writting"]}, "/x-mock-limits/few/tags/0", "did you mean 'writing'"),
        ({**TWO, "tags": ["reading"], "methods": ["PUT"]}, "/x-mock-limits/few", "no operation at all"),
        ({**TWO, "detail": "wait {minutes}"}, "/x-mock-limits/few/detail", "{minutes}"),
        ({**TWO, "per": "user"}, "/x-mock-limits/few/per", "breaks the vocabulary"),
    ],
)
def test_a_mistake_in_a_limit_is_refused_where_it_is(limit: Json, pointer: str, words: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        limited(few=limit)
    assert caught.value.place is not None
    assert caught.value.place.pointer == pointer
    assert words in str(caught.value)


def test_an_api_without_limits_counts_nothing() -> None:
    asked = notes()
    asked.listed()
    assert asked.served.universe.ledger.counts == {}

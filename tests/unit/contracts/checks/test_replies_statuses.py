"""Statuses: what fails, what nobody described, and what HTTP itself asks for with some of them."""

from __future__ import annotations

import pytest

from contracts.service import Recorded
from tests.unit.contracts.checks.replying import JSON, PET, PROBLEM, judged, line_of, recorded, seen

CHALLENGE = {"WWW-Authenticate": "Bearer"}
COUNTED = JSON | {"X-Total-Count": "1"}


@pytest.mark.parametrize("operation_id", ["readPet", "readAnything"])
def test_server_error_is_found_even_where_default_describes_it(operation_id: str) -> None:
    (found,) = judged(recorded(operation_id, 500, b"", {}), "server_error")
    assert (found.check, found.side, found.differences[0].got) == ("server_error", "service", 500)
    assert found.place is not None
    assert found.place.line == line_of(f"operationId: {operation_id}")


@pytest.mark.parametrize(
    "reply",
    [
        recorded("listPets", 503, headers={"Retry-After": "3"}),
        recorded("readPet", 501, method="TRACE"),
        recorded("readPet", 404),
    ],
    ids=str,
)
def test_busy_and_unknown_method_are_no_server_errors(reply: Recorded) -> None:
    assert judged(reply, "server_error") == []


def test_undescribed_success_is_the_services() -> None:
    (found,) = judged(recorded("createPet", 200, PET))
    assert (found.check, found.side) == ("undescribed_status", "service")
    assert (found.differences[0].pointer, found.differences[0].got) == ("status", 200)
    assert "201" in str(found.differences[0].expected)
    assert found.place is not None
    assert found.place.line == line_of("operationId: createPet")


def test_undescribed_refusal_is_a_question_with_its_answer() -> None:
    (found,) = judged(recorded("readPet", 404, {"error": "no"}))
    assert (found.check, found.side) == ("undescribed_status", "description")
    assert found.sentence == "404 is not described, nor is any refusal"
    assert found.remedy == (
        "- target: $.paths['/pets/{id}'].get.responses\n  update:\n    \"404\": {description: Not Found}\n"
    )
    (other,) = judged(recorded("listPets", 418))
    assert other.sentence == "418 is not described; 429 is"


def test_undescribed_redirect_is_a_question() -> None:
    assert seen(recorded("readPet", 302)) == [("undescribed_status", "description", "status")]


@pytest.mark.parametrize(
    "reply",
    [
        recorded("createPet", 409, {"status": 409}, PROBLEM),
        recorded("readAnything", 299, {"id": 1}),
        recorded("readPet", 412, sent={"If-Match": '"a"'}),
        recorded("readPet", 304, sent={"if-none-match": '"a"'}),
        recorded("readPet", 405, headers={"Allow": "GET"}, method="PUT"),
        recorded("readPet", 200, method="OPTIONS"),
        recorded("readPet", 500),
    ],
    ids=str,
)
def test_described_and_asked_for_statuses_are_not_blamed(reply: Recorded) -> None:
    assert judged(reply, "undescribed_status") == []


def test_401_without_challenge_is_found() -> None:
    (found,) = judged(recorded("createPet", 401))
    assert (found.check, found.side) == ("www_authenticate", "service")
    assert found.differences[0].pointer == "header WWW-Authenticate"
    assert "Bearer" in str(found.differences[0].expected)
    assert found.place is not None
    assert found.place.line == line_of('"401"')
    assert judged(recorded("createPet", 401, headers=CHALLENGE)) == []


@pytest.mark.parametrize(("allow", "wrong"), [(None, True), ("", False), ("GET, DELETE", False), ("GET, PUT", True)])
def test_405_names_what_is_allowed(allow: str | None, wrong: bool) -> None:
    reply = recorded("readPet", 405, headers={} if allow is None else {"Allow": allow}, method="PUT")
    assert seen(reply) == ([("allow_header", "service", "header Allow")] if wrong else [])
    assert all(one.place is not None and one.place.line == line_of("operationId: readPet") for one in judged(reply))


def test_429_without_a_word_on_when_is_found() -> None:
    (found,) = judged(recorded("listPets", 429, {"error": "rate limit reached"}, {}), "retry_after")
    assert (found.check, found.side) == ("retry_after", "service")
    assert found.differences[0].pointer == "header Retry-After"
    assert found.place is not None
    assert found.place.line == line_of('"429"')


@pytest.mark.parametrize("when", ["soon", "1.5", "-1", "2026-01-01T00:00:00Z"])
def test_retry_after_that_is_neither_seconds_nor_date_is_found(when: str) -> None:
    reply = recorded("listPets", 429, headers={"Retry-After": when})
    assert seen(reply, "retry_after") == [("retry_after", "service", "header Retry-After")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "0"},
        {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"},
        {"X-RateLimit-Reset": "1790000000"},
        {"RateLimit": '"default";r=0;t=30'},
    ],
)
def test_429_that_says_when_is_not_blamed(headers: dict[str, str]) -> None:
    assert judged(recorded("listPets", 429, headers=headers), "retry_after") == []


def test_refusal_of_too_many_things_need_not_say_when() -> None:
    body = {"error": "The plan allows 3 API keys", "code": "API_KEY_LIMIT_REACHED"}
    assert judged(recorded("listPets", 429, body), "retry_after") == []


def test_described_503_without_retry_after_is_a_question() -> None:
    assert seen(recorded("listPets", 503)) == [("retry_after", "description", "header Retry-After")]


def test_required_header_that_is_missing_is_found() -> None:
    (found,) = judged(recorded("listPets", 200, [PET]))
    assert (found.check, found.side) == ("reply_headers", "service")
    assert found.differences[0].pointer == "header X-Total-Count"
    assert found.place is not None
    assert found.place.line == line_of("X-Total-Count")


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ((("x-total-count", "many"),), "header X-Total-Count"),
        ((("x-total-count", "1"), ("X-Colours", "red,green")), "header X-Colours"),
        ((("x-total-count", "1"), ("Set-Cookie", "session=1"), ("Set-Cookie", "other=1")), "header Set-Cookie"),
    ],
)
def test_header_that_breaks_its_schema_is_found(more: tuple[tuple[str, str], ...], pointer: str) -> None:
    reply = recorded("listPets", 200, [PET], JSON, more=more)
    assert seen(reply) == [("reply_headers", "service", pointer)]


def test_repeated_header_is_one_list() -> None:
    more = (("X-Colours", "red"), ("x-colours", "blue"), ("Set-Cookie", "session=1"), ("Set-Cookie", "session=2"))
    assert judged(recorded("listPets", 200, [PET], COUNTED, more=more)) == []

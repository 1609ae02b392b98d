"""An API's own sentences for violations, and requests that lack something."""

from __future__ import annotations

import pytest

from mock_server.errors import AnnotationError
from mock_server.model.sentences import Sentences, parse_sentence, places_for
from mock_server.openapi.values import Json, Violation
from tests.acceptance.lines import served
from tests.unit.exchange.limited import Notes, description, notes, problem


def saying(**errors: Json) -> Notes:
    return notes(**{"x-mock-errors": errors})


def messages(asked: Notes, **members: Json) -> list[str]:
    """What is said of each violation of a note with these members."""
    refused = asked.send("POST", "/notes", body=members)
    assert refused.status == 422
    return [entry["message"] for entry in problem(refused)["errors"]]


def test_a_violation_is_told_in_the_api_s_words_for_its_keyword() -> None:
    asked = saying(
        invalid={"messages": {"format": "Invalid {format} format", "minLength": "{field}: {minLength} or more"}}
    )
    assert sorted(messages(asked, text="a", mail="b")) == ["Invalid email format", "text: 2 or more"]


def test_a_keyword_without_words_keeps_ours() -> None:
    (message,) = messages(saying(invalid={"messages": {"format": "no"}}), text="a")
    assert message == "must be at least 2 characters long, got 1"


def test_a_field_may_have_words_of_its_own() -> None:
    asked = saying(invalid={"messages": {"text.minLength": "say more", "default": "{field} is wrong"}})
    assert sorted(messages(asked, text="a", mail="b")) == ["mail is wrong", "say more"]


def test_the_first_violation_is_the_sentence_of_the_whole() -> None:
    asked = saying(invalid={"messages": {"format": "Invalid {format} format"}})
    assert problem(asked.written(mail="b"))["detail"] == "Invalid email format"
    asked = saying(invalid={"message": "No.", "messages": {"format": "Invalid {format} format"}})
    assert problem(asked.written(mail="b"))["detail"] == "No."


def test_the_journal_keeps_our_words() -> None:
    asked = saying(invalid={"messages": {"default": "wrong"}})
    asked.written("a")
    *_, entry = asked.served.universe.journal
    assert [violation.message for violation in entry.trace.violations] == ["must be at least 2 characters long, got 1"]


def test_templates_of_bodies_see_the_words() -> None:
    errors = {"invalid": {"messages": {"default": "wrong"}, "body": {"why": "$problem#/fields"}}}
    whole = description(**{"x-mock-errors": errors})
    content = {"application/json": {"schema": {"type": "object", "required": ["why"]}}}
    whole["paths"]["/notes"]["post"]["responses"]["422"] = {"description": "", "content": content}
    answer = Notes(served(whole)).written("a")
    assert problem(answer) == {"why": [{"field": "text", "message": "wrong"}]}


def violation(pointer: str, keyword: str, *, got: Json = None, expected: Json = None) -> Violation:
    return Violation("body", pointer, keyword, got, expected, "ours")


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("minimum", "{field} {name} {label} {where} {keyword} {detail}",
         "items.0.unitPrice unitPrice Unit price body minimum ours"),
        ("minimum", "{got} is below {minimum} = {expected}", "-1 is below 0 = 0"),
        ("items.*.unitPrice.minimum", "anywhere", "anywhere"),
        ("items.0.unitPrice.minimum", "there", "there"),
        ("unitPrice.minimum", "a price", "a price"),
        ("default", "no {{braces}}", "no {braces}"),
        ("items.1.unitPrice.minimum", "elsewhere", None),
        ("maximum", "another", None),
    ],
)  # fmt: skip
def test_places_are_filled_in(key: str, text: str, told: str | None) -> None:
    sentences = Sentences({key: parse_sentence(text, places_for(key))})
    assert sentences.told(violation("/items/0/unitPrice", "minimum", got=-1, expected=0), "items.0.unitPrice") == told


def test_what_is_nearer_to_a_field_goes_first() -> None:
    texts = {"default": "any", "enum": "enum", "kind.enum": "kind", "a.kind.enum": "a kind"}
    sentences = Sentences({key: parse_sentence(text, places_for(key)) for key, text in texts.items()})
    told = [sentences.told(violation("", keyword), field) for keyword, field in
            [("enum", "a.kind"), ("enum", "b.kind"), ("enum", "size"), ("type", "a.kind")]]  # fmt: skip
    assert told == ["a kind", "kind", "enum", "any"]


def test_lists_are_written_with_commas() -> None:
    sentences = Sentences({"enum": parse_sentence("one of {enum}, not {got}", places_for("enum"))})
    assert sentences.told(violation("/a", "enum", got=None, expected=["x", "y", 1]), "a") == "one of x, y, 1, not null"


@pytest.mark.parametrize("text", ["{feild} is wrong", "{minimum} is the least", "{field!r}", "{field:>10}", "{0}", "{"])
def test_a_place_that_means_nothing_is_refused_where_it_is(text: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        saying(invalid={"messages": {"format": text}})
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/x-mock-errors/invalid/messages/format"
    assert "{field}" in str(caught.value)


# Requests that lack something


def test_a_missing_member_is_missing_where_the_api_tells_it_apart() -> None:
    asked = saying(missing={"code": "MISSING"}, invalid={"code": "INVALID"})
    lacking = asked.send("POST", "/notes", body={})
    assert (lacking.status, problem(lacking)["code"]) == (422, "MISSING")
    assert problem(asked.written("a"))["code"] == "INVALID"
    assert problem(asked.send("POST", "/notes"))["code"] == "MISSING"  # the whole body


def test_what_is_missing_is_told_before_what_is_wrong() -> None:
    asked = saying(missing={"code": "MISSING"})
    lacking = problem(asked.send("POST", "/notes", body={"mail": "b"}))
    assert lacking["code"] == "MISSING"
    assert [entry["keyword"] for entry in lacking["errors"]] == ["required", "format"]
    assert "'text' is required" in lacking["detail"]


def test_without_a_mapping_missing_is_invalid() -> None:
    lacking = problem(saying(invalid={"code": "INVALID"}).send("POST", "/notes", body={}))
    assert (lacking["code"], lacking["type"]) == ("INVALID", "urn:apidouble:problem:invalid")


def test_what_missing_does_not_say_is_as_invalid_says() -> None:
    asked = saying(
        missing={"code": "MISSING"}, invalid={"status": 400, "messages": {"required": "{label} is required"}}
    )
    lacking = asked.send("POST", "/notes", body={})
    assert (lacking.status, problem(lacking)["detail"]) == (400, "Text is required")


def test_a_guard_may_say_that_something_is_missing() -> None:
    guard = {"when": "$request.body#/mail != null", "problem": "missing", "detail": "mail is needed"}
    for kind in ("missing", "invalid"):
        answer = guarded(guard, {"x-mock-errors": {kind: {"code": "NEEDED", "status": 400}}}).written()
        assert (answer.status, problem(answer)["code"]) == (400, "NEEDED")


def guarded(guard: Json, root: dict[str, Json]) -> Notes:
    whole = description(**root)
    whole["paths"]["/notes"]["post"]["x-mock-operation"] = {"guards": [guard]}
    return Notes(served(whole))

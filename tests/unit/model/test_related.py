"""Items beside the operation's own: ``related``, and what guards, ``stores``, ``adds``, ``increase`` make of them."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.errors import AnnotationError
from tests.unit.model.doubles import (
    INTEGER,
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

SEAT = thing({"id": INTEGER, "show_id": INTEGER, "price": INTEGER, "link": TEXT}, "id")
SHOW = thing({"id": INTEGER, "price": INTEGER, "sold": INTEGER, "size": INTEGER, "seats": {"type": "array"}}, "id")
MISSING = {"detail": "there is no such show", "code": "NO_SHOW", "status": 422}
RELATED = {"show": {"resource": "shows", "key": "$request.body#/show_id", "missing": MISSING}}


def theatre(**annotations: Any) -> Double:
    """Shows, and seats that are sold for them; annotations by operation."""
    paths = {
        **crud(ref("Show"), thing({"price": INTEGER, "sold": INTEGER, "size": INTEGER}), path="/shows"),
        **crud(ref("Seat"), thing({"show_id": INTEGER}, "show_id"), path="/seats"),
        "/shows/{id}/raise": {
            "parameters": path_parameters(id=INTEGER),
            "post": operation({**answers(ref("Show")), **answers(status=409)}, body=thing({"by": INTEGER})),
        },
    }
    paths["/seats"]["post"]["responses"] |= {"409": {"description": ""}, "422": {"description": ""}}
    places = {
        "sell": ("/seats", "post"),
        "look": ("/shows/{id}", "get"),
        "raise": ("/shows/{id}/raise", "post"),
        "list": ("/shows", "get"),
    }
    for name, annotation in annotations.items():
        path, method = places[name]
        paths[path][method]["x-mock-operation"] = annotation
    return Double(document(paths, {"Seat": SEAT, "Show": SHOW}))


def test_a_new_item_takes_members_from_a_related_one() -> None:
    double = theatre(sell={"related": RELATED, "stores": {"price": "$show#/price"}})
    double.created("/shows", {"price": 1200})
    assert double.created("/seats", {"show_id": 1})["price"] == 1200


def test_a_related_item_that_must_be_there_is_refused_in_its_own_words() -> None:
    double = theatre(sell={"related": RELATED})
    refused = double.post("/seats", {"show_id": 7})
    assert refused.status == 422
    assert refused.json["detail"] == "there is no such show"


def test_a_related_item_that_may_be_absent_names_nothing() -> None:
    related = {"show": {"resource": "shows", "key": "$request.body#/show_id"}}
    double = theatre(sell={"related": related, "stores": {"price": "$show#/price"}})
    assert double.created("/seats", {"show_id": 7}).get("price") is None


def test_a_guard_compares_members_of_related_items() -> None:
    guard = {"when": "$show#/sold < $show#/size", "problem": "conflict", "detail": "the show is sold out"}
    double = theatre(sell={"related": RELATED, "guards": [guard]})
    double.created("/shows", {"sold": 1, "size": 2})
    double.created("/shows", {"sold": 2, "size": 2})
    assert double.post("/seats", {"show_id": 1}).status == 201
    assert double.post("/seats", {"show_id": 2}).status == 409


@pytest.mark.parametrize(
    ("show", "why"),
    [
        (1, {"about": "guard", "decision": "conflict", "why": "$show#/sold < $show#/size does not hold"}),
        (7, {"about": "related", "decision": "show", "why": "no such item of shows is there"}),
    ],
)
def test_the_explanation_of_a_refusal_tells_what_refused_it(show: int, why: dict[str, str]) -> None:
    guard = {"when": "$show#/sold < $show#/size", "problem": "conflict", "detail": "the show is sold out"}
    double = theatre(sell={"related": RELATED, "guards": [guard]})
    double.created("/shows", {"sold": 2, "size": 2})
    refused = double.post("/seats", {"show_id": show}, prefer="explain")
    assert why in refused.json["explanation"]["decisions"]


def test_an_answer_gets_the_items_that_belong_to_it() -> None:
    seats = {"seats": {"resource": "seats", "where": {"show_id": "$resource#/id"}}}
    double = theatre(look={"related": seats, "adds": {"/seats": "$seats"}})
    double.created("/shows", {})
    double.created("/shows", {})
    for show in (1, 2, 1):
        double.created("/seats", {"show_id": show})
    assert [seat["id"] for seat in double.get("/shows/1").json["seats"]] == [1, 3]


def test_a_count_of_items_is_a_number() -> None:
    count = {"taken": {"resource": "seats", "where": {"show_id": "$resource#/id"}, "count": True}}
    double = theatre(look={"related": count, "adds": {"sold": "$taken"}})
    double.created("/shows", {"sold": 0})
    double.created("/seats", {"show_id": 1})
    assert double.get("/shows/1").json["sold"] == 1


def test_an_action_raises_a_number_by_what_was_sent() -> None:
    double = theatre(**{"raise": {"behavior": "act", "resource": "shows", "increase": {"price": "$request.body#/by"}}})
    double.created("/shows", {"price": 10})
    assert double.post("/shows/1/raise", {"by": 5}).json["price"] == 15
    assert double.post("/shows/1/raise", {"by": -20}).json["price"] == -5
    assert double.post("/shows/1/raise", {}).json["price"] == -5


def test_a_guard_may_speak_of_the_item_itself_and_404_comes_first() -> None:
    guard = {"when": "$resource#/price < 100", "problem": "conflict", "detail": "too dear to raise"}
    double = theatre(**{"raise": {"behavior": "act", "resource": "shows", "guards": [guard]}})
    double.created("/shows", {"price": 10})
    double.created("/shows", {"price": 200})
    answered = [double.post(f"/shows/{key}/raise", {"by": 1}).status for key in (1, 2, 3)]
    assert answered == [200, 409, 404]


def test_a_text_may_hold_a_key_that_is_still_to_be_chosen() -> None:
    double = theatre(sell={"stores": {"link": "https://tickets.example/{$resource#/id}?show={$resource#/show_id}"}})
    made = double.created("/seats", {"show_id": 4})
    assert made["link"] == f"https://tickets.example/{made['id']}?show=4"
    assert double.get(f"/seats/{made['id']}").json["link"] == made["link"]


def test_a_body_template_shows_a_new_item_in_other_words() -> None:
    double = theatre(sell={"body": {"id": "$resource#/id", "link": "/seats/{$resource#/id}"}})
    assert double.created("/seats", {"show_id": 4}) == {"id": 1, "link": "/seats/1"}


@pytest.mark.parametrize(
    ("related", "problem"),
    [
        ({"show": {"resource": "shaws", "key": "$request.body#/show_id"}}, "did you mean 'shows'"),
        ({"principal": {"resource": "shows", "key": "1"}}, "taken"),
        ({"show": {"resource": "shows", "key": "$shop#/id"}}, r"\$shop"),
    ],
)
def test_a_related_item_that_cannot_be_is_refused_at_load(related: Any, problem: str) -> None:
    with pytest.raises(AnnotationError, match=problem):
        theatre(sell={"related": related}).meaning("POST", "/seats")

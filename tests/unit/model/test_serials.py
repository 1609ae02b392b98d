"""Serial numbers: no gap, no repeat, and a number that another service gave counts as well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import AnnotationError
from mock_server.model.call import Call
from mock_server.model.outcome import Outcome, explain, fill
from mock_server.model.serials import serial
from mock_server.model.state import State, commit
from mock_server.model.step import step
from mock_server.model.world import World
from mock_server.openapi.expressions import ROOTS, Context, ExpressionSyntaxError
from mock_server.openapi.values import Json
from tests.unit.model.doubles import (
    INTEGER,
    NOW,
    TEXT,
    Double,
    answers,
    array,
    crud,
    document,
    operation,
    path_parameters,
    ref,
    takes,
    thing,
)

INVOICE = thing(
    {"id": INTEGER, "number": TEXT, "series": TEXT, "code": TEXT, "extra": {"type": "object"}, "rank": INTEGER}, "id"
)
NEW = thing({name: schema for name, schema in INVOICE["properties"].items() if name != "id"})
NUMBER = "INV-{year}-{number:03}"


def invoices(*, path: str = "/invoices", **annotation: Json) -> Double:
    """Invoices that are numbered, one by one or several at once."""
    paths = crud(ref("Invoice"), NEW, path=path)
    paths[path + "/batch"] = {
        "post": {
            "requestBody": takes(array(NEW)),
            **operation(answers(array(ref("Invoice")), 201)),
            "x-mock-operation": {"behavior": "create-many", "resource": path.rpartition("/")[2]},
        }
    }
    if "{" in path:
        for item in paths.values():
            item["parameters"] = [*item.get("parameters", ()), *path_parameters(org=TEXT)]
    resources = {path.rpartition("/")[2]: annotation or {"assigned": {"number": {"serial": NUMBER}}}}
    return Double(document(paths, {"Invoice": INVOICE}, **{"x-mock-resources": resources}))


def number(double: Double, body: Json = None, path: str = "/invoices") -> Any:
    return double.created(path, body or {})["number"]


def test_new_items_are_numbered_from_one_in_the_text_around_the_number() -> None:
    double = invoices()
    assert [number(double) for _ in range(3)] == ["INV-2026-001", "INV-2026-002", "INV-2026-003"]


def test_every_text_around_the_number_counts_on_its_own() -> None:
    double = invoices()
    number(double)
    double.advance(365 * 86_400)
    assert number(double) == "INV-2027-001"
    double.advance(-365 * 86_400)
    assert number(double) == "INV-2026-002"


def test_a_number_may_be_wider_than_its_padding() -> None:
    double = invoices(assigned={"number": {"serial": "{number:2}"}})
    assert [number(double) for _ in range(101)][-3:] == ["99", "100", "101"]


def test_the_parts_of_the_date_are_padded() -> None:
    double = invoices(assigned={"number": {"serial": "{year}{month}{day}-{number}"}})
    assert number(double) == "20260131-1"


def test_an_expression_in_the_format_has_a_counter_for_each_of_its_values() -> None:
    double = invoices(assigned={"number": {"serial": "{$resource#/series}-{number}"}})
    given = [{"series": "A"}, {"series": "B"}, {"series": "A"}]
    assert [number(double, body) for body in given] == ["A-1", "B-1", "A-2"]


def test_a_member_that_is_a_number_is_numbered_by_numbers() -> None:
    double = invoices(assigned={"rank": {"serial": "{number}"}})
    assert [double.created("/invoices", {})["rank"] for _ in range(2)] == [1, 2]


def test_a_pointer_numbers_a_member_inside_another() -> None:
    double = invoices(serials={"/extra/invoiceNumber": NUMBER})
    made = double.created("/invoices", {"extra": {"note": "x", "invoiceNumber": "mine"}})
    assert made["extra"] == {"note": "x", "invoiceNumber": "INV-2026-001"}


def test_several_items_at_once_get_numbers_in_their_order() -> None:
    double = invoices()
    made = double.post("/invoices/batch", [{}, {}, {}]).json
    assert [item["number"] for item in made] == ["INV-2026-001", "INV-2026-002", "INV-2026-003"]
    assert number(double) == "INV-2026-004"


def test_a_refused_create_uses_no_number() -> None:
    double = invoices(assigned={"number": {"serial": NUMBER}}, unique=[["code"]])
    number(double, {"code": "a"})
    assert double.post("/invoices", {"code": "a"}).status == 409
    assert double.post("/invoices", {"code": 1}).status == 422
    assert double.post("/invoices/batch", [{"code": "b"}, {"code": "a"}]).status == 409
    assert number(double, {"code": "c"}) == "INV-2026-002"


def test_a_removed_items_number_is_not_given_again() -> None:
    double = invoices()
    number(double)
    double.delete("/invoices/1")
    assert number(double) == "INV-2026-002"


@pytest.mark.parametrize("annotation", [{"assigned": {"number": {"serial": NUMBER}}}, {"serials": {"/number": NUMBER}}])
def test_callers_neither_send_nor_change_a_number(annotation: dict[str, Json]) -> None:
    double = invoices(**annotation)
    assert number(double, {"number": "mine"}) == "INV-2026-001"
    assert double.patch("/invoices/1", {"number": "mine"}).json["number"] == "INV-2026-001"
    assert double.put("/invoices/1", {"number": "mine", "code": "x"}).json["number"] == "INV-2026-001"


def test_callers_do_not_change_a_number_inside_another_member() -> None:
    double = invoices(serials={"/extra/nr": NUMBER})
    double.created("/invoices", {})
    for send in (double.patch, double.put):
        assert send("/invoices/1", {"extra": {"nr": "mine", "more": 1}}).json["extra"] == {
            "nr": "INV-2026-001",
            "more": 1,
        }


def test_each_parent_counts_on_its_own() -> None:
    double = invoices(path="/orgs/{org}/invoices")
    numbers = [number(double, path=f"/orgs/{org}/invoices") for org in "aba"]
    assert numbers == ["INV-2026-001", "INV-2026-001", "INV-2026-002"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INV-{year}", "its number once, this one 0 times"),
        ("{number}-{number}", "its number once, this one 2 times"),
        ("{nubmer}", "did you mean 'number'"),
        ("{year:2}-{number}", "no part {year:2}"),
        ("{$resorce#/x}-{number}", "did you mean 'resource'"),
    ],
)
def test_a_format_that_cannot_count_is_told_with_its_place(text: str, message: str) -> None:
    double = invoices(assigned={"number": {"serial": text}})
    with pytest.raises(AnnotationError) as caught:
        double.model.resource("invoices")
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/x-mock-resources/invoices/assigned/number/serial"
    assert message in str(caught.value)


def test_a_member_that_is_a_number_admits_no_text_around_it() -> None:
    with pytest.raises(AnnotationError, match="is a number"):
        invoices(assigned={"rank": {"serial": "R{number}"}}).model.resource("invoices")


# The oracle


def create(double: Double, state: State) -> Outcome:
    operation_id = double.meaning("POST", "/invoices").operation_id
    call = Call(operation_id, "POST", {}, {}, {}, {}, "application/json", None, "http://double", "/invoices")
    found = step(World(double.model, state, NOW), call)
    assert isinstance(found, Outcome)
    return found


def test_a_number_that_another_service_gave_is_bound_and_counts_on() -> None:
    double = invoices()
    found = create(double, State())
    explanation = explain(found, status=201, body={"id": 7, "number": "INV-2026-041"})
    assert explanation.agrees
    double.universe.state = commit(State(), fill(found, explanation.filling).changes)
    assert number(double) == "INV-2026-042"


def test_a_number_of_another_form_is_a_difference() -> None:
    found = create(invoices(), State())
    explanation = explain(found, status=201, body={"id": 7, "number": "2026/41"})
    assert [(difference.pointer, difference.got) for difference in explanation.differences] == [("/number", "2026/41")]


# The format


PARTS = st.lists(st.sampled_from(["INV-", "/", "{year}", "{month}", "{day}", "x.", "{$resource#/a}"]), max_size=4)


@given(before=PARTS, after=PARTS, width=st.integers(0, 6), count=st.integers(1, 10**7))
def test_what_a_serial_gives_it_can_read(before: list[str], after: list[str], width: int, count: int) -> None:
    between = ["-{number:" + str(width) + "}-"]
    made = serial(("n",), "".join(before + between + after), roots=frozenset(ROOTS))
    here = made.about(Context(bindings={"resource": {"a": "s"}}))
    now = datetime(2026, 11, 5, tzinfo=UTC)
    assert here.read(here.value(count, now)) == (here.rest(now), count)


def test_a_format_says_where_it_is_wrong() -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        serial(("n",), "a-{numbr}", roots=frozenset(ROOTS))
    assert caught.value.position == 2

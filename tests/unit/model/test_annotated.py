"""What annotations add to an inferred model: states, references, uniqueness, soft deletes, guards, events."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.errors import AnnotationError
from mock_server.openapi.values import Json
from tests.unit.model.doubles import (
    INTEGER,
    NOW_TEXT,
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

STATUS = {"type": "string", "enum": ["open", "paid", "shipped", "void"]}
CUSTOMER_ID = {"type": ["integer", "null"]}
ORDER = thing(
    {"id": INTEGER, "status": STATUS, "total": INTEGER, "customer_id": CUSTOMER_ID, "deleted_at": TEXT,
     "code": TEXT},
    "id",
)  # fmt: skip
NEW = thing({name: schema for name, schema in ORDER["properties"].items() if name != "id"})


def annotated(**orders: Json) -> Double:
    """Orders of customers, with an annotation on the orders."""
    customer = thing({"id": INTEGER, "name": TEXT}, "id")
    paths = {
        **crud(ref("Order"), NEW, path="/orders"),
        **crud(customer, thing({"name": TEXT}), path="/customers"),
    }
    paths["/orders/{id}/ship"] = {
        "parameters": path_parameters(id=INTEGER),
        "post": operation(
            {**answers(ref("Order")), **answers(status=409)},
            **{"x-mock-operation": {"behavior": "act", "transition": "ship"}} if "states" in orders else {},
        ),
    }
    return Double(document(paths, {"Order": ORDER}, **{"x-mock-resources": {"orders": orders}}))


STATES = {
    "property": "status",
    "initial": "open",
    "transitions": {
        "pay": {"from": ["open"], "to": "paid"},
        "ship": {"from": ["paid"], "to": "shipped", "when": "$resource#/total > 0"},
        "void": {"to": "void"},
    },
}


def test_a_new_item_starts_in_the_initial_state_whatever_was_sent() -> None:
    assert annotated(states=STATES).created("/orders", {"status": "shipped"})["status"] == "open"


def test_a_move_that_no_transition_allows_is_409_and_changes_nothing() -> None:
    double = annotated(states=STATES)
    made = double.created("/orders", {"total": 5})
    assert double.post("/orders/1/ship").status == 409
    assert double.patch("/orders/1", {"status": "shipped"}).status == 409
    assert double.put("/orders/1", {"status": "shipped"}).status == 409
    assert double.get("/orders/1").json == made


def test_declared_moves_are_allowed_by_verb_and_by_patch() -> None:
    double = annotated(states=STATES)
    double.created("/orders", {"total": 5})
    assert double.patch("/orders/1", {"status": "paid"}).json["status"] == "paid"
    assert double.post("/orders/1/ship").json["status"] == "shipped"
    assert double.patch("/orders/1", {"status": "void"}).json["status"] == "void"


def test_a_guard_on_a_transition_that_does_not_hold_is_409_and_explains() -> None:
    double = annotated(states=STATES)
    double.created("/orders", {"total": 0})
    double.patch("/orders/1", {"status": "paid"})
    refused = double.post("/orders/1/ship")
    assert refused.status == 409
    assert "ship is not possible" in refused.json["detail"]


def referring(on_delete: str, *, must_exist: bool = False) -> Double:
    reference = {"resource": "customers", "onDelete": on_delete, "mustExist": must_exist}
    double = annotated(references={"customer_id": reference})
    double.created("/customers", {"name": "Ann"})
    double.created("/orders", {"customer_id": 1})
    return double


def test_a_reference_to_nothing_is_refused() -> None:
    double = referring("ignore", must_exist=True)
    refused = double.post("/orders", {"customer_id": 9})
    assert refused.status == 422
    assert refused.json["errors"][0]["message"] == "names none of the customers, got 9"
    assert double.post("/orders", {"customer_id": 1}).status == 201
    assert double.post("/orders", {"customer_id": None}).status == 201


def test_restrict_refuses_to_delete_what_is_referred_to() -> None:
    double = referring("restrict")
    assert double.delete("/customers/1").status == 409
    double.delete("/orders/1")
    assert double.delete("/customers/1").status == 204


def test_cascade_deletes_what_refers() -> None:
    double = referring("cascade")
    double.delete("/customers/1")
    assert double.get("/orders").json == []


def test_nullify_empties_the_reference() -> None:
    double = referring("nullify")
    double.delete("/customers/1")
    assert double.get("/orders/1").json["customer_id"] is None


def test_a_value_that_has_to_be_unique_conflicts_on_create_and_on_write() -> None:
    double = annotated(unique=[["code"]])
    double.created("/orders", {"code": "a"})
    double.created("/orders", {"code": "b"})
    double.created("/orders", {})
    double.created("/orders", {})
    assert double.post("/orders", {"code": "a"}).status == 409
    assert double.patch("/orders/2", {"code": "a"}).status == 409
    assert double.patch("/orders/1", {"code": "a", "total": 1}).status == 200


@pytest.mark.parametrize("hidden", [True, False])
def test_a_soft_delete_marks_and_hides_or_shows(hidden: bool) -> None:
    double = annotated(softDelete={"set": {"deleted_at": "$now"}, "hidden": hidden})
    double.created("/orders", {"total": 1})
    assert double.delete("/orders/1").status == 204
    listed: Any = double.get("/orders").json
    if hidden:
        assert listed == []
        assert double.get("/orders/1").status == 404
    else:
        assert listed == [{"id": 1, "total": 1, "deleted_at": NOW_TEXT}]


def test_an_assigned_value_wins_over_what_the_caller_sends() -> None:
    double = annotated(assigned={"total": "zero", "code": "none"})
    assert double.created("/orders", {"total": 9, "code": "c"}) == {"id": 1, "total": 0, "code": "c"}
    assert double.patch("/orders/1", {"total": 9}).json["total"] == 0


def test_a_hidden_member_is_stored_and_filterable_but_never_shown() -> None:
    double = annotated(hidden=["code"])
    assert "code" not in double.created("/orders", {"code": "secret"})
    assert [entry.value["code"] for _, held in double.state.partitions("test/orders") for entry in held] == ["secret"]


def test_an_annotation_on_nothing_is_refused_when_it_is_used() -> None:
    double = Double(document(crud(ORDER, NEW), **{"x-mock-resources": {"ordres": {"key": "id"}}}))
    with pytest.raises(AnnotationError, match="is a resource called 'ordres'"):
        double.model.resource("ordres")


def test_computed_operation_without_a_computation_is_refused_with_its_place() -> None:
    read = operation(answers(TEXT), **{"x-mock-operation": {"behavior": "compute"}})
    double = Double(document({"/sum": {"get": read}}, {}))
    (operation_id,) = double.api.refs
    with pytest.raises(AnnotationError) as caught:
        double.model.meaning(operation_id)
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/paths/~1sum/get/x-mock-operation"
    assert "compute: <name>" in (caught.value.hint or "")

"""Boundaries are the ends of what a schema admits: one value is admitted there, and the next is not."""

from __future__ import annotations

from contracts.boundaries import GONE, at, boundaries, grafted
from contracts.drafting import UNSET
from mock_server.model.inference.bodies import request_schema
from mock_server.openapi.values import Direction, Json
from tests.planted_bugs.killing import served

ORDER: Json = {"customer_id": "cus_000001", "lines": [{"product_id": 7, "quantity": 2}], "greeting": "hello"}


def test_values_within_are_admitted_and_values_beyond_are_not() -> None:
    schema = request_schema(served("bakery").api.operation("createOrder"))
    assert schema is not None
    for boundary in boundaries(schema, ORDER):
        if boundary.within is not UNSET:
            assert schema.accepts(grafted(ORDER, boundary.path, boundary.within), Direction.REQUEST), boundary
        if boundary.beyond is not UNSET:
            assert not schema.accepts(grafted(ORDER, boundary.path, boundary.beyond), Direction.REQUEST), boundary


def test_members_inside_lists_have_boundaries() -> None:
    schema = request_schema(served("bakery").api.operation("createOrder"))
    assert schema is not None
    found = {(boundary.pointer, boundary.keyword) for boundary in boundaries(schema, ORDER)}
    assert {("/lines/0/quantity", "minimum"), ("/lines/0/quantity", "required"), ("/lines", "minItems"),
            ("/greeting", "maxLength")} <= found  # fmt: skip


def test_a_graft_changes_one_place_alone() -> None:
    assert grafted(ORDER, ("lines", 0, "quantity"), 0) == {**ORDER, "lines": [{"product_id": 7, "quantity": 0}]}
    assert grafted(ORDER, ("greeting",), GONE) == {n: v for n, v in ORDER.items() if n != "greeting"}
    assert at(ORDER, ("lines", 0, "product_id")) == 7
    assert at(ORDER, ("lines", 1, "product_id")) is UNSET

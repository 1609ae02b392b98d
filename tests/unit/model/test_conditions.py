"""Parameters that hold several conditions: an object, or the JSON text of one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.model.doubles import INTEGER, TEXT, Double, answers, array, crud, document, operation, ref, thing

ITEM = thing({"id": INTEGER, "status": TEXT, "qty": INTEGER, "made": {"type": "string", "format": "date-time"},
              "tags": array(TEXT), "place": thing({"town": TEXT})}, "id")  # fmt: skip
ITEMS = [
    {"status": "draft", "qty": 1, "made": "2026-01-01T00:00:00Z", "tags": ["a"], "place": {"town": "Ulm"}},
    {"status": "draft", "qty": 5, "made": "2026-01-02T00:00:00Z", "tags": ["a", "b"], "place": {"town": "Bonn"}},
    {"status": "sent", "qty": 9, "made": "2026-01-03T00:00:00Z", "tags": [], "place": {"town": "Ulm"}},
]


@pytest.fixture(scope="module")
def double() -> Double:
    written = thing({name: schema for name, schema in ITEM["properties"].items() if name != "id"})
    paths = crud(ref("Item"), written, path="/items")
    paths["/items"]["get"] = operation(
        {**answers(array(ref("Item"))), **answers(status=400)},
        query={"filter": TEXT},
        parameters=[
            {"name": "where", "in": "query", "style": "deepObject", "explode": True, "schema": {"type": "object"}}
        ],
        **{
            "x-mock-operation": {"filters": {"filter": {"operator": "conditions"}, "where": {"operator": "conditions"}}}
        },
    )
    made = Double(document(paths, {"Item": ITEM}))
    for item in ITEMS:
        made.created("/items", item)
    return made


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"status": "draft"}, [1, 2]),
        ({"status": ["sent", "lost"]}, [3]),
        ({"status": "draft", "qty": {"$gte": 3}}, [2]),
        ({"qty": {"$gt": 1, "$lt": 9}}, [2]),
        ({"qty": {"$ne": 5}}, [1, 3]),
        ({"qty": {"$in": [1, 9]}}, [1, 3]),
        ({"qty": {"$nin": [1, 9]}}, [2]),
        ({"place.town": "Ulm"}, [1, 3]),
        ({"tags": {"$contains": "b"}}, [2]),
        ({"from_qty": 5}, [2, 3]),
        ({"from_made": "2026-01-02T00:00:00Z", "to_qty": 5}, [2]),
        ({"from_made": 1767312000000}, [2, 3]),  # 2026-01-02 in milliseconds
        ({}, [1, 2, 3]),
    ],
)
def test_conditions_in_json_narrow_a_list(double: Double, condition: Any, expected: list[int]) -> None:
    found = double.get("/items", {"filter": json.dumps(condition)})
    assert [item["id"] for item in found.json] == expected


def test_conditions_in_an_object_parameter_narrow_a_list(double: Double) -> None:
    assert [item["id"] for item in double.get("/items?where[status]=draft&where[to_qty]=3").json] == [1]


@pytest.mark.parametrize("text", ["{", "[1]", "5", '{"qty": {"$near": 3}}'])
def test_what_holds_no_conditions_is_refused_by_name(double: Double, text: str) -> None:
    refused = double.get("/items", {"filter": text})
    assert refused.status == 400
    assert "filter" in json.dumps(refused.json)

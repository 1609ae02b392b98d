"""Requests among many items: they find what they would find among few, and do no more for it."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest

from mock_server.model.collection import MANY, Collection, Entry
from mock_server.model.lenses import INDEXED
from mock_server.model.state import Advance, Fill, Partition, commit
from mock_server.openapi.values import Json
from tests.unit.model.doubles import (
    INTEGER,
    TEXT,
    Double,
    answers,
    array,
    crud,
    document,
    operation,
    path_parameters,
    ref,
    thing,
)

KEY = {"type": ["integer", "null"]}
MEMBERS = {"code": TEXT, "kind": TEXT, "rank": INTEGER, "owner": KEY, "owners": array(INTEGER), "deleted_at": TEXT}
ITEM = thing({"id": INTEGER, **MEMBERS}, "id")
QUERY = {"limit": INTEGER, "offset": INTEGER, "after": TEXT, "sort": TEXT, "kind": TEXT, "code": TEXT}

FEW, SEVERAL = 3, INDEXED + 50
AMONG = pytest.mark.parametrize("others", [FEW, SEVERAL])


def kept(others: int, **items: Json) -> Double:
    """A double of items that an annotation is about, so many of which are there besides what a test makes."""
    listed = thing({"data": array(ref("Item")), "total": INTEGER, "next_cursor": TEXT}, "data")
    paths = {
        **crud(ref("Item"), thing(MEMBERS), path="/items", query=QUERY),
        **crud(thing({"id": INTEGER}, "id"), thing({}), path="/owners"),
        "/owners/{id}/items": {
            "parameters": path_parameters(id=INTEGER),
            "get": operation(answers(array(ref("Item")))),
            "post": operation(answers(ref("Item"), 201), body=thing(MEMBERS)),
        },
    }
    paths["/items"]["get"] = operation(answers(listed), query=QUERY)
    double = Double(document(paths, {"Item": ITEM}, **{"x-mock-resources": {"items": items}}))
    values = [item(number) for number in range(1, others + 1)]
    filled = Collection.of((str(value["id"]), value) for value in values)
    qualified = double.resource("/items").qualified
    changes = (Fill(Partition(qualified), filled), Advance(f"{qualified}#keys", others))
    double.universe.state = commit(double.universe.state, changes)
    return double


def item(number: int) -> dict[str, Json]:
    return {"id": number, "code": f"c{number}", "kind": ("a", "b", "c")[number % 3], "rank": number % 50}


def ids(answer: Any) -> list[int]:
    return [found["id"] for found in answer.json["data"]]


@AMONG
def test_value_in_use_is_refused_and_one_that_became_free_is_not(others: int) -> None:
    double = kept(others, unique=[["code"], ["kind", "rank"]])
    assert double.post("/items", {"code": "c2"}).status == 409
    assert double.post("/items", {"kind": "c", "rank": 2}).status == 409
    assert double.patch("/items/1", {"code": "c2"}).status == 409
    assert double.patch("/items/2", {"code": "c2", "rank": 77}).status == 200
    assert double.post("/items", {"kind": "c", "rank": 2}).status == (409 if others > 150 else 201)  # item 152, too
    assert double.delete("/items/2").status == 204
    assert double.post("/items", {"code": "c2"}).status == 201


@AMONG
@pytest.mark.parametrize("on_delete", ["cascade", "nullify", "restrict"])
def test_item_that_goes_meets_all_that_refer_to_it_and_no_others(others: int, on_delete: str) -> None:
    reference = {"resource": "owners", "onDelete": on_delete}
    double = kept(others, references={"owner": reference, "owners": reference})
    for _ in range(2):
        double.created("/owners", {})
    ours = [double.created("/items", {"owner": 1})["id"], double.created("/items", {"owners": [2, 1]})["id"]]
    theirs = double.created("/items", {"owner": 2, "owners": [2]})
    answered = double.delete("/owners/1").status
    assert answered == (409 if on_delete == "restrict" else 204)
    found = [double.get(f"/items/{key}") for key in ours]
    if on_delete == "cascade":
        assert [answer.status for answer in found] == [404, 404]
    elif on_delete == "nullify":
        assert (found[0].json["owner"], found[1].json["owners"]) == (None, [2])
    else:
        assert (found[0].json["owner"], found[1].json["owners"]) == (1, [2, 1])
    assert double.get(f"/items/{theirs['id']}").json == theirs


@AMONG
def test_quota_counts_what_is_there_and_counts(others: int) -> None:
    limit = others // 3 + 3
    quota = {"limit": limit, "where": "$resource#/kind == 'b'"}
    double = kept(others, quota=quota, softDelete={"set": {"deleted_at": "$now"}, "hidden": True})
    room = limit - len([number for number in range(1, others + 1) if number % 3 == 1])
    made = [double.post("/items", {"kind": "b"}) for _ in range(room + 1)]
    assert [answer.status for answer in made] == [201] * room + [429]
    assert double.post("/items", {"kind": "a"}).status == 201
    assert double.delete(f"/items/{made[0].json['id']}").status == 204
    assert [double.post("/items", {"kind": "b"}).status for _ in range(2)] == [201, 429]


@AMONG
def test_what_is_deleted_softly_is_on_no_page(others: int) -> None:
    double = kept(others, softDelete={"set": {"deleted_at": "$now"}, "hidden": True})
    double.delete("/items/2")
    assert ids(double.get("/items?limit=2")) == [1, 3]
    assert double.get("/items?limit=2").json["total"] == others - 1
    assert ids(double.get("/items?limit=1&kind=c&sort=-id")) == ([others - (others - 2) % 3] if others > 5 else [])
    assert 2 not in ids(double.get("/items?code=c2"))


@AMONG
def test_view_of_a_parent_shows_its_own(others: int) -> None:
    double = kept(others)
    double.created("/owners", {})
    made = double.created("/owners/1/items", {"kind": "a"})
    assert [found["id"] for found in double.get("/owners/1/items").json] == [made["id"]]


# What it takes


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, Python's own included: a measure of work that is the same on any machine."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


SMALL, LARGE = 500, 4_000
TARGETS = [
    "/items?limit=20", "/items?limit=20&offset={middle}", "/items?limit=20&after={middle}",
    "/items?limit=20&kind=a", "/items?limit=20&kind=a&offset={sixth}", "/items?limit=20&kind=a&after={middle}",
    "/items?limit=20&sort=-rank", "/items?limit=20&sort=rank,-code&offset={middle}",
    "/items?limit=20&sort=code&after={middle}", "/items?limit=5&kind=b&sort=-code", "/items?code=c{middle}",
]  # fmt: skip


@pytest.fixture(scope="module")
def doubles() -> dict[int, Double]:
    soft = {"set": {"deleted_at": "$now"}, "hidden": True}
    return {size: kept(size, unique=[["code"]], softDelete=soft) for size in (SMALL, LARGE)}


@pytest.mark.parametrize("target", TARGETS)
def test_page_takes_as_many_calls_among_many_as_among_few(target: str, doubles: dict[int, Double]) -> None:
    counts = {}
    for size, double in doubles.items():
        asked = target.format(middle=size // 2, sixth=size // 6)
        assert double.get(asked).json["data"]  # the first to ask makes the index
        counts[size] = calls(partial(double.get, asked))
    assert counts[LARGE] <= 1.3 * counts[SMALL]


def test_write_takes_as_many_calls_among_many_as_among_few(doubles: dict[int, Double]) -> None:
    counts: dict[int, list[int]] = {}
    for size, double in doubles.items():
        state = double.universe.state
        for _ in range(2):
            double.universe.state = state
            counts[size] = [
                calls(partial(double.post, "/items", {"code": "new", "kind": "a"})),
                calls(partial(double.post, "/items", {"code": "new"})),
                calls(partial(double.patch, "/items/7", {"rank": 4})),
                calls(partial(double.delete, "/items/8")),
            ]
        double.universe.state = state
    assert all(many <= 1.3 * few for few, many in zip(counts[SMALL], counts[LARGE], strict=True)), counts


def test_key_is_found_at_once_by_every_fork_of_a_large_seed() -> None:
    """The keys of a seed are not counted, so the first free one has to be looked for: once, not by each fork."""
    double = kept(LARGE)
    state = replace(double.universe.state, counters=double.universe.state.counters.delete("test/items#keys"))
    counts = []
    for _ in range(2):
        double.universe.state = state
        counts.append(calls(partial(double.post, "/items", {})))
        assert double.get(f"/items/{LARGE + 1}").status == 200
    assert counts[0] > LARGE > 10 * counts[1]


def test_journal_and_events_keep_no_old_state_alive() -> None:
    """A universe that wrote all night holds one version of its items, not one for each write."""
    double = kept(SEVERAL, events={"item.changed": {"on": "updated", "payload": {"data": "$resource"}}})
    for rank in range(20):
        double.patch("/items/5", {"rank": rank})
        double.get("/items?sort=code&kind=a")
    gc.collect()
    large = [each for each in gc.get_objects() if type(each) is Collection and len(each) == SEVERAL]
    ours = [each for each in large if (found := each.get("5")) is not None and found.value["code"] == "c5"]
    assert len(double.universe.journal) == 40
    assert len([each for each in ours if each.get("5").revision > 1]) == 1  # type: ignore[union-attr] # it was found above


def test_item_of_a_large_collection_takes_less_than_three_times_its_json() -> None:
    def customer(number: int) -> dict[str, Json]:
        return {
            "id": number, "name": "Ada Lovelace", "email": f"customer.{number}@shop.example", "status": "active",
            "birth_date": "1815-12-10", "tags": ["math", "engines"],
            "address": {"street": "12 St James's Square", "city": "London", "postal_code": "SW1Y4", "country": "GB"},
        }  # fmt: skip

    collection = Collection.of((str(number), customer(number)) for number in range(MANY))
    more = range(MANY, MANY + 1500)
    tracemalloc.start()
    try:
        for number in more:
            collection = collection.put(str(number), customer(number))
        taken = tracemalloc.get_traced_memory()[0] / len(more)
    finally:
        tracemalloc.stop()
    assert taken < 3 * len(orjson.dumps(customer(MANY)))
    assert collection.get(str(more[-1])) == Entry(str(more[-1]), more[-1] + 1, customer(more[-1]), 1)

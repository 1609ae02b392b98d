"""Lists: filters, search, order and every style of pagination."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.model.collection import Collection
from mock_server.model.meaning import Filter, Listing
from mock_server.model.queries import Page, select
from mock_server.openapi.values import Json
from tests.unit.model.doubles import (
    FLAG,
    INTEGER,
    MOMENT,
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

ITEM = thing(
    {
        "id": INTEGER,
        "name": TEXT,
        "zip": TEXT,
        "rank": INTEGER,
        "done": FLAG,
        "tags": array(TEXT),
        "created_at": MOMENT,
    },
    "id",
)
NEW = thing({name: schema for name, schema in ITEM["properties"].items() if name != "id"})


def listing(query: Json, envelope: Json | None = None, headers: Json | None = None) -> Double:
    """A double with one collection, listed with these query parameters in this envelope."""
    schema = array(ref("Item")) if envelope is None else envelope
    paths = {
        "/items": {
            "get": operation(answers(schema, headers=headers), query=query),
            "post": operation(answers(ref("Item"), 201), body=NEW),
        },
        "/items/{id}": {
            "parameters": path_parameters(id=INTEGER),
            "get": operation(answers(ref("Item"))),
            "delete": operation(answers(status=204)),
        },
    }
    return Double(document(paths, {"Item": ITEM}))


def fill(double: Double, *items: dict[str, Json]) -> Double:
    for item in items:
        double.created("/items", item)
    return double


def ids(items: Any) -> list[int]:
    return [item["id"] for item in items]


# Filters


def asked(schema: Json, items: list[dict[str, Json]], **query: Json) -> list[int]:
    """The ids that a query with one kind of parameter selects."""
    double = fill(listing(dict.fromkeys(query, schema)), *items)
    return ids(double.get("/items", query).json)


def test_text_is_compared_as_text() -> None:
    items = [{"zip": "007"}, {"zip": "7"}, {"zip": "7.0"}]
    assert asked(TEXT, items, zip="7") == [2]
    assert asked(TEXT, items, zip="007") == [1]


def test_numbers_are_compared_as_numbers() -> None:
    items = [{"rank": 9}, {"rank": 10}, {"rank": 2}]
    assert asked(TEXT, items, rank="10") == [2]
    assert asked(INTEGER, items, min_rank=9) == [1, 2]
    assert asked(INTEGER, items, rank_lt=10) == [1, 3]


@pytest.mark.parametrize("schema", [FLAG, TEXT])
def test_flags_are_compared_as_flags(schema: Json) -> None:
    items: list[dict[str, Json]] = [{"done": True}, {"done": False}, {}]
    assert asked(schema, items, done="true") == [1]
    assert asked(schema, items, done="false") == [2]


def test_an_array_of_values_selects_any_of_them() -> None:
    assert asked(array(TEXT), [{"name": "a"}, {"name": "b"}, {"name": "c"}], name="c") == [3]
    double = fill(listing({"name": array(TEXT)}), {"name": "a"}, {"name": "b"}, {"name": "c"})
    assert ids(double.get("/items?name=a&name=c").json) == [1, 3]


def test_a_filter_on_a_list_member_selects_what_contains_the_value() -> None:
    assert asked(TEXT, [{"tags": ["x", "y"]}, {"tags": ["y"]}, {}], tags="y") == [1, 2]


def test_a_date_up_to_which_includes_that_day() -> None:
    items: list[dict[str, Json]] = [{"created_at": f"2026-01-{day}T23:00:00Z"} for day in ("30", "31")]
    items.append({"created_at": "2026-02-01T00:30:00Z"})
    day = {"type": "string", "format": "date"}
    assert asked(day, items, created_at_to="2026-01-31") == [1, 2]
    assert asked(day, items, created_after="2026-01-31") == [2, 3]
    assert asked(day, items, date_from="2026-02-01") == [3]


def test_moments_are_compared_across_offsets() -> None:
    items: list[dict[str, Json]] = [
        {"created_at": "2026-01-31T12:00:00+02:00"},
        {"created_at": "2026-01-31T11:00:00Z"},
    ]
    assert asked(MOMENT, items, created_before="2026-01-31T10:30:00Z") == [1]


def test_an_item_without_the_member_is_not_selected() -> None:
    assert asked(INTEGER, [{}, {"rank": 1}], min_rank=0) == [2]


def test_a_deep_object_of_filters_is_read_member_by_member() -> None:
    double = listing({})
    parameter = {
        "name": "filter",
        "in": "query",
        "style": "deepObject",
        "explode": True,
        "schema": thing({"name": TEXT}),
    }
    paths = double.api.root["paths"] | {}
    paths["/items"] = {**paths["/items"], "get": {**paths["/items"]["get"], "parameters": [parameter]}}
    double = fill(Double(document(paths, {"Item": ITEM})), {"name": "a"}, {"name": "b"})
    assert ids(double.get("/items?filter[name]=b").json) == [2]


def test_search_looks_at_every_text() -> None:
    assert asked(TEXT, [{"name": "Red fox"}, {"tags": ["foxes"]}, {"name": "cat"}], q="FOX") == [1, 2]


@given(
    st.lists(st.fixed_dictionaries({}, optional={"n": st.integers(-5, 5), "s": st.text("ab", max_size=2)})),
    st.integers(-5, 5),
)
def test_a_filter_selects_exactly_the_items_that_satisfy_it(items: list[dict[str, Json]], bound: int) -> None:
    held = Collection.of((str(index), item) for index, item in enumerate(items))
    signs: dict[str, Callable[[int], bool]] = {
        "eq": lambda n: n == bound, "gt": lambda n: n > bound, "gte": lambda n: n >= bound,
        "lt": lambda n: n < bound, "lte": lambda n: n <= bound,
    }  # fmt: skip
    for operator, holds in signs.items():
        page = select(held, Listing(filters=(Filter("n", ("n",), operator),)), {"n": bound})
        assert isinstance(page, Page)
        assert [entry.value for entry in page.entries] == [item for item in items if "n" in item and holds(item["n"])]


# Order


def test_sort_by_a_property_backwards_and_by_two() -> None:
    items: list[dict[str, Json]] = [
        {"name": "b", "rank": 1},
        {"name": "a", "rank": 2},
        {"name": "b", "rank": 0},
    ]
    double = fill(listing({"sort": TEXT, "order": TEXT}), *items)
    assert ids(double.get("/items", {"sort": "name"}).json) == [2, 1, 3]
    assert ids(double.get("/items", {"sort": "-name,rank"}).json) == [3, 1, 2]
    assert ids(double.get("/items", {"sort": "rank", "order": "desc"}).json) == [2, 1, 3]
    assert ids(double.get("/items", {"sort": "rank:desc"}).json) == [2, 1, 3]


def test_numbers_sort_as_numbers_and_text_as_text() -> None:
    items: list[dict[str, Json]] = [{"rank": 10, "zip": "9"}, {"rank": 9, "zip": "10"}]
    double = fill(listing({"sort": TEXT}), *items)
    assert ids(double.get("/items", {"sort": "rank"}).json) == [2, 1]
    assert ids(double.get("/items", {"sort": "zip"}).json) == [2, 1]


def test_a_short_name_of_a_time_sorts_by_it() -> None:
    items: list[dict[str, Json]] = [{"created_at": f"2026-01-0{day}T00:00:00Z"} for day in (3, 1, 2)]
    double = fill(listing({"sort": TEXT}), *items)
    assert ids(double.get("/items", {"sort": "created"}).json) == [2, 3, 1]
    assert ids(double.get("/items", {"sort": "createdAt"}).json) == [2, 3, 1]


def test_an_unknown_sort_keeps_the_order_of_creation_and_says_so() -> None:
    double = fill(listing({"sort": TEXT}), {"name": "b"}, {"name": "a"})
    assert ids(double.get("/items", {"sort": "best-match"}).json) == [1, 2]
    why = double.get("/items", {"sort": "best-match"}, prefer="explain").json
    assert "no property is called best-match" in str(why["explanation"])


@given(
    st.lists(st.one_of(st.none(), st.integers(-3, 3), st.text("aB", max_size=2), st.booleans()), max_size=12),
    st.booleans(),
)
def test_sort_gives_a_stable_permutation(values: list[Json], backwards: bool) -> None:
    held = Collection.of((str(index), {"v": value}) for index, value in enumerate(values))
    page = select(held, Listing(sort="sort"), {"sort": "-v" if backwards else "v"})
    assert isinstance(page, Page)
    assert sorted(entry.key for entry in page.entries) == sorted(entry.key for entry in held)
    for first, second in zip(page.entries, page.entries[1:], strict=False):
        left, right = first.value["v"], second.value["v"]
        if type(left) is type(right) is int and left != right:
            assert (left > right) == backwards
        if left == right and type(left) is type(right):
            assert (first.sequence > second.sequence) == backwards


# Pages


TOTAL = thing({"data": array(ref("Item")), "total": INTEGER}, "data", "total")
CURSOR = thing(
    {"items": array(ref("Item")), "next_cursor": {"type": ["string", "null"]}, "has_more": FLAG},
    "items",
    "has_more",
)
META = thing(
    {"meta": thing({"total": INTEGER, "page": INTEGER, "per_page": INTEGER}), "data": array(ref("Item"))},
    "meta",
    "data",
)


def by_offset(double: Double) -> Iterator[Any]:
    offset = 0
    while True:
        page = double.get("/items", {"limit": 3, "offset": offset}).json
        assert page["total"] == 10
        if not page["data"]:
            return
        yield from page["data"]
        offset += 3


def by_page(double: Double) -> Iterator[Any]:
    for number in range(1, 5):
        page = double.get("/items", {"per_page": 3, "page": number}).json
        assert page["meta"] == {"total": 10, "page": number, "per_page": 3}
        yield from page["data"]


def by_cursor(double: Double) -> Iterator[Any]:
    query: dict[str, Json] = {"limit": 3}
    while True:
        page = double.get("/items", query).json
        yield from page["items"]
        assert page["has_more"] == (page.get("next_cursor") is not None)
        if not page["has_more"]:
            return
        query["cursor"] = page["next_cursor"]


def by_key(double: Double) -> Iterator[Any]:
    query: dict[str, Json] = {"limit": 3}
    while True:
        page = double.get("/items", query).json
        yield from page["items"]
        if not page["has_more"]:
            return
        query["starting_after"] = page["items"][-1]["id"]


def by_link(double: Double) -> Iterator[Any]:
    answer = double.get("/items", {"per_page": 3})
    while True:
        yield from answer.json
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("Link", ""))
        if following is None:
            return
        answer = double.follow(following[1])


WALKS: dict[str, tuple[Callable[[Double], Iterator[Any]], Callable[[], Double]]] = {
    "offset": (by_offset, lambda: listing({"limit": INTEGER, "offset": INTEGER}, TOTAL)),
    "page": (by_page, lambda: listing({"per_page": INTEGER, "page": INTEGER}, META)),
    "cursor": (by_cursor, lambda: listing({"limit": INTEGER, "cursor": TEXT}, CURSOR)),
    "key": (by_key, lambda: listing({"limit": INTEGER, "starting_after": TEXT}, CURSOR)),
    "link": (
        by_link,
        lambda: listing({"per_page": INTEGER, "page": INTEGER}, None, {"Link": {"schema": TEXT}}),
    ),
}


@pytest.mark.parametrize("style", WALKS)
def test_a_walk_sees_every_item_once_and_in_order(style: str) -> None:
    walk, make = WALKS[style]
    double = fill(make(), *({"rank": rank} for rank in range(10)))
    assert ids(walk(double)) == list(range(1, 11))


@pytest.mark.parametrize("sort", [None, "rank", "-rank"])
def test_a_walk_by_cursor_sees_what_stays_once_while_items_come_and_go(sort: str | None) -> None:
    double = fill(
        listing({"limit": INTEGER, "cursor": TEXT, "sort": TEXT}, CURSOR),
        *({"rank": n % 4} for n in range(10)),
    )
    query: dict[str, Json] = {"limit": 2} | ({"sort": sort} if sort else {})
    seen: list[int] = []
    victims = iter([3, 8, 9])
    while True:
        page = double.get("/items", query).json
        seen += ids(page["items"])
        victim = next(victims, None)
        if victim is not None:
            double.delete(f"/items/{victim}")
        if seen[-1] not in {3, 8, 9}:
            double.delete(f"/items/{seen[-1]}")  # the very item that the cursor points at
        double.created("/items", {"rank": 1}) if len(seen) < 4 else None
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen))
    assert set(seen) >= {1, 2, 4, 5, 6, 7, 10}


def test_a_cursor_that_was_never_given_out_is_refused() -> None:
    double = fill(listing({"limit": INTEGER, "cursor": TEXT}, CURSOR), {"rank": 1})
    assert double.get("/items", {"cursor": "nonsense"}).status == 400


def test_a_cursor_of_another_order_is_refused() -> None:
    double = fill(listing({"limit": INTEGER, "cursor": TEXT, "sort": TEXT}, CURSOR), {"rank": 1}, {"rank": 2})
    cursor = double.get("/items", {"limit": 1, "sort": "rank"}).json["next_cursor"]
    assert double.get("/items", {"limit": 1, "cursor": cursor}).status == 400


def test_pages_go_back_as_they_went_forth() -> None:
    double = listing({"limit": INTEGER, "starting_after": TEXT, "ending_before": TEXT}, CURSOR)
    fill(double, *({"rank": n} for n in range(7)))
    for sort in ({}, {"sort": "rank"}):
        back = double.get("/items", {"limit": 2, "ending_before": "6", **sort}).json
        assert ids(back["items"]) == [4, 5]
        assert ids(double.get("/items", {"limit": 2, "ending_before": "2", **sort}).json["items"]) == [1]


def test_a_paginated_list_without_a_documented_default_has_50_items() -> None:
    double = fill(listing({"limit": INTEGER, "offset": INTEGER}, TOTAL), *({"rank": n} for n in range(60)))
    assert len(double.get("/items").json["data"]) == 50
    reasons = double.meaning("GET", "/items").reasons
    assert [r.decision for r in reasons if r.about == "page size"] == ["50"]
    assert "no default is documented" in next(r.why for r in reasons if r.about == "page size")


@pytest.mark.parametrize(
    ("schema", "size"),
    [
        ({"type": "integer", "maximum": 20}, 20),
        ({"type": "integer", "maximum": 200}, 50),
        ({"type": "integer", "minimum": 100}, 100),
        ({"type": "integer", "default": 7, "maximum": 20}, 7),
    ],
)
def test_the_default_page_size_keeps_to_the_documented_bounds(schema: Json, size: int) -> None:
    double = listing({"limit": schema, "offset": INTEGER}, TOTAL)
    assert double.meaning("GET", "/items").listing.default_limit == size


def test_a_list_without_pagination_is_whole() -> None:
    double = fill(listing({}), *({"rank": n} for n in range(60)))
    assert len(double.get("/items").json) == 60


def test_an_absurd_limit_or_offset_is_no_crash() -> None:
    double = fill(listing({"limit": INTEGER, "offset": INTEGER}, TOTAL), {"rank": 1})
    assert len(double.get("/items", {"limit": 10**30}).json["data"]) == 1
    assert double.get("/items", {"offset": 10**30}).json["data"] == []
    assert double.get("/items", {"limit": 0}).json == {"data": [], "total": 1}


def test_the_total_counts_what_the_filter_selects() -> None:
    double = fill(listing({"limit": INTEGER, "offset": INTEGER, "name": TEXT}, TOTAL), *({"name": n} for n in "aba"))
    page = double.get("/items", {"limit": 1, "name": "a"}).json
    assert (ids(page["data"]), page["total"]) == ([1], 2)


READINGS = {
    "offset": Listing(limit="limit", offset="offset"),
    "page": Listing(limit="limit", page="page"),
    "after": Listing(limit="limit", after="after"),
}


@given(
    st.integers(0, 25), st.integers(1, 7), st.sampled_from(["offset", "page", "after"]),
    st.sampled_from([None, "v", "-v"]), st.booleans(),
)  # fmt: skip
def test_pages_partition_the_list(size: int, limit: int, style: str, sort: str | None, filtered: bool) -> None:
    held = Collection.of((f"k{n}", {"v": n % 3, "even": n % 2 == 0}) for n in range(size))
    reading = replace(READINGS[style], sort="sort", filters=(Filter("even", ("even",), "eq"),))
    query: dict[str, Json] = {"limit": limit} | ({"sort": sort} if sort else {}) | ({"even": True} if filtered else {})
    whole = select(held, Listing(sort="sort", filters=reading.filters), query)
    assert isinstance(whole, Page)
    seen: list[str] = []
    for number in range(size + 2):
        position = {"offset": {"offset": number * limit}, "page": {"page": number + 1}, "after": {}}[style]
        page = select(held, reading, {**query, **position})
        assert isinstance(page, Page)
        assert page.total == whole.total
        seen += [entry.key for entry in page.entries]
        if not page.has_more:
            break
        if style == "after":
            query["after"] = page.next_cursor
    assert seen == [entry.key for entry in whole.entries]


def test_items_of_one_moment_come_newest_first_where_the_list_does() -> None:
    item = thing({"id": INTEGER, "rank": INTEGER}, "id")
    query = {"sort": TEXT, "cursor": TEXT, "limit": INTEGER}
    paths = crud(item, thing({"rank": INTEGER}), query=query)
    listed = thing({"data": array(item), "next_cursor": {"type": ["string", "null"]}}, "data", "next_cursor")
    paths["/things"]["get"] = operation(answers(listed), query=query)
    double = Double(document(paths))
    for rank in (1, 2, 2, 2, 1):
        double.created("/things", {"rank": rank})
    walked: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = double.get("/things", {"sort": "-rank", "limit": 2, **({"cursor": cursor} if cursor else {})}).json
        walked += [entry["id"] for entry in page["data"]]
        cursor = page["next_cursor"]
    assert walked == [4, 3, 2, 5, 1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sortBy": '[{"field": "rank", "type": "desc"}]'}, [2, 3, 1]),
        ({"sortBy": '[{"name": "rank", "order": 1}]'}, [1, 3, 2]),
        ({"sort": "-rank", "sortBy": '[{"field": "rank", "type": "asc"}]'}, [2, 3, 1]),
    ],
)
def test_a_second_parameter_may_sort_by_objects(query: dict[str, str], expected: list[int]) -> None:
    item = thing({"id": INTEGER, "rank": INTEGER}, "id")
    paths = crud(item, thing({"rank": INTEGER}))
    by_objects = {
        "name": "sortBy",
        "in": "query",
        "content": {"application/json": {"schema": array({"type": "object"})}},
    }
    paths["/things"]["get"] = operation(
        answers(array(item)),
        query={"sort": TEXT},
        parameters=[by_objects],
        **{"x-mock-operation": {"parameters": {"sort": ["sort", "sortBy"]}}},
    )
    double = Double(document(paths))
    for rank in (1, 9, 5):
        double.created("/things", {"rank": rank})
    assert [entry["id"] for entry in double.get("/things", query).json] == expected

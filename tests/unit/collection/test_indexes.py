"""Lists read from indexes: whatever was written and restored, they say what looking at every item would say."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mock_server.model.collection import Collection, Entry
from mock_server.model.filters import Condition, Predicate, key_is, predicates, value_at
from mock_server.model.lenses import INDEXED, counted, likely
from mock_server.model.meaning import Filter, Listing
from mock_server.model.outcome import key_text
from mock_server.model.queries import Page, select
from mock_server.model.sorting import sort_asked
from mock_server.openapi.values import Json

EXAMPLES = int(os.environ.get("APIDOUBLE_INDEXES", "15"))

OPERATORS = ("eq", "in", "ne", "gt", "gte", "lt", "lte", "contains", "nin")
PATHS = (("a",), ("b", "c"))
LISTING = Listing(
    style="cursor", limit="limit", offset="offset", after="after", before="before", sort="sort", search="q",
    filters=tuple(Filter(f"{'.'.join(path)}-{operator}", path, operator) for path in PATHS for operator in OPERATORS),
)  # fmt: skip

VALUES: list[Json] = (
    ["x", "X", "y", "", "7", "07", "true", "2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T12:00:00+02:00",
     "2026-01-30T23:59:59Z", "9999-12-31", "1769853600", 7, 7.0, 0, 8.5, -3, 1, True, False, 1769853600,
     1769853600000, 2**70, None]
)  # fmt: skip
SCALARS = st.sampled_from(VALUES)
HELD = st.one_of(SCALARS, SCALARS, SCALARS, st.lists(SCALARS, max_size=3), st.just({"x": "x"}))
ITEMS = st.one_of(
    st.fixed_dictionaries({}, optional={"a": HELD, "b": st.fixed_dictionaries({"c": HELD}), "gone": st.booleans()}),
    st.sampled_from([[], "text", {"b": "text"}]),
)
KEYS = st.integers(0, 400).map("k{}".format)
SORTS = ("a", "-a", "b.c", "a,b.c", "-a,b.c", "a,-b.c", "-a,-b.c")
FILTERS = st.tuples(st.sampled_from(LISTING.filters), st.one_of(SCALARS, st.lists(SCALARS, max_size=2))).map(
    lambda pair: {pair[0].parameter: pair[1]}
)
QUERIES = st.tuples(
    st.one_of(st.just({}), FILTERS, FILTERS, st.builds(lambda one, two: {**one, **two}, FILTERS, FILTERS)),
    st.sampled_from([{}, {}, {"q": "x"}]),
    st.one_of(st.just({}), st.sampled_from(SORTS).map(lambda sort: {"sort": sort})),
).map(lambda parts: parts[0] | parts[1] | parts[2])


def is_there(item: Json) -> bool:
    return not (isinstance(item, dict) and item.get("gone"))


STANDING: tuple[tuple[Predicate, ...], ...] = (
    (),
    (Condition(is_there, lasting=True),),
    (key_is(("a",), "7"),),
    (Condition(is_there, lasting=True), key_is(("b", "c"), "true")),
)


def looked_through(collection: Collection, query: dict[str, Json], standing: tuple[Predicate, ...]) -> list[Entry]:
    """What a list selects, found by looking at every item."""
    conditions = predicates(LISTING, query)
    assert isinstance(conditions, list)
    found = [entry for entry in collection if all(holds(entry.value) for holds in (*standing, *conditions))]
    order = sort_asked(LISTING, query).order
    return found if order is None else order.sorted(found)


def pages(read: Callable[[dict[str, Json]], Page], *, onward: str, limit: int) -> Iterator[Page]:
    """The pages of a walk by cursors: with ``after`` from the beginning on, with ``before`` from the end back."""
    page = read({"limit": limit} if onward == "after" else {"limit": limit, "offset": max(read({}).total - limit, 0)})
    while True:
        yield page
        cursor = page.next_cursor if onward == "after" else page.previous_cursor
        if cursor is None:
            return
        page = read({"limit": limit, onward: cursor})


def agrees(
    collection: Collection, query: dict[str, Json], standing: tuple[Predicate, ...], *, offset: int, limit: int
) -> None:
    """A page, and walks by cursors to either end, show what looking at every item shows."""

    def read(more: dict[str, Json]) -> Page:
        page = select(collection, LISTING, {**query, **more}, conditions=standing)
        assert isinstance(page, Page)
        return page

    expected = looked_through(collection, query, standing)
    page = read({"offset": offset, "limit": limit})
    assert (list(page.entries), page.total) == (expected[offset : offset + limit], len(expected))
    step = max(len(expected) // 2, 1)
    walked = [entry for page in pages(read, onward="after", limit=step) for entry in page.entries]
    assert walked == expected
    back = [entry for page in pages(read, onward="before", limit=step) for entry in reversed(page.entries)]
    assert back == expected[::-1]


class IndexMachine(RuleBasedStateMachine):
    """Collections large enough for indexes, which are asked between the writes, and versions to which it goes back."""

    def __init__(self) -> None:
        super().__init__()
        self.collection = Collection()
        self.versions: list[Collection] = []

    @initialize(items=st.lists(ITEMS, min_size=1, max_size=40), size=st.sampled_from([INDEXED, 330]))
    def bulk(self, items: list[Json], size: int) -> None:
        self.collection = Collection.of((f"k{index}", items[index % len(items)]) for index in range(size))

    @rule(key=KEYS, value=ITEMS)
    def put(self, key: str, value: Json) -> None:
        self.collection = self.collection.put(key, value)

    @rule(key=KEYS)
    def remove(self, key: str) -> None:
        self.collection = self.collection.remove(key)

    @rule(start=st.integers(0, 300), values=st.lists(ITEMS, min_size=1, max_size=5), count=st.integers(1, 60))
    def put_many(self, start: int, values: list[Json], count: int) -> None:
        for index in range(start, start + count):
            self.collection = self.collection.put(f"k{index}", values[index % len(values)])

    @rule()
    def keep_version(self) -> None:
        self.versions.append(self.collection)

    @rule(at=st.integers(0, 5))
    def restore(self, at: int) -> None:
        if self.versions:
            self.versions.append(self.collection)
            self.collection = self.versions[at % len(self.versions)]

    @rule(query=QUERIES, standing=st.sampled_from(STANDING),
          offset=st.integers(0, 300), limit=st.integers(1, 40))  # fmt: skip
    def read_lists(self, query: dict[str, Json], standing: tuple[Predicate, ...], offset: int, limit: int) -> None:
        for version in [self.collection, *self.versions[:1]]:
            agrees(version, query, standing, offset=offset, limit=limit)

    @rule(value=SCALARS, path=st.sampled_from(PATHS))
    def look_up(self, value: Json, path: tuple[str, ...]) -> None:
        found = [entry.key for entry in likely(self.collection, path, value, beside=("k3", "unknown"))]
        sequences = [entry.sequence for entry in likely(self.collection, path, value)]
        assert sequences == sorted(set(sequences))
        for entry in self.collection:
            held = value_at(entry.value, path)
            each = [held, *held] if isinstance(held, list) else [held]
            if any(one == value or key_text(one) == key_text(value) for one in each if one is not None):
                assert entry.key in found
        assert "k3" in found or "k3" not in self.collection

    @rule()
    def count(self) -> None:
        assert counted(self.collection, is_there) == sum(1 for entry in self.collection if is_there(entry.value))


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=EXAMPLES, stateful_step_count=12, deadline=None)


HOLDING: list[Json] = [*VALUES, *([value] for value in VALUES), [], ["x", "y"], ["x", 7, True], {"x": "x"}]


@pytest.mark.parametrize("operator", ["eq", "in", "gt", "gte", "lt", "lte"])
def test_filter_selects_by_its_index_what_looking_selects(operator: str) -> None:
    items = [{"a": value, "b": {"c": HOLDING[-at]}} for at, value in enumerate(HOLDING)]
    collection = Collection.of((f"k{index}", items[index % len(items)]) for index in range(INDEXED))
    for at, wanted in enumerate([*VALUES, ["x", 7], ["2026-01-31", "true"], "x,7,2026-01-31"]):
        parameter = f"{'b.c' if at % 4 == 3 else 'a'}-{operator}"
        query = {parameter: wanted} | ({"sort": SORTS[at % len(SORTS)]} if at % 3 else {})
        agrees(collection, query, STANDING[at % 2], offset=at % 5, limit=3)


@pytest.mark.parametrize("operator", ["eq", "gt", "gte", "lt", "lte"])
def test_day_selects_by_its_index_numbers_that_count_from_the_epoch(operator: str) -> None:
    """Seconds and milliseconds stand in one column, which no index sorts as a date does."""
    midnight = 1769817600
    numbers = [midnight + 3600 * offset for offset in range(-3, 4)]
    numbers += [1000 * number for number in numbers]
    collection = Collection.of((f"k{index}", {"a": numbers[index % 14]}) for index in range(INDEXED))
    for query in ({}, {"sort": "a"}, {"sort": "-a"}):
        agrees(collection, {f"a-{operator}": "2026-01-31", **query}, (), offset=1, limit=2)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_walk_sees_what_stays_exactly_once_whatever_comes_and_goes(data: st.DataObject) -> None:
    items = data.draw(st.lists(ITEMS, min_size=5, max_size=20))
    collection = Collection.of((f"k{index}", items[index % len(items)]) for index in range(INDEXED + 40))
    query = data.draw(QUERIES)
    before = {entry.key: entry for entry in looked_through(collection, query, ())}
    seen: list[str] = []
    touched: set[str] = set()

    def read(more: dict[str, Json]) -> Page:
        nonlocal collection
        page = select(collection, LISTING, {**query, **more})
        assert isinstance(page, Page)
        for key in data.draw(st.lists(KEYS, max_size=3)):
            touched.add(key)
            collection = collection.remove(key) if key in collection else collection.put(key, items[0])
        return page

    for page in pages(read, onward="after", limit=25):
        seen += [entry.key for entry in page.entries]
    stayed = [key for key in before if key not in touched]
    assert [key for key in seen if key in stayed] == stayed


def test_an_index_made_by_one_fork_is_there_for_the_next() -> None:
    """Both are forks of one seed, so that only the first to ask waits for the index."""
    seed = Collection.of((f"k{index}", {"a": str(index % 5)}) for index in range(INDEXED))
    select(seed, LISTING, {"a-eq": "3"})
    assert seed.put("new", {"a": "3"})._indexes is not None
    made = seed._indexes
    select(seed, LISTING, {"a-eq": "4"})
    assert seed._indexes is made


def test_a_collection_keeps_a_bounded_number_of_indexes() -> None:
    collection = Collection.of((f"k{index}", {f"m{at}": index % 7 for at in range(40)}) for index in range(INDEXED))
    listing = Listing(sort="sort", limit="limit")
    for at in range(40):
        page = select(collection, listing, {"sort": f"m{at}", "limit": 3})
        assert isinstance(page, Page)
        assert [entry.key for entry in page.entries] == ["k0", "k7", "k14"]
    assert collection._indexes is not None
    assert len(collection._indexes) == 12

"""Large collections keep their items as texts, and nobody who reads or writes them can tell."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.model.collection import MANY, Collection, Entry
from mock_server.model.packing import packed, unpacked
from mock_server.openapi.values import Json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
LARGE = Collection.of((f"k{index}", {"n": index}) for index in range(MANY))


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal in type as well: 1 is neither 1.0 nor true."""
    return repr(one) == repr(other)


@given(value=VALUES, sequence=st.integers(1, 2**60), revision=st.integers(1, 2**40))
def test_what_is_kept_as_a_text_comes_back_as_it_was(value: Json, sequence: int, revision: int) -> None:
    text = packed(sequence, revision, value)
    if text is not None:
        kept_sequence, kept_revision, kept = unpacked(text)
        assert (kept_sequence, kept_revision) == (sequence, revision)
        assert same(kept, value)


@pytest.mark.parametrize("value", [2**64, math.nan, [math.inf], "\ud800", {"a": object()}, {1: 2}])
def test_what_json_cannot_tell_is_not_kept_as_a_text(value: Any) -> None:
    assert packed(1, 1, value) is None


WRITES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, MANY + 5), VALUES | st.just(2**70)),
        st.tuples(st.just("remove"), st.integers(0, MANY + 5), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=50)
@given(WRITES)
def test_large_collection_reads_as_a_small_one_would(writes: list[tuple[str, int, Json]]) -> None:
    collection, expected, following = LARGE, dict[str, Entry | None](), MANY + 1
    for what, number, value in writes:
        key = f"k{number}"
        held = expected[key] if key in expected else LARGE.get(key)
        if what == "remove":
            collection, expected[key] = collection.remove(key), None
        elif held is None:
            collection, expected[key] = collection.put(key, value), Entry(key, following, value, 1)
            following += 1
        else:
            collection = collection.put(key, value)
            expected[key] = Entry(key, held.sequence, value, held.revision + 1)
    for key, entry in expected.items():
        found = collection.get(key)
        assert found == entry
        assert found is None or entry is None or same(found.value, entry.value)
    assert LARGE.get("k7") == Entry("k7", 8, {"n": 7}, 1)


def test_reader_cannot_change_what_a_large_collection_keeps() -> None:
    found = LARGE.get("k3")
    assert found is not None
    found.value["n"] = "changed"
    assert LARGE.get("k3") == Entry("k3", 4, {"n": 3}, 1)


@pytest.mark.parametrize("size", [MANY - 1, MANY, MANY + 1])
def test_bulk_build_of_any_size_keeps_the_last_value_at_the_first_place(size: int) -> None:
    collection = Collection.of([*((f"k{index}", index) for index in range(size)), ("k0", "again"), ("k9", "again")])
    assert len(collection) == size
    assert collection.page(0, 2) == (Entry("k0", 1, "again", 1), Entry("k1", 2, 1, 1))
    assert collection.get("k9") == Entry("k9", 10, "again", 1)
    assert collection.next_sequence == size + 1
    assert [entry.key for entry in collection.descending()][:2] == [f"k{size - 1}", f"k{size - 2}"]

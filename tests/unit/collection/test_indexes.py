"""Indexes of collections: whatever was written, they say what looking at every item would say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.model.collection import Collection
from mock_server.model.indexes import text_at
from mock_server.openapi.values import Json

PATH = ("login", "token")
TEXTS = st.sampled_from(["a", "b", "7", 7, None, True, ["a"], {"x": "a"}])
VALUES = st.one_of(
    st.builds(lambda text: {"login": {"token": text}}, TEXTS), st.just({}), st.just({"login": "a"}), st.just([])
)
WRITES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("123456"), VALUES),
        st.tuples(st.just("remove"), st.sampled_from("123456"), st.none()),
        st.tuples(st.just("ask"), st.just(""), st.none()),
    ),
    max_size=30,
)


def scanned(collection: Collection, text: str) -> set[str]:
    return {entry.key for entry in collection if text_at(PATH, entry.value) == text}


@given(WRITES)
def test_index_agrees_with_a_scan_of_every_version(writes: list[tuple[str, str, Json]]) -> None:
    versions = [Collection()]
    for what, key, value in writes:
        last = versions[-1]
        if what == "ask":
            last.holding(PATH, "a")
        else:
            versions.append(last.put(key, value) if what == "put" else last.remove(key))
    for version in versions:
        for text in ("a", "b", "7", "none"):
            assert {entry.key for entry in version.holding(PATH, text)} == scanned(version, text)


def test_found_entries_are_those_of_the_version_that_is_asked() -> None:
    first = Collection().put("1", {"login": {"token": "a"}})
    assert first.holding(PATH, "a")
    second = first.put("1", {"login": {"token": "b"}})
    assert (first.holding(PATH, "b"), second.holding(PATH, "a")) == ((), ())
    assert second.holding(PATH, "b")[0].revision == 2


def test_two_paths_are_indexed_side_by_side() -> None:
    items = Collection.of([("1", {"a": "x", "b": "y"}), ("2", {"a": "y", "b": "x"})])
    assert [entry.key for entry in items.holding(("a",), "x")] == ["1"]
    assert [entry.key for entry in items.holding(("b",), "x")] == ["2"]
    grown = items.put("3", {"a": "x", "b": "x"})
    assert [entry.key for entry in grown.holding(("a",), "x")] == ["1", "3"]
    assert [entry.key for entry in grown.holding(("b",), "x")] == ["2", "3"]

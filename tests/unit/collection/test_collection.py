"""The ordered persistent collection, example by example."""

from __future__ import annotations

import pytest

from mock_server.model.collection import CHUNK, Collection, Entry

MANY = 3 * CHUNK + 7


def _many() -> Collection:
    return Collection.of((f"k{index}", index) for index in range(MANY))


def _keys(collection: Collection) -> list[str]:
    return [entry.key for entry in collection]


def test_empty_collection_has_nothing() -> None:
    empty = Collection()
    assert len(empty) == 0
    assert list(empty) == []
    assert list(reversed(empty)) == []
    assert empty.get("a") is None
    assert empty.page(0, 10) == ()
    assert empty.after(0, 10) == ()


def test_put_item_can_be_read() -> None:
    collection = Collection().put("a", {"x": 1})
    assert "a" in collection
    assert collection.get("a") == Entry("a", 1, {"x": 1}, 1)


def test_new_keys_come_last_and_known_keys_keep_their_place() -> None:
    collection = Collection().put("a", 1).put("b", 2).put("c", 3).put("a", 4)
    assert [(entry.key, entry.value) for entry in collection] == [("a", 4), ("b", 2), ("c", 3)]


def test_revision_counts_the_writes_to_a_key() -> None:
    collection = Collection().put("a", 1).put("b", 1).put("a", 2).put("a", 2)
    entry = collection.get("a")
    assert entry is not None
    assert (entry.sequence, entry.revision) == (1, 3)


def test_recreated_key_never_repeats_a_sequence_and_revision() -> None:
    collection = Collection().put("a", 1).remove("a").put("a", 2)
    assert collection.get("a") == Entry("a", 2, 2, 1)


def test_emptied_collection_goes_on_counting() -> None:
    emptied = Collection().put("a", 1).remove("a")
    assert len(emptied) == 0
    assert emptied.put("b", 1).after(1, 5) == (Entry("b", 2, 1, 1),)


def test_removing_an_absent_key_gives_the_same_version() -> None:
    collection = Collection().put("a", 1)
    assert collection.remove("b") is collection


def test_every_write_leaves_the_version_before_as_it_was() -> None:
    before = _many()
    keys = _keys(before)
    before.put("new", 0)
    before.put("k5", 0)
    before.remove("k5")
    before.remove(f"k{MANY - 1}")
    assert _keys(before) == keys
    assert before.get("k5") == Entry("k5", 6, 5, 1)


def test_equality_is_identity_of_the_version() -> None:
    collection = Collection().put("a", 1)
    snapshot = collection
    assert snapshot == collection
    assert collection.put("a", 1) != collection
    assert len({collection, snapshot}) == 1


def test_bulk_build_is_what_single_puts_give() -> None:
    one_by_one = Collection()
    for index in range(MANY):
        one_by_one = one_by_one.put(f"k{index}", index)
    assert list(_many()) == list(one_by_one)
    assert _many().next_sequence == one_by_one.next_sequence


def test_bulk_build_keeps_the_last_value_at_the_first_place() -> None:
    collection = Collection.of([("a", 1), ("b", 2), ("a", 3)])
    assert list(collection) == [Entry("a", 1, 3, 1), Entry("b", 2, 2, 1)]


def test_pages_partition_the_collection() -> None:
    collection = _many()
    pages = [collection.page(offset, 100) for offset in range(0, MANY, 100)]
    assert [entry for page in pages for entry in page] == list(collection)
    assert all(len(page) == 100 for page in pages[:-1])
    assert collection.page(MANY, 100) == ()
    assert collection.page(MANY + 10**9, 100) == ()
    assert collection.page(0, 0) == ()


def test_negative_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="an offset is not negative, got -1"):
        _many().page(-1, 10)


def test_page_skips_what_was_removed() -> None:
    collection = _many().remove("k0").remove(f"k{CHUNK}").remove(f"k{MANY - 1}")
    assert [entry.key for entry in collection.page(CHUNK - 2, 2)] == [f"k{CHUNK - 1}", f"k{CHUNK + 1}"]


def test_cursor_is_stable_while_others_come_and_go() -> None:
    collection = _many()
    first = collection.after(0, 600)
    cursor = first[-1].sequence
    changed = collection.remove(first[-1].key).remove("k3").put("new", 1).put("k2", 2)
    rest = [entry.key for entry in changed.after(cursor, MANY)]
    assert rest == [*(f"k{index}" for index in range(600, MANY)), "new"]


def test_descending_runs_from_a_cursor_to_the_oldest() -> None:
    collection = _many().remove("k2")
    newest = [entry.key for entry in collection.descending()]
    assert newest == _keys(collection)[::-1]
    assert [entry.key for entry in collection.descending(before=5)] == ["k3", "k1", "k0"]
    assert list(collection.descending(before=1)) == []
    assert next(collection.descending(before=10**12)).key == f"k{MANY - 1}"


def test_running_iteration_does_not_see_later_writes() -> None:
    collection = _many()
    running = iter(collection)
    next(running)
    collection.remove("k1")
    assert next(running).key == "k1"


def test_whole_chunks_can_be_removed() -> None:
    collection = _many()
    for index in range(CHUNK, 3 * CHUNK):
        collection = collection.remove(f"k{index}")
    left = [*range(CHUNK), *range(3 * CHUNK, MANY)]
    assert _keys(collection) == [f"k{index}" for index in left]
    assert collection.page(CHUNK - 1, 2) == tuple(collection)[CHUNK - 1 : CHUNK + 1]


@pytest.mark.parametrize("direction", [1, -1])
def test_thinned_out_collection_keeps_its_order(direction: int) -> None:
    collection = _many()
    kept = [f"k{index}" for index in range(MANY) if index % 10 == 0]
    for index in range(MANY)[::direction]:
        if index % 10:
            collection = collection.remove(f"k{index}")
    assert _keys(collection) == kept
    assert [entry.key for entry in reversed(collection)] == kept[::-1]
    assert [entry.key for entry in collection.page(50, 10)] == kept[50:60]
    assert collection.after(501, 1) == (Entry("k510", 511, 510, 1),)


def test_emptying_the_tail_leaves_a_collection_that_can_grow() -> None:
    collection = _many()
    for index in range(3 * CHUNK, MANY):
        collection = collection.remove(f"k{index}")
    grown = collection.put("new", 1)
    assert _keys(grown)[-2:] == [f"k{3 * CHUNK - 1}", "new"]
    assert grown.after(MANY, 5) == (Entry("new", MANY + 1, 1, 1),)

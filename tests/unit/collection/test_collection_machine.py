"""The collection against a plain dict, over random writes, with every old version kept and read again."""

from __future__ import annotations

from itertools import islice

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mock_server.model.collection import Collection, Entry

KEYS = st.integers(0, 30).map("k{}".format)
POSITIONS = st.integers(0, 4000)


class CollectionMachine(RuleBasedStateMachine):
    """``model`` is the whole truth: a dict of entries, in order of insertion as Python's dicts are."""

    def __init__(self) -> None:
        super().__init__()
        self.collection = Collection()
        self.model: dict[str, Entry] = {}
        self.sequence = 1
        self.versions: list[tuple[Collection, list[Entry]]] = []

    @initialize(size=st.sampled_from([0, 1, 511, 512, 513, 1500]))
    def bulk(self, size: int) -> None:
        items = [(f"b{index}", index) for index in range(size)]
        self.collection = Collection.of(items)
        self.model = {key: Entry(key, index + 1, index, 1) for index, (key, _) in enumerate(items)}
        self.sequence = size + 1

    @rule(key=KEYS, value=st.integers())
    def put(self, key: str, value: int) -> None:
        self.collection = self.collection.put(key, value)
        self._note(key, value)

    @rule(count=st.integers(1, 700), start=POSITIONS)
    def put_many(self, count: int, start: int) -> None:
        for index in range(start, start + count):
            self.collection = self.collection.put(f"m{index}", index)
            self._note(f"m{index}", index)

    @rule(key=KEYS)
    def remove(self, key: str) -> None:
        self.collection = self.collection.remove(key)
        self.model.pop(key, None)

    @rule(begin=POSITIONS, count=st.integers(1, 700), step=st.integers(1, 3))
    def remove_many(self, begin: int, count: int, step: int) -> None:
        for key in list(self.model)[begin : begin + count : step]:
            self.collection = self.collection.remove(key)
            del self.model[key]

    @rule()
    def keep_version(self) -> None:
        self.versions.append((self.collection, list(self.model.values())))

    @rule(offset=POSITIONS, limit=st.integers(0, 60))
    def read_page(self, offset: int, limit: int) -> None:
        assert list(self.collection.page(offset, limit)) == list(self.model.values())[offset : offset + limit]

    @rule(cursor=POSITIONS, limit=st.integers(0, 60))
    def read_after_cursor(self, cursor: int, limit: int) -> None:
        following = [entry for entry in self.model.values() if entry.sequence > cursor]
        assert list(self.collection.after(cursor, limit)) == following[:limit]

    @rule(cursor=POSITIONS, limit=st.integers(0, 60))
    def read_before_cursor(self, cursor: int, limit: int) -> None:
        preceding = [entry for entry in reversed(self.model.values()) if entry.sequence < cursor]
        assert list(islice(self.collection.descending(before=cursor), limit)) == preceding[:limit]

    @rule(key=KEYS)
    def read_key(self, key: str) -> None:
        assert self.collection.get(key) == self.model.get(key)
        assert (key in self.collection) is (key in self.model)

    @invariant()
    def holds_the_same_in_the_same_order(self) -> None:
        assert len(self.collection) == len(self.model)
        assert list(self.collection) == list(self.model.values())
        assert list(reversed(self.collection)) == list(reversed(self.model.values()))

    def teardown(self) -> None:
        for version, entries in self.versions:
            assert list(version) == entries

    def _note(self, key: str, value: int) -> None:
        held = self.model.get(key)
        if held is None:
            self.model[key] = Entry(key, self.sequence, value, 1)
            self.sequence += 1
        else:
            self.model[key] = Entry(key, held.sequence, value, held.revision + 1)


TestCollectionMachine = CollectionMachine.TestCase
TestCollectionMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)

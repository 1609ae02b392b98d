"""The sorted sequence against a plain sorted list, over random writes, with every old version kept and read again."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mock_server.model.ranked import BRANCH, LEAF, Leaf, Ranked

MARKS = st.integers(0, 5000)


class RankedMachine(RuleBasedStateMachine):
    """``model`` is the whole truth: the marks in a list; the key of a mark is its text."""

    def __init__(self) -> None:
        super().__init__()
        self.ranked = Ranked()
        self.model: list[int] = []
        self.versions: list[tuple[Ranked, list[int]]] = []

    @initialize(size=st.sampled_from([0, 1, LEAF, LEAF + 1, 2 * LEAF * BRANCH]), step=st.sampled_from([1, 7]))
    def bulk(self, size: int, step: int) -> None:
        self.model = list(range(0, size * step, step))
        self.ranked = Ranked.of(self.model, [str(mark) for mark in self.model])

    @rule(start=MARKS, count=st.integers(1, 400), step=st.integers(-3, 3))
    def put_many(self, start: int, count: int, step: int) -> None:
        for mark in range(start, start + count * step, step) if step else [start]:
            at = bisect_left(self.model, mark)
            if at == len(self.model) or self.model[at] != mark:
                self.model.insert(at, mark)
                self.ranked = self.ranked.with_mark(mark, str(mark))

    @rule(start=MARKS, count=st.integers(1, 3000), step=st.integers(1, 3))
    def remove_many(self, start: int, count: int, step: int) -> None:
        for mark in self.model[start : start + count : step]:
            self.ranked = self.ranked.without(mark)
            self.model.remove(mark)

    @rule(count=st.integers(1, LEAF))
    def append_leaf(self, count: int) -> None:
        first = self.model[-1] + 1 if self.model else 0
        marks = tuple(range(first, first + count))
        self.ranked = self.ranked.with_leaf(Leaf(marks, tuple(map(str, marks))))
        self.model += marks

    @rule()
    def keep_version(self) -> None:
        self.versions.append((self.ranked, list(self.model)))

    @rule(mark=MARKS)
    def count_those_before(self, mark: int) -> None:
        assert self.ranked.before(mark) == bisect_left(self.model, mark)

    @rule(start=MARKS, count=st.integers(0, 900))
    def read_a_span(self, start: int, count: int) -> None:
        marks = self.model[start : start + count]
        assert list(self.ranked.keys(start, start + count)) == [str(mark) for mark in marks]
        assert self.ranked.span(start, start + count) == [str(mark) for mark in marks]
        assert list(self.ranked.keys_back(start, start + count)) == [str(mark) for mark in marks[::-1]]
        assert list(self.ranked.marked(start, start + count)) == [(mark, str(mark)) for mark in marks]

    @invariant()
    def has_as_many(self) -> None:
        assert len(self.ranked) == len(self.model)

    def teardown(self) -> None:
        for version, marks in [*self.versions, (self.ranked, self.model)]:
            assert list(version.keys(0, len(version))) == [str(mark) for mark in marks]


TestRankedMachine = RankedMachine.TestCase
TestRankedMachine.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize("mark", [-1, 3, 99])
def test_taking_away_a_mark_that_is_not_there_is_an_error(mark: int) -> None:
    with pytest.raises(KeyError):
        Ranked.of([0, 2, 4], ["a", "b", "c"]).without(mark)


def test_thinned_out_sequence_is_as_compact_as_one_of_its_size() -> None:
    """Otherwise a list that once was long would stay slow."""
    marks = range(LEAF * BRANCH * 4)
    ranked = Ranked.of(marks, list(map(str, marks)))
    for mark in marks:
        if mark % 100:
            ranked = ranked.without(mark)
    assert len(ranked._branches) <= 3
    assert list(ranked.keys(0, 3)) == ["0", "100", "200"]

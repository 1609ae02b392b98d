"""The checker of histories: it finds what no order explains, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.steady.linearizability import Operation, refutation

Asked: TypeAlias = tuple[str, int]
Made: TypeAlias = Operation[Asked, int | None]


def step(state: int | None, asked: Asked, answer: int | None) -> int | None:
    """One number: 0 is none yet. A create is answered by what it made, or 0 where there is one already."""
    assert state is not None
    what, number = asked
    if what == "read":
        return state if answer == state else None
    if what == "create":
        return (number if answer == number else None) if state == 0 else (state if answer == 0 else None)
    after = state + 1  # bump
    return after if answer == after else None


def history(*rows: tuple[int, int, str, int, int]) -> list[Made]:
    """Requests by when they were sent and came back, what was asked with which number, and the answer."""
    return [
        Operation(thread, called, returned, (what, number), answer)
        for thread, (called, returned, what, number, answer) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([(0, 1, "create", 5, 5), (2, 3, "read", 0, 5)], id="one after the other"),
        pytest.param([(0, 3, "create", 5, 5), (1, 2, "read", 0, 0)], id="a read beside a create sees the old"),
        pytest.param([(0, 3, "create", 5, 5), (1, 2, "read", 0, 5)], id="a read beside a create sees the new"),
        pytest.param([(0, 5, "create", 5, 0), (1, 4, "create", 7, 7), (2, 3, "read", 0, 0)], id="the later sent wins"),
        pytest.param([(0, 3, "bump", 0, 2), (1, 2, "bump", 0, 1), (4, 5, "read", 0, 2)], id="bumps that cross"),
    ],
)
def test_history_with_an_order_is_accepted(rows: list[tuple[int, int, str, int, int]]) -> None:
    assert refutation(history(*rows), 0, step) is None


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([(0, 3, "bump", 0, 1), (1, 2, "bump", 0, 1)], id="lost update"),
        pytest.param([(0, 1, "create", 5, 5), (2, 3, "read", 0, 0)], id="stale read"),
        pytest.param([(0, 3, "create", 5, 5), (1, 2, "create", 7, 7)], id="double create"),
        pytest.param([(0, 5, "bump", 0, 1), (1, 2, "read", 0, 1), (3, 4, "read", 0, 0)], id="reads go back in time"),
        pytest.param([(0, 1, "create", 5, 5), (2, 3, "create", 7, 7)], id="create over what is there"),
    ],
)
def test_history_without_an_order_is_refuted(rows: list[tuple[int, int, str, int, int]]) -> None:
    assert refutation(history(*rows), 0, step) is not None


def test_a_refutation_says_how_far_an_order_goes_and_what_does_not_fit() -> None:
    found = refutation(history((0, 1, "create", 5, 5), (2, 3, "bump", 0, 6), (4, 5, "read", 0, 5)), 0, step)
    assert found is not None
    assert [operation.request[0] for operation in found.ordered] == ["create", "bump"]
    assert [operation.request[0] for operation in found.misfits] == ["read"]
    assert "after 2 requests in order" in str(found)


@st.composite
def histories(draw: st.DrawFn) -> list[Made]:
    """Up to five requests that overlap as they like, answered by whatever."""
    number = draw(st.integers(1, 5))
    stamps = draw(st.permutations(range(2 * number)))
    rows = []
    for at in range(number):
        called, returned = sorted(stamps[2 * at : 2 * at + 2])
        what = draw(st.sampled_from(("create", "read", "bump")))
        rows.append((called, returned, what, draw(st.integers(1, 3)), draw(st.integers(0, 4))))
    return history(*rows)


@given(histories())
def test_the_search_agrees_with_trying_every_order(made: list[Made]) -> None:
    assert (refutation(made, 0, step) is None) == any(_fits(order) for order in permutations(made))


def _fits(order: Sequence[Made]) -> bool:
    if any(later.returned < earlier.called for at, earlier in enumerate(order) for later in order[at + 1 :]):
        return False
    state: int | None = 0
    for operation in order:
        state = step(state, operation.request, operation.answer)
        if state is None:
            return False
    return True

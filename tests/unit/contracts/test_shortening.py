"""Shortening keeps what is needed, in its order, and asks little."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from contracts.shortening import Choice, shortened

NAMES = st.sampled_from("abcdef")


def steps(names: Sequence[str], number: int = 9) -> tuple[Choice, ...]:
    return tuple(Choice(name, "granted", number) for name in names)


def is_within(needed: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the needed ones come in this order among the others."""
    left = iter(names)
    return all(name in left for name in needed)


@given(st.lists(NAMES, max_size=14), st.lists(NAMES, min_size=1, max_size=4))
def test_what_is_needed_in_its_order_and_nothing_else_is_kept(others: list[str], needed: list[str]) -> None:
    run = [*others, *needed]
    found = shortened(steps(run), lambda some: is_within(needed, [step.operation_id for step in some]))
    assert [step.operation_id for step in found] == needed


def test_numbers_become_the_smallest_that_do() -> None:
    found = shortened(steps("ab", 900), lambda some: len(some) == 2 and some[1].number >= 2)
    assert [step.number for step in found] == [0, 2]


def test_a_long_run_takes_few_attempts() -> None:
    asked = 0

    def shows(some: Sequence[Choice]) -> bool:
        nonlocal asked
        asked += 1
        return {"a", "f"} <= {step.operation_id for step in some}

    found = shortened(steps("abcdebcdebcdebcdebcdef"), shows)
    assert [step.operation_id for step in found] == ["a", "f"]
    assert asked < 60

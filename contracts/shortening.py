"""Shortening: the fewest steps that still show what a long run showed.

A step is told by a few choices and stands for whatever it comes to in the state it meets, so steps can be left out one
by one and the rest played again. That takes some dozens of requests where Hypothesis' own shrinking, which also tries
every simpler draw, takes thousands; and every request goes over a network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mock_server.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One step of a run: the operation, what its request should come to, and the number that decides the request."""

    operation_id: str
    wanted: str
    number: int


Shows = Callable[[Sequence[Choice]], bool]
"""Plays some steps from the beginning, and says whether they show it still."""

_SMALLEST = range(4)


def shortened(steps: Sequence[Choice], shows: Shows) -> tuple[Choice, ...]:
    """The steps that are needed, each with the smallest number that does; ``steps`` themselves have to show it.

    ``shows`` may raise to break off; what was found by then is for it to remember.
    """
    kept = tuple(steps)
    size = max(1, len(kept) // 2)
    while size:
        found = _without_some(kept, size, shows)
        if found is None:
            size //= 2
        else:
            kept = found
    for index in range(len(kept)):
        kept = _simpler(kept, index, shows)
    return kept


def _without_some(steps: tuple[Choice, ...], size: int, shows: Shows) -> tuple[Choice, ...] | None:
    """The steps without the first run of ``size`` that is not needed; None where each is. The last one tells."""
    for start in range(max(0, len(steps) - size)):
        fewer = steps[:start] + steps[start + size :]
        if fewer and shows(fewer):
            return fewer
    return None


def _simpler(steps: tuple[Choice, ...], index: int, shows: Shows) -> tuple[Choice, ...]:
    """The steps with a simpler choice at one place, where that shows it as well."""
    step = steps[index]
    for number in _SMALLEST:
        if number >= step.number:
            break
        changed = (*steps[:index], replace(step, number=number), *steps[index + 1 :])
        if shows(changed):
            return changed
    return steps

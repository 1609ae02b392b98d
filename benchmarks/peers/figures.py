"""Medians with their spread, and ratios of what was measured in the same round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.turns import Failed, Turn

Rounds = Mapping[str, Sequence[Turn | Failed]]
"""By server, its turns, one in each round."""
Figure = Callable[[Turn], float | None]
"""One number of a turn; None where it was not measured."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    least: float
    median: float
    most: float


def spread(values: Sequence[float]) -> Spread | None:
    """Least, median and most; None of nothing."""
    return Spread(min(values), statistics.median(values), max(values)) if values else None


def figures(turns: Sequence[Turn | Failed], figure: Figure) -> Spread | None:
    """A figure over the turns that have it."""
    found = (figure(turn) for turn in turns if isinstance(turn, Turn))
    return spread([value for value in found if value is not None])


def ratios(rounds: Rounds, one: str, other: str, figure: Figure) -> Spread | None:
    """A figure of one server as a multiple of another's, round by round."""
    found = []
    for mine, theirs in zip(rounds.get(one, ()), rounds.get(other, ()), strict=False):
        if isinstance(mine, Turn) and isinstance(theirs, Turn):
            above, below = figure(mine), figure(theirs)
            if above is not None and below:
                found.append(above / below)
    return spread(found)


def rate(work: str) -> Figure:
    """Requests a second of a workload."""
    return lambda turn: turn.loads[work].load.rate if work in turn.loads else None


def p99(work: str) -> Figure:
    """Milliseconds that 99 of 100 answers of a workload took at most."""
    return lambda turn: turn.loads[work].load.p99_ms if work in turn.loads else None


def cpu(work: str) -> Figure:
    """Microseconds of the server's CPU for one request of a workload."""
    return lambda turn: turn.loads[work].cpu_us if work in turn.loads else None


def quotient(above: str, below: str) -> Figure:
    """Requests a second of one workload as a multiple of another's, in one turn."""

    def figure(turn: Turn) -> float | None:
        if above not in turn.loads or below not in turn.loads:
            return None
        return turn.loads[above].load.rate / turn.loads[below].load.rate

    return figure


def started(turn: Turn) -> float | None:
    """Seconds until the first 200."""
    return turn.started


def started_cpu(turn: Turn) -> float | None:
    """Seconds of CPU until the first 200."""
    return turn.started_cpu


def memory(turn: Turn) -> float | None:
    """Megabytes after load; what several processes of a server share counts once."""
    return turn.memory_mb


def resident(turn: Turn) -> float | None:
    """Megabytes after load; what several processes of a server share counts for each."""
    return turn.resident_mb

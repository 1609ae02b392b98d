"""Whether a history of overlapping requests could have happened one after the other.

The search is that of Wing and Gong (1993) with Lowe's memoization (2017), as Porcupine and Knossos have it: take some
request that was sent before any other one came back, ask the model whether the answer fits, and go on from the state
it leaves; never look twice at the same set of done requests in the same state. No maintained library does it in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")
State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Operation(Generic[Request, Answer]):
    """One request and its answer; ``called`` and ``returned`` are stamps of one counter for all threads."""

    thread: int
    called: int
    returned: int
    request: Request
    answer: Answer

    def __str__(self) -> str:
        return f"[{self.called}-{self.returned}] thread {self.thread}: {self.request} → {self.answer}"


@dataclass(frozen=True, slots=True)
class Refutation(Generic[Request, Answer]):
    """Why a history has no order: the longest beginning that has one, and what could come next but does not fit."""

    ordered: tuple[Operation[Request, Answer], ...]
    misfits: tuple[Operation[Request, Answer], ...]

    def __str__(self) -> str:
        before = "\n  ".join(map(str, self.ordered[-10:])) or "nothing"
        stuck = "\n  ".join(map(str, self.misfits))
        return (
            f"after {len(self.ordered)} requests in order, the last of them\n  {before}\nnone of these fits\n  {stuck}"
        )


def refutation(
    history: Sequence[Operation[Request, Answer]],
    start: State,
    step: Callable[[State, Request, Answer], State | None],
) -> Refutation[Request, Answer] | None:
    """None when some order of the requests explains every answer; else how far an order could be found.

    ``step`` gives the state after a request that is answered so, or None where the model answers otherwise.
    """
    operations = sorted(history, key=lambda operation: operation.called)
    everything = (1 << len(operations)) - 1
    order: list[int] = []
    longest: tuple[int, ...] = ()
    # One level for each request that is in order: what is done, the state after it, and what may come next.
    levels: list[tuple[int, State, Iterator[int]]] = [(0, start, _next(operations, 0))]
    seen: set[tuple[int, State]] = set()
    while levels:
        done, state, candidates = levels[-1]
        if done == everything:
            return None
        for at in candidates:
            after = step(state, operations[at].request, operations[at].answer)
            if after is None or (done | 1 << at, after) in seen:
                continue
            seen.add((done | 1 << at, after))
            levels.append((done | 1 << at, after, _next(operations, done | 1 << at)))
            order.append(at)
            if len(order) > len(longest):
                longest = tuple(order)
            break
        else:
            levels.pop()
            if order:
                order.pop()
    reached = sum(1 << at for at in longest)
    stuck = tuple(operations[at] for at in _next(operations, reached))
    return Refutation(tuple(operations[at] for at in longest), stuck)


def _next(operations: Sequence[Operation[Request, Answer]], done: int) -> Iterator[int]:
    """The requests that may come next: those that were sent before any other one that is not done came back."""
    found: list[int] = []
    first_back: int | None = None
    for at in range((~done & (done + 1)).bit_length() - 1, len(operations)):  # from the first that is not done
        if done >> at & 1:
            continue
        if first_back is not None and operations[at].called > first_back:
            break
        found.append(at)
        returned = operations[at].returned
        first_back = returned if first_back is None else min(first_back, returned)
    return iter(sorted(found, key=lambda at: operations[at].returned))

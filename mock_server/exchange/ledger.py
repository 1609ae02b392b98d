"""What a universe remembers of its traffic beside the state: requests counted, answers kept under keys."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from mock_server.dataclass import dataclass
from mock_server.exchange.messages import RawResponse

MOST_CALLERS = 10_000
"""The most callers of one limit that are counted apart; beyond them the one counted first is forgotten."""

MOST_ANSWERS = 10_000
"""The most answers that are kept under idempotency keys; beyond them the oldest is forgotten."""


@dataclass(slots=True)
class Count:
    """The requests of one limit in one window, by whom they are counted for."""

    window: int
    by_caller: dict[tuple[str, ...], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is given again: to which request (as a digest), since when, and for how long."""

    request: bytes
    response: RawResponse
    since: datetime
    until: datetime


@dataclass(slots=True)
class Ledger:
    """Counts by API and limit; kept answers by API, operation, caller and key, in the order they were given.

    Whoever changes it holds the universe's lock.
    """

    counts: dict[tuple[str, str], Count] = field(default_factory=dict)
    answers: dict[tuple[str, ...], Kept] = field(default_factory=dict)

    def count(self, api: str, limit: str, window: int) -> Count:
        """The requests of a limit in a window; those of any other window are forgotten."""
        found = self.counts.get((api, limit))
        if found is None or found.window != window:
            found = self.counts[api, limit] = Count(window)
        return found

    def kept(self, key: tuple[str, ...], now: datetime) -> Kept | None:
        """The answer under a key while it lasts."""
        found = self.answers.get(key)
        return found if found is not None and now < found.until else None

    def keep(self, key: tuple[str, ...], answer: Kept) -> None:
        """Keeps an answer; forgets those at the front that have expired, and the oldest when there are too many."""
        self.answers.pop(key, None)
        self.answers[key] = answer
        while self.answers:
            oldest = next(iter(self.answers))
            if len(self.answers) <= MOST_ANSWERS and self.answers[oldest].until > answer.since:
                break
            del self.answers[oldest]

    def copy(self) -> Ledger:
        """The ledger as it is now, which further traffic does not touch."""
        counts = {key: Count(count.window, dict(count.by_caller)) for key, count in self.counts.items()}
        return Ledger(counts, dict(self.answers))

"""The bench: everything that a task works with, once for each worker; and what a task is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import field

from contracts.checks.registry import Family
from contracts.drafting import Drafter
from contracts.hunting import Chase, Hunt
from contracts.judging import Judges
from contracts.pool import Pool
from contracts.roster import Roster
from contracts.service import Caller, Service
from mock_server.dataclass import dataclass
from mock_server.packs import ApiSource
from mock_server.sandbox import Sandbox, Served

TASK_SECONDS = 20.0
"""How long one task may take at most."""

LEAST_SECONDS = 1.0
"""How long a task may take however little time is left for the others."""

FAIR_SHARE = 4.0
"""How many times its equal part of the time that is left a task may take, since most need far less."""


@dataclass(slots=True)
class Bench:
    """What the tasks of one worker share.

    ``double`` is a sandbox with the API under check, which serves as the oracle: it is asked, and never shown to the
    service. ``closed`` says that the service begins each attempt with exactly what ``pool`` knows (a closed world);
    else there may be other data, and ``pool`` has what was found. ``source`` is where the API's files are. ``scale``
    makes every task longer or shorter; 1 is the usual size. ``waiting`` says how many tasks wait for their turn.
    """

    hunt: Hunt
    service: Service
    double: Sandbox
    served: Served
    roster: Roster
    drafter: Drafter
    pool: Pool
    judges: Judges
    callers: tuple[Caller, ...]
    source: ApiSource
    closed: bool
    scale: float = 1.0
    seconds: float = TASK_SECONDS
    notes: dict[str, str] = field(default_factory=dict)
    waiting: Callable[[], int] = lambda: 0

    @property
    def checks(self) -> frozenset[str]:
        """The names of the checks that are made."""
        return self.hunt.checks

    def known(self) -> Pool:
        """What an attempt begins with. In an open world what one attempt removes is gone for the others, too."""
        return self.pool.copy(telling=not self.closed)

    def size(self, usual: int) -> int:
        """How many attempts to make where ``usual`` is the number for a usual run."""
        return max(1, round(usual * self.scale))

    def until(self, *, least: float = LEAST_SECONDS) -> float:
        """When a task that begins now has to end, on ``time.monotonic``: a fair part of the time that is left.

        ``least`` is what it needs in seconds however little that is: to wait for something, say.
        """
        fair = FAIR_SHARE * self.hunt.left / max(1, self.waiting())
        return time.monotonic() + min(self.seconds, max(least, fair))


@dataclass(frozen=True, slots=True)
class Held:
    """How a task ended. ``attempts`` were made, ``fruitless`` of them came to nothing, because of ``why``."""

    attempts: int = 0
    fruitless: int = 0
    why: str = ""

    @classmethod
    def of(cls, chase: Chase) -> Held:
        """How a pursuit ended."""
        return cls(chase.attempts, chase.fruitless, chase.why)

    @property
    def applied(self) -> bool:
        """Whether any attempt came to something."""
        return self.attempts > self.fruitless


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of a run: it hunts for findings of some checks at some operations. ``name`` is unique in a run."""

    family: Family
    name: str
    check: str
    operations: tuple[str, ...]
    make: Callable[[Bench], Held]

"""The hunt for findings: attempts driven by Hypothesis, each finding shrunk to the shortest sequence that shows it.

A finding is raised as ``Broken`` and Hypothesis shrinks the attempt; what is known already is passed over, so that the
next attempt looks for another one. The hunt ends with its budget of time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import field

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable
from hypothesis.strategies import DataObject

from contracts.findings import Finding, Side, essential
from contracts.shortening import Choice
from mock_server.dataclass import dataclass

SHRINK_SECONDS = 8.0
"""How long one finding is shrunk at most."""

PATIENCE = 100
"""So many attempts that show a finding no shorter end its shrinking."""


class Broken(Exception):
    """An attempt met a finding that was not known before."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.sentence)


class Inapplicable(Exception):
    """An attempt that came to nothing: what it needs is not there, or the service refused what it began with."""


class _Enough(BaseException):
    """Time is up. No ``Exception``, so that Hypothesis does not take it for a failure."""


@dataclass(slots=True)
class Hunt:
    """What one run looks for and has found. Safe to share between threads.

    ``deadline`` is on ``time.monotonic``; ``checks`` are the names of those that are made; ``seed`` decides every draw.
    With ``first_only`` the hunt is over as soon as one finding fails it. ``again`` are the fingerprints of
    those that were met once more after they were known.
    """

    deadline: float
    checks: frozenset[str]
    seed: int = 0
    first_only: bool = False
    tell: Callable[[Finding], None] = lambda _: None
    found: dict[str, Finding] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def left(self) -> float:
        """Seconds that are left, 0 at least."""
        return max(0.0, self.deadline - time.monotonic())

    def knows(self, finding: Finding) -> bool:
        """Whether a finding is known already, or is not looked for."""
        if finding.check not in self.checks:
            return True
        known = finding.fingerprint in self.found
        if known:
            self.again.add(finding.fingerprint)
        return known

    def add(self, finding: Finding) -> None:
        """Keeps a finding, unless it is known or not looked for."""
        with self.lock:
            known = self.found.get(finding.fingerprint)
            if finding.check not in self.checks:
                return
            if known is not None:
                self.again.add(finding.fingerprint)
                if finding.side is not Side.SERVICE and len(finding.sequence) < len(known.sequence):
                    self.found[finding.fingerprint] = finding
                return
            self.found[finding.fingerprint] = finding
            if self.first_only and finding.fails:
                self.deadline = time.monotonic()
        self.tell(finding)

    def put(self, finding: Finding) -> None:
        """Puts a finding in the place of the same one that is known, when it was found again by fewer steps."""
        with self.lock:
            self.found[finding.fingerprint] = finding


@dataclass(slots=True)
class Chase:
    """One pursuit: the first new finding that is met is the one that is shrunk; others wait for the next pursuit.

    ``trail`` are the steps of the run that met it, where attempts are made of steps. With ``seeking`` it is after one
    finding only, by its fingerprint, known or not.
    """

    hunt: Hunt
    until: float
    best: Finding | None = None
    attempts: int = 0
    fruitless: int = 0
    why: str = ""
    improved: int = 0
    ended: bool = False
    trail: Sequence[Choice] = ()
    seeking: str | None = None

    def go_on(self) -> None:
        """Ends the pursuit when time is up; called before every request."""
        shrunk = self.best is not None and self.attempts - self.improved > PATIENCE
        if shrunk or time.monotonic() >= self.until:
            self.ended = True
            raise _Enough

    def meet(self, finding: Finding) -> None:
        """Raises ``Broken`` for the finding that is pursued; passes over what is known, and over others.

        A question is kept as it is, with the exchanges that matter to it, and the attempt goes on.
        """
        if self.seeking is not None:
            if finding.fingerprint != self.seeking:
                return
        elif finding.side is not Side.SERVICE:
            self.hunt.add(essential(finding))
            return
        elif self.hunt.knows(finding):
            return
        if self.best is None:
            wait = 0.0 if self.hunt.first_only else SHRINK_SECONDS
            self.until = min(self.until, time.monotonic() + wait)
        elif finding.fingerprint != self.best.fingerprint:
            return
        if self.best is None or _size(finding) < _size(self.best):
            self.best, self.improved = finding, self.attempts
        raise Broken(finding)


def _size(finding: Finding) -> tuple[int, int]:
    """How much there is to read in a sequence."""
    requests = [recorded.request for recorded in finding.sequence]
    return len(requests), sum(len(request.target) + len(request.body) for request in requests)


Attempt = Callable[[DataObject, Chase], None]
"""One attempt: draws what it does, sends, and meets what it finds. May raise ``Inapplicable``."""


def hunt_settings(examples: int, *, steps: int = 50, shrink: bool = True) -> settings:
    """Hypothesis' settings for a hunt: nothing is stored, nothing printed, nothing is too slow."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        verbosity=Verbosity.quiet,
    )


def pursue(hunt: Hunt, drive: Callable[[Chase], None], *, until: float | None = None) -> Chase:
    """Drives attempts until one meets a finding and it is shrunk; the finding is kept in the hunt."""
    end = min(hunt.deadline, until if until is not None else hunt.deadline)
    chase = Chase(hunt, end)
    again = ""
    try:
        drive(chase)
    except Broken:
        pass
    except Flaky:
        # An attempt that is broken off looks to Hypothesis like one that draws otherwise than before.
        again = "" if chase.ended else "it did not happen each time that the same requests were sent"
    except (_Enough, Unsatisfiable):
        pass
    except KeyboardInterrupt:
        if chase.best is not None:
            hunt.add(chase.best)
        raise
    if chase.best is not None:
        found = chase.best if not again else chase.best.noting(again)
        if chase.seeking is None:
            hunt.add(found)
        else:
            hunt.put(found)
    return chase


def attempts(hunt: Hunt, attempt: Attempt, *, examples: int, most: int = 5, until: float | None = None) -> Chase:
    """Makes attempts until ``examples`` of them find nothing new, or ``most`` findings were met."""

    def drive(chase: Chase) -> None:
        @seed(hunt.seed)
        @hunt_settings(examples)
        @given(st.data())
        def test(data: DataObject) -> None:
            chase.attempts += 1
            try:
                attempt(data, chase)
            except Inapplicable as reason:
                chase.fruitless += 1
                chase.why = str(reason)

        test()

    chase = pursue(hunt, drive, until=until)
    for _ in range(most - 1):
        if chase.best is None or hunt.left == 0:
            break
        chase = pursue(hunt, drive, until=until)
    return chase

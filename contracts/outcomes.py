"""What a run comes to: the contract holds, it does not, or nobody can tell because too little was seen."""

from __future__ import annotations

from enum import StrEnum

from contracts.running import Done, Report
from mock_server.dataclass import dataclass


class Outcome(StrEnum):
    """The word for a run."""

    HOLDS = "holds"
    BROKEN = "does not hold"
    UNKNOWN = "is not known to hold"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run comes to; ``why`` is the reason where it is not known."""

    outcome: Outcome
    why: str = ""


def standing(report: Report, *, stopped: str = "") -> Standing:
    """What a report comes to. ``stopped`` is why the run ended early, "" when it did not."""
    if not report.holds:
        return Standing(Outcome.BROKEN)
    if stopped:
        return Standing(Outcome.UNKNOWN, stopped)
    if silent := unanswered(report):
        return Standing(Outcome.UNKNOWN, f"{len(silent)} of {len(report.done)} tasks could not be made")
    if not any(done.held is not None and done.held.applied for done in report.done):
        return Standing(Outcome.UNKNOWN, "nothing was checked")
    return Standing(Outcome.HOLDS)


def unanswered(report: Report) -> list[Done]:
    """The tasks that ended because the service gave no answer, or could not be reset."""
    return [done for done in report.done if done.error]

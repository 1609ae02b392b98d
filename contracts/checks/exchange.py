"""A transcript of the vendor's document holds, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.checks.registry import Family, check
from contracts.exchanges import Failure, Transcript
from contracts.findings import Difference, Finding, Side
from contracts.service import Recorded

CHECK = check(
    "exchange",
    Family.EXCHANGE,
    summary="The exchanges that the vendor's document shows come out as it shows them.",
    source="the transcripts in fixtures/*/exchanges, each of which names its lines of the document",
    example="a create that answers another status than the document's example",
)

_LIMITED = 429


def finding(transcript: Transcript, failure: Failure, recorded: Sequence[Recorded]) -> Finding:
    """What to say of the first step of a transcript that does not get its response.

    A limit that is not kept is a question only: services under check often have their limits switched off.
    """
    step = failure.step
    expected = step.exchange[1].status if step.exchange is not None else None
    last = recorded[-1] if recorded else None
    unlimited = expected == _LIMITED and last is not None and last.status != _LIMITED
    source = step.source or transcript.source
    told = f"“{step.name}”" if step.name else f"step {step.place.pointer.rpartition('/')[2]}"
    said = f"the document ({source})" if source else "the transcript"
    return Finding(
        CHECK.name,
        Side.DOUBLE if unlimited else Side.SERVICE,
        f"{told} of “{transcript.title}” does not come out as {said} shows it",
        (last.operation_id if last is not None else None) or "",
        tuple(recorded),
        tuple(Difference(_pointer(each.pointer), each.expected, each.got, each.message) for each in failure.mismatches),
        step.place,
        remedy="Check the service with its limits switched on, or leave this transcript out." if unlimited else "",
    )


def _pointer(text: str) -> str:
    """A pointer into the body, where the transcript says ``body /id``."""
    return text.removeprefix("body ").removeprefix("text ")

"""What the service shows of an item is what was written, and what it said before."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, judges_answer
from contracts.checks.registry import Family, check
from contracts.oracle import Answered, Oracle
from contracts.showing import odd_members

CHECK = check(
    "model_content",
    Family.AGREEMENT,
    summary="An item shows what was written to it: by the request itself, and by the requests before.",
    source="RFC 9110 §9.3.1, §9.3.4; RFC 5789; RFC 7396",
    example="an update that answers 200 and stores nothing (a lost update)",
)


@judges_answer(CHECK)
def shows_what_was_written(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """The members that callers write, in any reply that shows them."""
    for odd in odd_members(answered, oracle):
        if not odd.assigned:
            yield Deviation(CHECK, odd.side, odd.sentence, (odd.difference,), odd.remedy)

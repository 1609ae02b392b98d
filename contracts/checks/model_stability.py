"""What the server chose stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, judges_answer
from contracts.checks.registry import Family, check
from contracts.oracle import Answered, Oracle
from contracts.showing import odd_members

CHECK = check(
    "model_stability",
    Family.AGREEMENT,
    summary="What the server assigned to an item (its key, when it was made) stays as it was first shown.",
    source="RFC 9110 §9.2.1, §9.3.1: reading changes nothing; OAS 3.1 readOnly",
    example="created_at moves on with every update",
)


@judges_answer(CHECK)
def stays_as_it_was_shown(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """The members that the server assigns, in any reply that shows them again."""
    for odd in odd_members(answered, oracle):
        if odd.assigned:
            yield Deviation(CHECK, odd.side, odd.sentence, (odd.difference,), odd.remedy)

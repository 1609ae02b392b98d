"""Whom the description does not admit, the service does not admit."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, judges_answer
from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle
from mock_server.model.problem import Kind

CHECK = check(
    "model_access",
    Family.AGREEMENT,
    summary="A caller whom the description does not admit is refused: no credential, too little scope, a wrong role.",
    source="the description's security requirements; RFC 9110 §15.5.2, §15.5.4",
    fault=206,
    example="a key of scope read may create",
)

ACCESS = frozenset({Kind.UNAUTHENTICATED, Kind.EXPIRED, Kind.FORBIDDEN})
"""The kinds of refusal that are about the caller."""


@judges_answer(CHECK)
def admitted_who_is_not(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """A success for a caller whom the model refuses; told only where it knows every caller, in a closed world."""
    problem = answered.refused
    if problem is not None and oracle.closed and answered.recorded.ok and problem.kind in ACCESS:
        status = answered.recorded.status
        sentence = f"{answered.recorded.operation_id} admits a caller whom it must refuse: {problem.detail}"
        difference = Difference("status", answered.prediction.status, status, f"answers {status}")
        yield Deviation(CHECK, Side.SERVICE, sentence, (difference,))

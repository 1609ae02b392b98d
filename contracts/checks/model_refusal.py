"""What the model refuses, the service refuses."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, judges_answer
from contracts.checks.model_access import ACCESS
from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle
from contracts.remedies import on_operation
from mock_server.model.problem import Kind, Problem

CHECK = check(
    "model_refusal",
    Family.AGREEMENT,
    summary="A request that the state does not allow is refused: a missing item, a conflict, a forbidden move.",
    source="the description's 4xx responses; RFC 9110 §15.5.5, §15.5.10, §15.5.13",
    fault=102,
    example="an order that was shipped can be cancelled all the same",
)

_SETTLED = frozenset({Kind.PRECONDITION_FAILED, *ACCESS})
_INNOCENT = frozenset({Kind.PREFERENCE, Kind.NOT_ACCEPTABLE, Kind.RATE_LIMITED, Kind.DESCRIPTION, Kind.INTERNAL})


@judges_answer(CHECK)
def granted_what_is_refused(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """A success where the model refuses for what the state is."""
    problem = answered.refused
    if problem is None or not answered.recorded.ok or problem.kind in ACCESS | _INNOCENT:
        return
    if oracle.closed or _known_to_be_absent(answered, problem):
        yield _deviation(answered, problem)


def _deviation(answered: Answered, problem: Problem) -> Deviation:
    recorded, expected = answered.recorded, answered.prediction.status
    sentence = f"{recorded.operation_id} answers {recorded.status} where it must refuse: {problem.detail}"
    difference = Difference("status", expected, recorded.status, f"answers {recorded.status}, {expected} is expected")
    remedy = "" if _backed(answered, problem) else on_operation(answered, {"behavior": "sample"})
    side = Side.DOUBLE if remedy else Side.SERVICE
    return Deviation(CHECK, side, sentence, (difference,), remedy)


def _known_to_be_absent(answered: Answered, problem: Problem) -> bool:
    """Whether a request is about an item that is not there, whatever else there may be in an open world."""
    return problem.kind is Kind.NOT_FOUND and answered.draft.item is not None and answered.item is None


def _backed(answered: Answered, problem: Problem) -> bool:
    """Whether more than a guess says that the request must be refused."""
    meaning = answered.meaning
    if not meaning.inferred or problem.kind in _SETTLED or problem.status is not None:
        return True
    if problem.kind is Kind.NOT_FOUND:
        operation = answered.prediction.operation
        described = operation is not None and operation.describes(404)
        about_item = meaning.behaviour in {"read", "update", "act", "replace"}
        return about_item or (described and meaning.behaviour == "delete")
    return problem.kind is Kind.CONFLICT and meaning.resource is not None and bool(meaning.resource.unique)

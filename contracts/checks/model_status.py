"""What the model grants, the service grants."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, judges_answer
from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle
from contracts.remedies import for_refusal
from mock_server.model.outcome import Outcome

CHECK = check(
    "model_status",
    Family.AGREEMENT,
    summary="A valid request about what exists is granted, with the status that the description has for it.",
    source="the description's responses; RFC 9110 §15",
    fault=205,
    example="an item that was created a moment ago is not found",
)

_BUSINESS = frozenset({402, 409, 412, 423, 424, 428})


@judges_answer(CHECK)
def refused_what_is_granted(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """A refusal where the model grants; or a refusal that says something else than the model's."""
    recorded, prediction = answered.recorded, answered.prediction
    if recorded.status >= 500 or recorded.ok or recorded.status in {304, 429}:
        return
    if not isinstance(prediction.result, Outcome) or answered.refused is not None or recorded.status < 400:
        return
    side, why = _blame(answered, oracle)
    if side is None:
        return
    difference = Difference("status", prediction.status, recorded.status, why)
    sentence = f"{recorded.operation_id} is refused with {recorded.status}, though {why}"
    remedy = for_refusal(answered, oracle) if side is Side.DOUBLE else ""
    yield Deviation(CHECK, side, sentence, (difference,), remedy)


def _blame(answered: Answered, oracle: Oracle) -> tuple[Side | None, str]:
    """Who is likely wrong about a refusal, and what speaks against it; None where it may well be right."""
    status, meaning = answered.recorded.status, answered.meaning
    operation = answered.prediction.operation
    assert operation is not None
    described = operation.describes(status)
    if status in {404, 410}:
        if not described and meaning.behaviour == "list" and answered.draft.request.target == operation.path:
            return Side.SERVICE, "a list that is described is there, however short"
        if answered.item is None or (meaning.resource is not None and meaning.resource.open_world):
            return (Side.DOUBLE, "nothing that it needs is missing") if oracle.closed else (None, "")
        since = answered.since.get(answered.item[0], ())
        if meaning.behaviour == "act" and meaning.inferred:
            return Side.DOUBLE, "the item exists"
        if since:
            return Side.DOUBLE, f"the item was there before {', '.join(dict.fromkeys(since))}"
        return Side.SERVICE, "the item exists"
    if status in {401, 403}:
        if answered.recorded.caller is None and not operation.security:
            return Side.SERVICE, "the description asks for no credential"
        known = answered.recorded.caller is not None and answered.recorded.caller.principal is not None
        sure = known and oracle.asks and oracle.closed
        return (Side.SERVICE, "the caller may do this") if sure else (None, "")
    if not oracle.closed and (status in _BUSINESS or described):
        return None, ""  # other data, of which nothing is known, may stand against it
    if not meaning.inferred and meaning.resource is not None and oracle.closed:
        return Side.SERVICE, "its description and annotations allow the request"
    if status in {405, 406, 415}:
        return Side.SERVICE, "the method and the media type are described"
    if status in {400, 422} and not described:
        return Side.DESCRIPTION, "the request is valid by the description, which does not name this status"
    return Side.DOUBLE, "the request is valid by the description and nothing is known that stands against it"

"""What the service shows of an item is what was written, and what it said before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.agreeing import Deviation, judges_answer, named, passed_over, visible
from contracts.checks.registry import Family, check
from contracts.comparing import item_differences
from contracts.findings import Side
from contracts.oracle import Answered, Oracle, Place, Written
from contracts.remedies import for_member
from mock_server.model.meaning import Resource
from mock_server.openapi.values import Json

CHECK = check(
    "model_content",
    Family.AGREEMENT,
    summary="An item shows what was written to it: by the request itself, and by the requests before.",
    source="RFC 9110 §9.3.1, §9.3.4; RFC 5789; RFC 7396",
    example="an update that answers 200 and stores nothing (a lost update)",
)

STABILITY = check(
    "model_stability",
    Family.AGREEMENT,
    summary="What the server assigned to an item (its key, when it was made) stays as it was first shown.",
    source="RFC 9110 §9.2.1, §9.3.1: reading changes nothing; OAS 3.1 readOnly",
    example="created_at moves on with every update",
)

CLOCKS_APART = 60.0
"""Seconds by which the service's clock and ours may differ where the service writes a time."""

UNSEEN = 5.0
"""Seconds by which a time may be off that the service wrote and did not show at once."""


@judges_answer(CHECK)
def shows_what_was_written(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """The item in the reply, beside what the model says that it is now."""
    shown = answered.shown
    if not answered.recorded.ok or answered.refused is not None or not isinstance(shown, dict):
        return
    if answered.meaning.body is not None or answered.meaning.behaviour in {"compute", "sample"}:
        return
    if answered.written:
        written = answered.written[0]
        yield from _written(answered, oracle, written, shown)
    elif answered.item is not None and answered.meaning.behaviour == "read":
        place, value = answered.item
        resource = answered.meaning.resource
        if resource is not None and isinstance(value, dict):
            expected = visible(answered, oracle, value)
            yield from unread(answered, oracle, resource, place, expected, shown, where="is read")


def _written(answered: Answered, oracle: Oracle, written: Written, shown: Mapping[str, Json]) -> Iterator[Deviation]:
    resource, place = written.resource, written.place
    if not isinstance(written.after, dict):
        return
    expected = visible(answered, oracle, written.after)
    before = written.before if isinstance(written.before, dict) else {}
    over = passed_over(resource, place, oracle)

    def slack(name: str) -> float:
        return 0.0 if name in written.sent else CLOCKS_APART

    for name, difference in item_differences(expected, shown, passed_over=over, slack=slack):
        what = named(resource, place[1])
        if name in written.guessed:
            sentence = f"{name} of {what} is not what was guessed of {answered.recorded.operation_id}"
            yield Deviation(CHECK, Side.DOUBLE, sentence, (difference,), for_member(resource, name))
        elif name in written.sent or name not in before:
            sentence = f"{answered.recorded.operation_id} answers another {name} than it was told"
            yield Deviation(CHECK, Side.SERVICE, sentence, (difference,))
        else:
            assigned = name in resource.assigned or name == resource.key
            check = STABILITY if assigned else CHECK
            sentence = f"{answered.recorded.operation_id} changed {name} of {what}, which it was not told to"
            side = Side.SERVICE if name == resource.key or not answered.meaning.inferred else _unasked(answered)
            remedy = for_member(resource, name) if side is Side.DOUBLE else ""
            yield Deviation(check, side, sentence, (difference,), remedy)


def _unasked(answered: Answered) -> Side:
    """Who is wrong about a member that a request did not speak of: an update has to leave it, an action may set it."""
    written = answered.written[0].place
    return Side.DOUBLE if answered.meaning.behaviour == "act" or answered.since.get(written) else Side.SERVICE


def unread(
    answered: Answered,
    oracle: Oracle,
    resource: Resource,
    place: Place,
    expected: Mapping[str, Json],
    shown: Mapping[str, Json],
    *,
    where: str,
) -> Iterator[Deviation]:
    """What a reply that changes nothing shows of an item, beside what was shown or written before."""
    since = tuple(dict.fromkeys(answered.since.get(place, ())))
    over = passed_over(resource, place, oracle)
    for name, difference in item_differences(expected, shown, passed_over=over, slack=lambda _: UNSEEN):
        what = named(resource, place[1])
        check = STABILITY if name in resource.assigned or name == resource.key else CHECK
        if since:
            sentence = f"{name} of {what} {where} otherwise after {', '.join(since)}"
            remedy = for_member(resource, name)
            yield Deviation(check, Side.DOUBLE, sentence, (difference,), remedy)
        else:
            sentence = f"{name} of {what} {where} with another value than was written"
            yield Deviation(check, Side.SERVICE, sentence, (difference,))

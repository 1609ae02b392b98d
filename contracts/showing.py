"""What a reply shows of items, member by member, beside what was written to them and what was shown before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.agreeing import named, passed_over, visible
from contracts.comparing import item_differences
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle, Place, Selected, Written
from contracts.remedies import for_member
from mock_server.dataclass import dataclass
from mock_server.model.meaning import Resource
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Json

CLOCKS_APART = 60.0
"""Seconds by which the service's clock and ours may differ where the service writes a time."""

UNSEEN = 5.0
"""Seconds by which a time may be off that the service wrote and did not show at once."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A member that is shown otherwise than it should be. ``assigned``: it is the server's, and should stay so."""

    difference: Difference
    sentence: str
    side: Side
    assigned: bool
    remedy: str = ""


def odd_members(answered: Answered, oracle: Oracle) -> Iterator[Odd]:
    """The members of the items in a reply that are not as they should be."""
    shown = answered.shown
    if not answered.recorded.ok or answered.refused is not None or answered.meaning.body is not None:
        return
    if answered.meaning.behaviour in {"compute", "sample"}:
        return
    if isinstance(shown, list) and answered.selected is not None:
        for key, item in (keyed(answered.selected, shown) or {}).items():
            known, place = answered.selected.entries.get(key), (answered.selected.partition, key)
            if isinstance(known, dict) and isinstance(item, dict) and oracle.knows(place):
                yield from _seen_before(answered, oracle, answered.selected.resource, place, known, item)
    elif isinstance(shown, dict) and answered.written:
        yield from _written(answered, oracle, answered.written[0], shown)
    elif isinstance(shown, dict) and answered.item is not None and answered.meaning.behaviour == "read":
        (place, value), resource = answered.item, answered.meaning.resource
        if resource is not None and isinstance(value, dict):
            yield from _seen_before(answered, oracle, resource, place, value, shown)


def keyed(selected: Selected, shown: list[Json]) -> dict[str, Json] | None:
    """The shown items by their keys; None where they do not carry one."""
    name = selected.resource.key
    found = {
        key_text(item[name]): item for item in shown if isinstance(item, dict) and name is not None and name in item
    }
    return found if len(found) == len(shown) else None


def _written(answered: Answered, oracle: Oracle, written: Written, shown: Mapping[str, Json]) -> Iterator[Odd]:
    """The item that a request wrote, in the answer to that request."""
    resource, place, after = written.resource, written.place, written.after
    if not isinstance(after, dict):
        return
    expected = visible(answered, oracle, after)
    before = written.before if isinstance(written.before, dict) else {}
    name_of = answered.recorded.operation_id

    def slack(name: str) -> float:
        return 0.0 if name in written.sent else CLOCKS_APART

    over = passed_over(resource, place, oracle)
    for name, difference in item_differences(expected, shown, passed_over=over, slack=slack):
        what = named(resource, place[1])
        if name in written.guessed:
            sentence = f"{name} of {what} is not what was guessed of {name_of}"
            yield Odd(difference, sentence, Side.DOUBLE, assigned=False, remedy=for_member(resource, name))
        elif name in written.sent or name not in before:
            sentence = f"{name_of} answers another {name} than it was told"
            yield Odd(difference, sentence, Side.SERVICE, assigned=False)
        else:
            sentence = f"{name_of} changed {name} of {what}, which it was not told to"
            side = Side.SERVICE if name == resource.key or not answered.meaning.inferred else _unasked(answered)
            remedy = for_member(resource, name) if side is Side.DOUBLE else ""
            yield Odd(difference, sentence, side, _is_assigned(resource, name), remedy)


def _unasked(answered: Answered) -> Side:
    """Who is wrong about a member that a request did not speak of: an update has to leave it, an action may set it."""
    written = answered.written[0].place
    return Side.DOUBLE if answered.meaning.behaviour == "act" or answered.since.get(written) else Side.SERVICE


def _seen_before(
    answered: Answered,
    oracle: Oracle,
    resource: Resource,
    place: Place,
    known: Mapping[str, Json],
    shown: Mapping[str, Json],
) -> Iterator[Odd]:
    """An item in a reply that changes nothing, beside what was shown or written before."""
    where = "is listed" if answered.selected is not None else "is read"
    since = tuple(dict.fromkeys(answered.since.get(place, ())))
    if any(oracle.model.meaning(name).behaviour == "compute" for name in since):
        return  # what a computation writes, only this double knows
    over = passed_over(resource, place, oracle)
    expected = visible(answered, oracle, known)
    for name, difference in item_differences(expected, shown, passed_over=over, slack=lambda _: UNSEEN):
        what, assigned = named(resource, place[1]), _is_assigned(resource, name)
        if since:
            sentence = f"{name} of {what} {where} otherwise after {', '.join(since)}"
            yield Odd(difference, sentence, Side.DOUBLE, assigned, for_member(resource, name))
        else:
            sentence = f"{name} of {what} {where} with another value than was written"
            yield Odd(difference, sentence, Side.SERVICE, assigned)


def _is_assigned(resource: Resource, name: str) -> bool:
    return name in resource.assigned or name == resource.key

"""Conditions: what must hold of a reply so that a finding is gone, in a form that a later reply can be held against."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from contracts.bindings import Origin, at, identifies, json_of, leaves, plain, said, tokens_of, value_of
from contracts.checks.registry import CHECKS, Family
from contracts.findings import Difference, Finding
from contracts.service import NOT_JSON, Recorded, same_json
from mock_server.dataclass import dataclass
from mock_server.openapi import pointers
from mock_server.openapi.values import Json


class Rule(StrEnum):
    """How a condition compares."""

    EQUALS = "equals"
    ONE_OF = "one of"
    DIFFERS = "differs"
    """It must not be the value that came: what would be right is told in words only."""
    SHOWS = "shows"
    """The body has the value somewhere."""
    ONE_WINS = "one wins"
    """Of the exchanges that were sent at the same moment, one succeeds."""
    SHOWS_NOT = "shows not"
    LISTS_OTHERWISE = "lists otherwise"
    """The list has other keys than those that came, or has them in another order."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold at one place of a reply: ``status``, ``header X``, or a JSON pointer into the whole body.

    ``origin`` says that ``value`` came from an earlier reply, so that a fresh server has another one. ``got`` is what
    came instead. Of ``LISTS_OTHERWISE`` the values are several: those of ``member`` in the entries of the list, with
    ``origins`` in the order of the values.
    """

    place: str
    rule: Rule
    value: Json
    got: Json = None
    origin: Origin | None = None
    member: str = ""
    origins: tuple[Origin | None, ...] = ()


def telling(finding: Finding) -> int:
    """The number (from 0) of the exchange of its sequence that a finding is about: the last of its operation.

    What a walk through pages shows is told by its last page, not by the whole list that is read once more after it.
    """
    sequence = finding.sequence
    own = [number for number, one in enumerate(sequence) if one.operation_id == finding.operation_id]
    if not own:
        return len(sequence) - 1
    if any(one.pointer.startswith(_PAGES) for one in finding.differences):
        pages = [number for number in own if sequence[number].request.target != sequence[own[-1]].request.target]
        twice = [number for number in pages if _repeated(finding) in _texts(sequence[number])]
        return twice[1] if len(twice) > 1 else pages[-1] if pages else own[-1]
    return own[-1]


_PAGES = "items/"
"""How the places of differences begin that a walk through pages shows."""


def _repeated(finding: Finding) -> str:
    """The key that a walk shows twice, "" where it is about something else."""
    return next((one.message for one in finding.differences if one.pointer == f"{_PAGES}twice"), "")


def together(finding: Finding) -> range:
    """The numbers of the exchanges that were sent at the same moment, an empty range for most findings."""
    sequence = finding.sequence
    if not any(one.pointer == _WON for one in finding.differences):
        return range(0)
    end = len(sequence)
    while end > 1 and sequence[end - 1].request.method in {"GET", "HEAD"}:
        end -= 1
    start = end
    while start > 0 and sequence[start - 1].operation_id == sequence[end - 1].operation_id:
        start -= 1
    return range(start, end) if end - start > 1 else range(0)


_WON = "won"
"""The place of the difference that tells of updates at the same moment of which more than one is granted."""


def conditions(finding: Finding) -> tuple[Condition, ...]:
    """What must hold of the telling reply; where a finding has no differences, that its status is another one."""
    if not finding.sequence:
        return ()
    number = telling(finding)
    reply, earlier = finding.sequence[number], finding.sequence[:number]
    described = finding.check in CHECKS and CHECKS[finding.check].family is Family.CONFORMANCE
    found = tuple(
        _condition(difference, reply, earlier, described or _is_marker(difference.expected))
        for difference in finding.differences
    )
    return found or (Condition("status", Rule.DIFFERS, reply.status, reply.status),)


def _is_marker(expected: Json) -> bool:
    """Whether a transcript expects what nobody can know beforehand (``expectations.py``): no value stands for it."""
    return isinstance(expected, dict) and any(name.startswith("$") for name in expected)


def holds(condition: Condition, reply: Recorded, replies: Sequence[Recorded]) -> bool:
    """Whether a condition holds of a reply; ``replies`` are those of the sequence that it belongs to."""
    value = condition.value
    if condition.rule is Rule.ONE_WINS:
        moved = [one for one in replies if one.operation_id == reply.operation_id and one.ok]
        return len(moved) <= 1
    if condition.rule is Rule.LISTS_OTHERWISE:
        return not same_json(_keys(found_at(reply, condition.place), condition.member), _renewed(condition, replies))
    if condition.origin is not None:
        new = value_of(condition.origin, replies)
        value = new if new is not NOT_JSON else value
    got = found_at(reply, condition.place)
    if condition.rule is Rule.EQUALS:
        return same_json(got, value)
    if condition.rule is Rule.ONE_OF:
        return any(same_json(got, entry) for entry in value)
    if condition.rule is Rule.DIFFERS:
        return not same_json(got, value)
    return (plain(value) in _texts(reply)) is (condition.rule is Rule.SHOWS)


def found_at(reply: Recorded, place: str) -> Json:
    """What a reply has at a place, None where it has nothing."""
    if place == "status":
        return reply.status
    if place.startswith("header "):
        return reply.header(place.removeprefix("header "))
    found = at(json_of(reply), place)
    return None if found is NOT_JSON else found


def _condition(difference: Difference, reply: Recorded, earlier: Sequence[Recorded], described: bool) -> Condition:
    place, expected, got = difference.pointer, difference.expected, difference.got
    if place == _WON:
        return Condition("status", Rule.ONE_WINS, 1, got)
    if place == f"{_PAGES}twice":
        return Condition(place, Rule.SHOWS_NOT, difference.message, origin=_origin(difference.message, "id", earlier))
    if _of_several(place):
        return _of_keys(reply, earlier)
    if place == "" and isinstance(expected, int) and same_json(got, reply.status):
        place = "status"  # the model tells of a status at the root
    if place == "status":
        return _of_status(expected, reply.status)
    if not place.startswith("header "):
        resolved = _resolved(place, got, reply)
        if resolved is None and (isinstance(expected, dict) or isinstance(got, dict)):
            return _of_list(place, expected, earlier)
        if resolved is None:  # nothing there to hold a later reply against
            return Condition("status", Rule.DIFFERS, reply.status, reply.status)
        place = resolved
    actual = found_at(reply, place)
    if described or not _literal(expected, actual):
        return Condition(place, Rule.DIFFERS, actual, actual)
    return Condition(place, Rule.EQUALS, expected, actual, _origin(expected, place, earlier))


def _of_status(expected: Json, got: int) -> Condition:
    if isinstance(expected, int) and expected != got:
        return Condition("status", Rule.EQUALS, expected, got)
    if isinstance(expected, list | tuple) and expected and all(isinstance(entry, int) for entry in expected):
        return Condition("status", Rule.ONE_OF, list(expected), got)
    return Condition("status", Rule.DIFFERS, got, got)


def _of_list(place: str, expected: Json, earlier: Sequence[Recorded]) -> Condition:
    """A pointer that leads nowhere names an item of a list by its key: it is missing there, or should not be there."""
    key = tokens_of(place)[-1] if tokens_of(place) else ""
    rule = Rule.SHOWS_NOT if expected is None else Rule.SHOWS
    return Condition(place, rule, key, origin=_origin(key, "id", earlier))


def _of_several(place: str) -> bool:
    """Whether a difference's place is no place in a reply: it tells in a word what a list, or several replies, show."""
    in_reply = place == "" or place.startswith(("/", "status", "header "))
    return not in_reply and place != "effect" and not place.startswith("tenant/")


def _of_keys(reply: Recorded, earlier: Sequence[Recorded]) -> Condition:
    """What is wrong with a list as a whole: it has to show other keys, or the same in another order."""
    body = json_of(reply)
    members = body.items() if isinstance(body, dict) else ()
    lists = {"": body} | {f"/{pointers.escape(name)}": value for name, value in members}
    for place, entries in lists.items():
        first = entries[0] if isinstance(entries, list) and entries else None
        member = next((name for name in first if identifies(name)), None) if isinstance(first, dict) else None
        if member is not None:
            keys = _keys(entries, member)
            origins = tuple(_origin(key, "id", earlier) for key in keys)
            return Condition(place, Rule.LISTS_OTHERWISE, keys, keys, member=member, origins=origins)
    whole = "status" if body is NOT_JSON or not reply.ok else ""
    return Condition(whole, Rule.DIFFERS, found_at(reply, whole), found_at(reply, whole))


def _keys(entries: Json, member: str) -> list[Json]:
    """The values of one member of the entries of a list."""
    return [entry.get(member) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _renewed(condition: Condition, replies: Sequence[Recorded]) -> list[Json]:
    """The keys of a condition as the replies of another run have them."""
    found = [NOT_JSON if origin is None else value_of(origin, replies) for origin in condition.origins]
    return [old if new is NOT_JSON else new for old, new in zip(condition.value, found, strict=True)]


def _literal(expected: Json, got: Json) -> bool:
    """Whether what was expected is a value like the one that came, and no words about it."""
    if expected is None or got is None:
        return not (isinstance(expected, str) and " " in expected)
    if same_json(expected, got):
        return False
    numbers = isinstance(expected, int | float) and isinstance(got, int | float)
    return type(expected) is type(got) or (numbers and not isinstance(expected, bool))


def _resolved(pointer: str, got: Json, reply: Recorded) -> str | None:
    """The pointer into the whole body; a relation's pointer may begin at the item inside of an envelope."""
    body = json_of(reply)
    if body is NOT_JSON:
        return pointer if pointer == "" else None
    present = at(body, pointer)
    if present is not NOT_JSON and (pointer == "" or same_json(present, got)):
        return pointer
    members = body.items() if isinstance(body, dict) else ()
    inner = [f"/{pointers.escape(name)}" for name, value in members if isinstance(value, dict | list)]
    for prefix in inner:
        found = at(body, prefix + pointer)
        if found is not NOT_JSON and same_json(found, got):
            return prefix + pointer
    if present is not NOT_JSON:
        return pointer
    listed = _in_a_list(body, pointer, got)
    if listed is not None:
        return listed
    parent = pointer.rpartition("/")[0]
    whole = [prefix for prefix in ("", *inner) if isinstance(at(body, prefix + parent), dict)]
    lists = isinstance(body, list) or any(isinstance(at(body, prefix), list) for prefix in inner)
    if got is not None or not whole or (lists and not parent):
        return None
    return (whole[1] if len(whole) > 1 else whole[0]) + pointer


def _in_a_list(body: Json, pointer: str, got: Json) -> str | None:
    """The pointer of a member of an entry of a list, when the difference tells of it from the entry on."""
    name = pointer.rpartition("/")[2]
    for where, own, value in leaves(body):
        if own == name and where.endswith(pointer) and same_json(value, got):
            return where
    return None


def _origin(expected: Json, place: str, earlier: Sequence[Recorded]) -> Origin | None:
    """Where an expected value came from, when it is one that an earlier reply had at the same member.

    A value that a request said is the same on every server, and needs no origin.
    """
    name = place.rpartition("/")[2]
    for step in range(len(earlier) - 1, -1, -1):
        body = json_of(earlier[step])
        if plain(expected) in said(earlier[step].request):
            continue
        for pointer, own, value in leaves(body) if body is not NOT_JSON else ():
            same = same_json(value, expected) or (
                identifies(own) and isinstance(value, int) and plain(value) == expected
            )
            if same and (own == name or (name == "id" and identifies(own))):
                return Origin(step, pointer)
    return None


def _texts(reply: Recorded) -> set[str]:
    body = json_of(reply)
    return {plain(value) for _, _, value in leaves(body)} if body is not NOT_JSON else set()

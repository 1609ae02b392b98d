"""What lies just within the limits of a request's schema is taken, and what lies just beyond them is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.boundaries import GONE, Boundary, at, boundaries, grafted
from contracts.checks.registry import Family, check
from contracts.drafting import UNSET, Draft, Wishes
from contracts.findings import Difference, Side
from contracts.likeness import restless
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import Recorded
from contracts.trial import Trial
from mock_server.model.anatomy import words
from mock_server.model.inference.bodies import request_schema
from mock_server.openapi.values import Direction, Json

CHECK = check(
    "limits_are_exact",
    Family.RELATION,
    summary="Of two requests that differ in one member, the one just within its limits is taken, the other refused.",
    source="JSON Schema 2020-12 validation §6: minLength, maximum, enum, required and the others; RFC 9110 §15.5.1",
    fault=102,
    example="a name of 60 characters is refused though maxLength is 60; a quantity of 0 is taken though minimum is 1",
)

_INVALID = frozenset({400, 422})
_OF_STATE = frozenset({"maximum"})
"""Ends that the state of things may well draw closer: a balance, a stock."""
_TRIES = 4


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every create, update and replace with a JSON body."""
    for roles in roster.resources.values():
        for write in (*roles.creates, *roles.replaces, *roles.updates):
            if request_schema(roster.model.api.operation(write)) is not None:
                yield Subject(f"{roles.resource.name} {write}", (write,), roles)


@relation(CHECK, subjects, examples=2)
def keeps_its_limits(trial: Trial, subject: Subject) -> None:
    """Sends what is taken as it is with one member at each end of what is admitted, and beyond it."""
    roles, write = subject.roles, subject.operations[0]
    assert roles is not None
    schema = request_schema(trial.drafter.api.operation(write))
    assert schema is not None
    item = None if write in roles.creates else trial.item(roles)
    trial.prepare(write)
    full = max((_draft(trial, write, item) for _ in range(_TRIES)), key=lambda draft: len(str(draft.body)))
    trial.succeed(write, _wishes(full, full.body))
    exchanges = trial.conversation.recorded
    kept = len(exchanges) - 1  # each boundary is told with what was made before, and with its own requests
    for boundary in boundaries(schema, full.body):
        del exchanges[kept:]
        fresh = _draft(trial, write, item, lean=True)
        base = _beside(fresh.body, full.body, boundary)
        if not schema.accepts(base, Direction.REQUEST):
            continue
        if boundary.beyond is not UNSET:
            beyond = grafted(base, boundary.path, boundary.beyond)
            if not schema.accepts(beyond, Direction.REQUEST):
                _try(trial, _again(trial, fresh, base), beyond, boundary, schema)


def _draft(trial: Trial, write: str, item: Item | None, *, lean: bool = False) -> Draft:
    wishes = Wishes(lean=lean)
    return trial.about(item, write, wishes) if item is not None else trial.draft(write, wishes)


def _wishes(draft: Draft, body: Json) -> Wishes:
    return Wishes(values=draft.values, body=body, content_type=draft.content_type, caller=draft.caller, item=draft.item)


def _again(trial: Trial, draft: Draft, body: Json) -> Draft:
    return trial.draft(draft.operation_id, _wishes(draft, body))


def _beside(fresh: Json, full: Json, boundary: Boundary) -> Json:
    """A new body with the member that a boundary is about as it was taken."""
    if not isinstance(fresh, dict) or not isinstance(full, dict):
        return full
    return {**fresh, boundary.path[0]: full[str(boundary.path[0])]}


def _try(trial: Trial, usual: Draft, beyond: Json, boundary: Boundary, schema: Any) -> None:
    refused = trial.send(_again(trial, usual, beyond))
    if refused.ok:
        _taken(trial, refused, boundary)
        return
    if boundary.within is UNSET or refused.status not in _INVALID:
        return
    within = grafted(usual.body, boundary.path, boundary.within)
    if not schema.accepts(within, Direction.REQUEST):
        return
    answered = trial.send(_again(trial, usual, within))
    if answered.status not in _INVALID or not _alike(answered, refused, boundary):
        return
    # What only differs in this member is taken, so nothing else can be the reason; and where any ordinary value of it
    # is taken, it is not for the thing that it names either.
    if not _is_free(trial, usual, boundary, schema):
        return
    if trial.send(usual).ok:
        _not_taken(trial, answered, boundary, at(usual.body, boundary.path))


def _is_free(trial: Trial, usual: Draft, boundary: Boundary, schema: Any) -> bool:
    """Whether a member may have ordinary values that nobody has given out; those of an enum are all known."""
    if boundary.keyword.startswith("enum"):
        return True
    if trial.roster.called(boundary.name) is not None:
        return False
    held = at(usual.body, boundary.path)
    other = "y" * len(held) if isinstance(held, str) else 2 * held + 7
    body = grafted(usual.body, boundary.path, other)
    return bool(schema.accepts(body, Direction.REQUEST)) and trial.send(_again(trial, usual, body)).ok


def _taken(trial: Trial, answered: Recorded, boundary: Boundary) -> None:
    keyword = boundary.keyword.partition(" ")[0]
    sent = "no value" if boundary.beyond is GONE else boundary.beyond
    trial.broken(
        CHECK,
        f"{boundary.name} may break {keyword}: {answered.operation_id} answers {answered.status}",
        Difference(boundary.pointer, f"a refusal, for {keyword}", sent, f"is answered with {answered.status}"),
        about=answered,
    )


def _not_taken(trial: Trial, answered: Recorded, boundary: Boundary, usual: Json) -> None:
    keyword = boundary.keyword.partition(" ")[0]
    trial.broken(
        CHECK,
        f"{boundary.name} may not be what {keyword} admits: {answered.operation_id} answers {answered.status}, as it "
        f"does to what {keyword} does not admit",
        Difference(boundary.pointer, f"admitted by {keyword}", boundary.within, f"{usual!r} is taken in its place"),
        about=answered,
        side=Side.DESCRIPTION if keyword in _OF_STATE or _moves(trial, answered, boundary) else Side.SERVICE,
    )


def _moves(trial: Trial, answered: Recorded, boundary: Boundary) -> bool:
    """Whether a value may be refused for what the item is now: from a state not every other can be reached."""
    if not boundary.keyword.startswith("enum") or answered.operation_id is None:
        return False
    roles = trial.roster.of(answered.operation_id)
    if roles is None or answered.operation_id not in roles.creates:
        return True
    states = roles.resource.states
    return states is not None and states.property == boundary.name and bool(states.transitions)


# Whether two refusals give the same reason


def _alike(left: Recorded, right: Recorded, boundary: Boundary) -> bool:
    """Whether a service refuses two bodies for one reason, which is the member that they differ in."""
    if left.status != right.status or not isinstance(left.json, dict | list):
        return False
    named = _names(left.json, boundary) and _names(right.json, boundary)
    return named and _bare(left.json, boundary) == _bare(right.json, boundary)


def _names(told: Json, boundary: Boundary) -> bool:
    """Whether an error speaks of a member: in a pointer or a name; in its prose, where no other could be meant."""
    if isinstance(told, dict):
        return boundary.name in told or any(_names(value, boundary) for value in told.values())
    if isinstance(told, list):
        return any(_names(value, boundary) for value in told)
    if not isinstance(told, str):
        return False
    if " " in told.strip():
        return not boundary.keyword.startswith("enum") and set(words(boundary.name)) <= set(words(told))
    return told.replace(".", "/").rpartition("/")[2].strip("]['\"") == boundary.name


def _bare(told: Json, boundary: Boundary) -> Json:
    """An error without its prose, and without what is another each time."""
    if isinstance(told, dict):
        return {name: _bare(value, boundary) for name, value in told.items() if not restless(name)}
    if isinstance(told, list):
        return [_bare(value, boundary) for value in told]
    prose = isinstance(told, str) and (" " in told.strip() or told in (boundary.within, boundary.beyond))
    return "" if prose else told

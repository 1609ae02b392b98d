"""A move that is refused leaves an item as it was, and one that is made twice leads nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import Recorded, same_json
from contracts.trial import Trial
from mock_server.model.meaning import Resource
from mock_server.openapi.values import Json

CHECK = check(
    "transitions_are_one_way",
    Family.RELATION,
    summary="A refused move changes nothing, and the same move made twice leaves the item in the same state.",
    source="the description's own moves; RFC 9110 §15.5.10",
    example="a cancel that is refused with 409 and cancels all the same",
)
_REFUSED = frozenset({400, 403, 404, 409, 412, 422})


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every act on an item that can be read."""
    for roles in roster.resources.values():
        for act in roles.acts if roles.reads else ():
            meaning = roster.meaning(act)
            if meaning.key_parameter is not None or roles.resource.singleton:
                yield Subject(act, (*roles.creates, *roles.reads[:1], act), roles)


@relation(CHECK, subjects, examples=8)
def moves_hold(trial: Trial, subject: Subject) -> None:
    """Makes a move, makes another one perhaps, and the first again; reads between."""
    roles = subject.roles
    assert roles is not None
    act, read = subject.operations[-1], roles.reads[0]
    item = trial.item(roles)
    others = [name for name in roles.acts if name != act and trial.roster.meaning(name).key_parameter is not None]
    if others and trial.flag():
        _move(trial, roles.resource, item, trial.choice(others), read)
    once = _move(trial, roles.resource, item, act, read)
    again = _move(trial, roles.resource, item, act, read)
    meaning = trial.roster.meaning(act)
    states = roles.resource.states
    if once is None or again is None or states is None or meaning.increase:
        return
    state = states.property
    # An act whose name alone says where it leads is a move where it has led there once.
    told = meaning.set.get((state,))
    if meaning.transition is None and (told is None or not same_json(told.source, once.get(state))):
        return
    if state not in trial.timed(roles.resource) and state in once and not same_json(once[state], again.get(state)):
        trial.broken(CHECK, f"{act} done twice leads to another {state}",
                     Difference(f"/{state}", once[state], again.get(state), "after the second"))  # fmt: skip


def _move(trial: Trial, resource: Resource, item: Item, act: str, read: str) -> dict[str, Json] | None:
    """What the item reads as after an act; a refusal must have left it as it was. None where it cannot be read."""
    before = _read(trial, item, read)
    asked = trial.send(trial.about(item, act))
    after = _read(trial, item, read)
    if asked.status in _REFUSED and before is not None:
        _unchanged(trial, resource, before, after, asked)
    return after


def _read(trial: Trial, item: Item, read: str) -> dict[str, Json] | None:
    recorded = trial.send(trial.about(item, read, Wishes(lean=True)))
    shown = trial.representation(recorded) if recorded.ok else None
    return shown if isinstance(shown, dict) else None


def _unchanged(
    trial: Trial, resource: Resource, before: dict[str, Json], after: dict[str, Json] | None, asked: Recorded
) -> None:
    timed = trial.timed(resource)
    if after is None:
        trial.broken(CHECK, f"{asked.operation_id} is refused, and the item is gone",
                     Difference("item", before, None, ""), about=asked)  # fmt: skip
        return
    for name, value in before.items():
        if name not in timed and not same_json(value, after.get(name)):
            trial.broken(CHECK, f"{asked.operation_id} is refused with {asked.status}, and {name} has changed",
                         Difference(f"refused/{name}", value, after.get(name), ""), about=asked)  # fmt: skip
            return

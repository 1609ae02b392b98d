"""What must be unique is."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference
from contracts.likeness import said
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import same_json
from contracts.trial import Trial
from contracts.wire import Values
from mock_server.model.filters import value_at
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "uniqueness_is_kept",
    Family.RELATION,
    summary="No two items share a key, nor a value that is said to be unique.",
    source="x-mock-resource: unique, as the description says it in words; RFC 9110 §3.1 for keys",
    example="a create that looks for a taken name in another letter case only",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every resource that can be created, with each set of members that must be unique."""
    for roles in roster.resources.values():
        for create in roles.creates if roles.resource.key is not None and not roles.resource.singleton else ():
            yield Subject(f"{roles.resource.name} {create}", (create,), roles)


@relation(CHECK, subjects, examples=8)
def is_unique(trial: Trial, subject: Subject) -> None:
    """Creates two items with the same unique values, and, where there are none, two items."""
    roles = subject.roles
    assert roles is not None
    create = subject.operations[0]
    trial.prepare(create)
    draft, recorded = trial.succeed(create)
    first = trial.made(draft, recorded)
    sent = said(trial.roster, draft)
    unique = [names for names in roles.resource.unique if all(sent.get(name) is not None for name in names)]
    if not unique:
        _keys(trial, create, first, draft.body)
        return
    names = trial.choice(unique)
    shown = first.value if isinstance(first.value, dict) else {}
    if not all(same_json(shown.get(name, sent[name]), sent[name]) for name in names):
        trial.give_up(f"{create} does not store {names[0]} as it is sent")
    other = trial.draft(create, Wishes(values=_path(draft.values), caller=draft.caller))
    body = value_at(other.body, trial.roster.meaning(create).request_path)
    body = {**(body if isinstance(body, dict) else {}), **{name: sent[name] for name in names}}
    placed = trial.placed(create, body)
    if not trial.admits(create, placed) or same_json(placed, draft.body):
        trial.give_up(f"{create} is the same request twice")
    wishes = Wishes(values=other.values, body=placed, content_type=draft.content_type, caller=draft.caller)
    second = trial.draft(create, wishes)
    again = trial.send(second)
    if again.ok and again.status != 202:
        found = trial.made(second, again)
        if found.key != first.key:  # else it is the same item, found again
            told = ", ".join(names)
            difference = Difference(pointers.join("", names[0]), "a refusal", sent[names[0]], "is held by two items")
            trial.broken(CHECK, f"{create} makes a second item with the same {told}", difference)


def _keys(trial: Trial, create: str, first: Item, body: Json) -> None:
    """Two different creates below one parent must not lead to one key, unless the caller chooses it."""
    draft, recorded = trial.succeed(create)
    second = trial.made(draft, recorded)
    chosen = trial.roster.model.facts(trial.roster.meaning(create)).takes_key
    if second.key != first.key or second.scope != first.scope or chosen:
        return
    if recorded.status == 201 and not same_json(draft.body, body):
        difference = Difference(pointers.join("", first.resource.key or ""), "another key", first.key, "is taken")
        trial.broken(CHECK, f"{create} gives two items one key", difference)


def _path(values: Values) -> dict[tuple[str, str], Json]:
    return {place: value for place, value in values.items() if place[0] == "path"}

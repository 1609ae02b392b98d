"""PUT replaces: what it leaves out is gone."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Draft, Wishes
from contracts.findings import Difference, Side
from contracts.likeness import is_computed, is_empty, said, sent_members
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import same_json
from contracts.trial import Trial
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "put_replaces",
    Family.RELATION,
    summary="A member that was set before and that a PUT leaves out is gone afterwards, or has its default.",
    source="RFC 9110 §9.3.4: PUT replaces the state of the resource with the enclosed representation",
    example="a PUT that merges what it is sent into what is there",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every PUT on an item that can be read, whose body has members that may be left out."""
    for roles in roster.resources.values():
        for write in roles.replaces if roles.reads else ():
            asked = sent_members(roster, write)
            if roster.model.api.operation(write).method == "PUT" and set(asked.members) - asked.required:
                yield Subject(f"{roles.resource.name} {write}", (write, roles.reads[0]), roles)


@relation(CHECK, subjects)
def leaves_nothing_behind(trial: Trial, subject: Subject) -> None:
    """Puts an item with an optional member and then without it."""
    roles = subject.roles
    assert roles is not None
    write, read = subject.operations
    item = trial.item(roles)
    trial.prepare(write)
    draft, _ = trial.change(item, write)
    before = trial.seen(item, read)
    asked = sent_members(trial.roster, write)
    sent = said(trial.roster, draft)
    passed_over = trial.timed(roles.resource)
    optional = [
        name
        for name, value in sent.items()
        if name not in asked.required
        and name not in passed_over
        and not is_empty(value)
        and not same_json(value, _default(trial, draft, name))
        and same_json(before.get(name), value)
        and trial.admits(write, trial.without(draft, name))
    ]
    name = trial.choice(optional)
    _, written = trial.change(item, write, Wishes(body=trial.without(draft, name), content_type=draft.content_type))
    after = trial.seen(item, read)
    if same_json(after.get(name), before[name]):
        side = Side.DOUBLE if is_computed(trial.roster, write) else Side.SERVICE
        difference = Difference(pointers.join("", name), None, after[name], "was left out and is still there")
        trial.broken(CHECK, f"{name}, which {write} leaves out, keeps its value", difference, about=written, side=side)


def _default(trial: Trial, draft: Draft, name: str) -> Json:
    """The default that a request or the resource has for a member."""
    for anatomy in (sent_members(trial.roster, draft.operation_id), trial.resource(draft.operation_id).anatomy):
        member = anatomy.members.get(name)
        if member is not None and "default" in member.schema:
            return member.schema["default"]
    return None

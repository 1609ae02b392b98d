"""What a write was told to store is what a read shows afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import same_json
from contracts.trial import Trial

CHECK = check(
    "read_your_write",
    Family.RELATION,
    summary="An item reads back as the create that made it answered.",
    source="RFC 9110 §9.3.1: GET transfers a current representation",
    example="a create that answers 201 but loses a member",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every resource that can be created and read."""
    for roles in roster.resources.values():
        for read in roles.reads if roles.creates else ():
            yield Subject(roles.resource.name, (*roles.creates, read), roles)


@relation(CHECK, subjects)
def reads_what_was_created(trial: Trial, subject: Subject) -> None:
    """Creates an item and reads it."""
    assert subject.roles is not None
    item = trial.make(subject.roles)
    made = trial.conversation.recorded[-1]
    created = trial.representation(made)
    shown = trial.send(trial.about(item, subject.operations[-1]))
    trial.unless_refused(shown)
    if not shown.ok:
        trial.broken(CHECK, f"what was created reads as {shown.status}", Difference("status", 200, shown.status, ""))
        return
    read = trial.representation(shown)
    if not isinstance(created, dict) or not isinstance(read, dict):
        return
    timed = trial.timed(subject.roles.resource)
    for name, value in created.items():
        if name in read and name not in timed and not same_json(value, read[name]):
            difference = Difference(f"/{name}", value, read[name], "is not what the create answered")
            trial.broken(CHECK, f"{name} reads back as another value than was created", difference)

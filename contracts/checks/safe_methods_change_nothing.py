"""GET and HEAD change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference
from contracts.hunting import Inapplicable
from contracts.likeness import changed, restless
from contracts.relations import Subject, relation
from contracts.roster import Roles, Roster
from contracts.trial import Trial

CHECK = check(
    "safe_methods_change_nothing",
    Family.RELATION,
    summary="An item and its list are the same before and after every GET and HEAD of the resource.",
    source="RFC 9110 §9.2.1: safe methods are read-only",
    example="a read that marks the item as changed",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every resource that can be read."""
    for roles in roster.resources.values():
        if roles.reads:
            yield Subject(roles.resource.name, (*roles.reads, *_safe(roster, roles)), roles)


def _safe(roster: Roster, roles: Roles) -> Iterator[str]:
    for operation_id in roles.operations():
        if operation_id not in roles.reads and roster.model.api.refs[operation_id].method in {"GET", "HEAD"}:
            yield operation_id


@relation(CHECK, subjects, examples=6)
def stays_as_it_was(trial: Trial, subject: Subject) -> None:
    """Reads an item, calls everything that is safe, and reads it again."""
    roles = subject.roles
    assert roles is not None
    read = roles.reads[0]
    item = trial.item(roles)
    before = trial.seen(item, read)
    keys = trial.keys(item, roles)
    called = []
    for operation_id in (*roles.reads[1:], *_safe(trial.roster, roles)):
        try:
            trial.send(trial.about(item, operation_id, Wishes(lean=not trial.flag())))
        except Inapplicable:
            continue
        called.append(operation_id)
    again = trial.read(item, read)
    if again.status in {404, 410} and (trial.closed or roles.creates):
        difference = Difference("status", 200, again.status, "is gone, and only GET and HEAD were sent")
        trial.broken(CHECK, f"an item is gone after it was only read ({', '.join((read, *called))})", difference)
        return
    after = trial.seen(item, read)
    passed_over = trial.timed(roles.resource) | {name for name in before if restless(name)}
    for found in changed(before, after, passed_over=passed_over):
        difference = Difference(found.pointer, found.sent, found.shown, "has changed, and only GET and HEAD were sent")
        trial.broken(CHECK, f"an item changes when it is only read ({', '.join((read, *called))})", difference)
    later = trial.keys(item, roles) if trial.closed else None
    if keys is not None and later is not None and keys != later:
        difference = Difference("/", sorted(keys), sorted(later), "are other items, and only GET and HEAD were sent")
        trial.broken(CHECK, "a list changes when it is only read", difference)

"""PUT is idempotent: the second of two equal ones changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference
from contracts.likeness import changed, restless, touched
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.trial import Trial

CHECK = check(
    "put_twice_is_put_once",
    Family.RELATION,
    summary="The same PUT twice leaves what one leaves: the same representation, and no further item.",
    source="RFC 9110 §9.2.2: PUT is idempotent",
    example="a PUT that appends to a list, or makes a new item each time",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every PUT on an item that can be read."""
    for roles in roster.resources.values():
        for write in roles.replaces if roles.reads else ():
            if roster.model.api.operation(write).method == "PUT":
                yield Subject(f"{roles.resource.name} {write}", (write, roles.reads[0]), roles)


@relation(CHECK, subjects)
def changes_nothing_the_second_time(trial: Trial, subject: Subject) -> None:
    """Puts an item twice, and looks at it and at its list after each."""
    roles = subject.roles
    assert roles is not None
    write, read = subject.operations
    item = trial.item(roles)
    trial.prepare(write)
    draft, _ = trial.change(item, write)
    once = trial.seen(item, read)
    keys = trial.keys(item, roles)
    again = trial.send(draft)
    if not again.ok:
        trial.give_up(f"the second {write} is refused with {again.status}")
    twice = trial.seen(item, read)
    passed_over = trial.timed(roles.resource) | touched(roles.resource) | {n for n in once if restless(n)}
    for found in changed(once, twice, passed_over=passed_over):
        difference = Difference(found.pointer, found.sent, found.shown, "was changed by the second PUT")
        trial.broken(CHECK, f"{write} twice is not the same as once", difference)
    after = trial.keys(item, roles)
    if trial.closed and keys is not None and after is not None and after > keys:
        difference = Difference("/", sorted(keys), sorted(after), "there are more items")
        trial.broken(CHECK, f"{write} twice makes a further item", difference)

"""A walk by cursor sees each item that stays exactly once, whatever is made and deleted meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference
from contracts.hunting import Inapplicable
from contracts.paging import begun, filled, make_beside, shows_keys, sizes, walk, whole
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.trial import Trial

CHECK = check(
    "pages_while_items_come_and_go",
    Family.RELATION,
    summary="Items that exist throughout a walk by cursor are each seen exactly once while others come and go.",
    source="what a cursor is for: it names a place in the list and not a count",
    example="a cursor that holds an offset, so that a delete between two pages hides an item",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every list with cursors whose items can be made; offsets and page numbers promise no such thing."""
    for roles in roster.resources.values():
        for operation_id in roles.lists if roles.creates else ():
            listing = roster.meaning(operation_id).listing
            if listing.style == "cursor" and listing.after is not None and listing.limit is not None:
                yield Subject(operation_id, (*roles.creates, *roles.deletes, operation_id), roles)


@relation(CHECK, subjects, examples=10)
def what_stays_is_seen_once(trial: Trial, subject: Subject) -> None:
    """Makes items, and walks while one of them is deleted and others are made."""
    roles = subject.roles
    assert roles is not None
    operation_id = subject.operations[-1]
    own = [trial.make(roles)]
    while len(own) < 4:
        own.append(make_beside(trial, roles, own[0]))
    filled(trial, roles, 4)
    first = trial.beside(own[0], operation_id, large=False)
    before = whole(trial, first)
    if not shows_keys(trial.roster.meaning(operation_id), before.items):
        trial.give_up("the list does not show keys")
    size = trial.choice(sizes(trial, operation_id)[:2])
    plan = {trial.number(len(before.keys) // size): trial.flag() for _ in range(2)}
    at = trial.number(len(own) - 1)

    def between(number: int) -> None:
        if number - 1 not in plan:
            return
        if plan[number - 1]:
            make_beside(trial, roles, own[0])
        elif roles.deletes:
            _delete(trial, roles.deletes[0], own[at])

    seen = begun(walk(trial, first, size=size, between=between))
    if not seen.ended:
        trial.give_up("the walk did not come to its end")
    after = whole(trial, first)
    for key in before.keys:
        count = seen.keys.count(key)
        if key in after.keys and count != 1:
            word = "lost" if count == 0 else "twice"
            trial.broken(CHECK, f"an item that existed throughout was seen {count} times in one walk",
                         Difference(f"items/{word}", 1, count, key))  # fmt: skip
            return


def _delete(trial: Trial, operation_id: str, item: Item) -> None:
    try:
        trial.send(trial.about(item, operation_id))
    except Inapplicable:
        return

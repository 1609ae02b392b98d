"""Pages of any size together are the list: nothing lost, nothing twice, and never more than was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.paging import MOST_MADE, Walk, begun, filled, key_of, next_address, shows_keys, sizes, walk, whole
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.trial import Trial

CHECK = check(
    "pages_partition_the_list",
    Family.RELATION,
    summary="Walking a list with small pages shows the same items in the same order as one large page does.",
    source="RFC 8288 §3: `next` is the page after; the description's own paging parameters",
    example="an offset that is counted in pages, so that items between two pages are lost",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every list that can be asked for pages of a certain size."""
    for roles in roster.resources.values():
        for operation_id in (*roles.lists, *roles.views):
            listing = roster.meaning(operation_id).listing
            if listing.limit is not None and listing.style != "none":
                yield Subject(operation_id, (*roles.creates, operation_id), roles)


@relation(CHECK, subjects, examples=8)
def pages_are_the_list(trial: Trial, subject: Subject) -> None:
    """Walks the list in large pages, then in small ones, then in large ones again."""
    assert subject.roles is not None
    operation_id = subject.operations[-1]
    meaning = trial.roster.meaning(operation_id)
    size = trial.choice(sizes(trial, operation_id)[:3])
    item = filled(trial, subject.roles, min(2 * size + 2, MOST_MADE))
    first = trial.beside(item, operation_id, large=False)
    before = whole(trial, first)
    if len(before.items) < 2 or not shows_keys(meaning, before.items):
        trial.give_up(f"the list shows {len(before.items)} items, and a walk needs two that show their keys")
    if before.repeated:
        trial.broken(CHECK, f"one walk through the list shows {before.repeated[0]} more than once")
        return
    small = begun(walk(trial, first, size=size))
    if _too_large(trial, small, size):
        return
    if small.refused is not None:
        status = small.refused.status
        trial.broken(CHECK, f"the page after is answered with {status}", Difference("status", 200, status, ""),
                     about=small.refused)  # fmt: skip
        return
    after = whole(trial, first)
    if set(after.keys) != set(before.keys):
        trial.give_up("the list changed meanwhile")
    _compare(trial, before, small, after, steady=[key_of(meaning, item) for item in after.items] == list(before.keys))


def _goes_on(trial: Trial, small: Walk) -> bool:
    """Whether the list says how to ask for its next page; else a walk is its first page."""
    meaning = trial.roster.meaning(small.pages[0].operation_id or "")
    listing = meaning.listing
    known = listing.after or listing.offset or listing.page
    return bool(known) or any(next_address(meaning, page) is not None for page in small.pages)


def _too_large(trial: Trial, small: Walk, size: int) -> bool:
    for recorded, count in zip(small.pages, small.sizes, strict=True):
        if count > size:
            listing = trial.roster.meaning(recorded.operation_id or "").listing
            known = listing.after or listing.offset or listing.page
            trial.broken(
                CHECK,
                f"a page shows {count} items where {listing.limit}={size} was asked for",
                Difference("items", size, count, "is more than was asked for"),
                about=recorded,
                side=Side.SERVICE if known else Side.DOUBLE,
                remedy="" if known else "say what the parameter means with x-mock-operation: {list: {parameters: ...}}",
            )
            return True
    return False


def _compare(trial: Trial, before: Walk, small: Walk, after: Walk, *, steady: bool) -> None:
    if small.repeated:
        key = small.repeated[0]
        twice = Difference("items/twice", 1, small.keys.count(key), key)
        trial.broken(CHECK, "an item is on two pages of one walk", twice)
        return
    if small.looped:
        again = Difference("items/end", "an end", "the same page again", "")
        trial.broken(CHECK, "the next page is one that was shown already: the walk does not end", again)
        return
    if small.ended and _goes_on(trial, small):
        lost = [key for key in before.keys if key not in small.keys and key in after.keys]
        if lost:
            gap = Difference("items/lost", lost[0], None, f"{len(small.keys)} of {len(before.keys)} were shown")
            trial.broken(CHECK, "an item of the list is on none of its pages", gap)
            return
    shown = list(small.keys)
    if steady and shown != list(before.keys)[: len(shown)]:
        order = Difference("items/order", list(before.keys), shown, "")
        trial.broken(CHECK, "small pages show the items in another order than a large one", order)

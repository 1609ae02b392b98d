"""What a list says of itself (total, count, pages, has_more) agrees with what a walk through it sees."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from math import ceil

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.paging import Walk, begun, field, filled, sizes, walk, whole
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import Recorded
from contracts.trial import Trial
from mock_server.model.meaning import Meaning
from mock_server.openapi.values import Json

CHECK = check(
    "totals_count",
    Family.RELATION,
    summary="total, count, pages and has_more in the envelope of a list agree with the items that a walk sees.",
    source="the description's own envelope",
    example="a total that counts the page and not the list",
)
_ROLES = frozenset({"total", "count", "pages", "has_more"})


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every list whose envelope tells a number, or whether there is more."""
    for roles in roster.resources.values():
        for operation_id in (*roles.lists, *roles.views):
            if _ROLES & set(roster.meaning(operation_id).envelope.fields.values()):
                yield Subject(operation_id, (*roles.creates, operation_id), roles)


@relation(CHECK, subjects, examples=8)
def numbers_agree(trial: Trial, subject: Subject) -> None:
    """Walks the list and holds each page's word against all of it."""
    assert subject.roles is not None
    operation_id = subject.operations[-1]
    item = filled(trial, subject.roles, 1 + trial.number(3))
    first = trial.beside(item, operation_id, large=False)
    before = whole(trial, first)
    some = sizes(trial, operation_id)[:3]
    seen = begun(walk(trial, first, size=trial.choice(some))) if some else before
    if set(whole(trial, first).keys) != set(before.keys) or not set(seen.keys) <= set(before.keys):
        trial.give_up("the list changed meanwhile")
    for number, (recorded, so_far) in enumerate(zip(seen.pages, accumulate(seen.sizes), strict=True)):
        _judge(trial, seen, recorded, number, more=so_far < len(before.items), every=len(before.items))


def _judge(trial: Trial, seen: Walk, recorded: Recorded, number: int, *, more: bool, every: int) -> None:
    meaning = trial.roster.meaning(recorded.operation_id or "")
    for path, role in meaning.envelope.fields.items():
        told = field(meaning, recorded.json, role)
        if role == "has_more":
            # A page that is full may promise another, which turns out to be empty.
            promised = told is True and number + 1 < len(seen.pages)
            if isinstance(told, bool) and told is not more and not promised:
                _tell(trial, meaning, recorded, path, more, told)
            continue
        right = _right(meaning, path, role, seen.sizes[number], every, seen.sizes[0])
        if isinstance(told, int) and not isinstance(told, bool) and right and told not in right:
            _tell(trial, meaning, recorded, path, right[0], told)


def _right(meaning: Meaning, path: tuple[str, ...], role: str, count: int, every: int, size: int) -> tuple[Json, ...]:
    """What a number may be; none where that is not known."""
    if role == "total":
        return (every, count) if path[-1].lower() == "count" else (every,)
    if role == "count":
        return (count, every)
    if role == "pages" and size and meaning.listing.limit is not None:
        needed = ceil(every / size)
        return (needed, max(1, needed))
    return ()


def _tell(trial: Trial, meaning: Meaning, recorded: Recorded, path: tuple[str, ...], right: Json, told: Json) -> None:
    paged = meaning.listing.style != "none" or not meaning.inferred
    name = "/".join(path)
    trial.broken(
        CHECK,
        f"{name} is {told}, and the list says {right}",
        Difference(f"/{name}", right, told, "does not agree with the items of the list"),
        about=recorded,
        side=Side.SERVICE if paged else Side.DOUBLE,
        remedy="" if paged else f"say in the description what {name} counts",
    )

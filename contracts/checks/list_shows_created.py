"""A list goes along with what is created, changed and deleted."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.likeness import Unlike, changed, restless, same_shape, shown_members
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.trial import Trial
from mock_server.model.anatomy import words
from mock_server.openapi.values import Json

CHECK = check(
    "list_shows_created",
    Family.RELATION,
    summary="A list shows what was created, as the read shows it, and what was deleted no more.",
    source="RFC 9110 §9.3.1: GET transfers a current representation, of a collection as of an item",
    example="a list that is served from a stale cache",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every list of a resource that can be created."""
    for roles in roster.resources.values():
        for listing in roles.lists if roles.creates and roles.resource.key is not None else ():
            changes = (*roles.reads[:1], *roles.updates[:1], *roles.replaces[:1], *roles.deletes[:1])
            yield Subject(f"{roles.resource.name} {listing}", (listing, *roles.creates, *changes), roles)


@relation(CHECK, subjects)
def goes_along(trial: Trial, subject: Subject) -> None:
    """Creates, perhaps changes, perhaps deletes an item; looks at the list each time."""
    roles = subject.roles
    assert roles is not None
    listing = subject.operations[0]
    first = trial.flag()
    if first:
        trial.walk(trial.beside(trial.make(roles), listing))  # a list that was read before may be kept
    item = trial.make(roles)
    if trial.conversation.recorded[-1].status == 202:
        trial.give_up(f"{trial.conversation.recorded[-1].operation_id} promises to do it later")
    _is_listed(trial, listing, item, "created")
    writes = (*roles.updates, *roles.replaces)
    if writes and trial.flag():
        trial.change(item, trial.choice(writes))
        _is_listed(trial, listing, item, "changed")
    if roles.deletes and trial.flag():
        _, gone = trial.succeed_about(item, trial.choice(roles.deletes))
        if gone.status != 202:
            _is_not_listed(trial, listing, item)


def _is_listed(trial: Trial, listing: str, item: Item, what: str) -> None:
    roles = trial.roster.resources[item.resource.qualified]
    current = trial.seen(item, roles.reads[0]) if roles.reads else None
    known = Item(item.resource, item.scope, item.key, current if current is not None else item.value)
    draft = trial.beside(known, listing)
    listed = trial.walk(draft, until=trial.is_of(item))
    entry = next((shown for shown in listed.items if trial.is_of(item)(shown)), None)
    if entry is None:
        _absent(trial, listing, item, what, complete=listed.ended)
        return
    if current is not None:
        for found in _unequal(trial, listing, roles.reads[0], item, current, entry):
            difference = Difference(found.pointer, found.sent, found.shown, "is not what the read shows")
            trial.broken(CHECK, f"{listing} shows an item that was {what} otherwise than its read does", difference)


def _absent(trial: Trial, listing: str, item: Item, what: str, *, complete: bool) -> None:
    if not complete:
        trial.give_up(f"{listing} is too long to be walked, or is refused")
    operation = trial.drafter.api.operation(listing)
    plainly = operation.path == item.resource.collection_path and operation.method == "GET"
    difference = Difference("/", item.key, None, "is not in the list")
    side = Side.SERVICE if plainly and not _narrows(trial, listing) else Side.DOUBLE
    remedy = f"- target: $.paths['{operation.path}'].get\n  update:\n    x-mock-operation: {{behavior: sample}}\n"
    trial.broken(CHECK, f"{listing} does not show an item that was {what}", difference, side=side,
                 remedy=remedy if side is Side.DOUBLE else "")  # fmt: skip


def _narrows(trial: Trial, listing: str) -> bool:
    """Whether a list may leave items out by itself: by their state, or by an archive."""
    named = {word for p in trial.drafter.api.operation(listing).parameters for word in words(p.name)}
    return bool(named & {"archived", "deleted", "inactive", "hidden", "all", "active", "status", "state"})


def _is_not_listed(trial: Trial, listing: str, item: Item) -> None:
    soft = item.resource.soft_delete
    if soft is not None and not soft.hidden:
        return
    listed = trial.walk(trial.beside(item, listing), until=trial.is_of(item))
    entry = next((shown for shown in listed.items if trial.is_of(item)(shown)), None)
    if entry is None:
        return
    kept = isinstance(item.value, dict) and isinstance(entry, dict) and any(
        words(name)[:1] in {("deleted",), ("archived",), ("status",), ("state",), ("active",)} for name in entry
    )  # fmt: skip
    difference = Difference("/", None, item.key, "is still in the list")
    trial.broken(CHECK, f"{listing} still shows an item that was deleted", difference,
                 side=Side.DOUBLE if kept else Side.SERVICE, remedy=_SOFT if kept else "")  # fmt: skip


_SOFT = "Where a delete only marks an item, say so: x-mock-resources: {name: {softDelete: {set: {...}, hidden: false}}}"


def _unequal(
    trial: Trial, listing: str, read: str, item: Item, current: dict[str, Json], entry: Json
) -> Iterator[Unlike]:
    """The members that the list and the read describe alike and show differently."""
    one, other = shown_members(trial.roster, read).members, shown_members(trial.roster, listing).members
    alike = {name for name in one if name in other and same_shape(one[name], other[name]) and not restless(name)}
    common = alike & set(current) & set(entry)
    passed_over = trial.timed(item.resource)
    yield from changed({name: current[name] for name in common}, {name: entry[name] for name in common},
                       passed_over=passed_over)  # fmt: skip

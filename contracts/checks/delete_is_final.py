"""What was deleted is gone, or is in the state that is documented for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.likeness import changed, touched
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.trial import Trial
from mock_server.model.anatomy import words
from mock_server.openapi.values import Json

CHECK = check(
    "delete_is_final",
    Family.RELATION,
    summary="After a DELETE the item reads as 404 or 410, or as deleted; a second DELETE is no server error.",
    source="RFC 9110 §9.3.5: DELETE removes the association between the target resource and its functionality",
    fault=103,
    example="a delete that answers 204 and leaves the item readable",
)

_MARKS = frozenset({"status", "state", "deleted", "archived", "active", "enabled", "removed", "phase", "inactive"})


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every DELETE of an item; where it can be read, the read comes along."""
    for roles in roster.resources.values():
        for delete in roles.deletes:
            if roster.model.api.operation(delete).method == "DELETE":
                yield Subject(f"{roles.resource.name} {delete}", (delete, *roles.creates, *roles.reads), roles)


@relation(CHECK, subjects)
def is_gone(trial: Trial, subject: Subject) -> None:
    """Deletes an item, reads it, and deletes it again."""
    roles = subject.roles
    assert roles is not None
    delete = subject.operations[0]
    if not trial.closed and not roles.creates:
        trial.give_up(f"nothing creates {roles.resource.name}, and what others made is not for us to delete")
    item = trial.item(roles)
    before = trial.seen(item, roles.reads[0]) if roles.reads else None
    draft, gone = trial.succeed_about(item, delete)
    if gone.status == 202:
        trial.give_up(f"{delete} promises to do it later")
    for read in roles.reads:
        _is_not_read(trial, item, read, delete, before)
    if trial.flag():
        again = trial.send(draft)
        if again.status >= 500:
            difference = Difference("status", "404, 410 or 2xx", again.status, "the item was deleted before")
            trial.broken(CHECK, f"a second {delete} is a server error ({again.status})", difference)


def _is_not_read(trial: Trial, item: Item, read: str, delete: str, before: dict[str, Json] | None) -> None:
    shown = trial.read(item, read)
    soft = item.resource.soft_delete
    if not shown.ok or (soft is not None and not soft.hidden):
        return
    value = trial.representation(shown)
    difference = Difference("status", "404 or 410", shown.status, "the item was deleted")
    if before is not None and isinstance(value, dict):
        passed_over = touched(item.resource)
        marked = [found for found in changed(before, value, passed_over=passed_over) if _marks(found.pointer)]
        if marked:
            name = marked[0].pointer.lstrip("/")
            remedy = _remedy(item, name, marked[0].shown)
            trial.broken(CHECK, f"an item still reads after {delete}, with another {name}", difference,
                         side=Side.DOUBLE, remedy=remedy)  # fmt: skip
            return
    trial.broken(CHECK, f"an item still reads after {delete}", difference)


def _marks(pointer: str) -> bool:
    return bool(_MARKS & set(words(pointer.lstrip("/").partition("/")[0])))


def _remedy(item: Item, name: str, value: Json) -> str:
    return (
        f"- target: $\n  update:\n    x-mock-resources:\n      {item.resource.name}:\n"
        f"        softDelete: {{set: {{{name}: {json.dumps(value)}}}, hidden: false}}\n"
    )

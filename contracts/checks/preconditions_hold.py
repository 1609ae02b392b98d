"""A write with the ETag of a state that is past is refused, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes, repinned
from contracts.findings import Difference
from contracts.pool import Item
from contracts.preconditions import changed, describes, header_place, tag_of
from contracts.relations import Subject, relation
from contracts.roster import Roles, Roster
from contracts.service import Recorded, same_json
from contracts.trial import Trial

CHECK = check(
    "preconditions_hold",
    Family.RELATION,
    summary="A write whose If-Match names an ETag of the past is refused with 412, and changes nothing.",
    source="RFC 9110 §13.1.1",
    example="an update that ignores If-Match, so that a lost update goes unnoticed",
)
_NEVER = '"apidouble-never-given"'


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every write of one item that describes If-Match, or 412."""
    for roles in roster.resources.values():
        for write in (*roles.updates, *roles.replaces, *roles.deletes):
            operation = roster.model.api.operation(write)
            if describes(operation, "If-Match") or "412" in operation.responses:
                operations = (*roles.creates, *roles.reads, *roles.updates, *roles.replaces, write)
                yield Subject(write, tuple(dict.fromkeys(operations)), roles)


@relation(CHECK, subjects, examples=8)
def stale_tags_are_refused(trial: Trial, subject: Subject) -> None:
    """Writes with a tag of the past (or one that was never given), then with the current one."""
    roles = subject.roles
    assert roles is not None
    item = trial.item(roles)
    stale = _stale(trial, roles, item)
    place = header_place(trial.drafter.api.operation(subject.label), "If-Match")
    write = trial.about(item, subject.label)
    before = _read(trial, roles, item)
    refused = trial.send(repinned(write, trial.drafter, {place: stale}))
    trial.unless_refused(refused)
    after = _read(trial, roles, item)
    if refused.ok:
        trial.broken(CHECK, "a write with an ETag of the past is granted",
                     Difference("status", 412, refused.status, f"If-Match is {stale}"), about=refused)  # fmt: skip
        return
    if before is not None and after is not None and (before.status, before.ok) != (after.status, after.ok):
        trial.broken(CHECK, "a write that is refused for its ETag takes effect",
                     Difference("after/status", before.status, after.status, ""), about=refused)  # fmt: skip
        return
    if before is not None and after is not None and not _same(trial, roles, before, after):
        trial.broken(CHECK, "a write that is refused for its ETag takes effect",
                     Difference("after", before.json, after.json, ""), about=refused)  # fmt: skip
        return
    tag = tag_of(trial, roles, item)
    if tag is None or tag.startswith("W/"):
        return  # a weak tag never matches If-Match
    granted = trial.send(repinned(write, trial.drafter, {place: tag}))
    if granted.status == 412:
        trial.broken(CHECK, "a write with the current ETag is refused with 412",
                     Difference("status/current", "2xx", 412, f"If-Match is {tag}"))  # fmt: skip
    elif granted.ok and refused.status not in {412, 428}:
        trial.broken(CHECK, f"a write with an ETag of the past is refused with {refused.status}",
                     Difference("status", 412, refused.status, f"If-Match is {stale}"), about=refused)  # fmt: skip


def _stale(trial: Trial, roles: Roles, item: Item) -> str:
    """The ETag that an item had before a change, else one that nobody gave it."""
    if not (roles.updates or roles.replaces) or not trial.flag():
        return _NEVER
    tag = tag_of(trial, roles, item)
    if tag is None:
        return _NEVER
    changed(trial, roles, item)
    return tag if tag_of(trial, roles, item) != tag else _NEVER


def _read(trial: Trial, roles: Roles, item: Item) -> Recorded | None:
    return trial.send(trial.about(item, roles.reads[0], Wishes(lean=True))) if roles.reads else None


def _same(trial: Trial, roles: Roles, before: Recorded, after: Recorded) -> bool:
    first, second = trial.representation(before), trial.representation(after)
    timed = trial.timed(roles.resource)
    if isinstance(first, dict) and isinstance(second, dict):
        return all(
            same_json(first.get(name), second.get(name)) for name in first.keys() | second.keys() if name not in timed
        )
    return same_json(first, second)

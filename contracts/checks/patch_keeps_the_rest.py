"""PATCH changes what it names, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference, Side
from contracts.likeness import (
    changed,
    is_computed,
    is_empty,
    moving,
    restless,
    said,
    sent_members,
    shown_members,
    touched,
)
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import same_json
from contracts.trial import Trial
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "patch_keeps_the_rest",
    Family.RELATION,
    summary="A PATCH of some members leaves the others as they were; in a JSON Merge Patch, null removes.",
    source="RFC 5789 §2: a PATCH describes the changes; RFC 7396 §2",
    example="a PATCH that replaces the whole item",
)

_MERGE = "application/merge-patch+json"


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every PATCH on an item that can be read."""
    for roles in roster.resources.values():
        for write in roles.updates if roles.reads else ():
            if roster.model.api.operation(write).method == "PATCH":
                yield Subject(f"{roles.resource.name} {write}", (write, roles.reads[0]), roles)


@relation(CHECK, subjects)
def keeps_what_it_does_not_name(trial: Trial, subject: Subject) -> None:
    """Patches one member of an item, by a value or by null."""
    roles = subject.roles
    assert roles is not None
    write, read = subject.operations
    item = trial.item(roles)
    trial.prepare(write)
    if trial.flag():  # so that there is more than a create may give
        trial.change(item, write)
    before = trial.seen(item, read)
    draft = trial.about(item, write)
    sent = said(trial.roster, draft)
    parts = [(name, part) for name in sorted(sent) for part in _parts(trial, write, sent[name], before.get(name))]
    partly = bool(parts) and trial.flag()
    name, part = trial.choice(parts) if partly else (trial.choice(sorted(sent)), None)
    required = sent_members(trial.roster, write).required
    wanted: Json = {known: value for known, value in sent.items() if known == name or known in required}
    if partly:
        _patch_inside(trial, item, subject, {**wanted, name: part}, name, before[name])
        return
    removes = _removable(trial, write, name) and trial.flag()
    if removes:
        wanted[name] = None
    body = trial.placed(write, wanted)
    if not trial.admits(write, body):
        trial.give_up(f"{write} does not take {name} alone")
    _, written = trial.change(item, write, Wishes(body=body, content_type=_MERGE if removes else draft.content_type))
    after = trial.seen(item, read)
    _kept(trial, item, subject, before, after, set(wanted))
    if removes and not is_empty(before.get(name)) and same_json(after.get(name), before[name]):
        difference = Difference(pointers.join("", name), None, after[name], "was removed and is still there")
        trial.broken(CHECK, f"{name} is null in a merge patch and stays", difference, about=written)


def _parts(trial: Trial, write: str, sent: Json, held: Json) -> list[dict[str, Json]]:
    """Objects with some members of one that an item holds with more; none where they are not merged into it."""
    if not isinstance(sent, dict) or not isinstance(held, dict) or not _merges(trial, write):
        return []
    alone = [{name: sent[name]} for name in sorted(sent)]
    # Where the object is not merged, what it must have may be missed only if it is left out.
    most = [{name: value for name, value in sent.items() if name != left_out} for left_out in sorted(held)]
    return [part for part in (*alone, *most) if part and not is_empty([held[n] for n in held if n not in part])]


def _patch_inside(
    trial: Trial, item: Item, subject: Subject, wanted: dict[str, Json], name: str, held: dict[str, Json]
) -> None:
    """Patches one member of an object, whose others must stay (RFC 7396 §2: it is merged, too)."""
    write, read = subject.operations
    body = trial.placed(write, wanted)
    if not trial.admits(write, body):
        trial.give_up(f"{write} does not take a part of {name}")
    _, written = trial.change(item, write, Wishes(body=body, content_type=_MERGE))
    after = trial.seen(item, read).get(name)
    for inside, value in held.items():
        shown = after.get(inside) if isinstance(after, dict) else None
        if inside not in wanted[name] and not is_empty(value) and is_empty(shown):
            difference = Difference(pointers.join("", name, inside), value, shown, "was not named and is gone")
            trial.broken(CHECK, f"a merge patch of {name} drops {inside}, which it does not name", difference,
                         about=written)  # fmt: skip


def _kept(
    trial: Trial, item: Item, subject: Subject, before: dict[str, Json], after: dict[str, Json], named: set[str]
) -> None:
    write, read = subject.operations
    resource = item.resource
    meaning = trial.roster.meaning(write)
    passed_over = trial.timed(resource) | touched(resource) | moving(resource) | set(resource.values) | named
    passed_over |= {path[0] for path in (*meaning.set, *meaning.increase)} | {n for n in before if restless(n)}
    settable = sent_members(trial.roster, write).members
    described = shown_members(trial.roster, read).members
    for found in changed(before, after, passed_over=frozenset(passed_over)):
        name = pointers.split(found.pointer)[0]
        if name not in settable or is_empty(found.sent) or name not in described:
            continue  # it may follow from what was sent
        lost = is_empty(found.shown) or same_json(found.shown, settable[name].schema.get("default"))
        side = Side.SERVICE if lost and not is_computed(trial.roster, write) else Side.DOUBLE
        difference = Difference(found.pointer, found.sent, found.shown, "was not named and has changed")
        trial.broken(CHECK, f"{write} changes {name}, which it does not name", difference, side=side)


def _merges(trial: Trial, write: str) -> bool:
    body = trial.drafter.api.operation(write).request_body
    return body is not None and any(media.name == _MERGE for media in body.content)


def _removable(trial: Trial, write: str, name: str) -> bool:
    if not _merges(trial, write):
        return False
    resource = trial.resource(write)
    return name not in resource.anatomy.required and trial.admits(write, trial.placed(write, {name: None}))

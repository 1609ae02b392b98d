"""What belongs to one tenant is not shown to another, who can neither change nor delete it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts.checks.registry import Family, check
from contracts.drafting import Wishes
from contracts.findings import Difference, Side
from contracts.hunting import Inapplicable
from contracts.paging import key_of, whole
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roles, Roster
from contracts.service import Caller, Recorded, same_json
from contracts.trespass import Target, alike, shown_now
from contracts.trial import Trial
from mock_server.model.meaning import Resource
from mock_server.model.tenants import tenant_in
from mock_server.openapi.values import Json

CHECK = check(
    "tenants_are_apart",
    Family.RELATION,
    summary="What one tenant made, another can neither read, list, change nor delete.",
    source="OWASP API Security Top 10 2023, API1: broken object level authorization",
    fault=206,
    example="a read by key that does not look whose the item is",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every resource that an operation with security shows or changes."""
    for roles in roster.resources.values():
        asked = (*roles.reads, *roles.lists, *roles.updates, *roles.replaces, *roles.deletes, *roles.acts)
        told = tuple(name for name in asked if roster.model.api.operation(name).security)
        if told and (roles.creates or _kept_apart(roles.resource)):
            yield Subject(roles.resource.name, (*roles.creates, *told), roles)


@relation(CHECK, subjects)
def strangers_see_nothing(trial: Trial, subject: Subject) -> None:
    """Makes an item as one tenant, and asks for it as another."""
    roles = subject.roles
    assert roles is not None
    item = trial.item(roles)
    owner = _owner(trial, item)
    if owner is None:
        trial.give_up("it is not known whose the item is")
    operation_id = trial.choice([name for name in subject.operations if name not in roles.creates])
    meaning = trial.roster.meaning(operation_id)
    if meaning.among_all or not trial.drafter.api.operation(operation_id).security:
        trial.give_up(f"{operation_id} is for everybody")
    strangers = [
        caller
        for caller in trial.drafter.callers_of(trial.drafter.api.operation(operation_id))
        if caller.tenant is not None and caller.tenant != owner
    ]
    stranger = trial.choice(strangers)
    if operation_id in roles.lists:
        _lists(trial, roles, item, operation_id, stranger)
    elif operation_id in roles.reads:
        _reads(trial, roles, item, operation_id, stranger)
    else:
        _writes(trial, roles, item, operation_id, stranger)


def _kept_apart(resource: Resource) -> bool:
    return resource.tenancy is not None or resource.tenant_at is not None


def _owner(trial: Trial, item: Item) -> str | None:
    """Whose an item is: its tenant, where the state is kept apart; else that of who made it in this attempt."""
    told = tenant_in(item.resource, item.scope)
    if told is not None:
        return told or None
    if any(_kept_apart(roles.resource) for roles in trial.roster.resources.values()):
        return None  # the model knows tenants, and that this is shared
    for recorded in trial.conversation.recorded:
        made = recorded.operation_id in trial.roster.resources[item.resource.qualified].creates
        if made and recorded.ok and recorded.caller is not None:
            shown = trial.representation(recorded)
            if key_of(trial.roster.meaning(recorded.operation_id or ""), shown) == item.key:
                return recorded.caller.tenant
    return None


def _own(trial: Trial, roles: Roles, item: Item) -> Recorded:
    """How the item reads to its owner."""
    read = trial.choice(roles.reads)
    shown = trial.send(trial.about(item, read, Wishes(lean=True)))
    if not shown.ok:
        trial.give_up(f"{read} answers {shown.status} to the owner")
    return shown


def _reads(trial: Trial, roles: Roles, item: Item, operation_id: str, stranger: Caller) -> None:
    own = trial.send(trial.about(item, operation_id, Wishes(lean=True)))
    asked = trial.about(item, operation_id, Wishes(lean=True, caller=stranger))
    seen = trial.send(asked)
    told, other = trial.representation(own), trial.representation(seen)
    if own.ok and seen.ok and isinstance(told, dict) and told and _same(trial, roles, told, other):
        _cross(trial, roles, item, seen, stranger, f"{operation_id} shows it")
        return
    if own.ok and seen.status == 403 and item.key:
        last = "1" if item.key[-1] == "0" else "0"
        nothing = replace(item, key=item.key[:-1] + last)
        absent = trial.send(trial.about(nothing, operation_id, Wishes(lean=True, caller=stranger)))
        if absent.status == 404:
            trial.broken(CHECK, "another tenant's item is refused with 403 and one that does not exist with 404, "
                         "so that strangers learn what exists",
                         Difference("status/existence", 404, 403, ""), about=seen, side=Side.DESCRIPTION,
                         remedy="say in the description which of the two strangers are to see")  # fmt: skip


def _same(trial: Trial, roles: Roles, told: dict[str, Json], other: Json) -> bool:
    timed = trial.timed(roles.resource)
    return isinstance(other, dict) and all(
        same_json(value, other.get(name)) for name, value in told.items() if name not in timed
    )


def _lists(trial: Trial, roles: Roles, item: Item, operation_id: str, stranger: Caller) -> None:
    found = _listed(trial, roles, item, operation_id, stranger)
    if found is not None:
        _cross(trial, roles, item, found, stranger, f"{operation_id} lists it")


def _listed(trial: Trial, roles: Roles, item: Item, operation_id: str, caller: Caller) -> Recorded | None:
    """The last page of a caller's list if it has the item as its owner's list shows it, None if it has not."""
    meaning = trial.roster.meaning(operation_id)
    first = trial.beside(item, operation_id)
    own = whole(trial, first)
    told = next((shown for key, shown in zip(own.keys, own.items, strict=True) if key == item.key), None)
    if not isinstance(told, dict) or key_of(meaning, told) != item.key:
        trial.give_up(f"{operation_id} does not list the item for its owner")
    try:
        other = whole(trial, replace(first, caller=caller))
    except Inapplicable:
        return None
    seen = (shown for key, shown in zip(other.keys, other.items, strict=True) if key == item.key)
    return trial.conversation.recorded[-1] if any(_same(trial, roles, told, shown) for shown in seen) else None


def _writes(trial: Trial, roles: Roles, item: Item, operation_id: str, stranger: Caller) -> None:
    _own(trial, roles, item)
    about = Target(operation_id, item, roles)
    hidden = _hidden(trial, roles, item, stranger)
    before = shown_now(trial, about)
    asked = trial.send(trial.about(item, operation_id, Wishes(caller=stranger)))
    after = shown_now(trial, about)
    if before is not None and after is not None and not alike(trial, about, before, after):
        _cross(trial, roles, item, asked, stranger, f"{operation_id} changes it", apart=hidden)


def _hidden(trial: Trial, roles: Roles, item: Item, stranger: Caller) -> bool:
    """Whether a read refuses the item to the stranger, which its owner has just seen."""
    read = roles.reads[0]
    if stranger not in trial.drafter.callers_of(trial.drafter.api.operation(read)):
        return False
    return trial.send(trial.about(item, read, Wishes(lean=True, caller=stranger))).status in {403, 404}


def _cross(
    trial: Trial, roles: Roles, item: Item, seen: Recorded, stranger: Caller, what: str, *, apart: bool = False
) -> None:
    """Another tenant's item was met. Without a word on tenancy, all may share it: unless lists keep it apart."""
    known = apart or _kept_apart(roles.resource) or _apart_in_lists(trial, roles, item, seen, stranger)
    trial.broken(
        CHECK,
        f"an item of one tenant is met by another: {what} to {stranger.name}",
        Difference(f"tenant/{seen.operation_id}", "404", str(seen.status), ""),
        about=seen,
        side=Side.SERVICE if known else Side.DOUBLE,
        remedy="" if known else f"- target: $\n  update: {{x-mock-tenants: {{resources: [{roles.resource.name}]}}}}",
    )


def _apart_in_lists(trial: Trial, roles: Roles, item: Item, seen: Recorded, stranger: Caller) -> bool:
    """Whether a list shows the item to its owner and not to the stranger."""
    for operation_id in roles.lists:
        if operation_id != seen.operation_id:
            try:
                return _listed(trial, roles, item, operation_id, stranger) is None
            except Inapplicable:
                continue
    return False

"""What is refused leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Draft, Wishes
from contracts.findings import Difference
from contracts.likeness import changed, restless, sent_members
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roles, Roster
from contracts.service import Recorded, same_json
from contracts.trial import Trial
from mock_server.model.filters import value_at
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Json

CHECK = check(
    "failed_request_changes_nothing",
    Family.RELATION,
    summary="A write that is refused (4xx) leaves items and lists as they were.",
    source="RFC 9110 §15.5: 4xx means that the request was not fulfilled; RFC 5789 §2: a PATCH is applied atomically",
    fault=104,
    example="a create that stores the item before it looks at its members",
)

_WRONG: tuple[Json, ...] = ({"not": ["what", "is", "wanted"]}, [[1]], True, 0.5, "\u2603 not this", -1, None)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every create that a list shows, and every other write to what can be read."""
    for roles in roster.resources.values():
        for write in roles.creates if roles.lists and roles.resource.key is not None else ():
            yield Subject(f"{roles.resource.name} {write}", (write, roles.lists[0]), roles)
        for write in (*roles.replaces, *roles.updates) if roles.reads else ():
            yield Subject(f"{roles.resource.name} {write}", (write, roles.reads[0]), roles)


@relation(CHECK, subjects)
def leaves_no_trace(trial: Trial, subject: Subject) -> None:
    """Sends a write that is not valid, and looks at what is there before and after."""
    roles = subject.roles
    assert roles is not None
    write, shows = subject.operations
    if write in roles.creates:
        _create(trial, roles, write, shows)
    else:
        _change(trial, roles, write, shows)


def _create(trial: Trial, roles: Roles, write: str, shows: str) -> None:
    trial.prepare(write)
    draft = _broken(trial, trial.draft(write))
    place = _place(trial, roles, draft)
    before = trial.keys(place, roles)
    if before is None:
        trial.give_up(f"{shows} cannot be walked to its end")
    refused = trial.send(draft)
    _must_refuse(trial, refused)
    listed = trial.walk(trial.beside(place, shows))
    if not listed.ended:
        trial.give_up(f"{shows} cannot be walked to its end")
    name = roles.resource.key or ""
    new = [entry for entry in listed.items if isinstance(entry, dict) and name in entry
           and key_text(entry[name]) not in before and (trial.closed or _repeats(trial, draft, entry))]  # fmt: skip
    if new:
        difference = Difference("/", None, new[0], "is new in the list")
        trial.broken(CHECK, f"{write} is refused with {refused.status} and makes an item all the same", difference)


def _change(trial: Trial, roles: Roles, write: str, shows: str) -> None:
    item = trial.item(roles)
    trial.prepare(write)
    before = trial.seen(item, shows)
    refused = trial.send(_broken(trial, trial.about(item, write)))
    _must_refuse(trial, refused)
    after = trial.seen(item, shows)
    passed_over = trial.timed(roles.resource) | {name for name in before if restless(name)}
    for found in changed(before, after, passed_over=passed_over):
        difference = Difference(found.pointer, found.sent, found.shown, "was changed by a request that was refused")
        trial.broken(CHECK, f"{write} is refused with {refused.status} and changes the item all the same", difference)


def _must_refuse(trial: Trial, recorded: Recorded) -> None:
    trial.unless_refused(recorded)
    if not 400 <= recorded.status < 500:
        trial.give_up(f"{recorded.operation_id} answers {recorded.status} to what is not valid")


def _broken(trial: Trial, draft: Draft) -> Draft:
    """A draft that cannot be granted: a required member is missing, has a wrong type, or names what is not there."""
    path = trial.roster.meaning(draft.operation_id).request_path
    members = value_at(draft.body, path)
    if not isinstance(members, dict) or not members:
        trial.give_up(f"{draft.operation_id} has no members that could be wrong")
    required = sent_members(trial.roster, draft.operation_id).required & members.keys()
    bodies: list[Json] = [trial.without(draft, name) for name in sorted(required)]
    for name in sorted(members):
        bodies += [trial.placed(draft.operation_id, {**members, name: value}) for value in _WRONG]
    wrong = [body for body in bodies if not trial.admits(draft.operation_id, body)]
    dangling = [body for body in _dangling(trial, draft.body) if trial.admits(draft.operation_id, body)]
    # Of what refers to nothing the first members are often stored before it is met.
    body = trial.choice(dangling if dangling and trial.flag() else wrong)
    again = Wishes(
        values=draft.values, body=body, content_type=draft.content_type, caller=draft.caller, item=draft.item
    )
    return trial.draft(draft.operation_id, again)


def _dangling(trial: Trial, body: Json) -> Iterator[Json]:
    """Bodies in which one member that names another thing names one that does not exist."""
    if isinstance(body, list):
        for place, value in enumerate(body):
            yield from ([*body[:place], changed, *body[place + 1 :]] for changed in _dangling(trial, value))
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, dict | list):
            yield from ({**body, name: changed} for changed in _dangling(trial, value))
        elif trial.roster.called(name) is not None and isinstance(value, str | int) and not isinstance(value, bool):
            yield {**body, name: _like(value)}


def _like(value: str | int) -> Json:
    """A key as another one looks, which is hardly anybody's."""
    if isinstance(value, int):
        return 987_654_321
    return "".join("9" if c.isdigit() else c for c in value) if any(map(str.isdigit, value)) else value[::-1] + "9"


def _place(trial: Trial, roles: Roles, draft: Draft) -> Item:
    """Where a create would put an item: an item that is not there, below the same parents."""
    facts = trial.roster.model.facts(trial.roster.meaning(draft.operation_id))
    parents = tuple(key_text(draft.path[name]) for name in facts.scope if name in draft.path)
    tenant = (draft.caller.tenant if draft.caller is not None else None) or ""
    members = value_at(draft.body, trial.roster.meaning(draft.operation_id).request_path)
    return Item(roles.resource, (tenant, *parents) if roles.resource.tenancy is not None else parents, "", members)


def _repeats(trial: Trial, draft: Draft, entry: dict[str, Json]) -> bool:
    """Whether a new item is ours: it has every plain member that was sent, and there is a telling one."""
    members = value_at(draft.body, trial.roster.meaning(draft.operation_id).request_path)
    plain = {name: value for name, value in members.items() if isinstance(value, str) and len(value) > 5}
    return bool(plain) and all(same_json(entry.get(name), value) for name, value in plain.items())

"""What the server assigns is not the caller's to set."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Draft, Wishes
from contracts.findings import Difference, Side
from contracts.likeness import sent_members, shown_members
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roles, Roster
from contracts.service import Recorded, same_json
from contracts.trial import Trial
from mock_server.model.anatomy import Member
from mock_server.model.filters import value_at
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "server_assigned_stays_put",
    Family.RELATION,
    summary="Members that are readOnly (the key, times, totals) are not taken from what a caller sends.",
    source="OpenAPI 3.1 §4.8.24.6 (readOnly); OWASP API3:2023, mass assignment",
    fault=203,
    example="a create that takes the id that it is sent",
)

_TEXTS = {
    "date-time": "2001-02-03T04:05:06Z",
    "date": "2001-02-03",
    "time": "04:05:06Z",
    "uuid": "5ca1ab1e-0000-4000-8000-000000000203",
    "email": "planted@check.example",
    "uri": "https://check.example/planted",
}
_RULES = frozenset({"key", "created", "updated", "revision"})


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every create and update with a body, of a resource that has members of the server."""
    for roles in roster.resources.values():
        for write in (*roles.creates, *roles.replaces, *roles.updates):
            if roster.model.api.operation(write).request_body is not None and any(_servers(roster, roles, write)):
                reads = roles.reads[:1]
                yield Subject(f"{roles.resource.name} {write}", (write, *reads), roles)


def _servers(roster: Roster, roles: Roles, write: str) -> Iterator[tuple[Member, bool]]:
    """The members that are the server's, and whether the description says so (readOnly) or it is a guess."""
    asked = sent_members(roster, write).members
    anatomies = [roles.resource.anatomy, *(shown_members(roster, read) for read in roles.reads[:1])]
    shown = {name: member for anatomy in anatomies for name, member in anatomy.members.items()}
    for name, member in shown.items():
        read_only = member.read_only or (name in asked and asked[name].read_only)
        guessed = roles.resource.assigned.get(name) in _RULES and name not in asked
        if (read_only or guessed) and not (name in asked and not asked[name].read_only):
            yield member, read_only


@relation(CHECK, subjects)
def is_not_taken_over(trial: Trial, subject: Subject) -> None:
    """Sends a member of the server along with a valid write."""
    roles = subject.roles
    assert roles is not None
    write = subject.operations[0]
    trial.prepare(write)
    item = trial.item(roles) if write not in roles.creates else None
    if item is None:
        first, made = trial.succeed(write)
        usual = trial.representation(made)
        if not isinstance(usual, dict):
            usual = trial.seen(trial.made(first, made), roles.reads[0]) if roles.reads else {}
    else:
        usual = trial.seen(item, roles.reads[0]) if roles.reads else item.value
    if not isinstance(usual, dict):
        trial.give_up(f"{write} does not show what it made")
    draft = trial.about(item, write) if item is not None else trial.draft(write)
    offered = [
        (member, read_only, value)
        for member, read_only in _servers(trial.roster, roles, write)
        for value in _planted(member, usual.get(member.name))
        if trial.admits(write, _with(trial, draft, {member.name: value}))
    ]
    if not offered:
        trial.give_up(f"{write} has nothing of the server's that could be sent")
    planted = offered
    if trial.flag():  # a service may refuse the one and take the other
        planted = [trial.choice(offered)]
    members = {member.name: value for member, _, value in planted}
    body = _with(trial, draft, members)
    wishes = Wishes(values=draft.values, body=body, content_type=draft.content_type, caller=draft.caller, item=item)
    sent = trial.draft(write, wishes)
    written = trial.send(sent)
    if not written.ok:
        trial.give_up(f"{write} refuses {', '.join(members)} with {written.status}")
    shown = _shown(trial, roles, sent, written, item)
    for member, read_only, value in planted:
        if member.name in shown and same_json(shown[member.name], value):
            _tell(trial, write, member, read_only=read_only, value=value)


def _tell(trial: Trial, write: str, member: Member, *, read_only: bool, value: Json) -> None:
    difference = Difference(
        pointers.join("", member.name), "a value of the server", value, "was taken from the request"
    )
    remedy = "" if read_only else (
        f"Where {member.name} is the server's to give, mark it readOnly; where callers may give it, describe it in "
        f"the request body of {write}."
    )  # fmt: skip
    trial.broken(CHECK, f"{write} takes {member.name} over from the request", difference,
                 side=Side.SERVICE if read_only else Side.DOUBLE, remedy=remedy)  # fmt: skip


def _shown(trial: Trial, roles: Roles, sent: Draft, written: Recorded, item: Item | None) -> dict[str, Json]:
    """How the item is shown after the write: by its read, where it has one."""
    if item is None and roles.reads:
        item = trial.made(sent, written)
    if item is not None and roles.reads:
        read = trial.read(item, roles.reads[0])
        value = trial.representation(read) if read.ok else None
        if isinstance(value, dict):
            return value
    value = trial.representation(written)
    return value if isinstance(value, dict) else {}


def _with(trial: Trial, draft: Draft, added: dict[str, Json]) -> Json:
    members = value_at(draft.body, trial.roster.meaning(draft.operation_id).request_path)
    return trial.placed(draft.operation_id, {**(members if isinstance(members, dict) else {}), **added})


def _planted(member: Member, usual: Json) -> Iterator[Json]:
    """Values that a server would hardly give by itself."""
    if member.allowed or "boolean" in member.types or member.schema.get("pattern") is not None:
        return  # too few values to tell a coincidence
    if member.is_text:
        low, high = member.schema.get("minLength", 0), member.schema.get("maxLength", 1000)
        text = _TEXTS.get(member.format, "planted-203" + "x" * max(0, low - 11) if not member.format else "")
        if text and len(text) <= high:
            yield text
    elif "integer" in member.types or "number" in member.types:
        value = min(member.schema.get("maximum", 987_654_321), 987_654_321)
        if not isinstance(usual, int | float) or abs(usual - value) > 1000:
            yield value

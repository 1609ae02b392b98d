"""What a write was told to store is what a read shows afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Draft, Wishes
from contracts.findings import Difference, Side
from contracts.likeness import Unlike, is_computed, said, same_shape, sent_members, shown_members, unlike
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.service import Recorded
from contracts.trial import Trial
from mock_server.model.anatomy import Anatomy, words
from mock_server.model.inference.bodies import response_schema
from mock_server.openapi import pointers
from mock_server.openapi.values import Direction, Json

CHECK = check(
    "read_your_write",
    Family.RELATION,
    summary="An item reads back as it was sent, after each create, replace and update.",
    source="RFC 9110 §9.3.1: GET transfers a current representation; §9.3.4: PUT stores what it encloses",
    example="a create that answers 201 but loses a member",
)

_SELECTING = frozenset({"fields", "include", "expand", "select", "view", "embed", "projection"})
_GONE = frozenset({404, 410})
_KEY_NAMES = ("id", "_id", "uuid", "guid", "key", "slug", "code", "number", "name")


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every write of every resource that can be read."""
    for roles in roster.resources.values():
        for read in roles.reads:
            for write in (*roles.creates, *roles.replaces, *roles.updates):
                yield Subject(f"{roles.resource.name} {write}", (write, read), roles)


@relation(CHECK, subjects)
def reads_what_was_written(trial: Trial, subject: Subject) -> None:
    """Writes an item and reads it."""
    assert subject.roles is not None
    write, read = subject.operations
    wishes = Wishes(odd=trial.flag())
    if write in subject.roles.creates:
        trial.prepare(write)
        draft, written = trial.succeed(write, wishes)
        if written.status == 202:
            trial.give_up(f"{write} promises to do it later")
        item = trial.made(draft, written)
    else:
        item = trial.item(subject.roles)
        trial.prepare(write)
        draft, written = trial.change(item, write, wishes)
    shown = trial.read(item, read)
    if not shown.ok:
        if shown.status in _GONE or (write in subject.roles.creates and shown.status >= 500):
            _lost(trial, item, written, shown, read)
        return  # of what is there a view may be refused for now (409)
    _compare(trial, draft, shown, read)


def _compare(trial: Trial, draft: Draft, shown: Recorded, read: str) -> None:
    sent = said(trial.roster, draft)
    value = trial.representation(shown)
    if not sent or not isinstance(value, dict):
        trial.give_up(f"{draft.operation_id} sends nothing that {read} could show")
    resource = trial.resource(read)
    passed_over = trial.timed(resource)
    asked, described = sent_members(trial.roster, draft.operation_id), shown_members(trial.roster, read, shown.status)
    for name in sent:
        if name not in passed_over and name in described.members:
            for found in _unlike(name, sent[name], value, asked, described):
                _tell(trial, draft, shown, found, name, value)


def _unlike(name: str, sent: Json, value: dict[str, Json], asked: Anatomy, described: Anatomy) -> Iterator[Unlike]:
    """Where one member is not shown as it was sent."""
    member = described.members[name]
    if member.write_only:
        return
    known = asked.members.get(name)
    pointer = pointers.join("", name)
    if name not in value:
        if sent not in (None, "", [], {}):
            yield Unlike(pointer, sent, None)
        return
    alike = known is not None and same_shape(known, member)
    yield from unlike(sent, value[name], member, pointer, whole=alike)


def _tell(trial: Trial, draft: Draft, shown: Recorded, found: Unlike, name: str, value: dict[str, Json]) -> None:
    sent = said(trial.roster, draft)[name]
    if not _could_be_shown(trial, shown, name, sent):
        return  # the reply describes something else by this name
    side, remedy = Side.SERVICE, ""
    if found.doubtful:
        side, remedy = Side.DESCRIPTION, f"Say in the description how {name} is normalised."
    elif is_computed(trial.roster, draft.operation_id) or (name not in value and _selects(trial, shown)):
        side = Side.DOUBLE
    got = "is not shown" if name not in value else "reads back as another value than was sent"
    difference = Difference(found.pointer, found.sent, found.shown, "is not what was sent")
    trial.broken(CHECK, f"{name} {got} by {draft.operation_id}", difference, side=side, remedy=remedy)


def _could_be_shown(trial: Trial, shown: Recorded, name: str, sent: Json) -> bool:
    """Whether the reply's schema admits the member as it was sent."""
    assert shown.operation_id is not None
    meaning = trial.roster.meaning(shown.operation_id)
    operation = trial.drafter.api.operation(shown.operation_id)
    schema = response_schema(operation.response_for(shown.status))
    if schema is None:
        return False
    return schema.accepts(_with(shown.json, (*meaning.envelope.path, name), sent), Direction.RESPONSE)


def _with(body: Json, path: tuple[str, ...], value: Json) -> Json:
    if not path:
        return value
    return {**body, path[0]: _with(body.get(path[0]), path[1:], value)} if isinstance(body, dict) else body


def _selects(trial: Trial, shown: Recorded) -> bool:
    """Whether a read has a parameter that says which members to show."""
    operation = trial.drafter.api.operation(shown.operation_id or "")
    return any(_SELECTING & set(words(parameter.name)) for parameter in operation.parameters)


def _lost(trial: Trial, item: Item, written: Recorded, shown: Recorded, read: str) -> None:
    """What was written cannot be read; a question only, where another member of the item turns out to be its key."""
    sentence = f"what {written.operation_id} wrote reads as {shown.status}"
    difference = Difference("status", 200, shown.status, "the item cannot be read")
    value = trial.representation(written)
    key = trial.roster.meaning(read).key_parameter
    for name in _KEY_NAMES:
        other = value.get(name) if isinstance(value, dict) else None
        if key is None or name == item.resource.key or not isinstance(other, str | int):
            continue
        tried = trial.send(trial.about(item, read, Wishes(values={("path", key): other}, lean=True)))
        if tried.ok:
            trial.broken(CHECK, sentence, difference, side=Side.DOUBLE, notes=(f"it is read by its {name}",),
                         remedy=_key_remedy(item, name))  # fmt: skip
            return
    trial.broken(CHECK, sentence, difference, about=shown)


def _key_remedy(item: Item, name: str) -> str:
    return f"- target: $\n  update:\n    x-mock-resources: {{{item.resource.name}: {{key: {name}}}}}\n"

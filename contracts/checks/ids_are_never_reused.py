"""A key that was given once is not given again."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.drafting import Draft
from contracts.findings import Difference
from contracts.pool import Item
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.trial import Trial
from mock_server.model.filters import value_at
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Json

CHECK = check(
    "ids_are_never_reused",
    Family.RELATION,
    summary="No new item gets the key of one that was deleted, or of another one.",
    source="RFC 9110 §3.1: a URI identifies one resource; a deleted item's address must not lead to another one",
    example="a server that numbers items by how many there are",
)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every resource whose keys the server makes, and whose items can be deleted."""
    for roles in roster.resources.values():
        resource = roles.resource
        if roles.creates and roles.deletes and resource.key is not None and not resource.singleton:
            yield Subject(resource.name, (*roles.creates, *roles.deletes), roles)


@relation(CHECK, subjects, examples=6)
def is_another_one(trial: Trial, subject: Subject) -> None:
    """Creates, deletes, and creates some more."""
    roles = subject.roles
    assert roles is not None
    create = trial.choice(roles.creates)
    trial.prepare(create)
    first = _made(trial, create, [])
    trial.succeed_about(first[0], trial.choice(roles.deletes))
    known, sent = [first[0]], [first[1]]
    for _ in range(1 + trial.number(2)):
        made, body = _made(trial, create, sent)
        same = [item for item in known if item.key == made.key and item.scope == made.scope]
        if same:
            of = "one that was deleted" if same[0] is first[0] else "another one"
            difference = Difference(
                "/" + (roles.resource.key or ""), "a key that was never given", made.key, "is taken"
            )
            trial.broken(CHECK, f"{create} gives a new item the key of {of}", difference)
        known.append(made)
        sent.append(body)


def _made(trial: Trial, create: str, sent: list[Json]) -> tuple[Item, Json]:
    """A new item, and what was sent for it."""
    draft, recorded = trial.succeed(create)
    item = trial.made(draft, recorded)
    if recorded.status != 201 and draft.body in sent:
        trial.give_up(f"{create} may show an item that was there")
    if _chosen(trial, draft, item.key):
        trial.give_up(f"{create} takes the key from what is sent")
    return item, draft.body


def _chosen(trial: Trial, draft: Draft, key: str) -> bool:
    """Whether a key comes from what was sent: it was sent itself, or was made of a name."""
    body = value_at(draft.body, trial.roster.meaning(draft.operation_id).request_path)
    return any(_plain(text) == _plain(key) for text in (*_texts(body), *map(key_text, draft.path.values())))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, str | int):
        yield key_text(value)


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())

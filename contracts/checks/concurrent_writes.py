"""Writes that come at the same moment are as good as one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from contracts.checks.registry import Family, check
from contracts.drafting import Draft, Wishes, repinned
from contracts.findings import Difference
from contracts.hunting import Inapplicable
from contracts.paging import whole, wishes_beside
from contracts.pool import Item
from contracts.preconditions import describes, header_place, tag_of
from contracts.relations import Subject, relation
from contracts.roster import Roles, Roster
from contracts.service import Recorded, same_json
from contracts.trial import Trial
from mock_server.model.filters import value_at
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Json

CHECK = check(
    "concurrent_writes",
    Family.RELATION,
    summary="Creates at the same moment make as many items, each with its own key; of conditional updates, and of "
    "creates that exclude each other, one wins.",
    source="RFC 9110 §13.1.1: If-Match prevents lost updates; the description's own keys",
    example="a key that is made of the number of items, so that two creates at once get the same",
)
THREADS = 6
_ROUND = frozenset({10, 20, 25, 30, 50, 100})


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every resource that can be created, and every update that describes If-Match."""
    for roles in roster.resources.values():
        if roles.creates and roles.resource.key is not None:
            yield Subject(roles.resource.name, (*roles.creates, *roles.reads, *roles.lists), roles)
        for write in (*roles.updates, *roles.replaces):
            if roles.reads and describes(roster.model.api.operation(write), "If-Match"):
                yield Subject(write, (*roles.creates, *roles.reads, write), roles)


@relation(CHECK, subjects, examples=6)
def all_at_once(trial: Trial, subject: Subject) -> None:
    """Creates from several threads at once; or updates with one entity tag."""
    roles = subject.roles
    assert roles is not None
    if subject.label in (*roles.updates, *roles.replaces):
        _updates(trial, roles, subject.label)
    elif trial.flag():
        _duplicates(trial, roles)
    else:
        _creates(trial, roles)


def together(trial: Trial, drafts: Sequence[Draft]) -> list[Recorded]:
    """Sends drafts from a thread each, and remembers what came back in the order of the drafts."""
    conversation = trial.conversation
    conversation.chase.go_on()
    service = conversation.service

    def send(draft: Draft) -> Recorded:
        return service.send(draft.request, operation_id=draft.operation_id, caller=draft.caller)

    with ThreadPoolExecutor(len(drafts)) as threads:
        found = list(threads.map(send, drafts))
    for draft, recorded in zip(drafts, found, strict=True):
        conversation.recorded.append(recorded)
        conversation.pool.observe(recorded, draft.path)
    return found


def _creates(trial: Trial, roles: Roles) -> None:
    first = trial.make(roles)
    creator = roles.creates[0]
    one = trial.draft(creator, wishes_beside(trial, creator, first))
    several = 1 + trial.number(THREADS - 1)
    wishes = wishes_beside(trial, creator, first)
    drafts = [one] + [trial.draft(creator, Wishes(values=wishes.values, caller=one.caller)) for _ in range(several)]
    made = [recorded for recorded in together(trial, drafts) if recorded.ok]
    keys = [key for recorded in made if (key := _key(trial, roles, recorded)) is not None]
    if len(made) < 2 or len(keys) != len(made):
        trial.give_up(f"{len(made)} of {len(drafts)} creates at once are granted, and {len(keys)} show a key")
    twice = [key for key in keys if keys.count(key) > 1]
    if twice and not _upserts(trial, roles, creator):
        trial.broken(CHECK, f"{keys.count(twice[0])} creates at the same moment make items of one key",
                     Difference("keys", len(keys), len(set(keys)), twice[0]))  # fmt: skip
        return
    _unique(trial, roles, made)
    _all_there(trial, roles, first, made)


def _duplicates(trial: Trial, roles: Roles) -> None:
    """Requests that are alike, of which the second is refused when it comes later: at once, one is granted at most."""
    creator = roles.creates[0]
    trial.prepare(creator)
    draft, _ = trial.succeed(creator)
    if trial.send(draft).status != 409:
        trial.give_up(f"{creator} can be done twice")
    path = {place: value for place, value in draft.values.items() if place[0] == "path"}
    other = trial.draft(creator, Wishes(values=path, caller=draft.caller, lean=True))
    if same_json(other.body, draft.body):
        trial.give_up("every draft has the same body")
    made = [recorded for recorded in together(trial, [other] * (2 + trial.number(THREADS - 2))) if recorded.ok]
    keys = {repr(key) for recorded in made if (key := _key(trial, roles, recorded)) is not None}
    if len(keys) > 1:
        sentence = "requests at the same moment are granted of which one after the other the second is refused with 409"
        trial.broken(CHECK, sentence, Difference("duplicates", 1, len(keys), f"{len(keys)} items are made"))


def _upserts(trial: Trial, roles: Roles, creator: str) -> bool:
    """Whether the caller names the key, or a create answers with what is there already."""
    facts = trial.roster.model.facts(trial.roster.meaning(creator))
    return facts.takes_key or bool(roles.resource.unique) or trial.drafter.api.operation(creator).describes(200)


def _key(trial: Trial, roles: Roles, recorded: Recorded) -> Json:
    shown = trial.representation(recorded)
    return shown.get(roles.resource.key or "") if isinstance(shown, dict) else None


def _unique(trial: Trial, roles: Roles, made: Sequence[Recorded]) -> None:
    """No two of what was made share what is described to be unique."""
    for group in roles.resource.unique:
        seen: dict[str, Json] = {}
        for recorded in made:
            shown = trial.representation(recorded)
            held = [value_at(shown, name.split("/")) for name in group]
            key = _key(trial, roles, recorded)
            if None not in held and not same_json(seen.setdefault(repr(held), key), key):
                difference = Difference(f"unique/{group[0]}", "one of them is refused", held, "")
                sentence = f"creates at the same moment make two items of one {', '.join(group)}"
                trial.broken(CHECK, sentence, difference, about=recorded)
                return


def _all_there(trial: Trial, roles: Roles, first: Item, made: Sequence[Recorded]) -> None:
    """What was granted is listed."""
    for operation_id in roles.lists[:1]:
        try:
            draft = trial.beside(first, operation_id)
            listed = whole(trial, draft)
        except Inapplicable:
            return
        # A list that does not show what is made one by one is for another check; one of a round length may be cut.
        if first.key not in listed.keys or len(listed.keys) in _ROUND:
            return
        expected = [key_text(_key(trial, roles, one)) for one in made if _selected(trial, draft, one)]
        lost = [key for key in expected if key not in listed.keys]
        if lost:
            trial.broken(CHECK, "an item that was made at the same moment as others is not listed",
                         Difference("listed", lost[0], None, f"{len(lost)} of {len(made)} are not"))  # fmt: skip
            return


def _selected(trial: Trial, listing: Draft, made: Recorded) -> bool:
    """Whether what was made has the values that the list is narrowed to."""
    shown = trial.representation(made)
    filters = trial.roster.meaning(listing.operation_id).listing.filters
    asked = [(known.property, listing.values[("query", known.parameter)]) for known in filters
             if ("query", known.parameter) in listing.values]  # fmt: skip
    return all(same_json(value_at(shown, path), value) for path, value in asked)


def _updates(trial: Trial, roles: Roles, write: str) -> None:
    """Updates with one entity tag, each to another value: exactly one can win."""
    item = trial.item(roles)
    tag = tag_of(trial, roles, item)
    if tag is None or tag.startswith("W/"):
        trial.give_up(f"no strong ETag of {roles.resource.name} is shown")
    place = header_place(trial.drafter.api.operation(write), "If-Match")
    drafts: list[Draft] = []
    for _ in range(12):
        draft = repinned(trial.about(item, write), trial.drafter, {place: tag})
        if _differs(draft.body, item.value) and not any(same_json(draft.body, other.body) for other in drafts):
            drafts.append(draft)
    if len(drafts) < 2:
        trial.give_up("no two updates differ")
    won = [recorded for recorded in together(trial, drafts[:THREADS]) if recorded.ok]
    shown = [trial.representation(recorded) for recorded in won]
    if len(won) > 1 and not any(same_json(left, right) for left in shown for right in shown if left is not right):
        trial.broken(CHECK, f"{len(won)} updates with the same If-Match are granted",
                     Difference("won", 1, len(won), tag))  # fmt: skip


def _differs(body: Json, held: Json) -> bool:
    """Whether an update changes something."""
    if not isinstance(body, dict) or not isinstance(held, dict):
        return False
    return any(name in held and not same_json(held[name], value) for name, value in body.items())

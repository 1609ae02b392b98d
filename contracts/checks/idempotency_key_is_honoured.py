"""A request that is sent again with its idempotency key is done once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

from contracts.checks.registry import Family, check
from contracts.drafting import Draft, Wishes, repinned
from contracts.findings import Difference, Side
from contracts.hunting import Inapplicable
from contracts.relations import Subject, relation
from contracts.roster import WRITING, Roster, behaviour_of
from contracts.service import Recorded, same_json
from contracts.trial import Trial
from mock_server.model.anatomy import words
from mock_server.model.outcome import key_text
from mock_server.openapi.description import Operation, Parameter
from mock_server.openapi.values import Json

CHECK = check(
    "idempotency_key_is_honoured",
    Family.RELATION,
    summary="A request that is sent again with its Idempotency-Key has one effect, and is answered as the first was.",
    source="draft-ietf-httpapi-idempotency-key-header-07 §2",
    example="a retry with the same key that makes a second payment",
)


def header_of(operation: Operation) -> Parameter | None:
    """The header parameter that carries an idempotency key, if an operation describes one."""
    named = (p for p in operation.parameters if p.location == "header" and "idempotency" in words(p.name))
    return next(named, None)


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every writing operation that describes the header."""
    for operation_id in roster.operations:
        operation = roster.model.api.operation(operation_id)
        writes = behaviour_of(roster.meaning(operation_id), roster.model) in WRITING
        if writes and header_of(operation) is not None and operation.method in {"POST", "PATCH"}:
            yield Subject(operation_id, (operation_id,), roster.of(operation_id))


@relation(CHECK, subjects, examples=8)
def done_once(trial: Trial, subject: Subject) -> None:
    """Sends a request twice with one key, then another body with the same key."""
    operation_id = subject.operations[-1]
    operation = trial.drafter.api.operation(operation_id)
    header = header_of(operation)
    assert header is not None
    trial.prepare(operation_id)
    key = str(uuid4())  # in an open world a key of an earlier attempt is still known
    place = ("header", header.name)
    draft, once = trial.succeed(operation_id, Wishes(values={place: key}))
    again = trial.send(draft)
    first, second = _made(trial, once), _made(trial, again)
    if again.ok and first is not None and second is not None and first != second:
        trial.broken(CHECK, "a request that is sent again with its idempotency key makes another item",
                     Difference("key", first, second, "is what the second request made"))  # fmt: skip
        return
    if not again.ok and again.status not in {409, 425, 429}:
        trial.broken(CHECK, f"a request that is sent again with its idempotency key is answered {again.status}",
                     Difference("status", once.status, again.status, ""))  # fmt: skip
        return
    if again.ok and (again.status != once.status or not same_json(once.json, again.json)):
        pointer = "status" if again.status != once.status else "body"
        trial.broken(CHECK, "a request that is sent again with its idempotency key is answered otherwise than at first",
                     Difference(pointer, once.status, again.status, ""), side=Side.DESCRIPTION)  # fmt: skip
    _otherwise(trial, draft, once, first, {place: key})


def _otherwise(trial: Trial, draft: Draft, once: Recorded, first: Json, values: dict[tuple[str, str], Json]) -> None:
    """Another body with a key that was used: refused, or answered as the first; never done."""
    other = _other(trial, draft, values)
    recorded = trial.send(other)
    made = _made(trial, recorded)
    if recorded.ok and first is not None and made is not None and made != first:
        trial.broken(CHECK, "another request with an idempotency key that was used makes another item",
                     Difference("other/key", first, made, f"the first was answered {once.status}"))  # fmt: skip


def _other(trial: Trial, draft: Draft, values: dict[tuple[str, str], Json]) -> Draft:
    for _ in range(6):
        path: dict[tuple[str, str], Json] = {p: v for p, v in draft.values.items() if p[0] == "path"}
        other = trial.draft(draft.operation_id, Wishes(values={**path, **values}, caller=draft.caller))
        if not same_json(other.body, draft.body):
            return replace(repinned(other, trial.drafter, values), item=draft.item)
    raise Inapplicable("every draft has the same body")


def _made(trial: Trial, recorded: Recorded) -> Json:
    """The key of what a create shows that it made; None where it does not show it."""
    meaning = trial.roster.meaning(recorded.operation_id or "")
    resource = meaning.resource
    if not recorded.ok or resource is None or resource.key is None:
        return None
    if behaviour_of(meaning, trial.roster.model) != "create":
        return None
    shown = trial.representation(recorded)
    key = shown.get(resource.key) if isinstance(shown, dict) else None
    return key_text(key) if key is not None else None

"""What checks of conditional requests share: which operations describe them, and a change that is sure to be one."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.drafting import Draft, Wishes, repinned
from contracts.hunting import Inapplicable
from contracts.pool import Item
from contracts.roster import Roles
from contracts.service import Recorded, same_json
from contracts.trial import Trial
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Json

_TRIES = 4


def describes(operation: Operation, header: str) -> bool:
    """Whether an operation describes a request header."""
    return any(p.location == "header" and p.name.lower() == header.lower() for p in operation.parameters)


def header_place(operation: Operation, header: str) -> tuple[str, str]:
    """The place of a request header, as the description spells it."""
    named = (p.name for p in operation.parameters if p.location == "header" and p.name.lower() == header.lower())
    return "header", next(named, header)


def tag_of(trial: Trial, roles: Roles, item: Item) -> str | None:
    """The current ETag of an item, None where no read shows one."""
    for read in roles.reads:
        tag = trial.send(trial.about(item, read, Wishes(lean=True))).header("etag")
        if tag is not None:
            return tag
    return None


def bound(trial: Trial, roles: Roles, item: Item, draft: Draft) -> Draft:
    """A draft with the item's current ETag as its precondition, where its operation describes one."""
    operation = trial.drafter.api.operation(draft.operation_id)
    if not describes(operation, "If-Match"):
        return draft
    tag = tag_of(trial, roles, item)
    place = header_place(operation, "If-Match")
    values: Mapping[tuple[str, str], Json] = {k: v for k, v in draft.values.items() if k != place}
    if tag is None:
        return draft
    return repinned(draft, trial.drafter, {**values, place: tag})


def changed(trial: Trial, roles: Roles, item: Item) -> Recorded:
    """A change of an item that the service grants; ``Inapplicable`` where none of a few is one."""
    writes = (*roles.updates, *roles.replaces)
    operation_id = trial.choice(writes)
    for _ in range(_TRIES):
        before = item.value
        draft = bound(trial, roles, item, trial.about(item, operation_id))
        recorded = trial.send(draft)
        trial.unless_refused(recorded)
        if recorded.ok and not same_json(before, trial.representation(recorded)):
            return recorded
    raise Inapplicable(f"{operation_id} changes nothing")

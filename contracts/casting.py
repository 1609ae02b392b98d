"""Casting: drafts made to fit who sends them, and what is there already."""

from __future__ import annotations

from contracts.drafting import Draft, Drafter
from contracts.roster import Roster
from mock_server.model.anatomy import words
from mock_server.model.inference.bodies import request_schema
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Direction, Json


def tenant_names(roster: Roster) -> frozenset[tuple[str, ...]]:
    """What the members that repeat an item's tenant are called, word by word."""
    tenancies = (roles.resource.tenancy for roles in roster.resources.values())
    return frozenset(words(found.property) for found in tenancies if found is not None and found.property is not None)


def admits(operation: Operation, body: Json) -> bool:
    """Whether a body is valid for an operation, by the schema that its first JSON media type has."""
    schema = request_schema(operation)
    return schema is None or schema.accepts(body, Direction.REQUEST)


def anew(drafter: Drafter, draft: Draft, number: int) -> Json:
    """A draft's body with other values for what must be unique: the last digits of its texts are those of a number."""
    operation = drafter.api.operation(draft.operation_id)
    resource, body = drafter.roster.meaning(draft.operation_id).resource, draft.body
    for name in {name for names in (resource.unique if resource is not None else ()) for name in names}:
        if isinstance(body, dict) and isinstance(body.get(name), str):
            changed = {**body, name: body[name][:-6] + f"{number:06d}"[-6:]}
            body = changed if admits(operation, changed) else body
    return body

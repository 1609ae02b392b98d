"""Casting: who may send a request, and what of all that is known is there for them."""

from __future__ import annotations

from contracts.drafting import Draft, Drafter
from contracts.pool import Item, Pool
from contracts.roster import Roster
from contracts.service import Caller
from mock_server.model.anatomy import words
from mock_server.model.inference.bodies import request_schema
from mock_server.model.meaning import Resource
from mock_server.model.tenants import tenant_in
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Direction, Json


def may(caller: Caller, operation: Operation) -> bool:
    """Whether a caller satisfies one alternative of an operation's security, as far as is known; "*" is every scope."""
    held = caller.principal.scopes if caller.principal is not None else None
    granted = [
        {scope for _, scopes in requirement for scope in scopes}
        for requirement in operation.security
        if requirement and {scheme.name for scheme, _ in requirement} <= caller.schemes
    ]
    return any(held is None or "*" in held or needed <= held for needed in granted)


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


class Within(Pool):
    """What is known, as a tenant sees it: another tenant's items are left out, and of tenants all but itself."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool.model, state=pool.state)

    def items(self, resource: Resource, *, tenant: str | None = None) -> list[Item]:
        """The items of a resource that are a tenant's or everybody's; all, where no tenant is given."""
        found = super().items(resource)
        if tenant is None:
            return found
        itself = [item for item in found if item.key == tenant]
        return itself or [item for item in found if tenant_in(resource, item.scope) in {None, "", tenant}]

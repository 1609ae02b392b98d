"""Tenants: whose an item is, and whose data a call is about.

The tenant is the first part of the scope of a partition, before the parents' keys, so that whatever goes by partition
(reads, lists, keys, unique members, pages) keeps tenants apart by itself. "" is the tenant of what belongs to nobody
in particular, and of a caller who has none.
"""

from __future__ import annotations

from collections.abc import Callable

from mock_server.model.call import Call
from mock_server.model.meaning import Entrance, Reason, Resource, Tenancy
from mock_server.model.outcome import key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import State
from mock_server.openapi.expressions import MISSING, Context

TENANT = "$tenant"
"""The member under which an item in a seed names its tenant, where it has no property for it; it is not stored."""

MakeContext = Callable[[], Context]


def tenant_of(tenancy: Tenancy, call: Call, context: MakeContext) -> str:
    """The tenant that a call is about by a rule; "" where the rule names nobody."""
    if tenancy.is_callers:
        return (call.principal.tenant if call.principal is not None else None) or ""
    value = tenancy.value.evaluate(context())
    return "" if value is MISSING or value is None else key_text(value)


def tenant_in(resource: Resource, scope: tuple[str, ...]) -> str | None:
    """The tenant whose partition a scope is; None where tenants share it."""
    return scope[resource.tenant_at] if resource.tenant_at is not None else None


def parents_in(resource: Resource, scope: tuple[str, ...]) -> tuple[str, ...]:
    """The parents' keys in a scope."""
    return scope[1:] if resource.tenancy is not None else scope


def may_meet(resource: Resource, scope: tuple[str, ...], other: Resource, elsewhere: tuple[str, ...]) -> bool:
    """Whether items of two partitions can know of each other: not when they are two tenants'."""
    here, there = tenant_in(resource, scope), tenant_in(other, elsewhere)
    if here is None or there is None:
        return True
    own, others = resource.tenancy, other.tenancy
    if own is not None and others is not None and own.value.source != others.value.source:
        return True  # two ways to name tenants, which nobody can compare
    return here == there


def refused_entrance(entrance: Entrance, call: Call, context: MakeContext) -> Problem | None:
    """A 404 for a path that leads to another tenant's; callers without a tenant may go anywhere."""
    own = tenant_of(entrance.tenancy, call, context)
    named = key_text(call.path[entrance.parameter])
    if own in {"", named}:
        return None
    why = f"{entrance.parameter} names a tenant, and the caller's is {own!r}"
    return Problem(
        Kind.NOT_FOUND, f"{entrance.parameter} {named!r} does not exist", reasons=(Reason("tenant", "refused", why),)
    )


def tenant_reason(tenancy: Tenancy, tenant: str) -> Reason:
    """Why an exchange saw the items that it saw."""
    return Reason("tenant", tenant or "none", f"x-mock-tenants: {tenancy.value.source}")


def holders(state: State, resource: Resource, keys: tuple[str, ...], key: str) -> list[str]:
    """The tenants that have an item of this key below parents of these keys."""
    return [
        partition.scope[0]
        for partition, collection in state.partitions(resource.qualified)
        if parents_in(resource, partition.scope) == keys and key in collection
    ]

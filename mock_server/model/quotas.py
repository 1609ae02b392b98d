"""Quotas: how many items of a collection there may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mock_server.model.call import Principal
from mock_server.model.lenses import counted
from mock_server.model.meaning import Quota, Reason, Resource
from mock_server.model.problem import Kind, Problem
from mock_server.model.world import World
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Json


def refused_quota(
    world: World, resource: Resource, scope: tuple[str, ...], principal: Principal | None, *new: dict[str, Any]
) -> Problem | None:
    """Why some new items may not be stored beside those that are there; None when there is room for them."""
    quota = resource.quota
    if quota is None:
        return None
    plan = principal.plan if principal is not None else None
    most = quota.plans[plan] if plan is not None and plan in quota.plans else quota.limit
    if most is None:
        return None
    more = _counted(quota, new)
    there = counted(world.collection(resource, scope), world.model.resource_facts(resource).counted)
    if more == 0 or there + more <= most:
        return None
    values = {"limit": str(most), "count": str(there), "plan": plan or ""}
    if quota.detail is not None:
        detail = quota.detail.filled(values.__getitem__)
    else:
        whose = f" on the plan {plan}" if plan is not None and plan in quota.plans else ""
        wanted = "" if more == 1 else f", and {more} more were to be created"
        detail = f"there may be {most} {resource.name}{whose}; there are {there}{wanted}"
    reason = Reason("quota", f"{there} of {most}", f"the quota of {resource.name}{f' on {plan}' if plan else ''}")
    return Problem(Kind.QUOTA_EXCEEDED, detail, status=quota.status, code=quota.code, reasons=(reason,))


def _counted(quota: Quota, values: Sequence[Json]) -> int:
    where = quota.where
    if where is None:
        return len(values)
    return sum(1 for value in values if where.holds(Context(bindings={"resource": value})))

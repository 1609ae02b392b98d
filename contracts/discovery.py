"""Discovery: what a service has before a run begins, learned from its lists. It sends nothing but GET."""

from __future__ import annotations

from contracts.drafting import Drafter, Wishes
from contracts.pool import Pool
from contracts.service import Caller, Service

_ROUNDS = 3
"""Lists of lists: what lies under an item is asked for when the item is known."""


def discover(service: Service, drafter: Drafter) -> Pool:
    """What the lists of a service show, asked for by each caller that may."""
    pool = Pool(drafter.model)
    asked: set[tuple[str, str, str]] = set()
    for _ in range(_ROUNDS):
        for roles in drafter.roster.resources.values():
            for operation_id in roles.lists:
                operation = drafter.api.operation(operation_id)
                if operation.method != "GET":
                    continue
                callers: list[Caller | None] = [*drafter.callers_of(operation)]
                for caller in callers or [None]:
                    draft = drafter.draft(operation_id, pool, 0, Wishes(caller=caller, lean=True))
                    if draft is None:
                        continue
                    place = (operation_id, draft.request.target, caller.name if caller is not None else "")
                    if place in asked:
                        continue
                    asked.add(place)
                    recorded = service.send(draft.request, operation_id=operation_id, caller=draft.caller)
                    pool.observe(recorded, draft.path)
    return pool

"""What lies in the warehouses follows from the adjustments."""

from __future__ import annotations

from mock_server.model.clock import rfc3339
from mock_server.model.effects import effect
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.writes import Write


@effect("repzo-adjust-stock")
def adjust_stock(work: Work, write: Write) -> Problem | None:
    """The quantities of an adjustment added to the warehouse's stock; what was not there yet is put there."""
    warehouse, now = write.after.get("warehouse"), rfc3339(work.world.now)
    for line in write.after.get("items") or []:
        place = {name: line[name] for name in ("product", "variant") if name in line}
        if warehouse is None or not place:
            continue
        by = line.get("adjustmentQuantity", 0)
        there = work.find("inventory", warehouse=warehouse, **place)
        if there is None:
            stock = {"quantity": by, "reservedQuantity": 0, "availableQuantity": by, "lastUpdated": now}
            made = work.create("inventory", {"warehouse": warehouse, **place, **stock})
            if isinstance(made, Problem):
                return made
            continue
        quantity = there.get("quantity", 0) + by
        counted = {"quantity": quantity, "availableQuantity": quantity - there.get("reservedQuantity", 0)}
        work.merge("inventory", there["_id"], {**counted, "lastUpdated": now})
    return None

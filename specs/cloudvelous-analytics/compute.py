"""Figures about the leads that are in the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from mock_server.model.call import Call
from mock_server.model.clock import day_of, moment_of
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.world import World
from mock_server.openapi.values import Json, Violation
from mock_server.packs import run_computations

run_computations(Path(__file__).parent.parent / "cloudvelous-shared" / "sentiment.py")


@computed("cloudvelous-lead-analytics")
def lead_analytics(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Counts of the leads that were created in a range of days, both ends included."""
    first, last = _day(call, "date_from"), _day(call, "date_to")
    if first is not None and last is not None and first > last:
        message = "is after date_to"
        violation = Violation("query", "", "range", call.query["date_from"], f"at most {last}", message, "date_from")
        return Problem(Kind.INVALID, f"date_from {message}", (violation,))
    assert meaning.resource is not None
    leads = [
        entry.value
        for entry in world.collection(meaning.resource, ())
        if (first is None or first <= _created(entry.value)) and (last is None or _created(entry.value) <= last)
    ]
    counted = Reason(
        "counted", f"{len(leads)} leads", f"created from {first or 'the first'} to {last or 'the last'} day"
    )
    return Outcome(meaning.status, _figures(world, leads), reads=(meaning.resource.qualified,), reasons=(counted,))


def _day(call: Call, name: str) -> date | None:
    return day_of(call.query[name]) if name in call.query else None


def _created(lead: Json) -> date:
    """The day, in UTC, on which a lead was created."""
    return moment_of(lead["created_at"]).date()


def _figures(world: World, leads: list[Json]) -> dict[str, Json]:
    statuses = Counter(lead["status"] for lead in leads)
    days = Counter(_created(lead).isoformat() for lead in leads)
    return {
        "total_leads": len(leads),
        "conversion_rate": statuses["converted"] / len(leads) if leads else 0,
        "leads_by_source": _by(world, "source", (lead["source"] for lead in leads)),
        "leads_by_status": _by(world, "status", (lead["status"] for lead in leads)),
        "trends": {"daily": [{"date": day, "count": days[day]} for day in sorted(days)]},
    }


def _by(world: World, name: str, values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs, in the order in which Lead lists the values."""
    found = Counter(values)
    listed: list[str] = world.model.named_resource("leads").anatomy.members[name].schema["enum"]
    return {value: found[value] for value in listed if found[value]}

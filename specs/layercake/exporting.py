"""Tables: tickets, answers to forms, and whole collections as CSV (RFC 4180)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from mock_server.model.behaviours.reading import existing
from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

from .moments import day, milliseconds, moment
from .tokens import digest, made

_KEPT = timedelta(hours=24)  # as long as a checkout session: the examples' expiresAt is the same (seed 000, line 2474)
_SHOWN = ("jobId", "status", "total", "processed", "errors", "downloadUrl", "expiresAt")
_TICKET_HEADINGS = ("Ticket", "Status", "Attendee", "E-mail", "QR code", "Product", "Checked in", "Checked in at")
_TYPES = {"csv": "text/csv", "json": "application/json"}


@computed("layercake-export-tickets")
def export_tickets(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An event's tickets, one line each."""
    work = Work.of(world, call)
    event = call.query["eventId"]
    if work.get("events", event) is None:
        return Problem(Kind.NOT_FOUND, f"there is no event {event}")
    rows = [_ticket_row(work, each) for each in work.items("tickets", where={"/customProperties/eventId": event})]
    return Outcome(meaning.status, table(_TICKET_HEADINGS, rows), media_type="text/csv")


def _ticket_row(work: Work, ticket: dict[str, Json]) -> tuple[Json, ...]:
    held = ticket["customProperties"]
    product = work.get("products", held["productId"])
    came = held["checkedInAt"]
    return (
        ticket["displayName"],
        ticket["status"],
        held["attendeeName"],
        held["attendeeEmail"],
        held["qrCode"],
        product["displayName"] if product is not None else held["productId"],
        "yes" if held["checkedIn"] else "no",
        moment(came).isoformat().replace("+00:00", "Z") if came is not None else "",
    )


@computed("layercake-export-responses")
def export_responses(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The answers to a form: a column for each field, a line for each time it was answered."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    _, _, key, entry = found
    fields = entry.value["customProperties"]["fields"]
    responses = Work.of(world, call).items("responses", scope=(key,))
    rows = ([each["customProperties"]["responses"].get(field["id"]) for field in fields] for each in responses)
    return Outcome(meaning.status, table([field["label"] for field in fields], rows), media_type="text/csv")


# Whole collections


@computed("layercake-export")
def export_objects(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A file of the objects that fit, written at once and kept for a day."""
    work = Work.of(world, call)
    asked = call.body
    filters = asked.get("filters", {})
    found = [each for each in work.items(asked["type"]) if _fits(each, filters)]
    key = f"export_{digest(world, 'export', made(world, 'jobs'))[:12]}"
    form = asked.get("format", "csv")
    url = f"{call.url}/api/v1/bulk/jobs/{key}?download=true"
    expires = milliseconds(world.now + _KEPT)
    members = {
        "jobId": key,
        "kind": "export",
        "status": "completed",
        "phase": "done",
        "total": len(found),
        "processed": len(found),
        "errors": [],
        "downloadUrl": url,
        "expiresAt": expires,
        "file": _file(found, form),
        "mediaType": _TYPES[form],
    }
    job = work.create("jobs", members)
    if isinstance(job, Problem):
        return job
    return work.outcome(meaning.status, {"jobId": key, "downloadUrl": url, "expiresAt": expires})


def _fits(item: dict[str, Json], filters: Mapping[str, str]) -> bool:
    """Whether an object was created within the days that are asked for, both included."""
    if not filters:
        return True
    if "createdAt" not in item:
        return False
    created = day(item["createdAt"])
    return filters.get("createdAfter", created) <= created <= filters.get("createdBefore", date.max.isoformat())


def _file(items: Sequence[dict[str, Json]], form: str) -> str:
    rows = [_flat(item) for item in items]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False)
    headings = list(dict.fromkeys(["id", "displayName", *(name for row in rows for name in row)]))
    return table(headings, ([row.get(name) for name in headings] for row in rows))


def _flat(item: dict[str, Json]) -> dict[str, Json]:
    """An object as an import takes it: its properties beside its own members."""
    own = ("id", "displayName", "subtype", "status", "createdAt", "updatedAt")
    return {**{name: item[name] for name in own if name in item}, **item["customProperties"]}


@computed("layercake-job")
def read_job(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """How far a job is, or the file that it made."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    job = found[3].value
    if not call.query.get("download", False):
        return Outcome(meaning.status, {name: job[name] for name in _SHOWN if name in job})
    if "file" not in job:
        return Problem(Kind.NOT_FOUND, f"{job['jobId']} has no file")
    if job["expiresAt"] <= milliseconds(world.now):
        return Problem(Kind.NOT_FOUND, f"the file of {job['jobId']} has expired")
    why = Reason("media type", job["mediaType"], "the format that the export was asked for in")
    body: Any = json.loads(job["file"]) if job["mediaType"] == _TYPES["json"] else job["file"]
    return Outcome(meaning.status, body, media_type=job["mediaType"], reasons=(why,))


def table(headings: Iterable[str], rows: Iterable[Iterable[Json]]) -> str:
    """Rows as CSV below a row of headings; what is no text is written as JSON, what is missing as nothing."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return lines.getvalue()


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

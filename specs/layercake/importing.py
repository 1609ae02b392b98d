"""Jobs that are worked off in the background: imports record by record, synchronizations object by object."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mock_server.model.behaviours.creating import taken
from mock_server.model.behaviours.reading import existing
from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.effects import effect
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Hole, Outcome
from mock_server.model.patches import merge_patch
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.model.writes import Write
from mock_server.openapi import pointers
from mock_server.openapi.schemas import Schema
from mock_server.openapi.shapes import coerce, shape_of
from mock_server.openapi.values import Direction, Json, Violation

from .moments import milliseconds
from .tokens import digest, made

_CREATORS: Mapping[str, str] = MappingProxyType(
    {"contacts": "createContact", "products": "createProduct", "events": "createEvent"}
)
"""The operation whose request a record of each type is like."""

_BEGINNINGS: Mapping[str, Mapping[str, Json]] = MappingProxyType(
    {"contacts": {}, "products": {"status": "active"}, "events": {"status": "draft"}}
)
_COUNTS: Mapping[str, Mapping[str, Json]] = MappingProxyType(
    {"contacts": {}, "products": {"sold": 0}, "events": {"registeredCount": 0}}
)
"""What a new object of each type begins as where its record does not say; and what it has counted, which no record
says."""

_SERVERS_OWN = ("type", "createdAt", "updatedAt", "organizationId")
_MODELS: Mapping[str, str] = MappingProxyType({"organizations": "companies"})


# Imports


@computed("layercake-import")
def import_objects(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A job with a queue of the file's records, each judged already."""
    records = _records(call.body["file"])
    if isinstance(records, Problem):
        return records
    options = call.body.get("options", {})
    kind = call.body["type"]
    schema = _request_schema(world, kind)
    queue = [_judged(schema, record, kind, call.body["organizationId"]) for record in records]
    broken = [row["error"] for row in queue if "error" in row]
    members = {
        "jobId": f"bulk_{digest(world, 'import', made(world, 'jobs'))[:12]}",
        "kind": kind,
        "options": {"updateExisting": options.get("updateExisting", False)},
        "fails": bool(broken) and not options.get("skipInvalid", False),
        "queue": [{**row, "row": number} for number, row in enumerate(queue, start=1)],
    }
    return _begun(Work.of(world, call), meaning, members)


def _records(sent: Json) -> list[Json] | Problem:
    """The records of a file: a list in JSON, or CSV with a line of headings."""
    if isinstance(sent, str):
        text = _text(sent)
        if not text.lstrip().startswith(("[", "{")):
            return _rows(text)
        try:
            sent = json.loads(text)
        except ValueError as error:
            return _unusable(f"is no JSON: {error}")
    if not isinstance(sent, list):
        return _unusable("is no list of objects")
    return sent


def _rows(text: str) -> list[Json] | Problem:
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return _unusable(f"is no CSV: {error}")
    if not found or len(set(found[0])) != len(found[0]):
        return _unusable("has no line of headings, or one that repeats a heading")
    headings = found[0]
    return [dict(zip(headings, cells, strict=False)) for cells in found[1:] if any(cells)]


def _text(sent: str) -> str:
    """A file's text. Bytes come as Latin-1, each a character (openapi/multipart.py); here they are UTF-8."""
    try:
        return sent.encode("latin-1").decode("utf-8-sig")
    except UnicodeError:
        return sent  # it was decoded already


def _unusable(why: str) -> Problem:
    violation = Violation("body", "/file", "file", None, "CSV or JSON", why)
    return Problem(Kind.INVALID, f"the file {why}", (violation,))


def _request_schema(world: World, kind: str) -> Schema:
    body = world.model.api.operation(_CREATORS[kind]).request_body
    assert body is not None
    schema = body.content[0].schema
    assert schema is not None
    return schema


def _judged(schema: Schema, record: Json, kind: str, organization: str) -> dict[str, Json]:
    """A record as a request to create one, or why it is none."""
    if not isinstance(record, dict):
        return {"error": "is no object"}
    shape = shape_of(schema.bundle(Direction.REQUEST), schema.bundle(Direction.REQUEST))
    given = {
        name: coerce(value, shape.member(name)) if isinstance(value, str) and name in shape.properties else value
        for name, value in record.items()
        if value != "" and name not in _SERVERS_OWN
    }
    title, other = ("displayName", "name") if kind == "contacts" else ("name", "displayName")
    if title not in given and other in given:
        given[title] = given.pop(other)
    found = schema.violations({**given, "organizationId": organization}, Direction.REQUEST, where="body")
    if not found:
        return {"given": given}
    first = found[0]
    return {"error": f"{first.pointer.strip('/')} {first.message}".strip()}


# The work


@effect("layercake-work-off")
def work_off(work: Work, write: Write) -> Problem | None:
    """The next batch of a job's queue; with the last one the job is over."""
    job = write.after
    size = work.world.tables["layercake"]["records_a_second"]
    if job.get("fails"):
        errors = [{"row": row["row"], "error": row["error"]} for row in job["queue"] if "error" in row]
        _advance(work, job, {"status": "failed", "phase": "done", "errors": errors, "queue": []})
        return None
    batch, rest = job["queue"][:size], job["queue"][size:]
    errors = list(job["errors"])
    for row in batch:
        why = row["error"] if "error" in row else _done(work, job, row)
        if why is not None:
            errors.append({"row": row["row"], "error": why})
    over: dict[str, Json] = {} if rest else {"status": "completed", "phase": "done"}
    _advance(work, job, {"processed": job["processed"] + len(batch), "errors": errors, "queue": rest, **over})
    return None


def _advance(work: Work, job: dict[str, Json], members: dict[str, Json]) -> None:
    work.put("jobs", job["jobId"], {**job, **members})


def _done(work: Work, job: dict[str, Json], row: dict[str, Json]) -> str | None:
    """Creates or changes the object of a record; why it cannot be, if it cannot."""
    kind = job["kind"]
    if kind == "sync":
        return None
    given = row["given"]
    key = given.get("id")
    members: dict[str, Any] = taken(work.world.model.named_resource(kind), {n: given[n] for n in given if n != "id"})
    if job["options"]["updateExisting"]:
        held = work.get(kind, key) if key is not None else _by_email(work, kind, given)
        if held is not None:
            return _changed(work, kind, held, members)
    properties = {**members.get("customProperties", {}), **_COUNTS[kind]}
    created = work.create(kind, {**_BEGINNINGS[kind], **members, "customProperties": properties})
    if isinstance(created, Problem):
        return created.detail
    why = _broken(work, kind, created)
    if why is not None:
        work.remove(kind, created["id"])
    return why


def _changed(work: Work, kind: str, held: dict[str, Json], members: dict[str, Any]) -> str | None:
    if kind == "events" and members.get("status", held["status"]) != held["status"]:
        return "status is not changed by an import"
    counted = {name: held["customProperties"].get(name) for name in _COUNTS[kind]}
    changed = merge_patch(held, merge_patch(members, {"customProperties": counted}))
    why = _broken(work, kind, changed)
    if why is None:
        work.put(kind, held["id"], changed)
    return why


def _broken(work: Work, kind: str, item: dict[str, Any]) -> str | None:
    """Why an object would be none; what the server has still to choose is not judged."""
    model = work.world.model
    found = model.item_violations(model.named_resource(kind), item)
    told = (each for each in found if not isinstance(value_at(item, pointers.split(each.pointer)), Hole))
    return next((f"{each.pointer.strip('/')} {each.message}" for each in told), None)


def _by_email(work: Work, kind: str, given: Mapping[str, Json]) -> dict[str, Json] | None:
    if kind != "contacts" or "email" not in given:
        return None
    return work.find("contacts", where={"/customProperties/email": given["email"]})


def _begun(work: Work, meaning: Meaning, members: dict[str, Json]) -> Outcome | Problem:
    total = len(members["queue"])
    shown = {"status": "processing", "total": total, "processed": 0, "errors": []}
    job = work.create("jobs", {**members, **shown, "phase": "even"})
    if isinstance(job, Problem):
        return job
    return work.outcome(meaning.status, {"jobId": job["jobId"], **shown})


# Synchronizations


@computed("layercake-sync-app")
def sync_app(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A job as long as there are objects of the models; the double has no application to compare them with."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    app = found[3].value
    assert call.principal is not None
    work = Work(world, context=world.context(call), tenant=app["organizationId"])
    if work.get("memberships", f"{call.principal.name}:{app['organizationId']}") is None:
        return Problem(Kind.NOT_FOUND, f"there is no app {app['id']}")
    if app["status"] != "active":
        return Problem(Kind.WRONG_STATE, f"the app is {app['status']}")
    total = sum(len(work.items(_MODELS.get(model, model))) for model in call.body["models"])
    work.merge("apps", app["id"], {"lastSyncAt": milliseconds(world.now)})
    members = {
        "jobId": f"sync_{digest(world, 'sync', made(world, 'jobs'))[:12]}",
        "kind": "sync",
        "queue": [{"row": number} for number in range(1, total + 1)],
    }
    begun = _begun(work, meaning, members)
    if isinstance(begun, Problem):
        return begun
    why = Reason("synchronization", f"{total} objects", "counted, since there is no application to ask")
    return work.outcome(begun.status, begun.body, reasons=(why,))

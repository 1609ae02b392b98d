"""What went through a universe: its journal and its events; and the universes themselves."""

from __future__ import annotations

from flask import Response

from mock_server.errors import StateError, did_you_mean
from mock_server.exchange.journal import matching
from mock_server.exchange.universe import RecordedEvent
from mock_server.model.clock import rfc3339
from mock_server.openapi.values import Json
from mock_server.web.control.blueprint import concealed, control, query, sandbox, universe, without_known
from mock_server.web.responses import json_response, no_content


@control.get("/requests")
def list_requests() -> Response:
    """The exchanges that every filter admits, newest last."""
    entries = list(matching(iter(universe().journal), _filters()))
    if query("violations"):
        entries = [entry for entry in entries if entry.trace.violations]
    limit = query("limit")
    if limit is not None:
        entries = entries[max(0, len(entries) - limit) :]
    return json_response({"requests": without_known([entry.as_json(redact=not query("secrets")) for entry in entries])})


def _filters() -> dict[str, str]:
    wanted: dict[str, str] = {}
    for name in ("api", "operation_id", "path"):
        if query(name) is not None:
            wanted[name] = query(name)
    if query("method") is not None:
        wanted["method"] = query("method").upper()
    if query("status") is not None:
        wanted["status"] = str(query("status"))
    return wanted


@control.delete("/requests")
def clear_requests() -> Response:
    """The journal, emptied."""
    universe().journal.clear()
    return no_content()


@control.get("/requests/<entry_id>")
def read_request(entry_id: str) -> Response:
    """One exchange of the journal."""
    for entry in matching(iter(universe().journal), {"id": entry_id}):
        return json_response(without_known(entry.as_json(redact=not query("secrets"))))
    raise StateError(f"the journal has no request {entry_id!r}")


@control.get("/events")
def list_events() -> Response:
    """The events emitted so far, newest last."""
    here = universe()
    with here.lock:
        events = tuple(here.events)
    return json_response({"events": concealed([_event_json(event) for event in events])})


def _event_json(recorded: RecordedEvent) -> dict[str, Json]:
    event = recorded.event
    return {
        "id": event.id,
        "time": rfc3339(recorded.time),
        "api": recorded.api,
        "type": event.type,
        "resource": event.resource,
        "key": event.key,
        "tenant": event.tenant,
        "payload": event.data,
        "violations": [violation.as_json() for violation in recorded.violations],
    }


@control.get("/sessions")
def list_sessions() -> Response:
    """The names of the universes, the one that was idle longest first."""
    return json_response({"sessions": list(sandbox().universes.names())})


@control.delete("/sessions/<name>")
def drop_session(name: str) -> Response:
    """A universe, forgotten; the default one is reset instead."""
    universes = sandbox().universes
    if not universes.drop(name):
        raise StateError(f"there is no session {name!r}", hint=did_you_mean(name, universes.names()))
    return no_content()

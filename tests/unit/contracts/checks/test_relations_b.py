"""Relations about lists, tags, credentials and moments: each finds a planted bug, and blames no correct service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Request, Response

from contracts.checks.sort_sorts import in_order
from contracts.findings import Finding, Side
from contracts.running import Plan, run
from contracts.selecting import selects
from contracts.service import Caller, Service
from contracts.transports import into_wsgi
from mock_server.model.call import Principal
from mock_server.packs import source_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

READ, WRITE = "notes:read", "notes:write"
TOKENS = {
    "anna-all": ("anna", {READ, WRITE}, False),
    "anna-reads": ("anna", {READ}, False),
    "anna-late": ("anna", {READ, WRITE}, True),
    "bert-all": ("bert", {READ, WRITE}, False),
}


def _caller(token: str) -> Caller:
    tenant, scopes, expired = TOKENS[token]
    principal = Principal(token, "token", frozenset(scopes), tenant)
    return Caller(
        token, {"Authorization": f"Bearer {token}"}, {}, frozenset({"token"}), principal, (token,), not expired
    )


CALLERS = tuple(map(_caller, TOKENS))


def _parameter(name: str, schema: dict[str, Any], where: str = "query") -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


TEXT = {"type": "string"}
NOTE = {
    "type": "object",
    "required": ["id", "title", "stars", "status"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "title": {"type": "string", "minLength": 1, "maxLength": 20},
        "stars": {"type": "integer", "minimum": 0, "maximum": 5},
        "status": {"type": "string", "enum": ["open", "closed"], "readOnly": True},
    },
}
WRITTEN = {
    "type": "object",
    "required": ["title", "stars"],
    "properties": {name: NOTE["properties"][name] for name in ("title", "stars")},  # type: ignore[index]
}
PATCH = {"type": "object", "minProperties": 1, "properties": WRITTEN["properties"]}


def _answer(schema: dict[str, Any], *headers: str) -> dict[str, Any]:
    return {
        "description": "It.",
        "headers": {name: {"schema": TEXT} for name in headers},
        "content": {"application/json": {"schema": schema}},
    }


def _operation(name: str, scope: str, responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"operationId": name, "security": [{"token": [scope]}], "responses": responses, **more}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


LISTED = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": NOTE},
        "total": {"type": "integer"},
        "has_more": {"type": "boolean"},
        "next_cursor": {"type": ["string", "null"]},
    },
}
ONE = "/notes/{noteId}"
KEY = [_parameter("noteId", {"type": "integer"}, "path")]
NOTES = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "servers": [{"url": "https://notes.example"}],
    "paths": {
        "/notes": {
            "get": _operation(
                "listNotes", READ, {"200": _answer(LISTED)},
                parameters=[
                    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100}),
                    _parameter("cursor", TEXT),
                    _parameter("status", {"enum": ["open", "closed"]}),
                    _parameter("stars", {"type": "integer"}),
                    _parameter("sort", {"enum": ["title", "-title", "stars", "-stars"]}),
                ],
            ),
            "post": _operation(
                "createNote", WRITE, {"201": _answer(NOTE)},
                parameters=[_parameter("Idempotency-Key", TEXT, "header")], requestBody=_body(WRITTEN),
            ),
        },
        ONE: {
            "parameters": KEY,
            "get": _operation("readNote", READ, {"200": _answer(NOTE, "ETag"), "304": {"description": "The same."}}),
            "patch": _operation(
                "updateNote", WRITE, {"200": _answer(NOTE, "ETag"), "412": {"description": "Changed."}},
                parameters=[_parameter("If-Match", TEXT, "header")], requestBody=_body(PATCH),
            ),
            "delete": _operation("deleteNote", WRITE, {"204": {"description": "Gone."}}),
        },
        ONE + "/close": {
            "parameters": KEY,
            "post": _operation("closeNote", WRITE, {"200": _answer(NOTE), "409": {"description": "It is closed."}}),
        },
    },
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
}  # fmt: skip


class Notes:
    """A service that keeps notes, correct but for the bug that it is told to have."""

    def __init__(self, bug: str = "", paging: str = "cursor") -> None:
        self.bug = bug
        self.paging = paging
        self.lock = threading.Lock()
        self.race = threading.Barrier(2)
        self.reset()

    def reset(self) -> None:
        self.notes: dict[int, dict[str, Any]] = {}
        self.last = 0
        self.answered: dict[tuple[str, str], tuple[bytes, Response]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if self.bug == "count_is_key" and request.method == "POST" and request.path == "/notes":
            return self._raced(request)(environ, start_response)
        with self.lock:
            return self._answer(request)(environ, start_response)

    def _raced(self, request: Request) -> Response:
        """Counts, lets another thread count too if one is there, and only then writes."""
        key = len(self.notes) + 1
        try:
            self.race.wait(0.02)
        except threading.BrokenBarrierError:
            self.race.reset()
        with self.lock:
            self.notes[key] = {**json.loads(request.data), "id": key, "status": "open", "of": "anna", "revision": 1}
            return _json(201, _shown(self.notes[key]))

    def _answer(self, request: Request) -> Response:
        writes = request.method != "GET"
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        tenant, scopes, expired = TOKENS.get(token, ("", {READ, WRITE}, False))
        forged = not tenant and not (self.bug == "forged_taken" and token)
        if forged and self.bug != "nobody_asked":
            return _problem(401)
        if expired and self.bug != "expiry_ignored":
            return _problem(401)
        if (WRITE if writes else READ) not in scopes and self.bug != "scopes_ignored":
            return _problem(403)
        if request.path == "/notes":
            return self._create(request, tenant) if writes else self._list(request, tenant)
        key, _, act = request.path.removeprefix("/notes/").partition("/")
        note = self.notes.get(int(key)) if key.isdigit() else None
        crosses = {"GET": "read_crosses", "DELETE": "delete_crosses"}.get(request.method)
        if note is None or (note["of"] != tenant and self.bug != crosses):
            return _problem(404)
        if act:
            return self._close(note)
        return {"GET": self._read, "PATCH": self._update, "DELETE": self._delete}[request.method](request, note)

    def _list(self, request: Request, tenant: str) -> Response:
        asked = request.args
        found = [note for note in self.notes.values() if note["of"] == tenant]
        for name in ("status", "stars"):
            if name in asked and self.bug != f"{name}_ignored":
                found = [note for note in found if str(note[name]) == asked[name]]
        sort = asked.get("sort", "") if self.bug != "sort_ignored" else ""
        if sort:
            found.sort(key=lambda note: note[sort.lstrip("-")], reverse=sort.startswith("-"))
            found = found[1:] if self.bug == "sort_drops" else found
        limit = int(asked.get("limit", 50)) + (self.bug == "one_too_many")
        start = self._start(asked.get("cursor", ""), found)
        page = found[start : start + limit]
        more = start + limit < len(found)
        following = start + limit if self.paging == "offset" or not page else page[-1]["id"]
        following += self.bug == "page_skips"
        total = len(page) if self.bug == "total_of_page" else len(found)
        shown_more = False if self.bug == "has_more_lies" else more
        answer = {"data": [_shown(note) for note in page], "total": total, "has_more": shown_more}
        return _json(200, {**answer, "next_cursor": str(following) if more else None})

    def _start(self, cursor: str, found: list[dict[str, Any]]) -> int:
        if not cursor:
            return 0
        if self.paging == "offset" or self.bug == "cursor_counts":
            return int(cursor)
        return next((at + 1 for at, note in enumerate(found) if note["id"] == int(cursor)), _behind(found, int(cursor)))

    def _create(self, request: Request, tenant: str) -> Response:
        place = (tenant, request.headers.get("Idempotency-Key", ""))
        if place[1] and place in self.answered and self.bug != "key_ignored":
            body, answer = self.answered[place]
            if body == request.data:
                return answer
            if self.bug != "other_body_done":
                return _problem(422)
        self.last += 1
        self.notes[self.last] = {
            **json.loads(request.data),
            "id": self.last,
            "status": "open",
            "of": tenant,
            "revision": 1,
        }
        answer = _json(201, _shown(self.notes[self.last]))
        self.answered[place] = (request.data, answer)
        return answer

    def _tag(self, note: dict[str, Any]) -> str:
        return f'"{note["id"]}"' if self.bug == "tag_stays" else f'"{note["id"]}-{note["revision"]}"'

    def _read(self, request: Request, note: dict[str, Any]) -> Response:
        if request.headers.get("If-None-Match") == self._tag(note) and self.bug != "never_304":
            return Response(status=304, headers={"ETag": self._tag(note)})
        return _json(200, _shown(note), ETag=self._tag(note))

    def _update(self, request: Request, note: dict[str, Any]) -> Response:
        stale = request.headers.get("If-Match", self._tag(note)) != self._tag(note)
        if stale and self.bug not in {"if_match_ignored", "refused_and_done"}:
            return _problem(412)
        note |= json.loads(request.data)
        note["revision"] += 1
        if stale and self.bug == "refused_and_done":
            return _problem(412)
        return _json(200, _shown(note), ETag=self._tag(note))

    def _delete(self, request: Request, note: dict[str, Any]) -> Response:
        del self.notes[note["id"]]
        return Response(status=204)

    def _close(self, note: dict[str, Any]) -> Response:
        if note["status"] == "closed" and self.bug != "toggles":
            note["stars"] = 5 - note["stars"] if self.bug == "refused_move_writes" else note["stars"]
            return _problem(409)
        note["status"] = "open" if note["status"] == "closed" else "closed"
        note["revision"] += 1
        return _json(200, _shown(note))


def _behind(found: list[dict[str, Any]], key: int) -> int:
    return next((at for at, note in enumerate(found) if note["id"] > key), len(found))


def _shown(note: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in note.items() if name not in {"of", "revision"}}


def _json(status: int, body: Any, **headers: str) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/json")


def _problem(status: int) -> Response:
    return _json(status, {"error": status})


def findings(tmp_path: Path, check: str, notes: Notes) -> tuple[Finding, ...]:
    """What one relation finds of a service that starts anew for each attempt."""
    path = tmp_path / "notes.json"
    path.write_text(json.dumps(NOTES))

    def make(number: int, watch: Any) -> Service:
        return Service(into_wsgi(notes), base_url="http://localhost", reset=notes.reset, watch=watch)

    report = run(Plan(source_of(str(path)), frozenset({check}), closed=True, seconds=30), make, CALLERS)
    assert report.done
    assert any(done.held is not None and done.held.applied for done in report.done), [d.held for d in report.done]
    return report.findings


BUGS = [
    ("pages_partition_the_list", "page_skips"),
    ("pages_partition_the_list", "one_too_many"),
    ("pages_while_items_come_and_go", "cursor_counts"),
    ("filters_select_exactly", "status_ignored"),
    ("filters_select_exactly", "stars_ignored"),
    ("sort_sorts", "sort_ignored"),
    ("sort_sorts", "sort_drops"),
    ("totals_count", "total_of_page"),
    ("totals_count", "has_more_lies"),
    ("idempotency_key_is_honoured", "key_ignored"),
    ("idempotency_key_is_honoured", "other_body_done"),
    ("etag_follows_the_representation", "tag_stays"),
    ("etag_follows_the_representation", "never_304"),
    ("preconditions_hold", "if_match_ignored"),
    ("preconditions_hold", "refused_and_done"),
    ("tenants_are_apart", "read_crosses"),
    ("tenants_are_apart", "delete_crosses"),
    ("credentials_are_needed", "nobody_asked"),
    ("credentials_are_needed", "forged_taken"),
    ("scopes_are_needed", "scopes_ignored"),
    ("expired_credentials_are_refused", "expiry_ignored"),
    ("transitions_are_one_way", "refused_move_writes"),
    ("transitions_are_one_way", "toggles"),
    ("concurrent_writes", "count_is_key"),
]


@pytest.mark.parametrize(("check", "bug"), BUGS)
def test_relation_finds_the_planted_bug(tmp_path: Path, check: str, bug: str) -> None:
    paging = "offset" if bug in {"page_skips", "cursor_counts"} else "cursor"
    found = findings(tmp_path, check, Notes(bug, paging))
    assert [finding for finding in found if finding.check == check and finding.side is Side.SERVICE], found


@pytest.mark.parametrize("check", sorted({check for check, _ in BUGS}))
def test_relation_does_not_blame_a_correct_service(tmp_path: Path, check: str) -> None:
    assert findings(tmp_path, check, Notes()) == ()


@pytest.mark.parametrize(
    ("operator", "held", "wanted", "selected"),
    [
        ("eq", "open", "open", True),
        ("eq", "Open", "open", None),
        ("eq", None, "open", False),
        ("eq", 1.0, 1, True),
        ("eq", True, 1, None),
        ("ne", None, "open", None),
        ("gte", 5, 5, True),
        ("gt", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("gt", "2026-01-01T08:00:00Z", "2026-01-01", None),
        ("in", ["a", "b"], "b", True),
        ("contains", "Hello", "hell", None),
        ("contains", "Hello", "jello", False),
    ],
)
def test_filter_is_judged_only_where_nobody_reads_it_otherwise(
    operator: str, held: Any, wanted: Any, selected: bool | None
) -> None:
    assert selects(operator, held, wanted) is selected


@pytest.mark.parametrize(
    ("held", "descending", "ordered"),
    [
        (["a", "B", "c"], False, True),
        (["B", "a", "c"], False, True),
        (["b", "a", "c"], False, False),
        (["b", "a", "c"], None, False),
        (["c", "b"], None, True),
        ([None, 1, 2], False, True),
        ([1, None, 2], False, False),
        (["9", "10"], False, True),
        (["élan", "fable"], False, True),
    ],
)
def test_order_is_judged_with_care_for_case_gaps_and_accents(
    held: list[Any], descending: bool | None, ordered: bool
) -> None:
    assert in_order(held, descending=descending) is ordered

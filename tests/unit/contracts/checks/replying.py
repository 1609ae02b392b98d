"""Replies to judge, made by hand, to the operations of ``replies.yaml``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from contracts.checks.registry import all_checks
from contracts.findings import Finding
from contracts.judge import Judge
from contracts.judging import Judges
from contracts.service import Recorded, Reply
from contracts.wire import WireRequest
from mock_server.openapi.compile import Api, load_api
from mock_server.openapi.values import Json

FILE = Path(__file__).with_name("replies.yaml")
JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
PET: Json = {"id": "p1", "name": "Rex"}

REPLY_CHECKS = frozenset({
    "server_error", "leaked_stack_trace", "undescribed_status", "reply_media_type", "reply_schema", "reply_headers",
    "judges_disagree", "retry_after", "allow_header", "www_authenticate", "error_in_success", "problem_details",
})  # fmt: skip


@cache
def pets() -> tuple[Api, Judge]:
    """The API of the file, and the independent judge of it."""
    return load_api(FILE), Judge(FILE)


def line_of(text: str) -> int:
    """The first line of the file that has a text."""
    return next(n for n, line in enumerate(FILE.read_text("utf-8").splitlines(), 1) if text in line)


def recorded(
    operation_id: str,
    status: int,
    body: bytes | Json = b"",
    headers: Mapping[str, str] | None = None,
    *,
    method: str | None = None,
    sent: Mapping[str, str] | None = None,
    request: bytes = b"",
    more: tuple[tuple[str, str], ...] = (),
) -> Recorded:
    """A reply to an operation; a body that is not bytes is sent as JSON."""
    operation = pets()[0].operation(operation_id)
    given = JSON if headers is None and body != b"" else headers or {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    target = operation.path.replace("{id}", "p1")
    wire = WireRequest(method or operation.method, target, sent or {}, request)
    return Recorded(1, operation_id, wire, Reply(status, (*given.items(), *more), data))


def judged(reply: Recorded, *only: str) -> list[Finding]:
    """What the reply checks have to say, those of ``only`` where some are given."""
    all_checks()
    api, judge = pets()
    return list(Judges(api, judge=judge, checks=frozenset(only) or REPLY_CHECKS)(reply))


def seen(reply: Recorded, *only: str) -> list[tuple[str, str, str]]:
    """Check, side and first pointer of each finding."""
    return [(one.check, str(one.side), one.differences[0].pointer) for one in judged(reply, *only)]

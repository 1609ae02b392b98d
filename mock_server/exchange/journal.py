"""The journal: what was asked, what was answered, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.model.clock import rfc3339
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.redaction import REDACTED
from mock_server.openapi.description import SecurityScheme
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json, Violation

if TYPE_CHECKING:
    from mock_server.exchange.limiting import Standing

REDACTED_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "api-key", "set-cookie"})


def secret_names(schemes: Iterable[SecurityScheme]) -> frozenset[str]:
    """The lower-case names of headers and parameters whose values are credentials, by an API's security schemes."""
    named = (scheme.parameter.lower() for scheme in schemes)
    return REDACTED_HEADERS | frozenset(name for name in named if name)


@dataclass(slots=True)
class Trace:
    """What the line decided about one request, filled in as it goes; words are made of it only when it is read.

    ``secrets`` are the lower-case names of headers and query parameters whose values are not to be shown. ``refused``
    is the problem that was answered, None where there was none; ``meaning`` stays None until the request has been read
    and found valid.
    """

    candidates: Callable[[], tuple[str, ...]] = tuple
    operation_id: str | None = None
    principal: str | None = None
    security: str = "open"
    meaning: Meaning | None = None
    outcome: Outcome | None = None
    media_type: str = ""
    negotiation: str = ""
    violations: tuple[Violation, ...] = ()
    refused: Problem | None = None
    standings: tuple[Standing, ...] = ()
    decisions: list[Reason] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    secrets: frozenset[str] = REDACTED_HEADERS

    def as_json(self) -> dict[str, Json]:
        """The explanation: candidates, steps, decisions, state read and written."""
        meaning, outcome = self.meaning, self.outcome
        reasons: list[Reason] = []
        if meaning is not None:
            if meaning.resource is not None:
                reasons += meaning.resource.reasons
            reasons += meaning.reasons
        limits = (standing.reason for standing in self.standings)
        decisions = [*limits, *self.decisions, *(outcome.reasons if outcome is not None else ())]
        return {
            "candidates": list(self.candidates()),
            "operation_id": self.operation_id,
            "security": self.security,
            "principal": self.principal,
            "behavior": meaning.behaviour if meaning is not None else None,
            "resource": meaning.resource.name if meaning is not None and meaning.resource is not None else None,
            "inferred": meaning.inferred if meaning is not None else None,
            "media_type": self.media_type,
            "negotiation": self.negotiation,
            "read": list(outcome.reads) if outcome is not None else [],
            "written": list(outcome.writes) if outcome is not None else [],
            "decisions": [_shown(reason) for reason in decisions],
            "inference": [_shown(reason) for reason in reasons],
            "notes": list(self.notes),
        }


def _shown(reason: Reason) -> dict[str, str]:
    return {"about": reason.about, "decision": reason.decision, "why": reason.why}


@quick(frozen=True, slots=True)
class Entry:
    """One exchange."""

    id: str
    time: datetime
    session: str
    api: str
    request: RawRequest
    response: RawResponse
    trace: Trace

    def as_json(self, *, redact: bool = True) -> dict[str, Json]:
        """The shape of one member of ``requests`` in the control API."""
        request, response = self.request, self.response
        secrets = self.trace.secrets if redact else frozenset()
        return {
            "id": self.id,
            "time": rfc3339(self.time),
            "session": self.session,
            "api": self.api,
            "operation_id": self.trace.operation_id,
            "method": request.method,
            "url": _url(request, secrets),
            "status": response.status,
            "request": {"headers": _headers(request.headers.items(), secrets), "body": _text(request.body)},
            "response": {"headers": _headers(response.headers, secrets), "body": _text(response.body)},
            "violations": [violation.as_json() for violation in self.trace.violations],
            "explanation": self.trace.as_json(),
        }


def _url(request: RawRequest, secrets: frozenset[str]) -> str:
    """The URL as it was sent, but for the values of query parameters that hold a credential."""
    if not request.query or not secrets:
        return request.url + request.target
    pairs = [pair.partition("=") for pair in request.query.split("&")]
    shown = [name + sign + (REDACTED if name.lower() in secrets else value) for name, sign, value in pairs]
    return f"{request.url}{request.path}?{'&'.join(shown)}"


def _headers(headers: Iterable[tuple[str, str]], secrets: frozenset[str]) -> dict[str, str]:
    """Headers by name, repeated ones joined by commas (RFC 9110 §5.3)."""
    shown: dict[str, str] = {}
    for name, value in headers:
        text = REDACTED if name.lower() in secrets else value
        shown[name] = f"{shown[name]}, {text}" if name in shown else text
    return shown


def _text(body: bytes, *, limit: int = 100_000) -> str | None:
    if not body:
        return None
    return body[:limit].decode("utf-8", "replace")


class Journal:
    """The most recent exchanges of one universe; ``forgotten`` older ones had to make room since it was cleared."""

    def __init__(self, *, capacity: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._numbers = count(1)
        self._capacity = capacity
        self.forgotten = 0

    def begin(self) -> int:
        """The number of an exchange that begins, from 1; no two get the same, whatever threads ask."""
        return next(self._numbers)

    def add(self, entry: Entry) -> None:
        """Records an exchange that has ended."""
        if len(self._entries) == self._capacity:
            self.forgotten += 1
        self._entries.append(entry)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forgets every exchange; ids go on."""
        self._entries.clear()
        self.forgotten = 0


def matching(entries: Iterator[Entry], wanted: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries whose api, operation_id, method, status or path are as wanted."""
    for entry in entries:
        facts = {
            "api": entry.api,
            "operation_id": entry.trace.operation_id,
            "method": entry.request.method,
            "status": str(entry.response.status),
            "path": entry.request.path,
            "id": entry.id,
        }
        if all(facts.get(name) == value for name, value in wanted.items()):
            yield entry

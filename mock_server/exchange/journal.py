"""The journal: what was asked, what was answered, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
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


class Trace:
    """What the line decided about one request, filled in as it goes; words are made of it only when it is read.

    Most requests leave most of it as it is, so what a class says by default is not written into every trace.

    ``secrets`` are the lower-case names of headers and query parameters whose values are not to be shown. ``refused``
    is the problem that was answered, None where there was none; ``meaning`` stays None until the request has been read
    and found valid. ``place`` is drawn under the universe's lock, so exchanges are listed in the order in which they
    met the state, whichever thread was first to come back (0 until then). ``path`` is the request's below the base path
    of a described server, ``fitting`` gives the templates that a path fits.
    """

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
    decisions: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    place: int = 0
    path: str = ""

    def __init__(
        self, *, secrets: frozenset[str] = REDACTED_HEADERS, fitting: Callable[[str], tuple[str, ...]] = lambda _: ()
    ) -> None:
        self.secrets = secrets
        self._fitting = fitting

    def candidates(self) -> tuple[str, ...]:
        """The templates of the description that fit the path, best first."""
        return self._fitting(self.path)

    def copy(self) -> Trace:
        """Another trace that has come as far as this one."""
        made = Trace.__new__(Trace)
        made.__dict__ = self.__dict__.copy()
        return made

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
        from mock_server.exchange.concealing import concealed  # for listings only

        request, response = self.request, self.response
        secrets = self.trace.secrets if redact else frozenset()
        shown: dict[str, Json] = {
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
        return concealed(shown, request, response, secrets) if redact else shown


def _url(request: RawRequest, secrets: frozenset[str]) -> str:
    """The URL as it was sent, but for the values of query parameters that hold a credential."""
    if not request.query or not secrets:
        return request.url + request.target
    pairs = [pair.partition("=") for pair in request.query.split("&")]
    shown = [name + sign + (REDACTED if _hides(name, secrets) else value) for name, sign, value in pairs]
    return f"{request.url}{request.path}?{'&'.join(shown)}"


def _headers(headers: Iterable[tuple[str, str]], secrets: frozenset[str]) -> dict[str, str]:
    """Headers by name, repeated ones joined by commas (RFC 9110 §5.3)."""
    shown: dict[str, str] = {}
    for name, value in headers:
        text = REDACTED if _hides(name, secrets) else value
        shown[name] = f"{shown[name]}, {text}" if name in shown else text
    return shown


def _hides(name: str, secrets: frozenset[str]) -> bool:
    from mock_server.exchange.concealing import hides

    return bool(secrets) and hides(name, secrets)


def _text(body: bytes, *, limit: int = 100_000) -> str | None:
    if not body:
        return None
    return body[:limit].decode("utf-8", "replace")


MOST_BYTES = 64 * 1024 * 1024
"""So many bytes of bodies are kept in one universe's journal, but for the newest exchange."""

_LIGHT = 64 * 1024  # a journal full of exchanges of this size is no burden, so they are not counted one by one


class Journal:
    """The most recent exchanges of one universe; ``forgotten`` older ones had to make room since it was cleared."""

    def __init__(self, *, capacity: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._numbers = count(1)
        self._places = count(1)
        self._capacity = capacity
        self._cleared = 0
        self.forgotten = 0

    def begin(self) -> int:
        """The number of an exchange that begins, from 1; no two get the same, whatever threads ask."""
        return next(self._numbers)

    def place(self) -> int:
        """The place of an exchange that has just met the state; the caller has the universe's lock."""
        return next(self._places)

    def add(self, entry: Entry) -> None:
        """Records an exchange that has ended, unless the journal was cleared after it had met the state."""
        trace = entry.trace
        if not trace.place:
            trace.place = next(self._places)  # it never came as far as the state
        if trace.place < self._cleared:
            return
        if len(self._entries) == self._capacity:
            self.forgotten += 1
        self._entries.append(entry)
        if len(entry.request.body) + len(entry.response.body) > _LIGHT:
            self._make_room()

    def _make_room(self) -> None:
        """Lets the oldest exchanges go while the bodies of all are too many bytes together; the newest stays."""
        entries = tuple(self._entries)
        total = sum(len(entry.request.body) + len(entry.response.body) for entry in entries)
        for oldest in entries[:-1]:
            if total <= MOST_BYTES:
                return
            total -= len(oldest.request.body) + len(oldest.response.body)
            with suppress(IndexError):  # somebody has just cleared it
                self._entries.popleft()
                self.forgotten += 1

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._entries, key=_place))

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forgets every exchange; ids go on."""
        self._cleared = next(self._places)
        self._entries.clear()
        self.forgotten = 0


def _place(entry: Entry) -> int:
    return entry.trace.place


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

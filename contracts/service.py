"""The service under check: something that answers requests, whoever and wherever it is.

A ``Service`` sends and records; it judges nothing. What goes over the wire is a ``Transport``: over HTTP, into a WSGI
application, or into one universe of a double (``transports.py``).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeAlias
from urllib.parse import quote

from contracts.wire import WireRequest
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError
from mock_server.model.call import Principal
from mock_server.openapi.values import Json


class Unreachable(ApidoubleError):
    """The service cannot be reached, or what answers is not usable as one."""


class Unsendable(ApidoubleError):
    """A request that was drawn cannot be put on the wire: a header that HTTP has no room for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: headers in their order and spelling, the body as bytes, ``elapsed`` in seconds."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed: float = 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from: what its credential puts on the wire, and what is known of it.

    ``schemes`` are the names of the security schemes that it satisfies. ``principal`` is who the model takes it for.
    ``secrets`` are the texts that reports must not show. ``valid`` False is a credential that must be refused (expired,
    of too little scope), with ``why``.
    """

    name: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    schemes: frozenset[str] = frozenset()
    principal: Principal | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    valid: bool = True
    why: str = ""

    @property
    def tenant(self) -> str | None:
        """Whose data the caller sees, None where that is not known."""
        return self.principal.tenant if self.principal is not None else None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request that was sent, and its reply. ``request`` is as it was sent, credentials included."""

    number: int
    operation_id: str | None
    request: WireRequest
    reply: Reply
    caller: Caller | None = None

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def ok(self) -> bool:
        """Whether it succeeded (2xx)."""
        return 200 <= self.reply.status < 300

    def header(self, name: str) -> str | None:
        """A header of the reply by its name in any case; several of one name are joined (RFC 9110 §5.3)."""
        found = [value for known, value in self.reply.headers if known.lower() == name.lower()]
        return ", ".join(found) if found else None

    @property
    def media_type(self) -> str:
        """The reply's media type without parameters, in lower case."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def json(self) -> Any:
        """The reply's body as JSON; ``NOT_JSON`` when it is none."""
        try:
            return json.loads(self.reply.body)
        except (ValueError, RecursionError):
            return NOT_JSON


class _NotJson:
    def __repr__(self) -> str:
        return "NOT_JSON"


NOT_JSON: Any = _NotJson()
"""The value of a body that is no JSON (None is JSON's null)."""

Transport: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Sends one request: method, path with query (below the API's base URL), headers, body. May raise ``Unreachable``."""

LONGEST_WAIT = 30.0
"""Seconds that a request is held back for at most when the service asks for it."""

Watch: TypeAlias = Callable[[Recorded], None]


@dataclass(frozen=True, slots=True)
class Powers:
    """What can be done to a service past its API: to a double, not to a real one.

    ``advance`` moves its clock on by an ISO 8601 duration, ``freeze`` makes the clock stand still, ``merge`` merges
    members into a stored item (resource, key after its parents' keys, members), ``settle`` delivers what is due.
    """

    advance: Callable[[str], None]
    freeze: Callable[[], None]
    merge: Callable[[str, str, Json], None]
    settle: Callable[[], None] = lambda: None


class Service:
    """The implementation under check. Safe to share between threads where its transport is.

    ``reset`` takes the service back to where each attempt begins, None where nothing can (an open world: other data may
    be there). ``watch`` is told of every exchange. ``base_url`` is what reports print before a path. ``wait`` lets some
    seconds pass: real ones, or those of a double's clock. ``powers`` are what can be done to it past its API, if
    anything.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        reset: Callable[[], None] | None = None,
        watch: Watch = lambda _: None,
        wait: Callable[[float], None] = time.sleep,
        powers: Powers | None = None,
    ) -> None:
        self._transport = transport
        self._reset = reset
        self._watch = watch
        self._wait = wait
        self._numbers = count(1)
        self._lock = threading.Lock()
        self.base_url = base_url
        self.powers = powers

    @property
    def resettable(self) -> bool:
        """Whether each attempt can begin with the same state."""
        return self._reset is not None

    def reset(self) -> None:
        """Back to where an attempt begins; nothing where that cannot be done."""
        if self._reset is not None:
            self._reset()

    def send(self, request: WireRequest, *, operation_id: str | None = None, caller: Caller | None = None) -> Recorded:
        """Sends a request with the caller's credential, and records what came back."""
        sent = presented(request, caller) if caller is not None else request
        reply = self._transport(sent.method, sent.target, sent.headers, sent.body)
        with self._lock:
            number = next(self._numbers)
        recorded = Recorded(number, operation_id, sent, reply, caller)
        self._watch(recorded)
        return recorded

    def wait_for(self, recorded: Recorded) -> bool:
        """Waits as long as Retry-After asks for (RFC 9110 §10.2.3); False where that is too long, or unsaid."""
        seconds = retry_after(recorded.header("retry-after"))
        if seconds is None or seconds > LONGEST_WAIT:
            return False
        self._wait(seconds)
        return True


def retry_after(text: str | None) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110 §10.2.3), None for one that says nothing.

    A date without a zone (-0000, or none) is taken as UTC.
    """
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def presented(request: WireRequest, caller: Caller) -> WireRequest:
    """A request with a caller's credential; what the request says itself stands."""
    target = request.target
    for name, value in caller.query.items():
        joint = "&" if "?" in target else "?"
        target += f"{joint}{quote(name, safe='')}={quote(value, safe='')}"
    headers = {**caller.headers, **request.headers}
    if "Cookie" in caller.headers and "Cookie" in request.headers:
        headers["Cookie"] = f"{request.headers['Cookie']}; {caller.headers['Cookie']}"
    return WireRequest(request.method, target, headers, request.body)


def same_json(left: Json, right: Json) -> bool:
    """Whether two JSON values are equal: 1 is 1.0 (JSON Schema core §4.2.2), but true is never 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    return bool(left == right)

"""The limits as a table: each with what is just taken and what is not, so that the page and the tests say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import orjson

from mock_server import Options, Sandbox
from mock_server.exchange import faults, ledger, universe
from mock_server.exchange.faults import Fault
from mock_server.exchange.journal import MOST_BYTES, Entry, Journal, Trace
from mock_server.exchange.ledger import Kept
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.universe import RecordedEvent
from mock_server.model import patches
from mock_server.model.events import Event
from mock_server.openapi import brackets, forms, jsontext, multipart, querystrings, shapes, xml
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json
from mock_server.sandbox import MAX_BODY
from mock_server.web import heads
from mock_server.web.app import app_for
from mock_server.webhooks import outbox
from mock_server.webhooks.delivery import Delivery, Recipient
from mock_server.webhooks.options import WebhookOptions
from mock_server.webhooks.outbox import Outbox
from tests.acceptance.rich_description import RICH
from tests.hostile.oracle import nothing_logged
from tests.hostile.packs import NOW
from tests.hostile.sent import Got, Sent, answer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_JSON = (("Content-Type", "application/json"),)
_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
_XML = (("Content-Type", "application/xml"),)
_PARTS = (("Content-Type", "multipart/form-data; boundary=b"),)
_PATCH = (("Content-Type", "application/json-patch+json"),)


@dataclass(frozen=True, slots=True)
class Rich:
    """The description with something of everything, behind a WSGI application."""

    application: WSGIApplication
    sandbox: Sandbox

    def ask(self, method: str, target: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Got:
        with nothing_logged():
            return answer(self.application, Sent(method, target, headers, body))


@cache
def rich(*, max_body: int = MAX_BODY) -> Rich:
    """The double of it, made once for each size of body."""
    api = Api(Documents.from_value(with_patterns(RICH), name="things"), name="things")
    webhooks = WebhookOptions(background=False)
    sandbox = Sandbox([api], options=Options(clock=lambda: NOW, max_body=max_body, webhooks=webhooks))
    made = Rich(app_for(sandbox).wsgi_app, sandbox)
    made.ask("POST", "/things", _JSON, b'{"id":"known","name":"x","tags":[]}')
    return made


BACKTRACKING = {
    "back-reference": r"^(a|aa)+\1$",
    "nested repetition and a back-reference": r"^((a|a)*)*\2$",
    "look-ahead in a repetition": r"^(?:(?=a)a|a)+$",
    "look-behind": r"(?<!x)(?:a|a)+b",
}
"""Patterns that only a backtracking engine can run."""

LINEAR = {
    "nested repetition": r"^(a+)+$",
    "alternatives that overlap": r"^(a|a)*$",
    "alternatives of several lengths": r"^(a|aa|aaa)+$",
    "three stars": r"^.*.*.*x$",
    "an e-mail address": r"^([a-zA-Z0-9_.-]+)+@([a-zA-Z0-9-]+\.)+[a-z]{2,}$",
    "a counted repetition": r"^(a{1,50}){1,50}b$",
}
"""Patterns that would take a backtracking engine exponential or cubic time."""


def with_patterns(description: Json) -> Json:
    """The description with an operation that takes a text, or a list of texts, for each of the patterns."""
    each = {f"p{number}": {"type": "string", "pattern": pattern}
            for number, pattern in enumerate((*BACKTRACKING.values(), *LINEAR.values()))}  # fmt: skip
    lists = {f"{name}s": {"type": "array", "items": schema} for name, schema in each.items()}
    named = {f"{name}n": {"patternProperties": {schema["pattern"]: {"type": "integer"}}}
             for name, schema in each.items()}  # fmt: skip
    schema: Json = {"type": "object", "properties": {**each, **lists, **named}}
    operation = {
        "operationId": "matchThings",
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}},
    }
    return {**description, "paths": {**description["paths"], "/matches": {"post": operation}}}


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound on requests: ``most`` is taken and gives no answer that names it, ``over`` is refused with ``status``.

    ``ask`` sends a request of a size; ``step`` is how much more than ``most`` is sent to be refused.
    """

    name: str
    most: int
    status: int
    ask: Callable[[int], Got]
    source: str
    change: str = ""
    unit: str = ""
    step: int = 1

    @property
    def default(self) -> str:
        return f"{self.most:,} {self.unit}".strip()


def _post(path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Got:
    return rich().ask("POST", path, headers, body)


def _body(size: int) -> Got:
    return rich(max_body=1000).ask("POST", "/anything", _JSON, b'"' + b"x" * (size - 2) + b'"')


def _headers(count: int) -> Got:
    return rich().ask("GET", "/things", tuple((f"X-{number}", "1") for number in range(count)))


def _head(size: int) -> Got:
    return rich().ask("GET", "/things", (("X-A", "x" * size),))


def _url(size: int) -> Got:
    return rich().ask("GET", "/things?name=" + "x" * (size - len("/thingsname=")))


def _uploads(count: int) -> Got:
    part = b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n'
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n'
    return _post("/upload", _PARTS, file + part * (count - 1) + b"--b--\r\n")


def _copies(count: int) -> Got:
    """A patch that handles so many values: it copies a list that grows."""
    operations = [{"op": "add", "path": "/tags", "value": ["x"] * count}]
    return rich().ask("PATCH", "/things/known", _PATCH, orjson.dumps(operations))


def _session(length: int) -> Got:
    return rich().ask("GET", "/things", (("Mock-Session", "x" * length),))


LIMITS = (
    Limit("request body", 1000, 413, _body, "exchange/line.py",
          "`Options(max_body=…)`, `apidouble serve --max-body`", "bytes"),
    Limit("path and query", heads.MAX_URL, 414, _url, "web/heads.py", unit="characters"),
    Limit("headers", heads.MAX_HEADERS, 431, _headers, "web/heads.py"),
    Limit("values of all headers", heads.MAX_HEAD, 431, _head, "web/heads.py", unit="characters"),
    Limit("session name", 128, 400, _session, "exchange/universe.py", unit="characters"),
    Limit("query parameters", querystrings.MAX_PARAMETERS, 400,
          lambda n: rich().ask("GET", "/things?" + "&".join(f"p{each}=1" for each in range(n))),
          "openapi/querystrings.py"),
    Limit("brackets in a name", brackets.MAX_BRACKETS, 400,
          lambda n: rich().ask("GET", "/search?filter" + "[a]" * n + "=1"), "openapi/brackets.py"),
    Limit("depth of a JSON text", jsontext.MAX_DEPTH, 400,
          lambda n: _post("/anything", _JSON, b"[" * n + b"]" * n), "openapi/jsontext.py", unit="levels"),
    Limit("digits of an integer", shapes.MAX_DIGITS, 400,
          lambda n: _post("/anything", _JSON, b"9" * n), "openapi/shapes.py"),
    Limit("magnitude of a number", 308, 400,
          lambda n: _post("/anything", _JSON, b"1e%d" % n), "openapi/jsontext.py", unit="as a power of ten"),
    Limit("members of one name in an object", 1, 400,
          lambda n: _post("/anything", _JSON, b"{" + b",".join([b'"a":1'] * n) + b"}"), "openapi/jsontext.py"),
    Limit("form fields", forms.MAX_FIELDS, 400,
          lambda n: _post("/form", _FORM, b"&".join(b"a[%d]=1" % each for each in range(n))), "openapi/forms.py"),
    Limit("parts of a multipart body", multipart.MAX_PARTS, 400, _uploads, "openapi/multipart.py"),
    Limit("depth of an XML document", xml.MAX_DEPTH, 400,
          lambda n: _post("/xml", _XML, b"<Note>" + b"<a>" * (n - 1) + b"</a>" * (n - 1) + b"</Note>"),
          "openapi/xml.py", unit="levels"),
    Limit("compressions of a body", 0, 415,
          lambda n: _post("/anything", (*_JSON, ("Content-Encoding", "gzip" if n else "identity")), b"{}"),
          "exchange/requests.py"),
    Limit("values that a JSON Patch handles", patches.MOST_HANDLED, 422, _copies, "model/patches.py", step=10),
)  # fmt: skip
"""``request body`` is tested where 1,000 bytes are set; the default is ``MAX_BODY``."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One bound on what is remembered: ``fill`` puts ``most`` and some more there, and says how many are there then."""

    name: str
    most: int
    fill: Callable[[int], int]
    then: str
    source: str
    change: str = ""


_FEW = 20


@cache
def bounded() -> Rich:
    """A double that keeps few universes, and few exchanges in each."""
    options = Options(sessions=_FEW, journal=_FEW, webhooks=WebhookOptions(background=False))
    sandbox = Sandbox([Api(Documents.from_value(RICH, name="things"), name="things")], options=options)
    return Rich(app_for(sandbox).wsgi_app, sandbox)


def _universes(count: int) -> int:
    for number in range(count):
        bounded().ask("GET", "/things/none", (("Mock-Session", f"s{number}"),))
    return len(bounded().sandbox.universes.names())


def _journal(count: int) -> int:
    for _ in range(count):
        bounded().ask("GET", "/things/none")
    return len(bounded().sandbox.universes.default.journal)


def _journal_bytes(size: int) -> int:
    """Bodies of a mebibyte each, all of them one object here."""
    journal, body, now = Journal(capacity=1000), bytes(2**20), rich().sandbox.clock.now()
    for number in range(-(-size // len(body))):
        request = RawRequest("POST", "/", "", {}, body, "")
        journal.add(Entry(f"r{number}", now, "s", "a", request, RawResponse(204, (), b""), Trace()))
    return sum(len(entry.request.body) for entry in journal)


def _events(count: int) -> int:
    here = rich().sandbox.universes.get("events")
    here.events.extend([RecordedEvent(here.clock.now(), "things", Event("thing.created", {}))] * count)
    return len(here.events)


def _deliveries(count: int) -> int:
    now, box = rich().sandbox.clock.now(), Outbox()
    to = Recipient("target:t1", "http://localhost/")
    for _ in range(count):
        box.add([Delivery("things", Event("thing.created", {}), to, now, now)])
    return len(box.listed(lambda each: each))


def _answers(count: int) -> int:
    held, now = ledger.Ledger(), rich().sandbox.clock.now()
    for number in range(count):
        held.keep((str(number),), Kept(b"", RawResponse(204, (), b""), now, now.replace(year=now.year + 1)))
    return len(held.answers)


def _snapshots(count: int) -> int:
    here = rich().sandbox.universes.get("keeping")
    for number in range(universe.MOST_SNAPSHOTS - 1):
        here.snapshot(f"s{number}")
    _asked(count - len(here.snapshots), "keeping", "PUT", "/__mock__/snapshots/more{}", b"")
    return len(here.snapshots)


def _faults(count: int) -> int:
    here = rich().sandbox.universes.get("faulty")
    here.faults[:] = [Fault("readThing")] * (faults.MOST_FAULTS - 1)
    _asked(count - len(here.faults), "faulty", "POST", "/__mock__/faults", b'{"operation_id":"readThing"}')
    return len(here.faults)


def _targets(count: int) -> int:
    here = rich().sandbox.universes.get("telling")
    for _ in range(outbox.MOST_TARGETS - 1):
        here.outbox.add_target("http://127.0.0.1:9/")
    body = b'{"url":"http://127.0.0.1:9/"}'
    _asked(count - len(here.outbox.targets), "telling", "POST", "/__mock__/webhooks/targets", body)
    return len(here.outbox.targets)


def _asked(count: int, session: str, method: str, target: str, body: bytes) -> None:
    """Asks so often; the first is granted, the others are refused."""
    headers = (("Mock-Session", session), *_JSON)
    statuses = [rich().ask(method, target.format(number), headers, body).status for number in range(count)]
    assert [status < 300 for status in statuses] == [True] + [False] * (count - 1), statuses


BOUNDS = (
    Bound("universes", _FEW, _universes, "the one that was idle longest is forgotten; the default one stays",
          "exchange/universe.py", f"`Options(sessions=…)`, {Options().sessions:,} by default"),
    Bound("exchanges in a universe's journal", _FEW, _journal, "the oldest is forgotten, and counted",
          "exchange/journal.py", f"`Options(journal=…)`, {Options().journal:,} by default"),
    Bound("bytes of bodies in a universe's journal", MOST_BYTES, _journal_bytes,
          "the oldest exchanges are forgotten; the newest stays whatever its size", "exchange/journal.py"),
    Bound("events of a universe", universe.MOST_EVENTS, _events, "the oldest is forgotten", "exchange/universe.py"),
    Bound("deliveries in a universe's outbox", 1000, _deliveries,
          "what was delivered is forgotten first, then the oldest", "webhooks/outbox.py"),
    Bound("answers kept under idempotency keys", ledger.MOST_ANSWERS, _answers, "the oldest is forgotten",
          "exchange/ledger.py"),
    Bound("snapshots of a universe", universe.MOST_SNAPSHOTS, _snapshots, "another is refused: 400",
          "exchange/universe.py"),
    Bound("faults of a universe", faults.MOST_FAULTS, _faults, "another is refused: 422", "exchange/faults.py"),
    Bound("webhook targets of a universe", outbox.MOST_TARGETS, _targets, "another is refused: 422",
          "webhooks/outbox.py"),
)  # fmt: skip

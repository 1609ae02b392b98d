"""Hostile requests to the whole application: sessions, heads that are too long, packed bodies, the control API."""

from __future__ import annotations

import gzip

from tests.hostile.limits import BACKTRACKING, LINEAR, Rich, rich
from tests.hostile.sent import Sent

_JSON = (("Content-Type", "application/json"),)
_GZIP = (*_JSON, ("Content-Encoding", "gzip"))
_ZEROS = gzip.compress(bytes(10_000_000), mtime=0)
_TWINS = b'[{"id":"a","name":"a"},{"id":"a","name":"b"}]'
_SPLIT = b'{"status":503,"headers":{"A":"b\\r\\nC: d"}}'
_PATTERNS = {name: f"p{number}" for number, name in enumerate((*BACKTRACKING, *LINEAR))}


def _matching(name: str, text: str) -> Sent:
    return Sent("POST", "/matches", _JSON, f'{{"{_PATTERNS[name]}":"{text}"}}'.encode())


def _control(method: str, path: str, body: bytes = b"") -> Sent:
    return Sent(method, f"/__mock__{path}", (("Mock-Session", "controlled"), *_JSON), body)


MAX_BODY = 100_000


def small() -> Rich:
    """The double that they are sent to: bodies of 100 kB are long enough for it."""
    return rich(max_body=MAX_BODY)


ASKED: dict[str, tuple[int, Sent]] = {
    # heads
    "a URL of 40,000 characters": (414, Sent("GET", "/things?name=" + "x" * 40_000)),
    "100 headers": (431, Sent("GET", "/things", tuple((f"X-{number}", "1") for number in range(100)))),
    "a header of 100 kB": (431, Sent("GET", "/things", (("X-A", "x" * 100_000),))),
    "a Content-Length of letters": (400, Sent("POST", "/anything", _JSON, b"{}", length="two")),
    "a Content-Length in other digits": (400, Sent("POST", "/anything", _JSON, b"{}", length="\u0662")),
    "a Content-Length that is too long": (400, Sent("POST", "/anything", _JSON, b"{}", length="20")),
    # bodies
    "an array of 200 kB": (413, Sent("POST", "/anything", _JSON, b"[" + b"1," * 100_000 + b"1]")),
    "200 kB in chunks": (413, Sent("POST", "/anything", _JSON, b" " * 200_000, chunked=True)),
    "200 kB of state": (413, _control("PUT", "/state/things/things", b"[" + b"{}," * 66_666 + b"{}]")),
    "ten megabytes of zeros in ten kilobytes": (415, Sent("POST", "/anything", _GZIP, _ZEROS)),
    # sessions
    "a session without a name": (400, Sent("GET", "/__session__//things")),
    "a session name that climbs": (400, Sent("GET", "/__session__/..%2F..%2Fx/things", raw=True)),
    "a session name beyond ISO 8859-1": (400, Sent("GET", "/__session__/%C4%80/__mock__/clock")),
    "a session name of 10,000 characters": (400, Sent("GET", "/things", (("Mock-Session", "x" * 10_000),))),
    "an absolute URL whose host is none": (404, Sent("GET", "http://a[", raw=True)),
    # patterns
    "(a+)+$ and 90,000 letters": (422, _matching("nested repetition", "a" * 90_000 + "!")),
    "a back-reference and 40 letters": (422, _matching("nested repetition and a back-reference", "a" * 40 + "!")),
    "a look-behind and 90,000 letters": (422, _matching("look-behind", "a" * 90_000)),
    # the control API
    "an unknown API": (404, _control("GET", "/state/thinks")),
    "a path that there is not": (404, _control("GET", "/stat/things")),
    "a method that there is not": (405, _control("BREW", "/reset")),
    "state that breaks its schema": (422, _control("PUT", "/state/things/things", b'[{"id":"x","name":7}]')),
    "half of the state wrong": (422, _control("PUT", "/state/things/things", b'[{"id":"a","name":"a"},{"id":"b"}]')),
    "state 100,000 levels deep": (400, _control("PUT", "/state/things/things", b"[" * 100_000)),
    "two items of one key": (422, _control("PUT", "/state/things/things", _TWINS)),
    "an item under another's key": (422, _control("PUT", "/state/things/things/a", b'{"id":"b","name":"b"}')),
    "an item that is a list": (422, _control("PUT", "/state/things/things/a", b"[]")),
    "a clock beyond the calendar": (422, _control("POST", "/clock", b'{"advance":"P99999999Y"}')),
    "a duration of 90,000 digits": (422, _control("POST", "/clock", b'{"advance":"P' + b"1" * 90_000 + b'D"}')),
    "a time that is none": (422, _control("POST", "/clock", b'{"freeze":"2026-02-30T00:00:00Z"}')),
    "a fault of an hour": (422, _control("POST", "/faults", b'{"delay":3600}')),
    "a fault that splits the answer": (422, _control("POST", "/faults", _SPLIT)),
    "a snapshot that there is not": (404, _control("POST", "/snapshots/none/restore")),
    "a token for nobody": (422, _control("POST", "/apis/things/token", b'{"scheme":"none"}')),
    "a filter that is misspelt": (400, _control("GET", "/requests?metod=GET")),
    "a limit below zero": (400, _control("GET", "/requests?limit=-1")),
    "a webhook target that is no URL": (422, _control("POST", "/webhooks/targets", b'{"url":"file:///etc/passwd"}')),
}  # fmt: skip
"""By name: the status, and what is sent to the description with something of everything (``small``)."""

"""What must hold of every answer, whatever was asked: it is none of our errors, it is readable, and a refusal is one.

States are immutable values, so "nothing was written" is a comparison of references.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from mock_server.exchange.journal import Entry
from mock_server.exchange.universe import Universe
from mock_server.model.problem import Kind
from mock_server.model.state import State
from mock_server.openapi import jsontext
from mock_server.openapi.charsets import decode_text
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox
from tests.hostile.sent import Got, Sent, answer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SECONDS = 2.0
"""The most CPU time that any one answer may take."""

_OURS = {Kind.SELF_VIOLATION, Kind.DESCRIPTION, Kind.INTERNAL}


class _Told(logging.Handler):
    """What is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(logging.Formatter().format(record))


@contextmanager
def nothing_logged() -> Iterator[None]:
    """Fails when ``apidouble`` logs a warning or worse meanwhile; a traceback is one."""
    told = _Told()
    logger = logging.getLogger("apidouble")
    logger.addHandler(told)
    try:
        yield
    finally:
        logger.removeHandler(told)
    assert not told.records, told.records[0]


@dataclass(frozen=True, slots=True)
class Standing:
    """What one universe holds at a moment."""

    state: State
    entries: int
    events: int
    snapshots: Mapping[str, object]
    faults: int
    frozen: object

    @classmethod
    def of(cls, universe: Universe) -> Standing:
        journal = universe.journal
        return cls(
            universe.state,
            len(journal) + journal.forgotten,
            len(universe.events),
            dict(universe.snapshots),
            len(universe.faults),
            (universe.clock.frozen_at, universe.clock.now()),
        )


def standings(sandbox: Sandbox) -> dict[str, Standing]:
    """What every universe holds now. Asking does not change which was idle longest."""
    known = sandbox.universes._known
    return {name: Standing.of(known[name]) for name in tuple(known)}


def catch_up(sandbox: Sandbox) -> None:
    """Lets happen in every universe what is due by itself, so that no request is blamed for it."""
    for universe in tuple(sandbox.universes._known.values()):
        sandbox.committing.catch_up(universe, universe.clock.now())


def judged(application: WSGIApplication, sandbox: Sandbox, sent: Sent) -> Got:
    """The answer to a request, once all that must hold of it was found to hold."""
    catch_up(sandbox)
    before = standings(sandbox)
    began = time.thread_time()
    with nothing_logged():
        got = answer(application, sent)
    assert time.thread_time() - began < SECONDS, sent
    after = standings(sandbox)
    entry = _entry(sandbox, before, after, sent)
    _check_status(got, entry, sent)
    _check_form(got, sent)
    if entry is not None:
        _check_entry(got, entry, sent)
    if got.status >= 400:
        _check_untouched(before, after, sandbox, sent)
    return got


def _entry(sandbox: Sandbox, before: Mapping[str, Standing], after: Mapping[str, Standing], sent: Sent) -> Entry | None:
    """What the journals have more than before: one exchange, or none for what was refused before the line."""
    grown = {
        name: now.entries - (before[name].entries if name in before else 0)
        for name, now in after.items()
        if now.entries != (before[name].entries if name in before else 0)
    }
    assert sum(grown.values()) <= 1 or any(count < 0 for count in grown.values()), (grown, sent)
    added = [name for name, count in grown.items() if count == 1]
    return tuple(sandbox.universes._known[added[0]].journal)[-1] if added else None


def _check_status(got: Got, entry: Entry | None, sent: Sent) -> None:
    assert 200 <= got.status < 600, (got, sent)
    if got.status < 500:
        return
    # The description may have such an answer, and it may be asked for; none of our own making is allowed.
    assert entry is not None, (got, sent)
    refused = entry.trace.refused
    assert refused is None or refused.kind not in _OURS, (got.body[:1500], sent)
    assert "code=5" in (sent.header("prefer") or ""), (got.body[:1500], sent)


def _check_form(got: Got, sent: Sent) -> None:
    for name, value in got.headers:
        assert not {"\r", "\n", "\x00"} & set(name + value), (name, value, sent)
        (name + value).encode("latin-1")  # what a server can put on the wire
    bodiless = sent.method == "HEAD" or got.status in {204, 304}
    if bodiless:
        assert got.body == b"", (got, sent)
        return
    assert got.header("content-length") in {"", str(len(got.body))}, (got, sent)
    assert b"Traceback (most recent" not in got.body, sent
    if got.body:
        readable(got.header("content-type"), got.body)


def readable(content_type: str, body: bytes) -> None:
    """Fails where a body is not what its Content-Type says."""
    media_type = parse_media_type(content_type)
    assert media_type is not None, (content_type, body[:200])
    if media_type.suffix == "json":
        json.loads(body.decode("utf-8"), parse_constant=_no_number)
    elif media_type.suffix == "xml":
        ElementTree.fromstring(body)
    elif media_type.type == "text":
        decode_text(body, content_type)
    elif media_type.essence == "application/pdf":
        assert body.startswith(b"%PDF-")


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


def _check_entry(got: Got, entry: Entry, sent: Sent) -> None:
    """The journal says what was answered, and can be listed."""
    assert entry.response.status == got.status, (entry, sent)
    if sent.method != "HEAD" and got.status not in {204, 304} and "explain" not in (sent.header("prefer") or ""):
        assert entry.response.body == got.body, (entry, sent)
    assert json.loads(jsontext.dumps(entry.as_json()))["status"] == got.status


def _check_untouched(
    before: Mapping[str, Standing], after: Mapping[str, Standing], sandbox: Sandbox, sent: Sent
) -> None:
    """A refused request has left everything but the journal as it was; a universe that it began has the seed."""
    for name, now in after.items():
        was = before.get(name)
        if was is None:
            fresh = _fresh(sandbox)
            assert _same(now.state, fresh.state), (name, sent)
            assert now.events == fresh.events, (name, sent)
            continue
        assert _same(now.state, was.state), (name, sent)
        assert now.events == was.events, (name, sent)
        assert now.snapshots == was.snapshots, (name, sent)
        assert now.faults == was.faults, (name, sent)
        assert now.frozen == was.frozen, (name, sent)


def _same(one: State, other: State) -> bool:
    """Whether two states are one, or hold the same; collections are equal only where they are one version."""
    if one is other:
        return True
    return one.counters == other.counters and one.timers == other.timers and _held(one) == _held(other)


def _held(state: State) -> dict[str, list[tuple[str, Json]]]:
    return {
        str(partition): [(entry.key, entry.value) for entry in collection]
        for name in state.resources
        for partition, collection in state.partitions(name)
    }


def _fresh(sandbox: Sandbox) -> Standing:
    """What a universe has that nobody has written to."""
    universe = sandbox.universes.get("fresh")
    catch_up(sandbox)
    return Standing.of(universe)

"""A real service for tests of recording: another double with another seed number, behind a server of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from contracts.exchanges import Answer, Presented, Target, carried
from contracts.testing.clients.door import Door
from contracts.testing.recording.drift import Drift, drift
from contracts.testing.recording.recorder import Recorder, real_service
from contracts.testing.recording.recordings import read_recording, write_recording
from contracts.wire import WireRequest, received
from mock_server import MockServer
from mock_server.exchange.journal import Entry
from mock_server.exchange.universe import Universe
from mock_server.packs import ApiSource, source_of
from mock_server.sandbox import Options, Sandbox, Served

SHOP = Path(__file__).parent.parent / "acceptance" / "descriptions" / "shop.yaml"
BAKERY = Path(__file__).parent.parent / "planted_bugs" / "bakery"
RECORDED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def source(api: str) -> ApiSource:
    """A pack by its name; ``shop`` and ``bakery`` are descriptions of other tests."""
    if api == "bakery":
        return source_of(str(BAKERY / "openapi.yaml"), seed=BAKERY / "seed.yaml")
    return source_of(str(SHOP) if api == "shop" else api)


@cache
def sandbox(api: str) -> Sandbox:
    """The double that tests run against, at a moment of its own."""
    return Sandbox([source(api)], options=Options(seed=1, clock=lambda: 1_780_000_000.0))


@contextmanager
def real(api: str, *, seed: int = 77) -> Iterator[MockServer]:
    """The real service: it makes up other ids, other samples, other times."""
    with MockServer(source(api), options=Options(seed=seed, clock=lambda: 1_790_000_000.5 + seed)) as server:
        yield server


def recorder_of(api: str, url: str, *, universe: Universe, **given: Any) -> Recorder:
    """The door to a real service."""
    served = sandbox(api).api(api)
    return Recorder(real_service(served, url, **given), served, universe)


def universe(api: str, name: str) -> Universe:
    """A universe of the double, as new."""
    sandbox(api).universes.drop(name)
    return sandbox(api).universes.get(name)


def door_of(api: str, within: Universe) -> Door:
    """The door to the double."""
    line = sandbox(api).api(api).line
    return lambda request: line.answer(request, within)


class Client:
    """What a test sends with: JSON through a door, with one of the double's credentials."""

    def __init__(self, served: Served, door: Door, *, credential: str | None = None) -> None:
        known = {each.name: each for each in served.credentials}
        self._sent = Presented()
        if credential is not None:
            found = known[credential]
            self._sent = carried(served.api.security_schemes[found.scheme], found.value)
        self._door = door
        self._url = f"http://{served.name}.test"

    def __call__(
        self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and body of the answer."""
        data = json.dumps(body).encode() if body is not None else b""
        sent = {**self._sent.headers, **({"content-type": "application/json"} if data else {}), **(headers or {})}
        response = self._door(received(WireRequest(method, target, sent, data), url=self._url))
        return response.status, json.loads(response.body) if response.body else None


def target_of(served: Served, door: Door) -> Target:
    """What exchange files are played against."""

    def send(_: str, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        response = door(received(WireRequest(method, url, headers, body), url=f"http://{served.name}.test"))
        return response.status, dict(response.headers), response.body

    def present(_: str, name: str) -> Presented:
        found = next(each for each in served.credentials if each.name == name)
        return carried(served.api.security_schemes[found.scheme], found.value)

    return Target(send, present, lambda _: None)


def keep(recorder: Recorder, path: Path, *, now: datetime = RECORDED_AT) -> bool:
    """Writes what was recorded into a file."""
    return write_recording(path, test="tests/test_x.py::test_x", served=recorder.served, service=recorder.service,
                           exchanges=recorder.exchanges, now=now)  # fmt: skip


def drifts(api: str, path: Path, entries: list[Entry]) -> tuple[Drift, ...]:
    """What has drifted from a file."""
    recording = read_recording(path)
    assert recording is not None
    return drift(recording, sandbox(api).api(api), entries)

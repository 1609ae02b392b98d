"""Recording in a run of pytest: who records, what is kept of a test that passed, and what drifted since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.service import Unreachable
from contracts.testing.api import MockApi
from contracts.testing.recording import NotWhileRecording
from contracts.testing.recording.drift import Drift, drift, drift_text
from contracts.testing.recording.realservice import RealService, real_service
from contracts.testing.recording.recorder import Recorder
from contracts.testing.recording.recordings import read_recording, recording_path, write_recording
from mock_server.errors import ApidoubleError, Place
from mock_server.openapi.values import Json
from mock_server.sandbox import Served

__all__ = ["NotWhileRecording", "Recording", "Unreachable", "as_json", "drifted", "failure", "summary"]


class Recording:
    """What ``--mock-api-record`` asks for. ``urls`` are ``URL``, for every API, or ``NAME=URL``."""

    def __init__(
        self, urls: Sequence[str], folder: Path, *, headers: Sequence[str] = (), credentials: Sequence[str] = ()
    ) -> None:
        self._urls = dict(_named(url) for url in urls)
        self._folder = folder
        self._headers = headers
        self._credentials = credentials
        self._services: dict[str, RealService] = {}

    def recorder(self, api: MockApi) -> Recorder:
        """What answers in the place of an API's double."""
        return Recorder(self._service(api.served), api.served, api.universe)

    def keep(self, nodeid: str, apis: Iterable[MockApi]) -> Iterator[str]:
        """Keeps what a test that passed has exchanged; gives what is to be said of the service's replies."""
        for api in apis:
            recorder = api.recorder
            assert recorder is not None
            path = recording_path(self._folder, nodeid, api.name)
            write_recording(path, test=nodeid, served=api.served, service=recorder.service,
                            exchanges=recorder.exchanges, now=datetime.now(UTC))  # fmt: skip
            for finding in recorder.findings:
                differences = [f"  {one.pointer}: {one.message or 'expected'} {one.expected!r}, got {one.got!r}"
                               for one in finding.differences]  # fmt: skip
                yield "\n".join((f"{finding.operation_id}: {finding.sentence}", *differences))

    def _service(self, served: Served) -> RealService:
        found = self._services.get(served.name)
        if found is None:
            url = self._urls.get(served.name, self._urls.get(""))
            if url is None:
                raise NotWhileRecording(f"no URL is given to record {served.name} from",
                                        hint=f"--mock-api-record {served.name}=https://…")  # fmt: skip
            found = real_service(served, url, headers=self._headers, credentials=self._credentials)
            self._services[served.name] = found
        return found


def _named(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    return (name, url) if equals and "/" not in name else ("", text)


def drifted(folder: Path, nodeid: str, apis: Iterable[MockApi]) -> Iterator[Drift]:
    """Where the doubles of a test answered otherwise than was recorded; nothing where nothing was recorded.

    A test that does what cannot be recorded any more is passed over, and so is one whose requests were too many.
    """
    for api in apis:
        if api.used_powers or api.universe.journal.forgotten:
            continue
        recorded = read_recording(recording_path(folder, nodeid, api.name))
        if recorded is not None:
            yield from drift(recorded, api.served, api.universe.journal)


def as_json(found: Drift) -> dict[str, Json]:
    """A drift as JSON, to be handed to the process that reports."""
    return asdict(found)


def summary(found: Iterable[tuple[str, dict[str, Any]]]) -> str:
    """What drifted in a run, by operation; ``found`` are the tests with one drift each, as JSON."""
    by_test: dict[str, list[Drift]] = {}
    for test, value in found:
        by_test.setdefault(test, []).append(Drift(**{**value, "place": Place(**value["place"])}))
    return drift_text(by_test.items())


def failure(apis: Iterable[MockApi]) -> ApidoubleError | None:
    """What a recorder could not do, though a server between may have turned it into a status."""
    return next((api.recorder.failure for api in apis if api.recorder is not None and api.recorder.failure), None)

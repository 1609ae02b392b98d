"""Limits and idempotency keys over HTTP, where requests really come at the same time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from mock_server import MockServer, Options
from tests.acceptance.test_serving import serving
from tests.unit.exchange.limited import description

_SOON = 10.0
LIMITS = {"writing": {"window": "PT1M", "limit": 20, "operations": ["writeNote"]}}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.json"
    path.write_text(json.dumps(description(**{"x-mock-limits": LIMITS, "x-mock-idempotency": {}})))
    return path


@pytest.fixture
def server(notes: Path) -> Iterator[MockServer]:
    with MockServer(notes) as running:
        requests.post(f"{running.url}/__mock__/clock", json={"freeze": True}, timeout=_SOON).raise_for_status()
        yield running


def write(url: str, key: str | None = None) -> requests.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return requests.post(f"{url}/notes", json={"text": "hello"}, headers=headers, timeout=_SOON)


def test_duplicates_from_eight_clients_are_done_once(server: MockServer) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: write(server.url, "k-1"), range(16)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert len(requests.get(f"{server.url}/notes", timeout=_SOON).json()) == 1


def test_eight_clients_share_a_limit_to_the_last_request(server: MockServer) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: write(server.url), range(48)))
    assert Counter(answer.status_code for answer in answers) == {201: 20, 429: 28}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert len(requests.get(f"{server.url}/notes", timeout=_SOON).json()) == 20


def test_advancing_the_clock_opens_the_next_window(server: MockServer) -> None:
    assert [write(server.url).status_code for _ in range(21)][-1] == 429
    requests.post(f"{server.url}/__mock__/clock", json={"advance": "PT1M"}, timeout=_SOON).raise_for_status()
    assert write(server.url).status_code == 201


def test_sessions_have_limits_of_their_own(server: MockServer) -> None:
    assert [write(server.url).status_code for _ in range(21)][-1] == 429
    assert write(f"{server.url}/__session__/other").status_code == 201


def test_without_limits_any_number_of_requests_is_answered(notes: Path) -> None:
    with MockServer(notes, options=Options(limits=False)) as server:
        assert {write(server.url).status_code for _ in range(21)} == {201}


def test_serve_has_an_option_for_that(notes: Path) -> None:
    with serving(str(notes), "--no-limits") as served:
        assert {write(served.url).status_code for _ in range(21)} == {201}

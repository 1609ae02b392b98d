"""Whatever bytes come over a socket, both servers answer or close, do nothing by halves, and go on.

``APIDOUBLE_FUZZ=500`` spoils that many requests byte by byte.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server import MockServer, Options
from tests.acceptance.test_serving import PETS, serving
from tests.hostile.oracle import nothing_logged
from tests.hostile.packs import FUZZ
from tests.hostile.page import on_the_page, raw_rows
from tests.hostile.spoiling import TOKENS
from tests.hostile.wire import RAW, SOON, Heard, Raw, heard


@dataclass(frozen=True, slots=True)
class Door:
    """A running server, and a client that keeps its connection."""

    name: str
    port: int
    client: requests.Session

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pets(self) -> list[str]:
        """The names of the pets that there are."""
        return [pet["name"] for pet in self.client.get(f"{self.url}/pets", timeout=SOON).json()]

    def reset(self) -> None:
        self.client.post(f"{self.url}/__mock__/reset", timeout=SOON).raise_for_status()

    def journal(self) -> list[int]:
        """The statuses of what the journal has."""
        listed = self.client.get(f"{self.url}/__mock__/requests", timeout=SOON).json()
        return [each["status"] for each in listed["requests"]]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Door]:
    with MockServer(PETS, options=Options(max_body=100_000)) as running, requests.Session() as client:
        yield Door("embedded", running.port, client)


@pytest.fixture(scope="module")
def served() -> Iterator[Door]:
    """What is said at the end is looked at once for all tests: a traceback of any of them is in it.

    The process has a proxy in its environment, which must not become a part of anybody's request.
    """
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patching:
            patching.setenv("HTTP_PROXY", "http://somebody:hidden@proxy.test:3128")
            patching.setenv("NO_PROXY", "127.0.0.1")  # for the client here
            running = stack.enter_context(serving(str(PETS)))
        with requests.Session() as client:
            yield Door("served", int(running.url.rpartition(":")[2]), client)
        code, said, _ = running.stop(signal.SIGINT)
    assert (code, said) == (0, running.banner)


def test_environment_of_the_server_is_no_part_of_a_request(served: Door) -> None:
    served.pets()
    listed = served.client.get(f"{served.url}/__mock__/requests", timeout=SOON)
    assert "proxy" not in listed.json()["requests"][-1]["request"]["headers"]
    assert "hidden" not in listed.text


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw.name)
def test_embedded_server_answers_or_closes(embedded: Door, raw: Raw) -> None:
    with nothing_logged():
        found = check(embedded, raw, raw.status)
    for row in raw_rows(raw, found):
        assert on_the_page(row), "run: python -m tests.hostile.page > docs/limits.md"


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw.name)
def test_served_double_answers_or_closes(served: Door, raw: Raw) -> None:
    check(served, raw, raw.status if raw.served is None else raw.served)


def check(door: Door, raw: Raw, status: int) -> Heard:
    """What is heard, once it has been found to be all that has happened."""
    door.reset()
    found = heard(door.port, raw.sent, ends=raw.ends)
    assert found.status == status, found.whole[:300]
    assert door.pets() == (["Rex"] if status == 201 else [])
    recorded = door.journal()[:-1]  # without the look at the pets
    assert recorded in ([], [status]), recorded  # what the server refuses by itself does not come that far
    return found


def test_pipelined_requests_are_answered_in_their_order(embedded: Door, served: Door) -> None:
    for door in (embedded, served):
        door.reset()
        head = b"Host: a\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
        sent = b"".join(b"POST /pets HTTP/1.1\r\n" + head + b'{"name":"%03d"}' % n for n in range(20))
        last = b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        whole = heard(door.port, sent + last, ends=False).whole
        assert re.findall(rb"HTTP/1\.1 (\d{3}) ", whole) == [b"201"] * 20 + [b"404"]
        assert door.pets() == [f"{n:03}" for n in range(20)]


def test_body_that_is_never_sent_does_not_hold_up_others(embedded: Door, served: Door) -> None:
    head = b"POST /pets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    for door in (embedded, served):
        waiting = [socket.create_connection(("127.0.0.1", door.port), SOON) for _ in range(4)]
        for each in waiting:
            each.sendall(head + b"{")
        door.reset()
        assert door.pets() == []
        for each in waiting:
            each.close()


_VALID = (
    b"GET /pets?limit=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b'POST /pets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"name":"Rex"}',
    b'POST /pets HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"name"\r\n7\r\n:"Rex"}\r\n0\r\n\r\n',
    b'PUT /pets/1 HTTP/1.1\r\nHost: a\r\nIf-Match: "x"\r\nContent-Length: 14\r\n\r\n{"name":"Rex"}',
    b'POST /__mock__/clock HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\n\r\n{"advance":"PT1"}',
    b"GET /__session__/one/pets/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /pets HTTP/1.1\r\nHost: a\r\n\r\n",
)


@st.composite
def _spoiled(draw: st.DrawFn) -> bytes:
    """A valid request with a few bytes changed, left out, repeated or put in."""
    sent = draw(st.sampled_from(_VALID))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(sent)))
        end = min(len(sent), at + draw(st.integers(0, 12)))
        put = draw(st.one_of(st.just(b""), st.sampled_from(TOKENS), st.binary(max_size=3), st.just(sent[at:end] * 2)))
        sent = sent[:at] + put + sent[end:]
    return sent


@pytest.mark.parametrize("name", ["embedded", "served"])
def test_spoiled_bytes_never_break_a_server(name: str, request: pytest.FixtureRequest) -> None:
    door: Door = request.getfixturevalue(name)

    @settings(max_examples=FUZZ or 20, deadline=None, derandomize=not FUZZ, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(_spoiled())
    def run(sent: bytes) -> None:
        found = heard(door.port, sent, ends=True)
        statuses = {int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", found.whole)}
        assert all(100 <= status < 500 for status in statuses), (sent, found.whole[:500])

    with nothing_logged():
        run()
    assert isinstance(json.loads(door.client.get(f"{door.url}/pets", timeout=SOON).content), list)

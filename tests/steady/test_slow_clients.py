"""Clients that are slow, idle, many or gone: others are answered meanwhile, and nothing is left of them."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from mock_server import MockServer
from mock_server.web.app import create_app
from mock_server.web.connections import MOST_CONNECTIONS, most_connections
from mock_server.web.embedded import EmbeddedServer
from tests.acceptance.test_serving import _until, serving
from tests.steady.desk import TASKS, fresh_session

SOON = 10.0
IDLE = 2_000
SLOW = 40
"""More than the threads that are there before others are started."""

BEGUN = b"POST /tasks HTTP/1.1\r\nHost: double.test\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"
REST = b'"name":"slow"}'


@pytest.fixture(scope="module", params=["serve", "MockServer"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Either server, with tasks."""
    if request.param == "MockServer":
        with MockServer(TASKS) as server:
            yield server.url
    else:
        with serving(str(TASKS)) as served:
            yield served.url


@contextmanager
def sockets(url: str, number: int) -> Iterator[list[socket.socket]]:
    """So many connections, closed at the end."""
    where = urlsplit(url)
    assert where.hostname is not None
    with ExitStack() as opened:
        yield [
            opened.enter_context(socket.create_connection((where.hostname, where.port), SOON)) for _ in range(number)
        ]


def status(connection: socket.socket) -> int:
    """The status of the answer that comes."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def answered(url: str) -> int:
    return requests.get(f"{url}/tasks", timeout=SOON).status_code


@contextmanager
def open_files(number: int) -> Iterator[None]:
    """Lets this process open so many files; skips where the system does not."""
    resource = pytest.importorskip("resource", reason="this system has no limit of open files to raise")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number:
        pytest.skip(f"the system lets a process open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_of_idle_connections_keep_nobody_out() -> None:
    with serving(str(TASKS)) as served, open_files(IDLE + 200), sockets(served.url, IDLE):
        assert answered(served.url) == 200


def test_idle_connections_to_a_server_in_this_process_keep_nobody_out() -> None:
    number = 400  # granian's own bound was 128; both ends are files of this process
    with open_files(2 * number + 300), MockServer(TASKS) as server, sockets(server.url, number):
        assert answered(server.url) == 200


def test_bodies_that_drip_hold_up_nobody_and_are_read_to_their_end(url: str) -> None:
    with sockets(url, SLOW) as slow:
        for connection in slow:
            connection.sendall(BEGUN)
        assert answered(url) == 200
        for connection in slow[:4]:
            for byte in REST[:-1]:
                connection.sendall(bytes((byte,)))
        assert answered(url) == 200
        for connection in slow[:4]:
            connection.sendall(REST[-1:])
        assert sorted(map(status, slow[:4])) == [201, 409, 409, 409]  # the name is unique
    assert answered(url) == 200


def test_headers_that_drip_hold_up_nobody(url: str) -> None:
    with sockets(url, SLOW) as slow:
        for connection in slow:
            connection.sendall(b"GET /tasks HTTP/1.1\r\nHost: double.test\r\nX-Sl")
        assert answered(url) == 200
        slow[0].sendall(b"ow: yes\r\n\r\n")
        assert status(slow[0]) == 200


def test_delayed_answers_hold_up_nobody(url: str) -> None:
    session = {"Mock-Session": fresh_session()}
    fault = {"operation_id": "listTasks", "delay": 1.5}
    requests.post(f"{url}/__mock__/faults", json=fault, headers=session, timeout=SOON)
    request = f"GET /tasks HTTP/1.1\r\nHost: double.test\r\nMock-Session: {session['Mock-Session']}\r\n\r\n".encode()
    with sockets(url, SLOW) as late:
        for connection in late:
            connection.sendall(request)
        before = requests.get(f"{url}/tasks/none", headers=session, timeout=SOON)
        assert before.status_code == 404
        assert before.elapsed.total_seconds() < 1.2
        assert [status(connection) for connection in late] == [200] * SLOW


def test_clients_that_go_away_leave_nothing_half_done(url: str) -> None:
    """In the middle of headers, of a body, and before the answer: only the last may have done something."""
    session = fresh_session()
    head = f"POST /tasks HTTP/1.1\r\nHost: double.test\r\nMock-Session: {session}\r\nContent-Type: application/json\r\n"
    whole = head.encode() + b'Content-Length: 15\r\n\r\n{"name":"gone"}'
    most = []
    for sent in (whole[:30], whole[:-5], whole):
        with sockets(url, SLOW) as gone:
            for connection in gone:
                connection.sendall(sent)
        tasks = requests.get(f"{url}/tasks", headers={"Mock-Session": session}, timeout=SOON).json()
        assert {task["name"] for task in tasks} <= {"gone"}
        most.append(len(tasks))
    assert most[:2] == [0, 0]
    assert most[2] <= 1  # the name is unique


@contextmanager
def impatient() -> Iterator[EmbeddedServer]:
    """A server that waits for headers for a fifth of a second."""
    server = EmbeddedServer(create_app(TASKS), idle_seconds=0.2).start()
    yield server
    server.stop()


@pytest.mark.parametrize("begun", [b"", b"GET /tasks HTTP/1.1\r\nX-Slow: "], ids=["idle", "begun"])
def test_connection_that_says_nothing_is_closed(begun: bytes) -> None:
    with impatient() as server, sockets(server.url, 1) as (connection,):
        connection.sendall(begun)
        assert connection.recv(1000) == b""


def test_connection_that_was_used_is_closed_when_it_says_no_more() -> None:
    with impatient() as server, sockets(server.url, 1) as (connection,):
        connection.sendall(b"GET /tasks HTTP/1.1\r\nHost: double.test\r\n\r\n")
        assert status(connection) == 200
        assert connection.recv(1000) == b""


def test_connections_are_as_many_as_files_may_be_open() -> None:
    resource = pytest.importorskip("resource", reason="this system has no limit of open files")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, soft), hard))
    try:
        assert most_connections() == min(1024, soft) - 64
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert most_connections() <= MOST_CONNECTIONS


def test_many_clients_with_a_connection_each_are_all_answered(url: str) -> None:
    def ask(_: int) -> int:
        return requests.get(f"{url}/tasks", timeout=SOON).status_code

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(48))) == {200}


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are counted in /proc")
def test_no_file_and_no_thread_is_left_of_clients_that_are_gone() -> None:
    with serving(str(TASKS)) as served:
        (worker,) = (int(each) for each in _children(served.process.pid))
        assert answered(served.url) == 200
        before = len(os.listdir(f"/proc/{worker}/fd"))
        with sockets(served.url, 100) as gone:
            for connection in gone:
                connection.sendall(BEGUN)
            _until(lambda: len(os.listdir(f"/proc/{worker}/fd")) >= before + 95)
        _until(lambda: len(os.listdir(f"/proc/{worker}/fd")) <= before)


def _children(process: int) -> list[str]:
    with open(f"/proc/{process}/task/{process}/children") as file:
        return file.read().split()

"""The socket: where a message may go, and that it goes to the address which was found to be allowed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mock_server.model.events import Event
from mock_server.webhooks.delivery import Delivery, Recipient
from mock_server.webhooks.message import Message
from mock_server.webhooks.posting import Poster
from tests.acceptance.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def message(url: str, *, timeout: float = 5.0) -> Message:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    delivery = Delivery("shop", Event("ping", {}), Recipient("target:t1", url), now, now)
    return Message(url, {"Content-Type": "application/json"}, b"{}", timeout, delivery)


class Names:
    """A resolver of our own: each look-up of a name gives the next of its addresses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **addresses: list[str]) -> None:
        self.asked: list[str] = []
        self._addresses = addresses
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: str, port: Any, *rest: Any, **options: Any) -> Any:
        known = self._addresses.get(host.replace(".", "_"))
        if known is None:
            return self._real(host, port, *rest, **options)
        self.asked.append(host)
        address = known.pop(0) if len(known) > 1 else known[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def test_message_goes_where_its_url_says(receiver: Receiver) -> None:
    reply = Poster()(message(f"{receiver.url}/a/b?c=%20d"))
    assert (reply.status, reply.error) == (204, "")
    (got,) = receiver.got(1)
    assert got.path == "/a/b?c=%20d"
    assert got.headers["host"] == receiver.url.removeprefix("http://")


def test_localhost_finds_a_receiver_on_either_protocol(receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    assert Poster()(message(f"http://localhost:{port}/")).status == 204
    assert Poster()(message(f"http://hooks.localhost:{port}/")).status == 204
    assert receiver.got(2)[1].headers["host"] == f"hooks.localhost:{port}"


def test_name_that_leads_elsewhere_the_second_time_is_looked_up_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(monkeypatch, hooks_test=["127.0.0.1", "203.0.113.7"])
    port = receiver.url.rpartition(":")[2]
    reply = Poster(allowed_hosts=frozenset({"hooks.test"}))(message(f"http://hooks.test:{port}/"))
    assert reply.status == 204
    assert names.asked == ["hooks.test"]
    assert receiver.got(1)[0].headers["host"] == f"hooks.test:{port}"


def test_host_that_is_not_allowed_is_not_even_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, hooks_test=["127.0.0.1"])
    reply = Poster()(message("http://hooks.test/"))
    assert reply.refused
    assert "--allow-webhook-host hooks.test" in reply.error
    assert names.asked == []


def test_localhost_that_leads_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, localhost=["203.0.113.7"])
    reply = Poster()(message("http://localhost/"))
    assert reply.refused
    assert "203.0.113.7" in reply.error


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/", "http://[2001:db8::1]/", "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/", "http://[::]/",
        "http://localhost.example.com/", "http://notlocalhost/", "http://127.0.0.1.example.com/", "http://2130706433/",
        "//localhost/", "localhost:9000", "file:///etc/passwd", "http://", "http://user@localhost/",
        "http://localhost:99999/",
    ],
)  # fmt: skip
def test_nothing_else_is_sent_to(url: str) -> None:
    reply = Poster()(message(url))
    assert reply.refused, reply
    assert Poster().refusal(url) == reply.error


def test_receiver_that_does_not_answer_runs_into_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        reply = Poster()(message(f"http://127.0.0.1:{port}/", timeout=0.05))
    assert (reply.status, reply.error, reply.refused) == (None, "no answer within 0.05 s", False)
    assert reply.latency >= 0.05


def test_answer_that_is_not_http_is_an_error_and_no_exception() -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            connection, _ = odd.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 this is mail\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        reply = Poster()(message(f"http://127.0.0.1:{odd.getsockname()[1]}/"))
        thread.join()
    assert reply.status is None
    assert reply.error


def test_header_that_cannot_be_sent_is_an_error_and_no_exception(receiver: Receiver) -> None:
    sent = message(f"{receiver.url}/")
    sent.headers["X-Odd"] = "two\r\nlines"
    reply = Poster()(sent)
    assert reply.status is None
    assert "header" in reply.error.lower()


def test_https_checks_the_name_of_the_url_and_not_the_address(receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    reply = Poster()(message(f"https://localhost:{port}/"))
    assert reply.status is None
    assert "SSL" in reply.error

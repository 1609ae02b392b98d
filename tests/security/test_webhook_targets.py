"""Webhooks: a message goes to an address that was looked up once and allowed, within bounds of time and size."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_server import MockServer, Options
from mock_server.webhooks.options import WebhookOptions
from mock_server.webhooks.posting import Poster
from mock_server.webhooks.retrying import Reply
from tests.acceptance.receiver import Receiver, receiving
from tests.security.certificates import certificate_for
from tests.security.conftest import PETS, asked, served
from tests.unit.webhooks.test_posting import Names, message

METADATA = "169.254.169.254"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.parametrize("url", [
    f"http://{METADATA}/latest/meta-data/", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/",
    "http://2130706433:9/", "http://0x7f000001:9/", "http://0177.0.0.1:9/", "http://127.1:9/", "http://0:9/", "http://0.0.0.0:9/",
    "http://[::]:9/", "http://[::ffff:10.0.0.1]:9/", "http://[::10.0.0.1]:9/", "http://192.168.0.1/", "http://224.0.0.1/",
    "http://evil.example#@localhost/", "http://evil.example\\@localhost/", "http://localhost@evil.example/",
    "http://localhost:9@evil.example/", "http://user:pass@127.0.0.1:9/", "http://127.0.0.1.evil.example/", "http://localhost.evil/",
    "gopher://127.0.0.1:9/", "file://localhost/etc/passwd", "ftp://127.0.0.1/", "unix:///var/run/docker.sock", "HTTP+UNIX://x/",
    "http://", "http:///x", "http://:9/", "", "javascript:alert(1)", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/",
    "http://evil.example\r\nHost: localhost/",
])  # fmt: skip
def test_nothing_is_sent_to_a_url_that_is_not_plainly_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_connections(monkeypatch)
    reply = Poster()(message(url))
    assert reply.refused, reply


def _no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.mark.parametrize("host", ["localhost.", "LOCALHOST", "127.0.0.1", "[::ffff:127.0.0.1]", "hooks.localhost."])
def test_every_plain_name_of_this_machine_is_one(receiver: Receiver, host: str) -> None:
    assert Poster()(message(f"http://{host}:{port_of(receiver.url)}/")).status == 204


# Names that lead elsewhere: the resolver is replaced from outside


def test_address_that_was_checked_is_the_one_that_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(monkeypatch, hooks_test=["127.0.0.1", METADATA])
    poster = Poster(allowed_hosts={"hooks.test"})
    assert poster(message(f"http://hooks.test:{port_of(receiver.url)}/")).status == 204
    assert names.asked == ["hooks.test"]
    reply = poster(message(f"http://hooks.test:{port_of(receiver.url)}/"))  # the second look-up leads elsewhere
    assert reply.refused
    assert METADATA in reply.error


@pytest.mark.parametrize(
    "address", [METADATA, "fe80::1%eth0", "::ffff:169.254.169.254", "0.0.0.0", "::", "224.0.0.1", "ff02::1"]
)
def test_allowed_name_does_not_lead_to_addresses_that_no_name_should_have(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Names(monkeypatch, hooks_test=[address])
    _no_connections(monkeypatch)
    reply = Poster(allowed_hosts={"hooks.test"})(message("http://hooks.test/"))
    assert reply.refused
    assert "no name may lead" in reply.error


def test_one_bad_address_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("127.0.0.1", METADATA)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    _no_connections(monkeypatch)
    assert Poster(allowed_hosts={"hooks.test"})(message("http://hooks.test/")).refused
    assert Poster()(message("http://localhost/")).refused


def test_address_that_is_allowed_by_itself_may_be_any() -> None:
    assert Poster(allowed_hosts={METADATA}).refusal(f"http://{METADATA}/") is None
    assert Poster(allowed_hosts={METADATA}).refusal("http://[fe80::1]/") is not None


def test_host_may_be_allowed_on_one_port_alone() -> None:
    poster = Poster(allowed_hosts={"203.0.113.7:8443", "[2001:db8::1]:80"})
    assert poster.refusal("https://203.0.113.7:8443/") is None
    assert poster.refusal("http://[2001:db8::1]/") is None
    assert poster.refusal("https://203.0.113.7/") is not None
    assert poster.refusal("http://[2001:db8::1]:81/") is not None


# A server that others can reach


def test_others_cannot_send_webhooks_to_what_listens_on_a_servers_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _no_connections(monkeypatch)
    for url in ("http://127.0.0.1:2375/", "http://localhost/", "http://[::1]:9200/"):
        reply = Poster(loopback=False)(message(url))
        assert reply.refused
        assert "others can reach" in reply.error


def test_name_does_not_lead_them_there_either(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, hooks_test=["127.0.0.1"])
    assert Poster(allowed_hosts={"hooks.test"}, loopback=False)(message("http://hooks.test/")).refused


@pytest.mark.parametrize(("host", "url", "other"), [("127.0.0.1", None, None), ("0.0.0.0", None, "refused"),
                                                   ("0.0.0.0", "http://127.0.0.1:9001/in", "refused")])  # fmt: skip
def test_serve_decides_by_who_can_reach_it(
    host: str, url: str | None, other: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--webhook", url] if url is not None else []
    options = served(monkeypatch, str(PETS), "--host", host, *given)[0].webhooks
    poster = Poster(allowed_hosts=options.allowed_hosts, loopback=options.loopback)
    assert (poster.refusal("http://127.0.0.1:9002/") is not None) is (other is not None)
    if url is not None:
        assert poster.refusal(url) is None


@pytest.mark.parametrize(("host", "refused"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_embedded_server_decides_so_too(host: str, *, refused: bool) -> None:
    given = Options(
        webhooks=WebhookOptions(targets=("http://localhost:9001/in",), allowed_hosts=frozenset({"203.0.113.7"}))
    )
    options = MockServer(PETS, host=host, options=given).sandbox.options.webhooks
    poster = Poster(allowed_hosts=options.allowed_hosts, loopback=options.loopback)
    assert (poster.refusal("http://127.0.0.1:9002/") is not None) is refused
    assert poster.refusal("http://localhost:9001/in") is None
    assert poster.refusal("http://203.0.113.7/") is None


# The control API of a double, which is on loopback as well


@pytest.mark.parametrize("path", [
    "/__mock__/reset", "/%5F%5Fmock__/reset", "/%255F_mock__/reset", "/__session__/a/__mock__/reset",
    "/x/../__mock__/reset", "/./__mock__/seed",
])  # fmt: skip
def test_webhook_does_not_reach_a_control_api(pets: MockServer, path: str) -> None:
    made = asked(pets.url, "POST", "/pets", headers={"Content-Type": "application/json"}, body=b'{"name": "Rex"}')
    assert made.status == 201
    assert Poster()(message(f"{pets.url}{path}")).refused
    assert b"Rex" in asked(pets.url, "GET", "/pets").body


# What a receiver may do


@contextmanager
def answering(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a receiver that does with its one connection what it likes."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(5)

    def run() -> None:
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            return
        with connection:
            try:
                serve(connection)
            except OSError:
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    listening.close()
    thread.join(5)
    assert not thread.is_alive()


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    def redirect(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 307 Go\r\nLocation: {receiver.url}/\r\nContent-Length: 0\r\n\r\n".encode())

    with answering(redirect) as port:
        reply = Poster()(message(f"http://127.0.0.1:{port}/"))
    assert reply.status == 307
    assert not receiver.got(0)


@pytest.mark.parametrize(
    "begin", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"[:-2]]
)
def test_receiver_that_drips_is_cut_off_in_time(begin: bytes) -> None:
    cut = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(begin)
        while not cut.wait(0.01):
            connection.sendall(b"H")

    with answering(drip) as port:
        began = time.perf_counter()
        reply = Poster()(message(f"http://127.0.0.1:{port}/", timeout=0.15))
        took = time.perf_counter() - began
        cut.set()
    assert reply.error == "no answer within 0.15 s"
    assert took < 3


def test_no_more_of_an_answer_is_taken_than_a_few_bytes() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb)
        while sent < 200_000_000:
            connection.sendall(bytes(1_000_000))
            sent += 1_000_000

    with answering(flood) as port:
        reply = Poster()(message(f"http://127.0.0.1:{port}/"))
    assert reply.status == 200
    assert sent < 200_000_000


def test_endless_headers_are_an_error() -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            connection.sendall(f"X-{number}: {'x' * 500}\r\n".encode())

    with answering(flood) as port:
        reply = Poster()(message(f"http://127.0.0.1:{port}/"))
    assert (reply.status, reply.refused) == (None, False)
    assert len(reply.error) <= 200


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert Poster()(message(f"{receiver.url}/")).status == 204
        assert not proxy.got(0)


@contextmanager
def answering_over_tls(certificate: tuple[Path, Path]) -> Iterator[int]:
    """The port of a receiver that answers one request, should anybody get so far."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wire:
            wire.recv(65536)
            wire.sendall(b"HTTP/1.1 204 Ok\r\n\r\n")

    with answering(serve) as port:
        yield port


def test_certificate_is_that_of_the_name_in_the_url_and_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_for("hooks.localhost", tmp_path)
    with answering_over_tls(certificate) as port:
        unknown = Poster()(message(f"https://hooks.localhost:{port}/"))
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.error
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with answering_over_tls(certificate) as port:
        assert Poster()(message(f"https://hooks.localhost:{port}/")).status == 204
    for other in ("localhost", "127.0.0.1"):
        with answering_over_tls(certificate) as port:
            reply = Poster()(message(f"https://{other}:{port}/"))
        assert reply.status is None
        assert "CERTIFICATE_VERIFY_FAILED" in reply.error or "doesn't match" in reply.error


# What is sent


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "CONNECTION"])
def test_description_does_not_say_how_a_message_is_framed(receiver: Receiver, name: str) -> None:
    sent = message(f"{receiver.url}/")
    sent.headers[name] = "chunked" if name == "Transfer-Encoding" else "0"
    assert Poster()(sent).status == 204
    (got,) = receiver.got(1)
    assert got.body == b"{}"
    assert got.headers["host"] == receiver.url.removeprefix("http://")


@pytest.mark.parametrize(("name", "value"), [
    ("X-A", "1\r\nX-B: 2"), ("X-A", "1\nX-B: 2"), ("X-A\r\nX-B", "2"), ("X-A: 1\r\nX-B", "2"),
    ("X-A", "1\r\n\r\nGET /admin HTTP/1.1\r\n"),
])  # fmt: skip
def test_header_cannot_be_two(receiver: Receiver, name: str, value: str) -> None:
    sent = message(f"{receiver.url}/")
    sent.headers[name] = value
    reply: Reply = Poster()(sent)
    assert reply.status is None
    assert not receiver.got(0)


@pytest.mark.parametrize("path", ["/a\r\nX-B: 2", "/a b", "/a\x00b", "/a\tb", "/a HTTP/1.1\r\nX-B: 2\r\n\r\n"])
def test_url_cannot_be_more_than_a_request_line(receiver: Receiver, path: str) -> None:
    reply = Poster()(message(receiver.url + path))
    assert reply.status in {204, None}
    for got in receiver.got(0):
        assert "x-b" not in got.headers
        assert not {" ", "\r", "\n", "\t", "\x00"} & set(got.path)

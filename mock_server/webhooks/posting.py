"""The socket: one POST to an address that was looked up once and found to be allowed.

urllib3's connection is used because it connects to an address and still names the host of the URL in the request, in
TLS and in the check of the certificate. The name is not looked up again in between, so it cannot lead elsewhere the
second time (DNS rebinding). A connection by itself follows no redirects, knows no proxies and retries nothing.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from threading import Event, Timer
from urllib.parse import unquote

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError
from urllib3.exceptions import TimeoutError as TooSlow
from urllib3.util import Url, parse_url

from mock_server.webhooks.addresses import ip_of, is_loopback, is_loopback_name, is_nobodys
from mock_server.webhooks.message import Message
from mock_server.webhooks.retrying import Reply

_READ = 4096  # of an answer's body; nothing is done with it, but a sender that never reads breaks some receivers
_CONTROL = "__mock__"
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})  # how a message is framed
_SHOWN = 200


class Poster:
    """Posts messages to the hosts that are allowed, as ``host`` or ``host:port``, and to loopback addresses.

    Without ``loopback`` those have to be allowed as well.
    """

    def __init__(self, *, allowed_hosts: Iterable[str] = (), loopback: bool = True) -> None:
        self._allowed = frozenset(host.lower().replace("[", "").replace("]", "").rstrip(".") for host in allowed_hosts)
        self._loopback = loopback

    def __call__(self, message: Message) -> Reply:
        """What came of the message; nothing that a URL or a receiver does is an exception."""
        found = self._destination(message.url)
        if isinstance(found, str):
            return Reply(None, found, refused=True)
        url, addresses = found
        started = time.perf_counter()
        error = "the name has no address"
        for address in addresses:
            late = Event()
            try:
                status, retry_after = _post(url, address, message, late)
            except NewConnectionError:
                error = f"no connection to {_shown(address, url)}: refused or unreachable"
                continue
            except (HTTPError, HTTPException, OSError, ValueError) as failure:
                told = _told(failure, message, is_late=late.is_set())
                return Reply(None, told, latency=time.perf_counter() - started)
            return Reply(status, latency=time.perf_counter() - started, retry_after=retry_after)
        return Reply(None, error, latency=time.perf_counter() - started)

    def refusal(self, url: str) -> str | None:
        """Why nothing would be sent to a URL; None when something would."""
        found = self._destination(url)
        return found if isinstance(found, str) else None

    def _destination(self, text: str) -> tuple[Url, list[str]] | str:
        """The URL and the addresses of its host, or why nothing is sent there."""
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        try:
            url = parse_url(text)
        except LocationParseError:
            return f"{shown!r} is no URL"
        if url.scheme not in {"http", "https"} or not url.host:
            return f"{shown!r} is no http or https URL"
        if url.auth is not None:
            return f"{url.host}: a webhook URL carries no user name and password"
        if _CONTROL in unquote(unquote(url.path or "")):
            return f"{url.host}: a webhook does not go to the control API of a double"
        host = url.host.strip("[]").lower().rstrip(".")
        allowed = not self._allowed.isdisjoint({host, f"{host}:{_port(url)}"})
        if not allowed and not (self._loopback and is_loopback_name(host)):
            return _not_allowed(host)
        addresses = list(_addresses("localhost" if host.endswith(".localhost") else host, url))
        wrong = self._wrong(host, addresses, allowed=allowed)
        return f"{host} leads to {', '.join(wrong)}, {_WHY[allowed]}" if wrong else (url, addresses)

    def _wrong(self, host: str, addresses: list[str], *, allowed: bool) -> list[str]:
        """The addresses that a host must not lead to: a name that was allowed is not to be trusted with every one."""
        if not allowed:
            return [address for address in addresses if not is_loopback(address)]
        if ip_of(host) is not None:
            return []  # it is the address itself that was allowed
        ours = self._loopback or is_loopback_name(host)
        return [address for address in addresses if is_nobodys(address) or (is_loopback(address) and not ours)]


def host_and_port(text: str) -> str:
    """Where a URL leads, as ``Poster`` is told of what is allowed."""
    url = parse_url(text)
    return f"{url.host}:{_port(url)}"


_WHY = {
    False: "which is not on this machine",
    True: "where no name may lead; allow the address itself if it is meant",
}


def _not_allowed(host: str) -> str:
    if is_loopback_name(host):
        return (
            f"{host} is this machine, and webhooks of a server that others can reach do not go to it, unless it is "
            f"started with --allow-webhook-host {host}"
        )
    return (
        f"{host} is not on this machine and not allowed; webhooks go to loopback addresses only, "
        f"unless the server is started with --allow-webhook-host {host}"
    )


def _addresses(host: str, url: Url) -> Iterator[str]:
    try:
        found = socket.getaddrinfo(host, url.port or 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    yield from dict.fromkeys(str(entry[4][0]) for entry in found)


def _post(url: Url, address: str, message: Message, late: Event) -> tuple[int, str | None]:
    """The status and Retry-After of the answer; ``late`` is set should it not have come in time."""
    host = (url.host or "").strip("[]")
    given = {name: value for name, value in message.headers.items() if name.lower() not in _OURS}
    connection: HTTPConnection
    if url.scheme == "https":
        connection = HTTPSConnection(
            address, _port(url), timeout=message.timeout, server_hostname=host, assert_hostname=host
        )
    else:
        connection = HTTPConnection(address, _port(url), timeout=message.timeout)
    began = time.monotonic()
    try:
        connection.connect()
        with _ended(connection, message.timeout - (time.monotonic() - began), late):
            connection.request(
                "POST",
                url.request_uri,
                body=message.body,
                headers={"Host": url.netloc or host, **given, "Connection": "close"},
                preload_content=False,
                decode_content=False,  # a few bytes can stand for gigabytes
            )
            response = connection.getresponse()
            response.read1(_READ)
            if late.is_set():  # an answer that ends in its headers is read as one without more of them
                raise TimeoutError
            return response.status, response.headers.get("Retry-After")
    finally:
        connection.close()


@contextmanager
def _ended(connection: HTTPConnection, seconds: float, late: Event) -> Iterator[None]:
    """Ends a connection after so many seconds: a socket's own timeout begins anew with every byte that comes."""
    wire = connection.sock

    def end() -> None:
        late.set()
        try:
            socket.socket.shutdown(wire, socket.SHUT_RDWR)  # below TLS, whose own would wait for the other side
        except OSError:
            return

    timer = Timer(max(seconds, 0.0), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _told(failure: Exception, message: Message, *, is_late: bool) -> str:
    if is_late or isinstance(failure, TimeoutError | TooSlow):
        return f"no answer within {message.timeout:g} s"
    return f"{type(failure).__name__}: {failure}"[:_SHOWN]


def _port(url: Url) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _shown(address: str, url: Url) -> str:
    return f"[{address}]:{_port(url)}" if ":" in address else f"{address}:{_port(url)}"

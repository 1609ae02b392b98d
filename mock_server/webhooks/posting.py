"""The socket: one POST to an address that was looked up once and found to be allowed.

urllib3 is used because it connects to an address and still names the host of the URL in the request, in TLS and in the
check of the certificate. The name is not looked up again in between, so it cannot lead elsewhere the second time (DNS
rebinding). It follows no redirects, knows no proxies and retries nothing unless it is told to.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError
from urllib3.util import Timeout, Url, parse_url

from mock_server.webhooks.message import Message
from mock_server.webhooks.retrying import Reply

_READ = 4096  # of an answer's body; nothing is done with it, but a sender that never reads breaks some receivers
_LOOPBACK_NAMES = ("localhost", ".localhost")  # RFC 6761 §6.3


class Poster:
    """Posts messages to loopback addresses, and to the hosts that are allowed by name."""

    def __init__(self, *, allowed_hosts: frozenset[str] = frozenset()) -> None:
        self._allowed = frozenset(host.lower().rstrip(".") for host in allowed_hosts)

    def __call__(self, message: Message) -> Reply:
        """What came of the message; nothing that a URL or a receiver does is an exception."""
        found = self._destination(message.url)
        if isinstance(found, str):
            return Reply(None, found, refused=True)
        url, addresses = found
        started = time.perf_counter()
        error = "the name has no address"
        for address in addresses:
            try:
                status, retry_after = _post(url, address, message)
            except NewConnectionError:
                error = f"no connection to {_shown(address, url)}: refused or unreachable"
                continue
            except (HTTPError, OSError, ValueError) as failure:
                return Reply(None, _told(failure, message), latency=time.perf_counter() - started)
            return Reply(status, latency=time.perf_counter() - started, retry_after=retry_after)
        return Reply(None, error, latency=time.perf_counter() - started)

    def refusal(self, url: str) -> str | None:
        """Why nothing would be sent to a URL; None when something would."""
        found = self._destination(url)
        return found if isinstance(found, str) else None

    def _destination(self, text: str) -> tuple[Url, list[str]] | str:
        """The URL and the addresses of its host, or why nothing is sent there."""
        try:
            url = parse_url(text)
        except LocationParseError:
            return f"{text!r} is no URL"
        if url.scheme not in {"http", "https"} or not url.host:
            return f"{text!r} is no http or https URL"
        if url.auth is not None:
            return f"{url.host}: a webhook URL carries no user name and password"
        host = url.host.strip("[]").lower().rstrip(".")
        if host in self._allowed:
            return url, list(_addresses(host, url))
        if not _is_loopback_name(host):
            return (
                f"{host} is not on this machine and not allowed; webhooks go to loopback addresses only, "
                f"unless the server is started with --allow-webhook-host {host}"
            )
        addresses = list(_addresses("localhost" if host.endswith("localhost") else host, url))
        if all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses):
            return url, addresses
        return f"{host} leads to {', '.join(addresses)}, which is not on this machine"


def _is_loopback_name(host: str) -> bool:
    if host.endswith(_LOOPBACK_NAMES):
        return host == "localhost" or host.endswith(".localhost")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _addresses(host: str, url: Url) -> Iterator[str]:
    try:
        found = socket.getaddrinfo(host, url.port or 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    yield from dict.fromkeys(str(entry[4][0]) for entry in found)


def _post(url: Url, address: str, message: Message) -> tuple[int, str | None]:
    """The status and Retry-After of the answer."""
    timeout = Timeout(total=message.timeout)
    host = (url.host or "").strip("[]")
    pool: urllib3.HTTPConnectionPool
    if url.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, url.port or 443, timeout=timeout, server_hostname=host, assert_hostname=host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, url.port or 80, timeout=timeout)
    with pool:
        response = pool.urlopen(
            "POST",
            url.request_uri,
            body=message.body,
            headers={"Host": url.netloc or host, **message.headers},
            redirect=False,
            retries=False,
            preload_content=False,
        )
        with response:
            response.read1(_READ)
            return response.status, response.headers.get("Retry-After")


def _told(failure: Exception, message: Message) -> str:
    if isinstance(failure, urllib3.exceptions.TimeoutError):
        return f"no answer within {message.timeout:g} s"
    return f"{type(failure).__name__}: {failure}"


def _shown(address: str, url: Url) -> str:
    port = url.port or (443 if url.scheme == "https" else 80)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

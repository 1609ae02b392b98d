"""The real service behind an API: where it is, and what stands for the double's credentials there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field
from ipaddress import ip_address
from urllib.parse import urlsplit

from contracts.options import header_of
from contracts.service import Reply, Transport, Unreachable
from contracts.testing.clients.intercepting import beside
from contracts.testing.recording import NotWhileRecording
from contracts.transports import Tls, over_http
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.exchange.journal import REDACTED_HEADERS
from mock_server.model.anatomy import words
from mock_server.sandbox import Served

TIMEOUT = 30.0
"""Seconds that one request to the real service may take."""

_CREDENTIAL_WORDS = frozenset({"authorization", "auth", "key", "apikey", "token", "secret", "cookie", "session"})


@dataclass(slots=True)
class _Reach:
    """Whether the service was ever reached, and the error if it was not."""

    reached: bool = False
    error: Unreachable | None = None


@dataclass(frozen=True, slots=True)
class RealService:
    """The real service behind an API, for all tests of a worker. Safe to share between threads.

    ``base_url`` is the part before the description's paths; with ``bare`` it was given as a host alone, so that the
    description's own base path comes behind it. ``headers`` replace the double's credentials on the wire, ``named``
    replace those of one name.
    """

    base_url: str
    bare: bool
    headers: Mapping[str, str]
    named: Mapping[str, Mapping[str, str]]
    transport: Transport
    _reach: _Reach = field(default_factory=_Reach, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts of all that was given to get in."""
        values = [*self.headers.items(), *(pair for headers in self.named.values() for pair in headers.items())]
        found: dict[str, None] = {}
        for name, value in values:
            if not is_credential(name):
                continue
            found |= dict.fromkeys([value, value.rpartition(" ")[2]])
            if name.lower() == "cookie":
                found |= dict.fromkeys(pair.partition("=")[2].strip() for pair in value.split(";"))
        return tuple(found)

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """The reply to a request. ``Unreachable`` for the first one that gets none, ``NotWhileRecording`` later on."""
        if self._reach.error is not None:
            raise NotWhileRecording("the real service could not be reached", got=self._reach.error.problem)
        try:
            with beside():  # the test may intercept the very URL that is recorded
                reply = self.transport(method, target, headers, body)
        except Unreachable as error:
            if not self._reach.reached:
                self._reach.error = error
            raise
        self._reach.reached = True
        return reply


def real_service(
    served: Served,
    url: str,
    *,
    headers: Sequence[str] = (),
    credentials: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
    tls: Tls | None = None,
) -> RealService:
    """The service at a URL, with what the command line gives to get in.

    ``headers`` are ``Name: value``, ``credentials`` are ``name=Name: value`` with the name of one of the double's.
    Where several APIs are recorded, the API's comes first (``shop/admin=…``), and others' are passed over.
    ``${VARIABLE}`` in a value is read from ``environ`` (``os.environ``). A host alone (``https://api.example.com``)
    gets the description's base path; a URL with a path, if only a slash, is the base URL as it stands. A
    ``ConfigurationError`` for plain HTTP to another machine, and for names that are not known.
    """
    variables = os.environ if environ is None else environ
    base, bare = _base(url)
    named: dict[str, dict[str, str]] = {}
    for text in credentials:
        name, header = credential_of(text, variables)
        api, slash, own = name.partition("/")
        if slash and api != served.name:
            continue
        name = own if slash else name
        known = [credential.name for credential in served.credentials]
        if name not in known:
            raise ConfigurationError(f"{served.name} has no such credential", got=name,
                                     allowed=", ".join(known) or "its fixtures have none",
                                     hint=did_you_mean(name, known))  # fmt: skip
        named.setdefault(name, {}).update([header])
    given = dict(header_of(text, variables) for text in headers)
    return RealService(base, bare, given, named, over_http(base, timeout=timeout, tls=tls))


def credential_of(text: str, environ: Mapping[str, str]) -> tuple[str, tuple[str, str]]:
    """What stands for one of the double's credentials: ``platform=Authorization: Bearer ${TOKEN}``."""
    name, equals, header = text.partition("=")
    if not equals or not name.strip() or ":" in name:
        # What stands there may be a secret, so it is not shown.
        raise ConfigurationError("this says not which credential it stands for", allowed="NAME=Header: value",
                                 hint="for example 'platform=Authorization: Bearer ${TOKEN}'")  # fmt: skip
    return name.strip(), header_of(header, environ)


def _base(url: str) -> tuple[str, bool]:
    """A base URL that may be recorded against, and whether it is a host alone."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError("this is no URL of a service", got=url, allowed="https://host, with a path if need be")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError("the URL of a service has a host and a path, and nothing else",
                                 got=f"{parts.scheme}://{host}{parts.path}, and more",
                                 hint="give a credential with --mock-api-record-header 'Authorization: …'")  # fmt: skip
    if parts.scheme == "http" and not _is_here(host):
        raise ConfigurationError("credentials would go to another machine in the clear", got=url,
                                 allowed="https, or http to this machine", hint=f"https://{parts.netloc}, or a tunnel "
                                 "that ends on 127.0.0.1")  # fmt: skip
    return url.rstrip("/"), not parts.path


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_credential(header: str) -> bool:
    """Whether a header of that name says who is calling."""
    return header.lower() in REDACTED_HEADERS or not _CREDENTIAL_WORDS.isdisjoint(words(header.lower()))

"""Reaching the service of a run: its URL, what goes with every request, and whether it is there and usable at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import urllib3

from contracts.authenticating import ClientCredentials
from contracts.commands.asked import Target
from contracts.drafting import Drafter, Wishes
from contracts.options import rate_of
from contracts.pacing import Pace
from contracts.pool import Pool
from contracts.service import Powers, Recorded, Reply, Service, Transport, Unreachable
from contracts.transports import Tls, over_http
from mock_server.errors import ConfigurationError
from mock_server.openapi.description import Operation
from mock_server.webhooks.addresses import is_loopback_name

_PROBES = 5
_DOWN = frozenset({502, 503, 504})


class Stopped(KeyboardInterrupt):
    """The user has stopped the run, in whatever thread it goes on."""


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine (``*.localhost`` does, RFC 6761 §6.3)."""
    return is_loopback_name(urlsplit(url).hostname or "")


def checked_url(url: str, *, allow_remote: bool, option: str = "--url") -> str:
    """A URL that may be sent to; a ``ConfigurationError`` that says why not."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"{option} is not the URL of a service", got=url, allowed="http://… or https://…")
    if parts.username or parts.password:
        raise ConfigurationError(f"{option} has a password in it, which reports would show", got=f"…@{parts.hostname}",
                                 hint="give it by --header or --auth-env")  # fmt: skip
    if (parts.query or parts.fragment) and option == "--url":
        raise ConfigurationError("--url ends before the query", got=url, allowed=url.partition("?")[0])
    if not allow_remote and not is_local(url):
        raise ConfigurationError(
            f"{parts.hostname} is not this machine, and a check creates, changes and deletes things there",
            got=url,
            hint="--dry-run shows what; --allow-remote does it; --exclude leaves operations alone",
        )
    return url


def tls_of(target: Target) -> Tls:
    """How HTTPS is spoken with a target."""
    certificate = None
    if target.client_certificate is not None:
        file, _, key = target.client_certificate.partition(":")
        for path in filter(None, (file, key)):
            if not os.path.isfile(path):
                raise ConfigurationError("--client-cert names a file that is not there", got=path)
        certificate = (file, key or file)
    if target.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Tls(not target.insecure, target.ca_bundle, certificate)


class Reach:
    """The way to the service of a run, which every worker has one of.

    ``common`` are headers that go with every request and stand in no record. ``stop`` ends the run at its next request.
    """

    def __init__(self, target: Target, *, common: Mapping[str, str], tokens: ClientCredentials | None = None) -> None:
        self.base_url = target.url
        self.stop = threading.Event()
        self._target = target
        self._tls = tls_of(target)
        self._common = dict(common)
        self._tokens = tokens
        rate = rate_of(target.rate) if target.rate is not None else None
        self._pace = Pace(rate, wait=self._waited)

    def session(self, number: int) -> dict[str, str]:
        """The header by which a test server knows the state of a worker."""
        name = self._target.session_header
        return {name: f"apidouble-check-{os.getpid()}-{number}"} if name is not None else {}

    def transport(self, number: int = 0) -> Transport:
        """The transport of one worker."""
        headers = {**self._common, **self.session(number)}
        sent = over_http(self.base_url, headers=headers, timeout=self._target.timeout, tls=self._tls)
        if self._tokens is not None:
            sent = self._tokens.signing(sent)
        return self._stoppable(self._pace.paced(sent))

    def service(
        self,
        number: int,
        *,
        watch: Callable[[Recorded], None],
        reset: Callable[[], None] | None = None,
        powers: Powers | None = None,
    ) -> Service:
        """The service as one worker sees it."""
        return Service(self.transport(number), base_url=self.base_url, reset=reset, watch=watch, wait=self._waited,
                       powers=powers)  # fmt: skip

    def moved(self, base_path: str) -> None:
        """Goes below a base path from now on."""
        self._target = replace(self._target, url=self.base_url + base_path)
        self.base_url = self._target.url

    def _waited(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Stopped

    def _stoppable(self, transport: Transport) -> Transport:
        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
            if self.stop.is_set():
                raise Stopped
            return transport(method, target, headers, body)

        return send


def probe(reach: Reach, drafter: Drafter, *, identified: bool) -> str:
    """Asks a few lists of the service; "" or a word on what was found out about it.

    ``Unreachable`` when it gives no answer, when its answers say that it is down or is another service, or when a
    credential that the user gave (``identified``) opens nothing.
    """
    statuses = _asked(reach, drafter)
    base = next((path for path in drafter.api.base_paths if path), "")
    word = ""
    if statuses and set(statuses.values()) == {404} and base and not reach.base_url.endswith(base):
        given = reach.base_url
        reach.moved(base)
        statuses = _asked(reach, drafter)
        word = f"the described paths are below {reach.base_url}"
        if set(statuses.values()) == {404}:
            raise _other_service(given, statuses)
    if statuses and set(statuses.values()) == {404}:
        raise _other_service(reach.base_url, statuses)
    if statuses and set(statuses.values()) <= _DOWN:
        raise Unreachable(f"{reach.base_url} is down", got=_told(statuses), hint="start it, or wait until it is up")
    secured = {name: status for name, status in statuses.items() if drafter.api.operation(name).security}
    if identified and secured and set(secured.values()) == {401}:
        raise Unreachable("the credential that was given opens nothing", got=_told(secured),
                          hint="look at --header, --credential, --auth-env, --caller, --oauth2-…")  # fmt: skip
    return word


def _asked(reach: Reach, drafter: Drafter) -> dict[str, int]:
    """The statuses of a few lists that need nothing; the root is asked where there is none, whatever it answers."""
    send = reach.transport()
    service = Service(send, base_url=reach.base_url)
    statuses: dict[str, int] = {}
    for operation in _lists(drafter):
        draft = drafter.draft(operation.id, Pool(drafter.model), 0, Wishes(lean=True))
        if draft is not None:
            statuses[operation.id] = service.send(draft.request, operation_id=operation.id, caller=draft.caller).status
    if not statuses:
        send("GET", "/", {}, b"")
    return statuses


def _lists(drafter: Drafter) -> Sequence[Operation]:
    """A few lists that are read without anything in their paths."""
    found = [
        name
        for roles in drafter.roster.resources.values()
        for name in roles.lists
        if drafter.api.refs[name].method == "GET" and not drafter.api.refs[name].template.parameters
    ]
    return [drafter.api.operation(name) for name in found[:_PROBES]]


def _other_service(url: str, statuses: Mapping[str, int]) -> Unreachable:
    return Unreachable(f"none of the described paths is at {url}", got=_told(statuses),
                       hint="--url is what stands before the paths of the description, a base path such as /v1 with "
                       "it")  # fmt: skip


def _told(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{name} answers {status}" for name, status in statuses.items())

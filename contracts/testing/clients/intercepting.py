"""Interception: code that uses requests or httpx with the real URL of an API reaches a double instead, without sockets.

It takes the place of what these libraries offer for it, their transport adapters and transports: any session or client
that goes through ``requests.adapters.HTTPAdapter``, ``httpx.HTTPTransport`` or ``httpx.AsyncHTTPTransport`` (or a
subclass that calls what it overrides) is intercepted, also one that was made before. Adapters and transports that do
something else of their own (``httpx.MockTransport``, ``ASGITransport``, aiohttp, urllib3 itself) are left alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from contracts.testing.clients.door import Door
from contracts.testing.clients.routes import (
    Origin,
    Route,
    Target,
    below,
    located,
    route,
    shown,
    suggestion,
    without_secrets,
)
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, ConfigurationError


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not sent, since nothing is behind its URL. The URL is without query and credentials."""

    method: str
    url: str

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class Interception:
    """What is intercepted inside a ``with`` block, in all threads and tasks of this process; and what was refused."""

    def __init__(self, routes: Mapping[str, Door], *, allow: Sequence[str] = ()) -> None:
        self.targets = tuple(Target(route(url), door) for url, door in routes.items())
        self.allowed = tuple(route(url) for url in allow)
        self._refused: list[Refusal] = []

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Every request that was refused while this interception was active, whatever became of the exception.

        With several active ones each of them is told of every refusal.
        """
        return tuple(self._refused)

    def let_through(self, url: str) -> None:
        """Lets requests below a URL through to the network from now on, as ``allow`` does from the beginning."""
        more = route(url)
        with _lock:
            if more not in self.allowed:
                self.allowed = (*self.allowed, more)

    def __enter__(self) -> Self:
        _begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _end(self)


def intercepting(routes: Mapping[str, Door], *, allow: Sequence[str] = ()) -> Interception:
    """A context manager: requests and httpx reach the doors at ``routes`` and what is below ``allow``, nothing else.

        with intercepting({"https://api.example.com/v1": door}, allow=["http://127.0.0.1:8080"]) as interception:
            requests.get("https://api.example.com/v1/customers")
        assert not interception.refused

    A route is an origin with or without a base path; the longest that fits counts, and of equal ones the latest.
    Interceptions that overlap add up, in any order. Any other URL is refused before a socket is opened, as a
    ``requests.ConnectionError`` or ``httpx.ConnectError``. A ``ConfigurationError`` says what is wrong with a route.
    """
    return Interception(routes, allow=allow)


@contextmanager
def beside() -> Iterator[None]:
    """What this thread sends meanwhile goes to the network, whatever is intercepted: apidouble's own requests."""
    before, _beside.own = getattr(_beside, "own", False), True
    try:
        yield
    finally:
        _beside.own = before


_beside = threading.local()
_lock = threading.Lock()
_active: tuple[Interception, ...] = ()  # the latest last; replaced as a whole, so that it is read without the lock
_undo: list[Callable[[], None]] = []


def _begin(interception: Interception) -> None:
    global _active
    with _lock:
        if any(each is interception for each in _active):
            raise ConfigurationError("this interception is active already", hint="make another one with intercepting()")
        if not _active:
            _install()
        _active = (*_active, interception)


def _end(interception: Interception) -> None:
    global _active
    with _lock:
        _active = tuple(each for each in _active if each is not interception)
        if not _active:
            _uninstall()


def _install() -> None:
    """Takes the place of the transports of the libraries that are there, of both or, when something fails, of none.

    A library that is there is imported although the code under test may never do so: it might while the test runs.
    """
    try:
        if find_spec("requests") is not None:
            from contracts.testing.clients.adapters import intercept_adapters

            _undo.append(intercept_adapters(_find))
        if find_spec("httpx") is not None:
            from contracts.testing.clients.transports import intercept_transports

            _undo.append(intercept_transports(_find))
    except BaseException:
        _uninstall()
        raise
    if not _undo:
        raise ConfigurationError(
            "there is nothing to intercept: neither requests nor httpx is installed",
            hint="install the one that the code under test uses, or have that code use the live server's URL",
        )


def _uninstall() -> None:
    while _undo:
        _undo.pop()()


def _find(method: str, url: str, refusal: type[ApidoubleError]) -> Target | None:
    """Where a request leads; see ``Finder``."""
    active = _active
    if not active or getattr(_beside, "own", False):
        return None
    place = located(url)
    found, length = None, -1
    allowed = -1
    for interception in reversed(active):
        for target in interception.targets:
            if _covers(target.route, place) and len(target.route.path) > length:
                found, length = target, len(target.route.path)
        for let in interception.allowed:
            if _covers(let, place):
                allowed = max(allowed, len(let.path))
    if found is not None and length >= allowed:
        return found
    if allowed >= 0:
        return None
    _remember(active, Refusal(method, without_secrets(url)))
    raise _refused(method, url, active, refusal)


def _covers(at: Route, place: tuple[Origin, str] | None) -> bool:
    return place is not None and place[0] == at.origin and below(place[1], at.path)


def _remember(active: tuple[Interception, ...], refusal: Refusal) -> None:
    for interception in active:
        interception._refused.append(refusal)


def _refused(method: str, url: str, active: tuple[Interception, ...], refusal: type[ApidoubleError]) -> ApidoubleError:
    routes = [target.route for interception in active for target in interception.targets]
    network = [each for interception in active for each in interception.allowed]
    place = located(url)
    through = shown(place[0]) if place is not None else without_secrets(url)
    meant = suggestion(url, [*routes, *network])
    advice = f"allow=[{through!r}] lets it through to the network"
    return refusal(
        f"{method} {without_secrets(url)} was not sent: no double is behind this URL",
        allowed=", ".join([*(each.url for each in routes), *(f"{each.url} (the network)" for each in network)])
        or "none",
        hint=f"{meant} If not, {advice}" if meant else advice,
    )

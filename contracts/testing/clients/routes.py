"""The URLs below an origin and a base path, and what a request to one of them is to the door behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from contracts.testing.clients.door import Door
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, ConfigurationError, did_you_mean
from mock_server.exchange.messages import RawRequest, RawResponse

_PORTS = {"http": 80, "https": 443}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")  # RFC 3986 §3.1
_SENT_AS_IS = "/%:@!$&'()*+,;=~"  # RFC 3986 §3.3

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port, as RFC 6454 compares them: lower case, the default port filled in."""


@dataclass(frozen=True, slots=True)
class Route:
    """Every URL below one origin and base path. ``path`` is "" or begins with a slash and does not end with one."""

    url: str
    origin: Origin
    path: str

    def covers(self, url: str) -> bool:
        """Whether a URL is below this one; what cannot be read as a URL is not."""
        place = located(url)
        return place is not None and place[0] == self.origin and below(place[1], self.path)

    def request(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> RawRequest:
        """The request that arrives at the door; ``target`` is the path and query as they are sent.

        The headers are what the double's own server hands on: repeated ones joined, the length that of the body.
        """
        path, _, query = target.partition("?")
        joined: dict[str, str] = {}
        for given, value in headers:
            name = given.lower()
            if name not in {"content-length", "transfer-encoding"}:
                joiner = "; " if name == "cookie" else ", "  # RFC 9110 §5.3, RFC 9113 §8.2.3
                joined[name] = joined[name] + joiner + value if name in joined else value
        if body:
            joined["content-length"] = str(len(body))
        return RawRequest(method, path[len(self.path) :] or "/", query, joined, body, self.url)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A route and the door behind it."""

    route: Route
    door: Door


Finder: TypeAlias = Callable[[str, str, type[ApidoubleError]], Target | None]
"""Where a method and a URL lead: a target, None for the network, or the error of that type is raised."""


def route(url: str) -> Route:
    """The route of a URL such as https://api.example.com or https://api.example.com/v1; a ``ConfigurationError`` for
    what is none."""
    place = located(url)
    if place is None or "?" in url or "#" in url or "@" in urlsplit(url).netloc:
        raise ConfigurationError(
            "this is not a URL that requests can be below",
            got=url,
            allowed="http or https, a host, and perhaps a port and a base path: https://api.example.com/v1",
            hint="leave out query, fragment, user and password" if place is not None else None,
        )
    origin, path = place
    path = quote(path.rstrip("/"), safe=_SENT_AS_IS)
    return Route(shown(origin) + path, origin, path)


def shown(origin: Origin) -> str:
    """An origin as a URL, without the port that goes without saying."""
    scheme, host, port = origin
    authority = f"[{host}]" if ":" in host else host
    return f"{scheme}://{authority}" if port == _PORTS[scheme] else f"{scheme}://{authority}:{port}"


def located(url: str) -> tuple[Origin, str] | None:
    """The origin and the path of an absolute http(s) URL, None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port that is no number, brackets that do not close
        return None
    host = parts.hostname
    if parts.scheme not in _PORTS or not host:
        return None
    return (parts.scheme, _ascii(host), port if port is not None else _PORTS[parts.scheme]), parts.path


def below(path: str, base: str) -> bool:
    """Whether a path is a base path or continues it after a slash."""
    return path.startswith(base) and (len(path) == len(base) or base == "" or path[len(base)] == "/")


def resolved(base: Route, url: str) -> str:
    """An absolute URL as it is; anything else, with or without a leading slash, below ``base``."""
    if _ABSOLUTE.match(url):
        return url
    return f"{base.url}/{url.lstrip('/')}" if url and url[0] not in "?#" else base.url + url


def without_secrets(url: str) -> str:
    """A URL without user, password, query and fragment, which may hold credentials."""
    bare = url.partition("#")[0].partition("?")[0]
    scheme, mark, rest = bare.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def suggestion(url: str, routes: Sequence[Route]) -> str | None:
    """Which of the routes was perhaps meant by a URL that is below none of them."""
    longest = max((len(each.url) for each in routes), default=0)
    return did_you_mean(without_secrets(url)[:longest], [each.url for each in routes])


def content(method: str, response: RawResponse) -> bytes:
    """What a server sends as the body: nothing for HEAD and where a status has none (RFC 9110 §6.4.1)."""
    return b"" if method == "HEAD" or _bodiless(response.status) else response.body


def sent_headers(response: RawResponse) -> list[tuple[str, str]]:
    """The headers as a client reads them: Latin-1, the length of the body added where one may be stated."""
    headers = [
        (name, value if value.isascii() else value.encode("latin-1", "replace").decode("latin-1"))
        for name, value in response.headers
        if name.lower() != "content-length"
    ]
    if not _bodiless(response.status):
        headers.append(("Content-Length", str(len(response.body))))
    return headers


def phrase(status: int) -> str:
    """The reason phrase of a status, "Unknown" where nobody registered one."""
    return _PHRASES.get(status, "Unknown")


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def replaced(owner: type, name: str, function: Callable[..., Any]) -> Callable[[], None]:
    """Puts a function in the place of a class's own; what is returned puts back exactly what was there.

    What somebody else has put over it meanwhile stays: it is theirs to take away.
    """
    original = owner.__dict__[name]
    setattr(owner, name, function)

    def undo() -> None:
        if owner.__dict__.get(name) is function:
            setattr(owner, name, original)

    return undo


def _bodiless(status: int) -> bool:
    return status in {204, 304} or status < 200


def _ascii(host: str) -> str:
    """A host in lower case, names beyond ASCII as the wire has them."""
    if host.isascii():
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()

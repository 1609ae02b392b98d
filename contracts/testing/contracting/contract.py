"""``apidouble_contract``: a contract in a test module, of which pytest makes one test for each thing to be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from contracts.testing.contracting.default import SECONDS
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    Url: TypeAlias = str | Callable[[], str]
    App: TypeAlias = WSGIApplication | Callable[[], WSGIApplication]
    Reset: TypeAlias = str | Callable[[], object]

_SIZES = (0.01, 100.0)


@dataclass(frozen=True, slots=True)
class Contract:
    """What is checked, and how; made by ``apidouble_contract``.

    ``headers`` are texts, ``Name: value``. ``closed`` says whether the service holds nothing but the seed when an
    attempt begins; None leaves it to whether there is a ``reset``.
    """

    description: str
    url: Url | None = None
    app: App | None = None
    reset: Reset | None = None
    overlays: tuple[str | Path, ...] = ()
    seed: str | Path | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    session_header: str | None = None
    seconds: float = SECONDS
    size: float = 1.0
    seed_number: int = 0
    closed: bool | None = None
    allow_remote: bool = False
    clean_up: bool = True

    @property
    def is_closed(self) -> bool:
        """Whether each attempt begins with nothing but the seed."""
        return self.reset is not None if self.closed is None else self.closed

    @property
    def shared(self) -> str | None:
        """What several test processes would reset under each other's feet: the URL of a service with one state."""
        known = isinstance(self.url, str) and self.session_header is None
        return str(self.url).rstrip("/") if known and self.is_closed else None


def apidouble_contract(
    description: str | Path,
    *,
    url: Url | None = None,
    app: App | None = None,
    reset: Reset | None = None,
    overlays: Sequence[str | Path] = (),
    seed: str | Path | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    checks: Sequence[str] = (),
    skip: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    credentials: Sequence[str] = (),
    callers: Sequence[str] = (),
    session_header: str | None = None,
    seconds: float = SECONDS,
    size: float = 1.0,
    seed_number: int = 0,
    closed: bool | None = None,
    allow_remote: bool = False,
    clean_up: bool = True,
) -> Contract:
    """The contract of a description, as a variable of a test module; each thing to be checked becomes a test.

    ``description`` is a pack's name or a file beside the module (or below pytest's root folder), ``overlays`` and
    ``seed`` likewise. The service is at ``url`` (text, or a function that gives it when the first test begins), or is
    ``app``, a WSGI application in this process (or a function that makes one). ``reset`` takes it back to its seed: a
    function, a URL to POST to, ``module:function``, or a command; without one other data may be there (an open world).

    ``include`` and ``exclude`` choose operations by id, ``tag:…``, ``path:…`` or ``method:…``, ``checks`` and ``skip``
    choose checks and families. ``headers`` go with every request, with ``${VARIABLE}`` taken from the environment;
    ``credentials`` are environment variables, ``VAR`` or ``SCHEME=VAR``; ``callers`` are as for ``apidouble check``.
    A test server that keeps states apart by a ``session_header`` gives each test process its own.

    One test takes ``seconds`` at most; ``size`` makes it longer or shorter. ``seed_number`` decides every draw. A
    service on another machine takes ``allow_remote=True``. Raises ``ConfigurationError`` for what cannot be meant.
    """
    if url is not None and app is not None:
        raise ConfigurationError("a contract has one service", got="url and app", allowed="url=… or app=…")
    if url is None and app is None:
        raise ConfigurationError("a contract needs a service to be checked", got="neither url nor app",
                                 allowed="url='http://…', or app= with a WSGI application")  # fmt: skip
    if closed and reset is None:
        raise ConfigurationError("a closed world needs something that resets the service", got="closed=True alone",
                                 hint="add reset= with a function, a URL to POST to, or a command")  # fmt: skip
    if seconds <= 0:
        raise ConfigurationError("a test takes some time", got=seconds, allowed="a number of seconds above 0")
    if not _SIZES[0] <= size <= _SIZES[1]:
        raise ConfigurationError("this is no size", got=size, allowed=f"{_SIZES[0]} to {_SIZES[1]:g}; 1 is usual")
    for name, value in (("include", include), ("exclude", exclude), ("checks", checks), ("skip", skip),
                        ("credentials", credentials), ("callers", callers), ("overlays", overlays)):  # fmt: skip
        if isinstance(value, str):
            raise ConfigurationError(f"{name} is a list", got=value, allowed=f"{name}=[{value!r}]")
    return Contract(
        str(description), url, app, reset, tuple(overlays), seed, tuple(include), tuple(exclude), tuple(checks),
        tuple(skip), tuple(f"{name}: {value}" for name, value in (headers or {}).items()), tuple(credentials),
        tuple(callers), session_header, seconds, size, seed_number, closed, allow_remote, clean_up,
    )  # fmt: skip

"""How many connections a server holds open, and for how long it waits for one that says nothing."""

from __future__ import annotations

import contextlib

from granian.http import HTTP1Settings

MOST_CONNECTIONS = 10_000
"""So many connections are open at once; further ones wait in the system's queue until others have ended."""

IDLE_SECONDS = 30.0
"""A connection is closed when the next request's headers are not all there after so long, begun or not."""

_OWN_FILES = 64  # what a process has open beside connections


def patience(seconds: float = IDLE_SECONDS) -> HTTP1Settings:
    """The server's settings for waiting so long. They hold from headers to headers: for a body it waits for ever."""
    return HTTP1Settings(header_read_timeout=max(1, round(seconds * 1000)))


def most_connections() -> int:
    """How many connections this process can hold: each is an open file, and some have to be left for all else.

    Granian would go on to accept beyond that and fail; a server that is full lets others wait.
    """
    limit = _file_limit()
    return MOST_CONNECTIONS if limit is None else max(_OWN_FILES, min(MOST_CONNECTIONS, limit - _OWN_FILES))


def allow_connections() -> None:
    """Raises what this process may have open to what ``MOST_CONNECTIONS`` need, as far as the system lets it."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _file_limit() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft

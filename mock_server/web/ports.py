"""TCP ports: a free one, and whether one can be had."""

from __future__ import annotations

import socket

from mock_server.errors import ConfigurationError


def free_port(host: str) -> int:
    """A port on which nothing listens at this moment."""
    holder, port = reserved_port(host)
    holder.close()
    return port


def reserved_port(host: str) -> tuple[socket.socket, int]:
    """A free port, and the socket that keeps others from being given it for as long as it is open.

    It never listens. A server that shares its port (SO_REUSEPORT) may listen there meanwhile.
    """
    holder = _bound(host, 0)
    return holder, holder.getsockname()[1]


def check_port(host: str, port: int) -> None:
    """Raises ``ConfigurationError`` when a server could not listen there.

    The server itself would not notice: it shares a port with whoever shares it too (SO_REUSEPORT).
    """
    _bound(host, port).close()


def _bound(host: str, port: int) -> socket.socket:
    probe = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT can be had
        if port == 0 and hasattr(socket, "SO_REUSEPORT"):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        probe.bind((host, port))
    except (OSError, OverflowError) as error:
        probe.close()
        raise ConfigurationError(
            f"cannot listen on {url_host(host)}:{port}",
            got=getattr(error, "strerror", None) or str(error),
            hint="choose another port, or 0 for any that is free",
        ) from None
    return probe


def url_host(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets (RFC 3986 §3.2.2)."""
    return f"[{host}]" if ":" in host else host

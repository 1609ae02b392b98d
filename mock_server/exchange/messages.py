"""Requests and responses as they are on the wire, without any I/O."""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.openapi.quick import quick

HeaderList = tuple[tuple[str, str], ...]


@quick(frozen=True, slots=True)
class RawRequest:
    """One request to one API. ``path`` is raw (percent-encoded) and begins below the API's mount point.

    ``headers`` has lower-case names; repeated headers are joined by commas. ``url`` is the URL of the mount
    point as the caller knows it, without a trailing slash.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def target(self) -> str:
        """Path and query as they were sent."""
        return f"{self.path}?{self.query}" if self.query else self.path


@quick(frozen=True, slots=True)
class RawResponse:
    """One response. ``delay`` (seconds) and ``reset`` are faults for the server to carry out first."""

    status: int
    headers: HeaderList
    body: bytes
    delay: float = 0.0
    reset: bool = False

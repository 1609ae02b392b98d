"""Idempotency keys: a request that is sent again with its key is answered again, and done once.

The header field and its meaning are those of the IETF's draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

from datetime import timedelta

from mock_server.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How a key is refused that was used for another request; None leaves a part to the description."""

    status: int | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """An API's idempotency keys (``x-mock-idempotency``).

    ``header`` carries the key. ``operations`` are the ids of those that take keys, None for every POST that describes
    the header. Answers are kept for ``expires``; those given again say so in ``replayed_header``, if there is one.
    """

    header: str
    operations: frozenset[str] | None
    expires: timedelta
    mismatch: Mismatch
    replayed_header: str | None

"""Faults on purpose: an operation answers late, with another status, or not at all."""

from __future__ import annotations

from random import Random

from mock_server.dataclass import dataclass
from mock_server.openapi.values import Json

MOST_FAULTS = 1000
"""So many faults the control API sets in one universe: each of them is tried with every request."""


@dataclass(slots=True)
class Fault:
    """A fault for one operation (``*`` for all). ``count`` is how often it still strikes; None for ever.

    ``headers`` are added to the answer of a ``status``. With a ``body`` that is the whole answer, as a gateway in
    between would give it; else the description's own error schema decides what it looks like.
    """

    operation_id: str
    api: str | None = None
    status: int | None = None
    delay: float = 0.0
    reset: bool = False
    probability: float = 1.0
    count: int | None = None
    struck: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None

    def as_json(self) -> dict[str, Json]:
        """The shape in the control API; ``delay`` in seconds."""
        return {
            "operation_id": self.operation_id,
            "api": self.api,
            "status": self.status,
            "delay": self.delay,
            "reset": self.reset,
            "probability": self.probability,
            "count": self.count,
            "struck": self.struck,
            "headers": dict(self.headers),
            "body": self.body,
        }


def strike(faults: list[Fault], api: str, operation_id: str, chance: Random) -> Fault | None:
    """The fault that strikes this call, its count taken down; None when none does."""
    for fault in faults:
        if fault.operation_id not in {"*", operation_id} or fault.api not in {None, api}:
            continue
        if fault.count is not None and fault.count <= 0:
            continue
        if fault.probability < 1.0 and chance.random() >= fault.probability:
            continue
        if fault.count is not None:
            fault.count -= 1
        fault.struck += 1
        return fault
    return None

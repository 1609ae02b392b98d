"""Doors for the tests of clients: into a real double, and one that remembers what came through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

from contracts.testing.clients.door import Door
from mock_server.exchange.faults import Fault
from mock_server.exchange.messages import HeaderList, RawRequest, RawResponse
from mock_server.exchange.universe import Universe
from mock_server.packs import source_of
from mock_server.sandbox import Sandbox

SHOP = Path(__file__).parents[1] / "acceptance" / "descriptions" / "shop.yaml"

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Double:
    """One API in a universe of its own."""

    door: Door
    universe: Universe

    def fail(
        self, operation_id: str, *, status: int | None = None, times: int = 1, delay: float = 0.0, reset: bool = False
    ) -> None:
        """The next calls of an operation go wrong."""
        self.universe.faults.append(Fault(operation_id, status=status, count=times, delay=delay, reset=reset))

    def requests(self) -> list[RawRequest]:
        """What has arrived, oldest first."""
        return [entry.request for entry in self.universe.journal]


@cache
def _sandbox(name: str) -> Sandbox:
    return Sandbox([source_of(name)])


def double(name: str) -> Double:
    """A double of a pack, or of a description by its path, as its seed has it."""
    sandbox = _sandbox(name)
    universe = sandbox.universes.get(f"wire-{next(_numbers)}")
    (served,) = sandbox.apis.values()
    return Double(lambda request: served.line.answer(request, universe), universe)


@dataclass(slots=True)
class Remembering:
    """A door that gives fixed answers one after the other, the last one for ever, and remembers what it was asked."""

    answers: Sequence[RawResponse]
    asked: list[RawRequest] = field(default_factory=list)

    def __call__(self, request: RawRequest) -> RawResponse:
        self.asked.append(request)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def answering(*, status: int = 200, headers: HeaderList = (), body: bytes = b"ok", delay: float = 0.0) -> Remembering:
    """A door with one answer."""
    return Remembering([RawResponse(status, headers, body, delay)])

"""One request on its way down the line: what every stage needs to know of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mock_server.exchange.journal import Trace
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.preferences import NO_PREFERENCES, Preferences
from mock_server.exchange.universe import Universe
from mock_server.model.call import Principal

if TYPE_CHECKING:
    from mock_server.exchange.limiting import Standing


class Turn:
    """A request, the universe it meets, the moment (taken once), and the trace of what is decided.

    ``number`` is that of the exchange in its universe; ``base`` is the part of the path that is the base path of a
    described server; ``principal`` is set once the caller is known, and ``standings`` once the request has been counted
    against the limits of its operation.
    """

    preferences: Preferences = NO_PREFERENCES
    principal: Principal | None = None
    standings: tuple[Standing, ...] = ()

    def __init__(
        self, request: RawRequest, universe: Universe, now: datetime, trace: Trace, number: int, base: str
    ) -> None:
        self.request = request
        self.universe = universe
        self.now = now
        self.trace = trace
        self.number = number
        self.base = base

    @property
    def id(self) -> str:
        """What the journal and error bodies call the exchange."""
        return f"r{self.number}"

    @property
    def accept(self) -> str | None:
        """The request's Accept header."""
        return self.request.headers.get("accept")

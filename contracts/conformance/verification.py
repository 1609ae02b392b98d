"""Verification of requests in their wire form: what a service really receives, not what a generator meant to send.

A string ``"1"`` for an integer in the query, an empty array, a header of spaces: much of what is generated as invalid
is valid once it is sent, and the other way round.
"""

from __future__ import annotations

from contracts.wire import WireRequest, received
from mock_server.dataclass import dataclass
from mock_server.exchange.requests import RequestReader
from mock_server.model.problem import Problem
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation
from mock_server.openapi.templates import Fit


@dataclass(frozen=True, slots=True)
class Verified:
    """What a request is by the description. ``operation_id`` is where it leads, None where to nothing described.

    ``violation`` says what is wrong with it there, "" for a valid request.
    """

    operation_id: str | None
    violation: str = ""

    def is_valid_for(self, operation_id: str) -> bool:
        """Whether it is a valid request of an operation."""
        return self.operation_id == operation_id and not self.violation

    def violates(self, operation_id: str) -> bool:
        """Whether it leads to an operation and breaks its description."""
        return self.operation_id == operation_id and bool(self.violation)


class Verifier:
    """Reads requests of one API as a service that follows the description does. Safe to share between threads."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._readers: dict[str, RequestReader] = {}

    def leads_to(self, request: WireRequest) -> str | None:
        """The operation that method and path of a request lead to."""
        return self._api.match(request.method, request.target.partition("?")[0]).target

    def __call__(self, request: WireRequest) -> Verified:
        match = self._api.match(request.method, request.target.partition("?")[0])
        if match.fit is not Fit.FULL or match.target is None:
            return Verified(None)
        read = self._reader(self._api.operation(match.target)).read(received(request), match.values)
        return Verified(match.target, read.detail if isinstance(read, Problem) else "")

    def _reader(self, operation: Operation) -> RequestReader:
        reader = self._readers.get(operation.id)
        if reader is None:
            reader = self._readers[operation.id] = RequestReader(operation)
        return reader

"""A line put together in process from a description, and requests to send it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mock_server.exchange.authentication import Authenticator, Credential
from mock_server.exchange.line import Line
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.universe import Universe, Universes
from mock_server.model.clock import Clock
from mock_server.model.model import Model
from mock_server.model.state import State
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
URL = "http://double.test"


@dataclass(frozen=True, slots=True)
class Served:
    """A line with one universe."""

    line: Line
    universe: Universe

    def send(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> RawResponse:
        """The answer to one request; ``target`` is the raw path with its query."""
        path, _, query = target.partition("?")
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        return self.line.answer(RawRequest(method, path, query, lowered, body, URL), self.universe)


def served(description: Json | Path, *, credentials: Iterable[Credential] = ()) -> Served:
    """A line for a description, with an empty state and a clock that stands still."""
    documents = Documents.load(description) if isinstance(description, Path) else Documents.from_value(description)
    model = Model(Api(documents, name="tested"), seed=1, epoch=NOW)
    universes = Universes(State(), clock=Clock(NOW.timestamp), seed=1, tables={})
    return Served(Line(model, authenticator=Authenticator(credentials, verifiers={})), universes.default)

"""Lanes: one operation each, with everything about it that can be decided without a request."""

from __future__ import annotations

from functools import cached_property

from mock_server.exchange.express import Express
from mock_server.exchange.rendering import ResponseRenderer
from mock_server.exchange.requests import RequestReader
from mock_server.model.meaning import Meaning
from mock_server.model.model import Model
from mock_server.openapi.description import Operation


class Lane:
    """What the line needs of one operation. Safe to share: making a part of it twice gives equal parts.

    ``renderers`` are those of the statuses answered so far. ``express`` is the short way for plain requests, once
    one of them has gone the long way.
    """

    def __init__(self, model: Model, operation: Operation) -> None:
        self._model = model
        self.operation = operation
        self.reader = RequestReader(operation)
        self.renderers: dict[int, ResponseRenderer] = {}
        self.express: Express | None = None

    @cached_property
    def meaning(self) -> Meaning:
        """What the operation does; a ``DescriptionError`` when its annotation cannot be followed.

        It is asked for when a request has been read and found valid, not before.
        """
        return self._model.meaning(self.operation.id)

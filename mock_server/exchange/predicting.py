"""Predictions: what the model says of a request before anything is done, for those who ask somebody else to do it."""

from __future__ import annotations

from datetime import datetime

from mock_server.dataclass import dataclass
from mock_server.model.call import Call
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.openapi.description import Operation


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a request should come to: an outcome with holes, or a problem; and the status of its answer.

    ``operation`` and ``meaning`` are None where no operation was matched, ``call`` where the request was refused before
    the model was asked. ``now`` is the moment at which the state was looked at.
    """

    result: Outcome | Problem
    status: int
    operation: Operation | None = None
    meaning: Meaning | None = None
    call: Call | None = None
    now: datetime | None = None

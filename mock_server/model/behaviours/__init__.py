"""What operations do: one module per behaviour, each a pure function from world and call to an outcome.

``BEHAVIOURS`` is the registry; an ``x-mock-operation`` annotation names one of its keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mock_server.model.behaviours.acting import act
from mock_server.model.behaviours.creating import create, create_many
from mock_server.model.behaviours.deleting import clear, delete
from mock_server.model.behaviours.delivering import deliver_test
from mock_server.model.behaviours.reading import list_items, read
from mock_server.model.behaviours.sampling import compute, sample
from mock_server.model.behaviours.updating import replace, update
from mock_server.model.call import Call
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.world import World

Behaviour: TypeAlias = Callable[[World, Meaning, Call], Outcome | Problem]

BEHAVIOURS: dict[str, Behaviour] = {
    "act": act,
    "clear": clear,
    "compute": compute,
    "create": create,
    "create-many": create_many,
    "delete": delete,
    "deliver-test": deliver_test,
    "list": list_items,
    "read": read,
    "replace": replace,
    "sample": sample,
    "update": update,
}
"""Behaviours by the names that annotations use."""

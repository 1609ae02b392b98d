"""Computed answers: the one way out of the vocabulary, a Python function that a pack registers under a name.

    @computed("lead-analytics")
    def lead_analytics(world: World, meaning: Meaning, call: Call) -> Outcome | Problem: ...

The function is pure: it reads the world and the call and returns an outcome, whose changes are committed only
after the response has been validated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mock_server.errors import ConfigurationError
from mock_server.model.call import Call
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.world import World

Computation: TypeAlias = Callable[[World, Meaning, Call], Outcome | Problem]

COMPUTED: dict[str, Computation] = {}
"""Registered computations by name."""


def computed(name: str) -> Callable[[Computation], Computation]:
    """Registers a function as the computed answer ``name``; the same name twice is an error unless it is
    reloaded."""

    def register(function: Computation) -> Computation:
        known = COMPUTED.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (
            function.__module__,
            function.__qualname__,
        ):
            raise ConfigurationError(f"a computed answer named {name!r} is registered twice", got=function.__qualname__)
        COMPUTED[name] = function
        return function

    return register

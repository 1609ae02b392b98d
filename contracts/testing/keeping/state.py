"""What a test's double keeps: read and written by resource and key, checked by the API's schemas."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

from contracts.testing.keeping.shelves import Absent, Shelf, as_state_error, pointer_of
from contracts.testing.keeping.stored import Item, Items
from mock_server.errors import FixtureError, Place, StateError
from mock_server.exchange.universe import Universe
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served
from mock_server.web import statewriting
from mock_server.web.addresses import namespace_of

__all__ = ["Absent", "Item", "Items", "State"]

_SHOWN = 10


class State(Mapping[str, Items]):
    """The resources of one test's double by their names: ``state["customers"]["cus_1"]`` (see ``Items``).

    APIs that share their state (``x-mock-namespace``) show the same.
    """

    def __init__(self, sandbox: Sandbox, served: Served, universe: Universe) -> None:
        self._sandbox = sandbox
        self._universe = universe
        self._namespace = namespace_of(sandbox, served)

    def __repr__(self) -> str:
        stored = [(name, number) for name in self if (number := self._stored(name))]
        shown = [f"{name} ({number})" for name, number in stored[:_SHOWN]]
        shown += [f"and {len(stored) - _SHOWN} more"] if len(stored) > _SHOWN else []
        return f"<State of {self._namespace.api}: {', '.join(shown) or 'nothing stored'}>"

    def __getitem__(self, name: str) -> Items:
        __tracebackhide__ = True
        return Items(Shelf.of(self._sandbox, self._universe, self._namespace, name))

    def __iter__(self) -> Iterator[str]:
        models = self._namespace.models
        names = dict.fromkeys(name for model in models for name in model.resource_names())
        return iter([name for name in names if any(model.resource(name) is not None for model in models)])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def as_dict(self) -> dict[str, Json]:
        """All that is stored, by resource, in the shape of a seed's ``resources``."""
        self._sandbox.committing.catch_up(self._universe, self._universe.clock.now())
        return copy.deepcopy(statewriting.read_api(self._namespace, self._universe))

    def load(self, resources: Mapping[str, Json], *, keep_others: bool = False) -> None:
        """Puts resources in place of all that is stored, or of these alone with ``keep_others``.

        They have the shape of a seed's ``resources``, and go in as a seed does: without events and effects, all of them
        or, when one is wrong (``StateError``), none.
        """
        __tracebackhide__ = True
        value = copy.deepcopy(dict(resources))
        self._sandbox.committing.catch_up(self._universe, self._universe.clock.now())
        try:
            statewriting.write_api(self._namespace, self._universe, value, keep=keep_others)
        except (FixtureError, StateError) as error:
            raise as_state_error(error, Place("api.state.load(…)", pointer_of(error))) from None

    def clear(self) -> None:
        """Takes all items of all resources away."""
        self.load({})

    def _stored(self, name: str) -> int:
        state = self._universe.state
        return sum(len(held) for _, held in state.partitions(self._namespace.prefix + name))

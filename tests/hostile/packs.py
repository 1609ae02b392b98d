"""The packs in process, and valid requests to their operations, for others to spoil."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from contracts.callers import seeded_callers
from contracts.drafting import Drafter
from contracts.pool import Pool
from contracts.roster import Roster
from contracts.service import Caller
from mock_server import Options, Sandbox, pack, pack_names
from mock_server.exchange.universe import Universe
from mock_server.sandbox import Served
from mock_server.web.app import app_for
from mock_server.webhooks.options import WebhookOptions
from tests.acceptance.schemathesis_runs import furnish, settings
from tests.hostile.sent import Sent

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

FUZZ = int(os.environ.get("APIDOUBLE_FUZZ", "0"))
"""Sequences of requests for each pack; 0 is a few, to a part of its operations."""

OPERATIONS = 4
"""How many operations of each pack a small run is about."""

NOW = 1_769_904_000.0
SESSION = "attacked"


@dataclass(frozen=True, slots=True)
class Attacked:
    """One API of a sandbox, the application around it, and how requests to it begin (``mount``)."""

    application: WSGIApplication
    sandbox: Sandbox
    served: Served
    operations: tuple[str, ...]
    drafter: Drafter
    furnished: Universe
    mount: str = ""
    _known: dict[tuple[str, int], Sent | None] = field(default_factory=dict)

    @property
    def callers(self) -> Sequence[Caller]:
        return self.drafter.callers

    def begin(self) -> Universe:
        """The universe that requests go to, as it was furnished."""
        universe = self.sandbox.universes.get(SESSION)
        universe.reset()
        universe.snapshots.clear()
        universe.clock = universe.clock.frozen()
        universe.state = self.furnished.state
        return universe

    def valid(self, operation_id: str, number: int) -> Sent | None:
        """A valid request of an operation; None where something must exist for it that does not."""
        key = (operation_id, number)
        if key not in self._known:
            self._known[key] = self._drafted(operation_id, number)
        return self._known[key]

    def _drafted(self, operation_id: str, number: int) -> Sent | None:
        pool = Pool(self.served.model, state=self.furnished.state)
        drafted = self.drafter.draft(operation_id, pool, number)
        if drafted is None:
            return None
        request, caller = drafted.request, drafted.caller
        headers = {"Host": "double.test", "Mock-Session": SESSION, **request.headers}
        target = self.mount + self.served.api.base_paths[0] + request.target
        if caller is not None:
            headers |= caller.headers
            if caller.query:
                joined = "&".join(f"{name}={value}" for name, value in caller.query.items())
                target += ("&" if "?" in target else "?") + joined
        latin = {name: value.encode("utf-8").decode("latin-1") for name, value in headers.items()}
        return Sent(request.method, target, tuple(latin.items()), request.body)


@cache
def attacked(name: str) -> Attacked:
    """A pack, made once; a small run compiles only the operations that it is about."""
    webhooks = WebhookOptions(background=False)
    options = Options(clock=lambda: NOW, limits=False, webhooks=webhooks, sessions=8, journal=50, eager=False)
    sandbox = Sandbox([pack(name)], options=options)
    served = sandbox.api(name)
    known = tuple(served.api.refs)
    step = max(1, len(known) // OPERATIONS)
    operations = known if FUZZ else known[::step][:OPERATIONS]
    callers = seeded_callers(served, now=sandbox.clock.now())
    drafter = Drafter(Roster(served.model, operations=operations), callers)
    furnished = sandbox.universes.get("furnished")
    if FUZZ:
        furnish(served, furnished, settings(name))
    return Attacked(app_for(sandbox).wsgi_app, sandbox, served, operations, drafter, furnished)


def every_pack() -> tuple[str, ...]:
    """The names of the packs."""
    return tuple(pack_names())

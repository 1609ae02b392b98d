"""A shadow of the service: a double that is told what the service granted, to see whether it refuses what that refuses.

Most refusals of valid requests are rules that no schema can say. Those that the double knows (by annotations, or from
what is stored) need no question to the author of the description.
"""

from __future__ import annotations

from itertools import count

from contracts.bench import Bench
from contracts.service import Recorded, presented
from contracts.transports import into_universe

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_NUMBERS = count(1)


class Shadow:
    """What a double makes of the requests of a campaign. Nothing is asked of it before the first refusal."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._name = f"shadow-{next(_NUMBERS)}"
        self._granted: list[Recorded] = []
        self._begun = False

    def follow(self, recorded: Recorded) -> None:
        """Remembers what may have changed something."""
        if recorded.ok and recorded.request.method not in _SAFE:
            self._granted.append(recorded)

    def refuses(self, recorded: Recorded) -> bool:
        """Whether the double refuses a request with the status that it was refused with.

        Where other data may stand against a request, the rules of an annotated operation are taken to say it.
        """
        if not self._bench.closed and not self._bench.served.model.meaning(recorded.operation_id or "").inferred:
            return True
        earlier = [granted for granted in self._granted if granted.number < recorded.number]
        self._granted = self._granted[len(earlier) :]
        for granted in earlier:
            self._status(granted)
        return self._status(recorded) == recorded.status

    def close(self) -> None:
        """Forgets what was told."""
        self._bench.double.universes.drop(self._name)

    def _status(self, recorded: Recorded) -> int:
        bench = self._bench
        universe = bench.double.universes.get(self._name)
        if not self._begun and not bench.closed:
            universe.state = bench.pool.state
        self._begun = True
        request = presented(recorded.request, recorded.caller) if recorded.caller is not None else recorded.request
        line = into_universe(bench.double, bench.served.name, universe)
        return line(request.method, request.target, request.headers, request.body).status

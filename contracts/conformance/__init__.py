"""Conformance: Schemathesis' generators, phases and checks, driven through its public extension points.

Every request goes through the service of the bench, so that it is recorded, judged by the reply checks and paced.
What Schemathesis finds is verified on the wire form of the request before anybody is blamed. The library takes a
second to import, so nothing here imports it before the first task is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from contracts.bench import Bench, Held, Task
from contracts.checks.registry import CHECKS, Family
from contracts.checks.schemathesis import CHECKS_OF_SCHEMATHESIS

_SINGLE = 25
"""Fuzzed requests for each operation, beside examples and coverage."""
_SEQUENCES = 12
"""Sequences of requests along links."""


def tasks(bench: Bench) -> Iterator[Task]:
    """One task for each operation, and one for sequences along links.

    They are made for the reply checks too: Schemathesis' requests are what those judge the replies of.
    """
    named = [name for name in bench.checks if name in CHECKS and CHECKS[name].family is Family.CONFORMANCE]
    if not named:
        return
    theirs = [found.name for found in CHECKS_OF_SCHEMATHESIS.values() if found.name in bench.checks]
    check = theirs[0] if theirs else min(named)
    for operation_id in bench.roster.operations:
        yield Task(Family.CONFORMANCE, f"schemathesis {operation_id}", check, (operation_id,), _single(operation_id))
    yield Task(Family.CONFORMANCE, "schemathesis sequences", check, tuple(bench.roster.operations), _sequences)


def _single(operation_id: str) -> Callable[[Bench], Held]:
    def make(bench: Bench) -> Held:
        from contracts.conformance.campaign import Campaign  # slow to import

        return Campaign(bench).single(operation_id, examples=bench.size(_SINGLE))

    return make


def _sequences(bench: Bench) -> Held:
    from contracts.conformance.campaign import Campaign  # slow to import

    return Campaign(bench).sequences(examples=bench.size(_SEQUENCES))

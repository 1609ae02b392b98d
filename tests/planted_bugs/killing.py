"""One mutant against our checks: the run, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from contracts.callers import seeded_callers
from contracts.checks.registry import all_checks
from contracts.running import MakeService, Plan, Report, run
from contracts.service import Caller, Powers, Recorded, Service, Transport
from contracts.targets import powers_in_process
from contracts.transports import into_universe, into_wsgi
from mock_server.packs import ApiSource, source_of
from mock_server.sandbox import Options, Sandbox, Served
from tests.planted_bugs.bakery import create_app
from tests.planted_bugs.mistakes import MISTAKES
from tests.planted_bugs.mutants import BAKERY, BAKERY_MUTANTS, Mutant
from tests.planted_bugs.pack_mutants import PACK_MUTANTS
from tests.planted_bugs.tampering import tampered

MUTANTS = (*BAKERY_MUTANTS, *PACK_MUTANTS)
_PROVOKED = {
    "www_authenticate": ("credentials_are_needed",),
    "retry_after": ("read_your_write", "list_shows_created"),
    "reply_schema": ("read_your_write", "list_shows_created"),
    "reply_headers": ("read_your_write",),
    "reply_media_type": ("read_your_write", "delete_is_final"),
    "undescribed_status": ("read_your_write",),
    "problem_details": ("delete_is_final",),
    "error_in_success": ("delete_is_final",),
    "allow_header": ("schemathesis_unsupported_method",),
}
"""Checks of replies that come only when others ask for them, with those that do."""
_HERE = Path(__file__).parent / BAKERY


@cache
def source(target: str) -> ApiSource:
    """The files of the bakery, or of a pack."""
    if target == BAKERY:
        return source_of(str(_HERE / "openapi.yaml"), seed=_HERE / "seed.yaml")
    return source_of(target)


@cache
def sandbox(target: str) -> Sandbox:
    """A double of the bakery, for its callers, or the one in which a pack is served."""
    return Sandbox([source(target)], options=Options(limits=False))


def served(target: str) -> Served:
    """The API of a target."""
    return next(iter(sandbox(target).apis.values()))


@cache
def callers(target: str) -> tuple[Caller, ...]:
    """Who calls: the keys of two bakeries, one that may only read and one whose time is over; or a pack's own."""
    return seeded_callers(served(target), now=datetime.now(UTC))


def checks(names: tuple[str, ...]) -> frozenset[str]:
    """The checks of some names; all of them where none is given."""
    return frozenset(names) & all_checks().keys() if names else frozenset(all_checks())


def bakery(mutant: Mutant | None) -> tuple[Transport, Callable[[], None]]:
    """The bakery with a mistake, or the correct one; and how it is reset."""
    app = create_app(mutant.name if mutant is not None else None, limit=mutant.limit if mutant is not None else None)
    return into_wsgi(app), app.extensions["bakery"].reset


def service_of(target: str, mutant: Mutant | None, *, closed: bool = True) -> MakeService:
    """Makes the mistaken service, or the correct one of a target."""
    if target == BAKERY:
        transport, reset = bakery(mutant)

        def make_bakery(_: int, watch: Callable[[Recorded], None]) -> Service:
            return _service(transport, reset if closed else None, watch)

        return make_bakery

    box, api = sandbox(target), served(target)

    def make(number: int, watch: Callable[[Recorded], None]) -> Service:
        universe = box.universes.get(f"{mutant.name if mutant is not None else 'correct'}-{number}")
        universe.reset()
        powers = powers_in_process(box, universe, api.name)
        if mutant is None:
            return _service(into_universe(box, api.name, universe), universe.reset if closed else None, watch, powers)
        wrong = tampered(box, api.api, universe, MISTAKES[mutant.name], callers(target))
        return _service(wrong.transport, wrong.reset if closed else None, watch, powers)

    return make


def _service(
    transport: Transport,
    reset: Callable[[], None] | None,
    watch: Callable[[Recorded], None],
    powers: Powers | None = None,
) -> Service:
    return Service(transport, base_url="http://localhost", reset=reset, watch=watch, wait=lambda _: None, powers=powers)


def service_transport(target: str, mutant: Mutant | None) -> Transport:
    """The way to a target with a mistake, or without one."""
    if target == BAKERY:
        return bakery(mutant)[0]
    box, api = sandbox(target), served(target)
    universe = box.universes.get(f"served-{mutant.name if mutant is not None else 'correct'}")
    if mutant is None:
        return into_universe(box, api.name, universe)
    return tampered(box, api.api, universe, MISTAKES[mutant.name], callers(target)).transport


def hunted(mutant: Mutant, *, seconds: float) -> Report:
    """A run of every check against a mutant, which ends with the first finding that fails it."""
    return _run(mutant, checks(()), None, seconds)


def hunted_small(mutant: Mutant, *, seconds: float) -> Report:
    """The checks that are named for a mutant, one after the other until one finds it; ``seconds`` for each.

    Only the operations that are named for it are called, but in stories, which are about several.
    """
    for name in mutant.checks:
        operations = mutant.operations if name not in {"exchange", "workflow"} else ()
        report = _run(mutant, checks((name, *_PROVOKED.get(name, ()))), operations or None, seconds)
        if not report.holds:
            break
    return report


def _run(mutant: Mutant, made: frozenset[str], operations: tuple[str, ...] | None, seconds: float) -> Report:
    plan = Plan(source(mutant.target), made, operations=operations, closed=True, seconds=seconds, first_only=True)
    return run(plan, service_of(mutant.target, mutant), callers(mutant.target))

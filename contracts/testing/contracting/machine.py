"""A contract as a Hypothesis state machine, for tests of one's own: with one's settings, rules and invariants."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st

from contracts.agreement import AgreementMachine, about, stepping
from contracts.bench import Bench
from contracts.callers import seeded_callers
from contracts.checks.registry import chosen
from contracts.drafting import Wishes
from contracts.findings import Finding
from contracts.hunting import Chase, Hunt
from contracts.running import Plan, bench
from contracts.service import Caller, Recorded, Service
from contracts.targets import powers_in_process
from contracts.testing.contracting.contract import Contract
from contracts.testing.contracting.texts import Telling, findings_text
from contracts.transports import into_universe
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from contracts.testing.api import MockApi

    Checked: TypeAlias = Contract | MockApi

_MACHINES = count(1)


class Violated(AssertionError):
    """The service broke its contract. Its text is that of ``apidouble check``; ``finding`` has the facts."""

    def __init__(self, finding: Finding, telling: Telling) -> None:
        self.finding = finding
        self._telling = telling
        super().__init__(finding.sentence)

    def __str__(self) -> str:
        return f"\n{findings_text([self.finding], self._telling)}"  # only made when it is read: shrinking raises many


@dataclass(slots=True)
class _Witness(Chase):
    """The pursuit of one run: the first finding that fails the service ends it, and Hypothesis does the rest."""

    telling: Telling | None = None

    def go_on(self) -> None:
        """Hypothesis says when it is enough."""

    def meet(self, finding: Finding) -> None:
        """Raises ``Violated`` for what is the service's mistake; questions fail nothing."""
        assert self.telling is not None
        if finding.fails and finding.check in self.hunt.checks:
            raise Violated(finding, self.telling)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the runs of one machine share."""

    bench: Bench
    telling: Telling
    operations: tuple[str, ...]


class ContractMachine(AgreementMachine):
    """One run: sequences of requests, each held against the model's prediction. Made by ``contract_state_machine``.

    ``pool`` has what is known to exist, ``service`` sends requests past the machine.
    """

    _ground: Callable[[], _Ground]

    def __init__(self) -> None:
        ground = type(self)._ground()
        self.bench = ground.bench
        self.chase = _Witness(ground.bench.hunt, math.inf, telling=ground.telling)
        self.asked = {}
        super().__init__()

    @property
    def service(self) -> Service:
        """The service; what is sent straight to it is not compared, and not known to the machine."""
        return self.bench.service

    def call(self, operation_id: str, **wishes: Any) -> Recorded | None:
        """Calls an operation with a valid request, and holds the answer against the model's; the exchange.

        ``wishes`` are values of its parameters by name, and ``body``, ``content_type``, ``item``, ``caller``, ``lean``
        (nothing optional) or ``odd`` (the ends of what schemas admit). None where something must exist for it and
        nothing of its kind is known. Raises ``Violated`` where the answer breaks the contract.
        """
        api = self.bench.served.api
        if operation_id not in api.refs:
            raise ConfigurationError("the description has no such operation", got=operation_id,
                                     hint=did_you_mean(operation_id, api.refs))  # fmt: skip
        self.pool.state = self.oracle.state
        drafter = self.bench.drafter
        draft = drafter.draft(operation_id, self.pool, len(self.talk.recorded), self._wished(operation_id, wishes))
        if draft is None:
            return None
        prediction = self.oracle.predict(draft) if not self.over else None
        recorded = self.talk.send(draft)
        if prediction is not None:
            answered = self.oracle.answered(draft, recorded, prediction)
            if answered is None:
                self.over = True
            else:
                self.judge(answered)
        self.pool.state = self.oracle.state
        return recorded

    def _wished(self, operation_id: str, wishes: Mapping[str, Any]) -> Wishes:
        own = {each.name for each in fields(Wishes)} - {"values"}
        parameters = {each.name: each.location for each in self.bench.served.api.operation(operation_id).parameters}
        for name in wishes:
            if name not in own and name not in parameters:
                raise ConfigurationError(f"{operation_id} takes no such wish", got=name,
                                         allowed=", ".join((*parameters, *sorted(own))),
                                         hint=did_you_mean(name, (*parameters, *own)))  # fmt: skip
        values = {(parameters[name], name): value for name, value in wishes.items() if name in parameters}
        return Wishes(values, **{name: value for name, value in wishes.items() if name not in parameters})


def contract_state_machine(contract: Checked, *, folder: Path | None = None) -> type[ContractMachine]:
    """A state machine that calls the operations of a service in any order; ``.TestCase`` is what pytest collects.

    ``contract`` is one of ``apidouble_contract``, or a ``mock_api``, whose double is then checked in a universe of its
    own. Nothing is sent before the first run. It may be subclassed with rules and invariants that use ``self.call``.
    Files are looked for in ``folder``: that of the module that calls, unless it is given, then the current one.
    """
    beside = sys._getframe(1).f_globals.get("__file__")
    folders = [folder] if folder is not None else [Path(beside).parent] if beside is not None else []

    @cache
    def ground() -> _Ground:
        if isinstance(contract, Contract):
            at, callers = _of_contract(contract, [*folders, Path.cwd()])
        else:
            at, callers = _of_double(contract)
        plan = Plan(at.source, at.checks, seed=at.hunt.seed)
        telling = Telling(plan, callers, at.service.base_url, ("pytest",))
        found = tuple(name for roles in at.roster.resources.values() for name in about(roles, at))
        return _Ground(at, telling, found or tuple(at.roster.operations))

    step = stepping(st.deferred(lambda: st.sampled_from(ground().operations)))
    members = {"_ground": staticmethod(ground), "step": step}
    return type("ContractMachine", (ContractMachine,), members)


def _of_contract(contract: Contract, folders: list[Path]) -> tuple[Bench, tuple[Caller, ...]]:
    from contracts.testing.contracting.runs import Engagement, prepared  # the whole command line comes with it

    engagement = Engagement(prepared(contract, folders))
    engagement.begin()
    return engagement.bench, engagement.who.callers


def _of_double(api: MockApi) -> tuple[Bench, tuple[Caller, ...]]:
    """A double in a universe of its own, so that the test's own requests and state are left alone."""
    sandbox, served = api.sandbox, api.served
    universe = sandbox.universes.get(f"machine-{next(_MACHINES)}")
    callers = seeded_callers(served, now=datetime.fromtimestamp(sandbox.options.clock(), UTC))
    service = Service(into_universe(sandbox, served.name, universe), base_url="http://localhost", reset=universe.reset,
                      powers=powers_in_process(sandbox, universe, served.name))  # fmt: skip
    plan = Plan(served.source, chosen((), ()), closed=True, clock=sandbox.options.clock)
    return bench(plan, service, Hunt(math.inf, plan.checks), callers), callers

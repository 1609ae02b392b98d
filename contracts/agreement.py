"""Agreement: a Hypothesis state machine made of an API, whose every answer is held against the model's.

Each step draws an operation, a request that the model says will be granted (or refused, or one about what is not
there), sends it, compares, and goes on from what the service did. Hypothesis shrinks a failing run to the fewest steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from contracts.agreeing import ANSWER_CHECKS, Deviation
from contracts.bench import Bench, Held, Task
from contracts.checks.registry import Family
from contracts.conversation import Conversation
from contracts.drafting import UNSET, Draft, Drafter, Wishes
from contracts.findings import Finding
from contracts.hunting import Broken, Chase, Inapplicable, hunt_settings, pursue
from contracts.judging import place_of
from contracts.oracle import Answered, Oracle
from contracts.pool import Item, Pool
from contracts.roster import Roles
from contracts.service import Recorded
from contracts.shortening import Choice, shortened
from mock_server.exchange.predicting import Prediction
from mock_server.model.meaning import Resource
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.problem import Kind, Problem

EXAMPLES = 25
STEPS = 14
MOST = 6
"""How many findings one task looks for."""

QUESTION_SECONDS = 3.0
"""How long the way to a question is shortened."""

_CANDIDATES = 6
"""How many drafts are looked at for one that comes to what is wanted."""

_WANTED = ("granted", "granted", "granted", "granted", "refused", "absent", "odd")
_NUMBERS = 4096
_ABSENT_ORDINAL = 900_001


def tasks(bench: Bench) -> Iterator[Task]:
    """One task for each resource: sequences about it, with what it needs and what hangs on it."""
    if not any(name in bench.checks for name in ANSWER_CHECKS):
        return
    for roles in bench.roster.resources.values():
        operations = tuple(about(roles, bench))
        if operations:
            yield Task(Family.AGREEMENT, f"agreement {roles.resource.name}", "model", operations, _make(operations))


def about(roles: Roles, bench: Bench) -> Iterator[str]:
    """The operations of a run about one resource, the ones that matter most several times; simple ones first."""
    own = list(roles.operations())
    yield from dict.fromkeys((*roles.creates, *roles.reads, *roles.lists))
    yield from own * 3
    for needed in neighbours(roles, bench):
        yield from dict.fromkeys((*needed.creates, *needed.creates, *needed.updates, *needed.deletes, *needed.acts))


def neighbours(roles: Roles, bench: Bench) -> list[Roles]:
    """The resources that items of one need: their parents, and what they refer to."""
    found = {
        needed.resource.qualified: needed
        for operation_id in roles.operations()
        for needed in bench.roster.needs(operation_id)
    }
    return [needed for name, needed in found.items() if name != roles.resource.qualified]


def _make(operations: tuple[str, ...]) -> Callable[[Bench], Held]:
    def make(bench: Bench) -> Held:
        return check_agreement(bench, operations)

    return make


def check_agreement(bench: Bench, operations: tuple[str, ...]) -> Held:
    """Runs sequences of some operations until nothing new is found."""
    until = bench.until()
    total, asked = Held(), dict[str, tuple[Choice, ...]]()
    for number in range(MOST):

        def drive(chase: Chase, number: int = number) -> None:
            machine = machine_of(bench, operations, chase, asked)
            settings = hunt_settings(bench.size(EXAMPLES), steps=STEPS, shrink=False)
            try:
                run_state_machine_as_test(seed(bench.hunt.seed + number)(machine), settings=settings)
            except Broken:
                shorten(machine, chase)
                raise

        chase = pursue(bench.hunt, drive, until=until)
        total = Held(total.attempts + chase.attempts, total.fruitless + chase.fruitless, chase.why or total.why)
        if chase.best is None or bench.hunt.left == 0:
            break
    for fingerprint, steps in asked.items():
        seek(bench, operations, fingerprint, steps)
    return total


def seek(bench: Bench, operations: tuple[str, ...], fingerprint: str, steps: tuple[Choice, ...]) -> None:
    """Shortens the run that led to a question, and keeps the shortest."""

    def drive(chase: Chase) -> None:
        chase.seeking, chase.trail = fingerprint, steps
        shorten(machine_of(bench, operations, chase, {}), chase)

    if not bench.hunt.first_only:
        pursue(bench.hunt, drive, until=time.monotonic() + QUESTION_SECONDS)


def machine_of(
    bench: Bench, operations: tuple[str, ...], chase: Chase, asked: dict[str, tuple[Choice, ...]]
) -> type[AgreementMachine]:
    """A state machine that calls some operations of a service. ``asked`` gets the steps that led to each question."""
    members = {"bench": bench, "chase": chase, "asked": asked, "step": stepping(st.sampled_from(operations))}
    return type("Agreement", (AgreementMachine,), members)


def stepping(operations: st.SearchStrategy[str]) -> Any:
    """The rule of a machine's next step, which is told by three small choices."""
    chosen = rule(operation_id=operations, wanted=st.sampled_from(_WANTED), number=st.integers(0, _NUMBERS - 1))
    return chosen(AgreementMachine.perform)


def shorten(machine: type[AgreementMachine], chase: Chase) -> None:
    """Plays fewer and fewer of the steps of the run that met the finding; ``chase`` keeps the shortest."""

    def shows(steps: Sequence[Choice]) -> bool:
        run = machine()
        try:
            for choice in steps:
                run.perform(choice.operation_id, choice.wanted, choice.number)
        except Broken:
            return True
        finally:
            run.teardown()
        return False

    if chase.hunt.first_only:
        return
    if chase.best is not None or shows(chase.trail):
        shortened(chase.trail, shows)


class AgreementMachine(RuleBasedStateMachine):
    """One run: the service, and the oracle beside it. ``bench``, ``chase`` and the rule come from a subclass."""

    bench: Bench
    chase: Chase
    asked: dict[str, tuple[Choice, ...]]

    def __init__(self) -> None:
        super().__init__()
        bench = self.bench
        bench.service.reset()
        seeded = bool(bench.served.seed.credentials) and any(caller.headers for caller in bench.callers)
        self.pool = bench.known()
        asks = seeded and bench.closed
        self.oracle = Oracle(bench.double, bench.served, self.pool.state, closed=bench.closed, asks=asks)
        if bench.service.powers is not None and bench.closed:
            bench.service.powers.freeze()
            self.oracle.freeze()
        self.talk = Conversation(bench.service, self.pool, bench.judges, self.chase)
        self.over = False
        self.chase.attempts += 1
        self.granted = 0
        self.made: list[Choice] = []
        chase = self.chase
        chase.trail = self.made if chase.best is None else chase.trail

    def perform(self, operation_id: str, wanted: str, number: int) -> None:
        """One request: of an operation, granted or refused or about what is not there, decided by a number."""
        if self.over:
            return
        self.chase.go_on()
        self.made.append(Choice(operation_id, wanted, number))
        found = self.choose(self.first(operation_id, own=wanted != "absent"), wanted, number)
        if found is None:
            return
        draft, prediction = found
        try:
            recorded = self.talk.send(draft)
        except Inapplicable as reason:
            self.chase.why, self.over = str(reason), True
            return
        answered = self.oracle.answered(draft, recorded, prediction)
        if answered is None:
            self.over = True
        else:
            self.judge(answered)

    def teardown(self) -> None:
        """The attempt is over."""
        self.oracle.close()
        self.chase.fruitless += not self.granted

    def first(self, operation_id: str, *, own: bool = True, depth: int = 4) -> str:
        """What to call first: the operation itself, or one that makes what it needs and what is not there."""
        for needed in self.bench.roster.needs(operation_id) if depth else ():
            if needed.creates and not self.pool.items(needed.resource):
                return self.first(needed.creates[0], depth=depth - 1)
        roles = self.bench.roster.of(operation_id)
        key = self.bench.roster.meaning(operation_id).key_parameter
        if roles is None or key is None or not roles.creates or operation_id in roles.creates or not depth or not own:
            return operation_id
        if self.pool.items(roles.resource) or roles.resource.open_world:
            return operation_id
        return self.first(roles.creates[0], depth=depth - 1)

    def choose(self, operation_id: str, wanted: str, number: int) -> tuple[Draft, Prediction] | None:
        """The first of some drafts that should come to what is wanted, else the last; None where there is none."""
        found: tuple[Draft, Prediction] | None = None
        self.pool.state = self.oracle.state
        drafter = self.bench.drafter
        for candidate in range(_CANDIDATES):
            wishes = Wishes(lean=(number + candidate) % 3 == 0, odd=wanted == "odd")
            if wanted == "absent":
                named = absent(drafter, operation_id, self.pool, number + candidate)
                wanted = "granted" if named is None else wanted
                wishes = replace(wishes, item=named, caller=self.stranger(operation_id, named)) if named else wishes
            draft = drafter.draft(operation_id, self.pool, number * _CANDIDATES + candidate, wishes)
            if draft is None:
                return found
            prediction = self.oracle.predict(draft)
            if prediction is None:
                continue
            found = draft, prediction
            if fits(wanted, found[1]):
                break
        return found if found is not None and not hopeless(found[1]) else None

    def stranger(self, operation_id: str, item: Item) -> Any:
        """Who asks for what is not there for him: of an item that exists, a caller of another tenant."""
        if item.value is None:
            return UNSET
        callers = self.bench.drafter.callers_of(self.bench.served.api.operation(operation_id))
        return next((caller for caller in callers if caller.tenant not in {None, item.tenant}), UNSET)

    def judge(self, answered: Answered) -> None:
        """Meets what deviates; then goes on from what the service did."""
        bench, recorded = self.bench, answered.recorded
        self.granted += recorded.ok
        if answered.prediction.meaning is None:
            return
        for name, judged in ANSWER_CHECKS.items():
            if name in bench.checks:
                for deviation in judged(answered, self.oracle):
                    self.tell(deviation, recorded)
        granted = isinstance(answered.prediction.result, Outcome) and answered.refused is None
        if recorded.status >= 500 or (recorded.ok and not granted):
            self.over = True  # nothing is known of the state any more
            return
        self.learn(answered)

    def tell(self, deviation: Deviation, recorded: Recorded) -> None:
        """Meets a finding about the last exchange."""
        api = self.bench.served.api
        operation = api.operation(recorded.operation_id or "")
        finding = Finding(
            deviation.check.name,
            deviation.side,
            deviation.sentence,
            operation.id,
            tuple(self.talk.recorded),
            deviation.differences,
            place_of(api, operation.located),
            remedy=deviation.remedy,
            seed=self.bench.hunt.seed,
            notes=deviation.notes,
        )
        if not finding.fails:
            self.asked.setdefault(finding.fingerprint, tuple(self.made))
        self.chase.meet(finding)

    def learn(self, answered: Answered) -> None:
        """Takes what the reply showed as what is so from now on."""
        meaning, shown = answered.meaning, answered.shown
        resource = meaning.resource
        if resource is None or not answered.recorded.ok or meaning.behaviour in {"sample", "compute"}:
            return
        if isinstance(shown, dict) and meaning.body is None:
            place = answered.written[0].place if answered.written else answered.item[0] if answered.item else None
            if place is not None and meaning.behaviour != "delete":
                self.oracle.adopt(place, _own(resource, shown))
        elif isinstance(shown, list) and answered.selected is not None and resource.key is not None:
            for item in shown:
                if isinstance(item, dict) and item.get(resource.key) is not None:
                    key = key_text(item[resource.key])
                    known = key in answered.selected.entries
                    if known or not self.oracle.closed:
                        self.oracle.adopt((answered.selected.partition, key), _own(resource, item))


def _own(resource: Resource, shown: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a shown item that are its own."""
    return {name: value for name, value in shown.items() if name in resource.anatomy.members}


def fits(wanted: str, prediction: Prediction) -> bool:
    """Whether a request should come to what is wanted."""
    granted = isinstance(prediction.result, Outcome)
    if wanted == "refused":
        return not granted
    return True if wanted == "absent" else granted


def hopeless(prediction: Prediction) -> bool:
    """Whether sending a request tells nothing: it is valid by its schemas, and yet the model cannot read it."""
    result = prediction.result
    if not isinstance(result, Problem):
        return False
    unread = result.kind in {Kind.INVALID, Kind.MISSING} and prediction.call is None
    return unread or result.kind in {Kind.MALFORMED, Kind.DESCRIPTION, Kind.NO_ROUTE}


def absent(drafter: Drafter, operation_id: str, pool: Pool, number: int) -> Item | None:
    """An item that is not there: one that was deleted, or one that never was. None where an operation names no item."""
    meaning = drafter.roster.meaning(operation_id)
    resource = meaning.resource
    if resource is None or meaning.key_parameter is None or resource.singleton or resource.open_world:
        return None
    gone = pool.gone(resource)
    if gone and number % 2:
        return gone[number % len(gone)]
    known = pool.items(resource)
    if known and resource.tenancy is not None and number % 3 == 0:
        return known[number % len(known)]  # somebody else's, for a caller of another tenant
    scope = known[number % len(known)].scope if known else ()
    if not known and (resource.parents or resource.tenancy is not None):
        return None
    mint = drafter.model.resource_facts(resource).mint
    made = mint.strike(_ABSENT_ORDINAL + number, seed=drafter.model.seed, now=drafter.model.epoch)
    key = key_text(made)
    return Item(resource, scope, key, None) if all(item.key != key for item in known) else None

"""A run: tasks of every family on one service, by one or several workers, until all are made or time is up."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from contracts.bench import Bench, Held, Task
from contracts.checks.registry import Family, all_checks
from contracts.discovery import discover
from contracts.drafting import Drafter
from contracts.findings import Finding
from contracts.hunting import Hunt
from contracts.judging import Judges
from contracts.pool import Pool
from contracts.roster import Roster
from contracts.service import Caller, Recorded, Reply, Service
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, DescriptionError
from mock_server.packs import ApiSource
from mock_server.sandbox import Options, Sandbox

if TYPE_CHECKING:
    from contracts.judge import Judge

_FAMILIES = {
    Family.AGREEMENT: "contracts.agreement",
    Family.RELATION: "contracts.relations",
    Family.WORKFLOW: "contracts.stories",
    Family.EXCHANGE: "contracts.stories",
    Family.WEBHOOK: "contracts.receiving",
    Family.CONFORMANCE: "contracts.conformance",
}
"""The module of each family; its ``tasks(bench)`` gives the family's tasks."""

_TURNS = {
    "contracts.agreement": 2,
    "contracts.relations": 6,
    "contracts.stories": 3,
    "contracts.receiving": 1,
    "contracts.conformance": 1,
}
"""How many tasks of each come at a time: a relation takes a tenth of a second, a campaign of Schemathesis some."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be checked, and how.

    ``source`` says where the API's files are. ``operations`` are the ids that may be called, None for all. ``closed``:
    the service holds exactly the seed (or nothing, without one) whenever an attempt begins. ``seconds`` is for the
    whole run. ``clock`` is the oracle's, in epoch seconds, the service's own where that stands still. With
    ``first_only`` the run ends with the first finding that fails it.
    """

    source: ApiSource
    checks: frozenset[str]
    operations: tuple[str, ...] | None = None
    closed: bool = False
    seconds: float = 60.0
    seed: int = 0
    scale: float = 1.0
    clock: Callable[[], float] = time.time
    task_seconds: float = 20.0
    first_only: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """A task that was made: how it went, and how long it took in seconds. ``error`` is why it could not be made."""

    task: Task
    held: Held | None
    elapsed: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Told while a run goes on: a task that ended, or a finding that was met."""

    done: Done | None = None
    finding: Finding | None = None
    tasks: int = 0
    made: int = 0
    exchanges: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run. ``left`` are the tasks for which there was no time."""

    plan: Plan
    findings: tuple[Finding, ...]
    done: tuple[Done, ...]
    left: tuple[Task, ...]
    exchanges: int
    elapsed: float
    began: datetime
    base_url: str = ""
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing was found that fails a run."""
        return not any(finding.fails for finding in self.findings)


@dataclass(slots=True)
class Counter:
    """Counts the exchanges of a run, and hands each on."""

    watch: Callable[[Recorded], None] = lambda _: None
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, recorded: Recorded) -> None:
        with self.lock:
            self.count += 1
        self.watch(recorded)


MakeService = Callable[[int, Callable[[Recorded], None]], Service]
"""Makes the service of a worker, by its number, with the watch that is told of every exchange."""


def run(
    plan: Plan,
    make_service: MakeService,
    callers: Sequence[Caller],
    *,
    workers: int = 1,
    watch: Callable[[Recorded], None] = lambda _: None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Makes every task of a plan. ``Unreachable`` when the service gives no answer at all."""
    began, clock = datetime.now(UTC), time.monotonic()
    all_checks()
    counter = Counter(watch)

    def met(finding: Finding) -> None:
        tell(Progress(finding=finding, exchanges=counter.count))

    hunt = Hunt(clock + plan.seconds, plan.checks, plan.seed, plan.first_only, met)
    benches = [bench(plan, make_service(number, counter), hunt, callers) for number in range(max(1, workers))]
    waiting: SimpleQueue[Task] = SimpleQueue()
    planned = tuple(tasks(benches[0]))
    for at in benches:
        at.waiting = waiting.qsize
    for task in planned:
        waiting.put(task)
    done: list[Done] = []
    lock = threading.Lock()

    def work(at: Bench) -> None:
        while hunt.left > 0:
            try:
                task = waiting.get_nowait()
            except Empty:
                return
            ended = make(task, at)
            with lock:
                done.append(ended)
                made = len(done)
            tell(Progress(done=ended, tasks=len(planned), made=made, exchanges=counter.count))

    if len(benches) == 1:
        work(benches[0])
    else:
        with ThreadPoolExecutor(len(benches)) as pool:
            list(pool.map(work, benches))
    named = {ended.task.name for ended in done}
    left = tuple(task for task in planned if task.name not in named)
    notes = tuple(dict.fromkeys(note for at in benches for note in at.notes.values()))
    found = without_answered(hunt.found.values())
    return Report(plan, found, tuple(done), left, counter.count, time.monotonic() - clock, began,
                  benches[0].service.base_url, notes)  # fmt: skip


def without_answered(found: Collection[Finding]) -> tuple[Finding, ...]:
    """The findings without the questions that a failing finding of the same check and operation answers."""
    failing = {(finding.check, finding.operation_id) for finding in found if finding.fails}
    return tuple(each for each in found if each.fails or (each.check, each.operation_id) not in failing)


def make(task: Task, at: Bench) -> Done:
    """Makes one task; what goes wrong with it is told in what it came to."""
    begun = time.monotonic()
    try:
        held = task.make(at)
    except ApidoubleError as error:
        return Done(task, None, time.monotonic() - begun, str(error))
    except Exception as error:  # one check that breaks must not take the findings of the others with it
        frame = traceback.extract_tb(error.__traceback__)[-1]
        told = f"a mistake of this check: {type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"
        return Done(task, None, time.monotonic() - begun, told)
    return Done(task, held, time.monotonic() - begun)


def tasks(at: Bench) -> Iterator[Task]:
    """Every task of a bench. The families take turns, so that each has its part of a short run."""
    wanted = {found.family for name, found in all_checks().items() if name in at.checks}
    modules = dict.fromkeys(module for family, module in _FAMILIES.items() if family in wanted)
    waiting = {module: import_module(module).tasks(at) for module in modules}
    while waiting:
        for module in tuple(waiting):
            turn = tuple(islice(waiting[module], _TURNS[module]))
            yield from turn
            if not turn:
                del waiting[module]


def bench(plan: Plan, service: Service, hunt: Hunt, callers: Sequence[Caller]) -> Bench:
    """What a worker needs: the oracle, the structure of the API, what the service is known to have."""
    found = _equipped(plan, service, hunt, callers, judge_of(plan.source))
    if plan.closed:
        service.reset()
    else:
        found.pool = discover(service, found.drafter)
    return found


def foreseen(plan: Plan, callers: Sequence[Caller]) -> tuple[Task, ...]:
    """Every task of a plan, as far as the description tells: nothing is sent, and nobody is asked to judge."""

    def silent(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return Reply(404, (), b"")

    all_checks()
    service = Service(silent, base_url="http://localhost", reset=(lambda: None) if plan.closed else None)
    hunt = Hunt(time.monotonic(), plan.checks, plan.seed)
    return tuple(tasks(_equipped(plan, service, hunt, callers, None)))


def _equipped(plan: Plan, service: Service, hunt: Hunt, callers: Sequence[Caller], judge: Judge | None) -> Bench:
    """A bench that knows what the description and the seed say; nothing is sent."""
    double = Sandbox([plan.source], options=Options(limits=False, clock=plan.clock, journal=1))
    served = next(iter(double.apis.values()))
    roster = Roster(served.model, operations=plan.operations)
    judges = Judges(served.api, judge=judge, checks=plan.checks)
    pool = Pool(served.model, state=double.universes.default.state) if plan.closed else Pool(served.model)
    return Bench(hunt, service, double, served, roster, Drafter(roster, callers), pool, judges, tuple(callers),
                 plan.source, plan.closed, plan.scale, plan.task_seconds)  # fmt: skip


def judge_of(source: ApiSource) -> Judge | None:
    """The independent judge of a description, None for one that openapi-core cannot read."""
    from contracts.judge import Judge  # takes seconds to import

    try:
        return Judge(source.description.resolve(), outside=source.allow_outside)
    except DescriptionError:
        return None

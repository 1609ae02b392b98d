"""What ``apidouble check`` does: looks at the service, makes the run, cleans up, reports, and says how it ended."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import field, replace
from datetime import UTC, date, datetime
from typing import Any

from contracts.baseline import Baseline, Verdict, read_baseline, write_baseline
from contracts.checks.registry import chosen
from contracts.cleaning import Cleaned, Cleaner
from contracts.commands import reporting
from contracts.commands.asked import Asked
from contracts.commands.controlling import powers_of
from contracts.commands.identifying import Identified, identified
from contracts.commands.previewing import listed, warning
from contracts.commands.reaching import Reach, checked_url, is_local, probe, tls_of
from contracts.coverage import Coverage
from contracts.drafting import Drafter
from contracts.findings import Finding
from contracts.hunting import Hunt
from contracts.options import operations_of, seconds_of
from contracts.outcomes import Outcome, standing, unanswered
from contracts.reports.colour import coloured
from contracts.reports.live import live
from contracts.reports.material import material
from contracts.reports.secrets import Secrets
from contracts.reports.terminal import terminal
from contracts.resetting import Reset, is_url, resetting
from contracts.roster import Roster
from contracts.running import Counter, Done, Plan, Progress, Report, bench, run, tasks
from contracts.service import Powers, Recorded, Reply, Service, Unreachable
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, visible
from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox, Served

HOLDS, FINDINGS, UNUSABLE, STOPPED = 0, 1, 3, 130
"""Exit codes; 2 (wrong usage, or a description that cannot be used) is for whoever runs the command."""


def checked(asked: Asked, environ: Mapping[str, str]) -> int:
    """Makes the run that is asked for; the exit code."""
    run_of = Preparation.of(asked)
    if asked.dry_run:
        return _dry_run(asked, run_of)
    assert asked.target is not None
    checked_url(asked.target.url, allow_remote=asked.target.allow_remote)
    reporting.checked_paths(asked.wanted)
    who = identified(asked.identity, run_of.served, environ, local=is_local(asked.target.url),
                     tls=tls_of(asked.target), timeout=asked.target.timeout)  # fmt: skip
    reach = Reach(asked.target, common=who.common or {}, tokens=who.tokens)
    try:
        return Checking(asked, run_of, who, reach, environ).made()
    except Unreachable as error:
        reporting.say(f"error: {error}")
        return UNUSABLE


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is known before anything is sent. ``excluded`` are the operations that must never be called."""

    plan: Plan
    served: Served
    roster: Roster
    excluded: frozenset[str]

    @classmethod
    def of(cls, asked: Asked) -> Preparation:
        """What a call asks for; errors of usage and of the description come from here."""
        choice = asked.choice
        source = source_of(asked.description, overlays=asked.overlays, seed=asked.seed)
        served = next(iter(Sandbox([source], options=Options(eager=False)).apis.values()))
        operations = operations_of(served.api, choice.included, choice.excluded)
        closed = asked.reset is not None if asked.closed is None else asked.closed
        if closed and asked.reset is None and not asked.dry_run:
            raise ConfigurationError("a closed world needs something that resets the service", got="--closed alone",
                                     hint="add --reset URL, a command, or module:function")  # fmt: skip
        plan = Plan(source, chosen(choice.checks, choice.skipped), operations, closed, seconds_of(choice.max_time),
                    choice.seed_number, choice.size)  # fmt: skip
        left = operations_of(served.api, (), choice.excluded)
        excluded = frozenset(served.api.refs) - frozenset(left if left is not None else served.api.refs)
        return cls(plan, served, Roster(served.model, operations=operations), excluded)


def _dry_run(asked: Asked, prepared: Preparation) -> int:
    """Lists what a run would do. Nothing is sent: the service that is asked answers nothing."""

    def silent(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return Reply(404, (), b"")

    plan = prepared.plan
    service = Service(silent, base_url="", reset=(lambda: None) if plan.closed else None)
    hunt = Hunt(time.monotonic() + plan.seconds, plan.checks, plan.seed)
    local = asked.target is None or is_local(asked.target.url)
    who = identified(replace(asked.identity, headers=(), environment=(), callers=(), token_url=None, client_id=None,
                             secret_variable=None), prepared.served, {}, local=local)  # fmt: skip
    for line in listed(tasks(bench(plan, service, hunt, who.callers))):
        print(visible(line))  # noqa: T201
    url = asked.target.url if asked.target is not None else "the service"
    for line in warning(prepared.roster, url, closed=plan.closed, clean_up=asked.clean_up):
        print(visible(line))  # noqa: T201
    return HOLDS


@dataclass(slots=True)
class Follower:
    """Follows a run, so that what was found is known even when it does not come to its end."""

    reachable: Callable[[], None]
    forward: Callable[[Progress], None] = lambda _: None
    done: list[Done] = field(default_factory=list)
    findings: dict[str, Finding] = field(default_factory=dict)

    def __call__(self, progress: Progress) -> None:
        if progress.finding is not None:
            self.findings[progress.finding.fingerprint] = progress.finding
        if progress.done is not None:
            self.done.append(progress.done)
        self.forward(progress)
        if progress.done is not None and progress.done.error:
            self.reachable()  # one request without an answer is a matter of that task; a dead service ends the run


class Checking:
    """One run on one service, from the first look at it to the exit code."""

    def __init__(
        self, asked: Asked, prepared: Preparation, who: Identified, reach: Reach, environ: Mapping[str, str]
    ) -> None:
        self.asked = asked
        self.plan = prepared.plan
        self.prepared = prepared
        self.who = who
        self.reach = reach
        self.environ = environ
        self.quiet = asked.wanted.quiet
        self.coverage = Coverage(prepared.served.model, operations=prepared.roster.operations)
        self._counter = Counter(self.coverage.watch)
        self.workers = self._workers()
        self._drafter = Drafter(prepared.roster, who.callers)
        self._cleaners: dict[int, Cleaner] = {}
        self._unresettable: Unreachable | None = None
        self._resets = self._made_resets()
        self._powers: dict[int, Powers | None] = {}
        self._stopped = ""
        self._stream: Any = reporting.Guarded(sys.stdout, who.secrets)
        self._errors: Any = reporting.Guarded(sys.stderr, who.secrets)

    def made(self) -> int:
        """Makes the run; the exit code. ``Unreachable`` when it cannot even begin."""
        baseline = self._baseline()
        word = probe(self.reach, self._drafter, identified=self.asked.identity.given)
        for reset in self._resets.values():
            reset()
        for line in filter(None, (word, self.who.word)):
            self.say(line)
        self._powers = self._found_powers()
        for line in self._told_before():
            self.say(line)
        for line in warning(self.prepared.roster, self.reach.base_url, closed=self.plan.closed,
                            clean_up=self.asked.clean_up):  # fmt: skip
            self.say(f"  {line}")
        report, code = self._run()
        cleaned = self._cleaned_up(reachable=code != UNUSABLE)
        report = self._told(report, cleaned)
        if baseline is not None:
            report = self._judged(report, baseline, whole=code == HOLDS)
        self._written(report)
        return code or self._verdict(report) or self._answered(report)

    def _told_before(self) -> Iterator[str]:
        """What is checked, and how, for the person who waits."""
        plan, api = self.plan, self.prepared.served.api
        yield f"checking {api.title} {api.version} at {self.reach.base_url} for at most {plan.seconds:g} seconds"
        world = "closed: it holds nothing but the seed" if plan.closed else "open: other data may be there"
        known = "; it is a sandbox, whose clock and state can be set" if any(self._powers.values()) else ""
        operations = len(self.prepared.roster.operations)
        yield f"  {_count(operations, 'operation')}, {_count(len(plan.checks), 'check')}, {world}{known}"

    def say(self, text: str) -> None:
        """A line for the person who waits."""
        reporting.say(text, quiet=self.quiet)

    # Before

    def _workers(self) -> int:
        """How many workers there can be: in a closed world one for each state that can be reset."""
        wanted = self.asked.choice.workers
        target = self.asked.target
        if wanted > 1 and self.plan.closed and target is not None and target.session_header is None:
            self.say("one worker only: in a closed world each needs a state of its own, by --session-header (an "
                     "apidouble sandbox has Mock-Session)")  # fmt: skip
            return 1
        return wanted

    def _made_resets(self) -> dict[int, Reset]:
        """What resets the state of each worker; nothing without ``--reset``."""
        asked = self.asked
        if asked.reset is None or asked.target is None:
            return {}
        if is_url(asked.reset):
            checked_url(asked.reset, allow_remote=asked.target.allow_remote, option="--reset")
        tls = tls_of(asked.target)
        return {number: self._remembering(resetting(asked.reset, headers=self.reach.session(number), tls=tls))
                for number in range(self.workers)}  # fmt: skip

    def _remembering(self, reset: Reset) -> Reset:
        """A reset whose failure ends the run: what comes after it would be told of a state that nobody knows."""

        def tried() -> None:
            try:
                reset()
            except Unreachable as error:
                self._unresettable = error
                raise

        return tried

    def _found_powers(self) -> dict[int, Powers | None]:
        """What each worker can do to the service past its API: nothing, unless it is a sandbox that may be reset."""
        if not self.plan.closed:
            return {}
        title = self.prepared.served.api.title
        return {number: powers_of(self.reach.base_url, title, self.reach.session(number)) for number in self._resets}

    def _baseline(self) -> Baseline | None:
        wanted = self.asked.wanted
        if wanted.baseline is None:
            return None
        if wanted.update_baseline and not wanted.baseline.exists():
            return Baseline({})
        return read_baseline(wanted.baseline)

    # The run

    def _run(self) -> tuple[Report, int]:
        """The report, and the exit code where the run ended early (else 0)."""
        began = datetime.now(UTC)
        follower = Follower(self._reachable)
        try:
            with _stopping(self.reach.stop), self._progress() as follower.forward:
                report = run(self.plan, self._service, self.who.callers, workers=self.workers,
                             watch=self._counter, tell=follower)  # fmt: skip
        except KeyboardInterrupt:
            return self._cut_short(follower, began, "it was stopped by Ctrl-C"), STOPPED
        except Unreachable as error:
            return self._cut_short(follower, began, error.problem, note=" ".join(str(error).split())), UNUSABLE
        finally:
            stopped = self.reach.stop.is_set()
            self.reach.stop.clear()
        if stopped:
            self._stopped = "it was stopped by Ctrl-C"
        return report, STOPPED if stopped else HOLDS

    def _cut_short(self, follower: Follower, began: datetime, why: str, *, note: str = "") -> Report:
        """What there is to say of a run that ended early."""
        self._stopped = why
        elapsed = (datetime.now(UTC) - began).total_seconds()
        return Report(self.plan, tuple(follower.findings.values()), tuple(follower.done), (), self._counter.count,
                      elapsed, began, self.reach.base_url, (note,) if note else ())  # fmt: skip

    def _progress(self) -> AbstractContextManager[Callable[[Progress], None]]:
        """What is told while the run goes on."""
        return (
            nullcontext(lambda _: None)
            if self.quiet
            else live(self._errors, Secrets(self.who.callers), seconds=self.plan.seconds)
        )

    def _service(self, number: int, watch: Callable[[Recorded], None]) -> Service:
        cleaner = self._cleaners[number] = Cleaner(self._drafter, excluded=self.prepared.excluded)
        keeps = not self.plan.closed and self.asked.clean_up

        def told(recorded: Recorded) -> None:
            watch(recorded)
            if keeps:
                cleaner.watch(recorded)

        reset = self._resets.get(number) if self.plan.closed else None
        return self.reach.service(number, watch=told, reset=reset, powers=self._powers.get(number))

    def _reachable(self) -> None:
        """``Unreachable`` when the service gives no answer any more, or cannot be reset."""
        if self._unresettable is not None:
            raise self._unresettable
        self.reach.transport()("GET", "/", {}, b"")

    # After

    def _cleaned_up(self, *, reachable: bool) -> Cleaned:
        """Deletes what was made, or resets the service."""
        together = Cleaned(0, ())
        if not reachable:
            made = [item for cleaner in self._cleaners.values() for item in cleaner.made()]
            return replace(together, unknown={"items": len(made)} if made else {})
        try:
            with _stopping(self.reach.stop):
                for reset in self._resets.values():
                    reset()
                for number, cleaner in self._cleaners.items() if not self._resets else ():
                    found = cleaner.clean(self.reach.service(number, watch=lambda _: None))
                    together = Cleaned(together.removed + found.removed, (*together.left, *found.left),
                                       {**together.unknown, **found.unknown})  # fmt: skip
        except (KeyboardInterrupt, Unreachable) as error:
            self.say(f"cleaning up was cut short: {error or 'Ctrl-C'}")
        return together

    def _told(self, report: Report, cleaned: Cleaned) -> Report:
        """The report with what is to be said of cleaning up."""
        if cleaned.removed:
            self.say(f"cleaned up: {cleaned.removed} created items deleted")
        notes = list(report.notes)
        if (silent := unanswered(report)) and not self._stopped:
            notes.append(f"{len(silent)} tasks could not be made: {silent[0].error}")
        notes += [f"created items could not be deleted: {told}" for told in cleaned.told()]
        for name, number in cleaned.unknown.items():
            notes.append(f"{number} creates of {name} did not show what they made, which is still there")
        return replace(report, notes=tuple(notes))

    def _judged(self, report: Report, baseline: Baseline, *, whole: bool) -> Report:
        """The report as the baseline sees it; writes the baseline anew where that is asked for."""
        wanted = self.asked.wanted
        verdict = baseline.judged(report.findings, today=date.today())
        gone = [entry for entry in verdict.stale if whole and not report.left and entry.check in self.plan.checks
                and entry.operation in {"", *self.prepared.roster.operations}]  # fmt: skip
        notes = [f"the baseline's {entry} has expired on {entry.expires}" for entry in verdict.expired]
        if wanted.update_baseline and wanted.baseline is not None:
            taken = [finding for finding in report.findings if finding.fails or wanted.strict]
            updated = baseline.updated(taken, gone=gone)
            write_baseline(updated, wanted.baseline)
            added = len(updated.entries.keys() - baseline.entries.keys())
            self.say(f"{wanted.baseline}: {added} added, {len(gone)} dropped; write a reason beside each")
            verdict = updated.judged(report.findings, today=date.today())
        else:
            notes += [f"the baseline's {entry} was not met: --update-baseline drops it" for entry in gone]
        return replace(report, findings=_unaccepted_first(verdict), notes=(*report.notes, *notes))

    def _written(self, report: Report) -> None:
        wanted = self.asked.wanted
        covered = self.coverage.covered(report, callers=self.who.callers)
        told = material(report, covered, self.who.callers, command=reporting.command_of(self.asked),
                        stopped=self._stopped)  # fmt: skip
        files = reporting.write_findings(wanted, report, self.who.callers)
        told = replace(told, replays={name: reporting.replaying(path, self.asked) for name, path in files.items()})
        written = reporting.write_reports(wanted, told, secrets=self.who.secrets)
        if not self.quiet or report.findings:
            self._stream.write(terminal(told, colour=coloured(sys.stdout)))
        for path in (*written, *files.values()):
            self.say(f"wrote {path}")
        if reporting.on_github(wanted, self.environ):
            sys.stdout.write(reporting.github_annotations(told, secrets=self.who.secrets))
            reporting.write_summary(told, self.environ, secrets=self.who.secrets)

    def _answered(self, report: Report) -> int:
        """What a run without findings comes to: where nothing was checked, or not all answered, it says nothing."""
        return UNUSABLE if standing(report).outcome is Outcome.UNKNOWN else HOLDS

    def _verdict(self, report: Report) -> int:
        if self.asked.wanted.strict:
            return FINDINGS if any(finding.accepted is None for finding in report.findings) else HOLDS
        return HOLDS if report.holds else FINDINGS


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _unaccepted_first(verdict: Verdict) -> tuple[Finding, ...]:
    return tuple(sorted(verdict.findings, key=lambda finding: finding.accepted is not None))


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Lets Ctrl-C end a run in all its threads; a second Ctrl-C ends the command at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stopped(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stopped)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

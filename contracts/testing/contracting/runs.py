"""A contract under check in one process: what its tests are, the service that they share, and what each comes to."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from contracts.bench import Bench, Held, Task
from contracts.cleaning import Cleaner
from contracts.commands.asked import Asked, Choice, Identity, Target
from contracts.commands.checking import Preparation
from contracts.commands.controlling import powers_of
from contracts.commands.identifying import Identified, identified
from contracts.commands.reaching import Reach, checked_url, is_local, probe
from contracts.drafting import Drafter
from contracts.findings import Finding
from contracts.hunting import Hunt
from contracts.resetting import resetting
from contracts.running import bench, foreseen, make, tasks, without_answered
from contracts.service import Recorded, Reply, Transport, Unreachable
from contracts.testing.contracting.contract import Contract
from contracts.testing.setup import files, located
from contracts.transports import into_wsgi
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

IN_PROCESS = "http://localhost"
"""Where an application in this process is told to be."""

LOCK_SECONDS = 600.0
"""How long one process waits for another one that is checking the same service."""


class Spent(ApidoubleError):
    """The service of a contract was found to be unusable; why was told once."""


class _Unset(dict[str, str]):
    """An environment in which every variable is set, for looking at what would be done."""

    def get(self, key: str, default: Any = None) -> Any:
        return "unset"

    def __getitem__(self, key: str) -> str:
        return "unset"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A contract, and all that is known of it before anything is sent. ``tasks`` are its tests-to-be."""

    contract: Contract
    identity: Identity
    of: Preparation
    tasks: tuple[Task, ...]


def prepared(contract: Contract, folders: Sequence[Path]) -> Prepared:
    """A contract made ready; files are looked for in ``folders``. ``ApidoubleError`` says what cannot be used."""
    identity = Identity(headers=contract.headers, environment=contract.credentials, callers=contract.callers)
    choice = Choice(contract.include, contract.exclude, contract.checks, contract.skip, f"{contract.seconds}s",
                    seed_number=contract.seed_number, size=contract.size)  # fmt: skip
    seed = files([contract.seed], folders)[0] if contract.seed is not None else None
    asked = Asked(located(contract.description, folders), None, choice=choice, seed=seed,
                  overlays=files(contract.overlays, folders), reset="given", closed=contract.is_closed)  # fmt: skip
    preparation = Preparation.of(asked)
    local = not isinstance(contract.url, str) or is_local(contract.url)
    callers = identified(identity, preparation.served, _Unset(), local=local).callers
    return Prepared(contract, identity, preparation, foreseen(preparation.plan, callers))


@dataclass(frozen=True, slots=True)
class Result:
    """What one test came to.

    ``findings`` fail it; ``again`` fail it, too, and were found by a test before, which is named by each. ``questions``
    fail nothing. ``held`` is None where ``error`` says why the test could not be made.
    """

    findings: tuple[Finding, ...]
    again: tuple[tuple[Finding, str], ...]
    questions: tuple[Finding, ...]
    held: Held | None
    error: str = ""

    @property
    def fruitless(self) -> str | None:
        """Why the test came to nothing, None where it came to something."""
        if self.findings or self.again or self.held is None or self.held.applied:
            return None
        return self.held.why or "there was nothing to be tried"


class Engagement:
    """One contract in one process: the service, reached when the first test begins, and what was found so far."""

    def __init__(self, prepared: Prepared, *, environ: Mapping[str, str] = os.environ) -> None:
        self.prepared = prepared
        self.contract = prepared.contract
        self.who = Identified()
        self.base_url = ""
        self._environ = environ
        self._reach: Reach | None = None
        self._bench: Bench | None = None
        self._tasks: dict[str, Task] = {}
        self._cleaner: Cleaner | None = None
        self._known: dict[str, tuple[Finding, str]] = {}
        self._restore: Callable[[], None] | None = None
        self._spent = ""
        self._lock = _lock_of(self.contract)

    @property
    def bench(self) -> Bench:
        """What the tests work with, once they have begun."""
        assert self._bench is not None
        return self._bench

    # Before

    def begin(self) -> tuple[str, ...]:
        """Reaches the service, unless that was done; what there is to say of it.

        An ``ApidoubleError`` says why it cannot be checked, once; ``Spent`` from then on.
        """
        if self._spent:
            raise Spent(self._spent)
        if self._bench is not None:
            return ()
        try:
            with self._alone():
                return self._begun()
        except ApidoubleError as error:
            self._spent = error.problem
            raise

    def _begun(self) -> tuple[str, ...]:
        of, contract = self.prepared.of, self.contract
        target = Target(_url_of(contract), session_header=contract.session_header, allow_remote=contract.allow_remote)
        local = is_local(target.url)
        _permitted(target, local=local)
        self.who = identified(self.prepared.identity, of.served, self._environ, local=local)
        reach = self._way(target)
        drafter = Drafter(of.roster, self.who.callers)
        words = [probe(reach, drafter, identified=self.prepared.identity.given),
                 "" if self.who.callers else self.who.word]  # fmt: skip
        reset = self._restore = self._reset(reach)
        closed = of.plan.closed
        if reset is not None:
            reset()
        in_url = closed and contract.app is None
        powers = powers_of(reach.base_url, of.served.api.title, reach.session(0)) if in_url else None
        self._cleaner = Cleaner(drafter, excluded=of.excluded)
        service = reach.service(0, watch=self._watch, reset=reset if closed else None, powers=powers)
        hunt = Hunt(time.monotonic() + contract.seconds, of.plan.checks, of.plan.seed)
        self._reach, self.base_url = reach, reach.base_url
        found = bench(replace(of.plan, task_seconds=contract.seconds), service, hunt, self.who.callers)
        self._tasks = {task.name: task for task in tasks(found)}
        self._bench = found
        return (*filter(None, words), *found.notes.values())

    def _way(self, target: Target) -> Reach:
        common = self.who.common or {}
        if self.contract.app is not None:
            return _InProcess(target, _app_of(self.contract), common)
        return Reach(target, common=common)

    def _reset(self, reach: Reach) -> Callable[[], None] | None:
        given = self.contract.reset
        if given is None:
            return None
        if isinstance(given, str):
            return resetting(given, headers=reach.session(0))
        return _calling(given)

    def _watch(self, recorded: Recorded) -> None:
        if self._cleaner is not None and not self.prepared.of.plan.closed and self.contract.clean_up:
            self._cleaner.watch(recorded)

    # A test

    def made(self, task: Task, name: str) -> Result:
        """Makes one test; ``name`` is what it is called where its findings are met again."""
        with self._alone():
            of, known = self.prepared.of, {mark: finding for mark, (finding, _) in self._known.items()}
            here = self._tasks.get(task.name)
            if here is None:
                return Result((), (), (), Held(1, 1, "there is nobody to call, or nothing to call, for it here"))
            hunt = Hunt(time.monotonic() + self.contract.seconds, of.plan.checks, of.plan.seed, found=dict(known))
            done = make(here, replace(self.bench, hunt=hunt))
            error = self._dead(done.error) if done.error else ""
        new = without_answered([finding for mark, finding in hunt.found.items() if mark not in known])
        again = tuple(self._known[mark] for mark in known if mark in hunt.again)
        failing = tuple(finding for finding in new if finding.fails)
        self._known.update({finding.fingerprint: (finding, name) for finding in failing})
        return Result(failing, again, tuple(one for one in new if not one.fails), done.held, error)

    def _dead(self, error: str) -> str:
        """Why a test could not be made; looks whether the service is there at all, so that the others need not wait."""
        assert self._reach is not None
        try:
            self._reach.transport()("GET", "/", {}, b"")
            if self.bench.closed:
                self.bench.service.reset()
        except ApidoubleError as gone:
            self._spent = gone.problem
            return str(gone)
        return error

    # After

    def end(self) -> tuple[str, ...]:
        """Takes the service back: a reset, or what was created is deleted; what is left is told."""
        if self._bench is None or self._reach is None or self._spent:
            return ()
        try:
            with self._alone():
                if self._restore is not None:
                    self._restore()
                    return ()
                return tuple(self._cleaned(self._reach))
        except ApidoubleError as error:
            return (f"cleaning up was cut short: {error}",)

    def _cleaned(self, reach: Reach) -> Iterator[str]:
        cleaner, self._cleaner = self._cleaner, Cleaner(Drafter(self.prepared.of.roster, self.who.callers),
                                                        excluded=self.prepared.of.excluded)  # fmt: skip
        if cleaner is None or not cleaner.made():
            return
        cleaned = cleaner.clean(reach.service(0, watch=lambda _: None))
        for told in cleaned.told():
            yield f"created items could not be deleted: {told}"
        for resource, number in cleaned.unknown.items():
            yield f"{number} creates of {resource} did not show what they made, which is still there"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps other test processes from the service, where a reset of theirs would fall into this test."""
        if self._lock is None:
            yield
            return
        try:
            self._lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise Unreachable(f"another process has kept {self.contract.shared} for {LOCK_SECONDS:.0f} seconds",
                              got=f"the lock {self._lock.lock_file}") from None  # fmt: skip
        try:
            yield
        finally:
            self._lock.release()


def _lock_of(contract: Contract) -> FileLock | None:
    shared = contract.shared
    if shared is None:
        return None
    name = sha256(shared.encode()).hexdigest()[:16]
    return FileLock(Path(tempfile.gettempdir()) / f"apidouble-contract-{name}.lock")


class _InProcess(Reach):
    """The way to a WSGI application in this process."""

    def __init__(self, target: Target, app: WSGIApplication, common: Mapping[str, str]) -> None:
        super().__init__(target, common=common)
        self._app = app
        self._sent = dict(common)

    def transport(self, number: int = 0) -> Transport:
        """Into the application; headers that go with every request stand in no record."""
        into = into_wsgi(self._app, base_url=self.base_url)

        def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
            return into(method, target, {**self._sent, **headers}, body)

        return send


def _url_of(contract: Contract) -> str:
    if contract.app is not None:
        return IN_PROCESS
    url = contract.url() if callable(contract.url) else contract.url
    if not isinstance(url, str):
        raise ConfigurationError("url gives no text", got=url, allowed="http://… or https://…")
    return url.rstrip("/")


def _permitted(target: Target, *, local: bool) -> None:
    """Refuses a URL that nothing may be sent to."""
    checked_url(target.url, allow_remote=True, option="url")
    if not local and not target.allow_remote:
        host = urlsplit(target.url).hostname
        raise ConfigurationError(f"{host} is not this machine, and contract tests create, change and delete there",
                                 got=target.url, hint="allow_remote=True (--contract-allow-remote) does it; exclude= "
                                 "leaves operations alone")  # fmt: skip


def _app_of(contract: Contract) -> WSGIApplication:
    """The application, made by its function where that is what was given."""
    given: Any = contract.app
    try:
        signature(given).bind()
    except (TypeError, ValueError):
        return cast("WSGIApplication", given)
    made = given()
    if not callable(made):
        raise ConfigurationError("app makes no WSGI application", got=type(made).__name__,
                                 allowed="something that is called with environ and start_response")  # fmt: skip
    return cast("WSGIApplication", made)


def _calling(function: Callable[[], object]) -> Callable[[], None]:
    """A function that resets, whose failure is told as one of the service."""

    def reset() -> None:
        try:
            function()
        except Exception as error:
            named = getattr(function, "__qualname__", repr(function))
            raise Unreachable(
                "the service cannot be reset", got=f"{named} raises {type(error).__name__}: {error}"
            ) from error

    return reset

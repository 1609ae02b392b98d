"""Sixteen threads on one resource: what they are answered is what a single caller could have been answered.

The model is the same description, asked one request after the other (``Ideal``). By default the histories are few;
``APIDOUBLE_STEADY=50`` is the full size: so many rounds of each.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from flask import Flask

from mock_server import MockServer, create_app
from mock_server.exchange.committing import Committing
from mock_server.exchange.journal import Entry, Journal
from mock_server.exchange.ledger import Ledger
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.universe import Universe
from mock_server.model.state import State
from mock_server.web.app import sandbox_of
from tests.acceptance.lines import NOW
from tests.acceptance.test_serving import serving
from tests.steady.desk import (
    OPTIONS,
    TASKS,
    Asked,
    Send,
    Told,
    change,
    control,
    create,
    fresh_session,
    hammer,
    ideal,
    over_sockets,
    prepared,
    seeded,
    shown,
    through_wsgi,
    told,
    workers,
)
from tests.steady.linearizability import Refutation, refutation

THREADS = 16
FULL = os.environ.get("APIDOUBLE_STEADY")
EACH = 8 if FULL else 5
ROUNDS = int(FULL or "1")
TRIES = 20
"""So many rounds at most until a planted mistake is found; it is mostly the first."""

CONTROLS = (
    control("PUT", "/state/tasks/tasks/task_oak000", {"name": "oak", "count": 7, "number": 3, "state": "open"}),
    control("PATCH", "/state/tasks/tasks/task_oak000", {"count": 9}),
    control("PUT", "/state/tasks/tasks", []),
    control("PATCH", "/state/tasks", {"tasks": [{"id": "task_pine00", "name": "elm", "count": 1, "number": 5}]}),
    control("GET", "/state/tasks"),
    control("GET", "/state/tasks/tasks"),
    control("POST", "/reset"),
    control("PUT", "/snapshots/one"),
    control("POST", "/snapshots/one/restore"),
    control("GET", "/snapshots"),
)


@pytest.fixture
def _threads_change_often() -> Iterator[None]:
    """As often as Python lets them, so that they meet in every place."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(TASKS, options=OPTIONS)


class Hammered:
    """One round: the universe, the model's moment when it began, and what every thread was answered."""

    def __init__(self, universe: Universe, send: Send, *, seed: int, controls: tuple[Asked, ...] = (),
                 each: int = EACH, planted: Callable[[Universe], Any] = lambda _: None) -> None:  # fmt: skip
        prepared(universe)
        self.universe = universe
        self.start = ideal().start
        tasks = list(seeded(send, ("oak", "pine")))
        for name in ("oak", "pine"):
            _, self.start = ideal().after(self.start, create(name))
        planted(universe)
        self.history = hammer(send, workers(THREADS, seed, tasks, controls), each)

    def refuted(self) -> Refutation[Asked, Told] | None:
        return refutation(self.history, self.start, ideal().step)


def in_process(app: Flask, **how: Any) -> Hammered:
    session = fresh_session()
    return Hammered(sandbox_of(app).universes.get(session), through_wsgi(app, session), **how)


@pytest.mark.usefixtures("_threads_change_often")
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_threads_are_answered_as_one_caller_would_be(app: Flask, seed: int) -> None:
    found = in_process(app, seed=seed)
    assert found.refuted() is None, str(found.refuted())


@pytest.mark.usefixtures("_threads_change_often")
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_control_requests_are_in_the_same_order_as_the_traffic(app: Flask, seed: int) -> None:
    found = in_process(app, seed=seed, controls=CONTROLS, each=EACH // 2)
    assert found.refuted() is None, str(found.refuted())


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_threads_with_connections_are_answered_as_one_caller_would_be(seed: int, served: MockServer) -> None:
    session = fresh_session()
    with over_sockets(served.host, served.port, session) as send:
        found = Hammered(served.sandbox.universes.get(session), send, seed=seed, controls=CONTROLS, each=EACH // 3)
    assert found.refuted() is None, str(found.refuted())


@pytest.fixture(scope="module")
def served() -> Iterator[MockServer]:
    with MockServer(TASKS, options=OPTIONS) as server:
        yield server


@pytest.mark.skipif(not FULL, reason="another process is started at full size only (APIDOUBLE_STEADY=50)")
def test_threads_of_another_process_are_answered_as_one_caller_would_be() -> None:
    here = create_app(TASKS, options=OPTIONS)
    with serving(str(TASKS), "--seed-number", "1") as served:
        where = urlsplit(served.url)
        assert where.hostname is not None
        assert where.port is not None
        for seed in range(ROUNDS):
            session = fresh_session()
            with over_sockets(where.hostname, where.port, session) as send:
                send(control("POST", "/clock", {"freeze": NOW.isoformat()}))
                unused = sandbox_of(here).universes.default  # the one that counts is in the other process
                found = Hammered(unused, send, seed=seed, each=EACH)
            assert found.refuted() is None, str(found.refuted())


def test_members_of_a_changed_item_keep_their_order_in_every_process(app: Flask) -> None:
    send = through_wsgi(app, fresh_session())
    made = json.loads(send(create("ash")).body)
    changed = json.loads(send(change(made["id"], {"count": 1})).body)
    assert list(changed) == list(made)  # once they came as a set has them, which differs from process to process


# The order of the commits, of the journal and of the events


def disorder(app: Flask, found: Hammered) -> str | None:
    """What differs when the journal of a round is played one request after the other; None when nothing does."""
    universe, session = found.universe, fresh_session()
    alone = sandbox_of(app).universes.get(session)
    prepared(alone)
    send = through_wsgi(app, session)
    for entry in universe.journal:
        request, response = entry.request, entry.response
        headers = tuple((name, value) for name, value in request.headers.items() if name in _SENT)
        answer = send(Asked(request.method, request.path, request.body, headers))
        if answer != told(response.status, response.body, response.headers):
            return f"{entry.id}: {answer}"
    if [recorded.event for recorded in alone.events] != [recorded.event for recorded in universe.events]:
        return "the events"
    return None if shown(alone.state) == shown(universe.state) else "the state"


@pytest.mark.usefixtures("_threads_change_often")
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_journal_played_one_by_one_gives_the_same_answers_events_and_state(app: Flask, seed: int) -> None:
    assert disorder(app, in_process(app, seed=seed)) is None


@pytest.mark.usefixtures("_threads_change_often")
def test_journal_in_the_order_of_coming_back_is_found(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "place", lambda _: 0)  # then it is drawn when an exchange has ended
    assert any(disorder(app, in_process(app, seed=seed)) is not None for seed in range(TRIES))


_SENT = ("content-type", "if-match", "idempotency-key")


@pytest.mark.usefixtures("_threads_change_often")
def test_journal_cleared_by_a_reset_has_nothing_that_was_done_before_it(app: Flask) -> None:
    universe = in_process(app, seed=0, controls=(control("POST", "/reset"),)).universe
    made = [entry.response.status for entry in universe.journal if entry.trace.operation_id == "createTask"]
    stored = [entry for _, tasks in universe.state.partitions("tasks/tasks") for entry in tasks]
    gone = [entry for entry in universe.journal if entry.response.status == 204]
    replayed = [entry for entry in universe.journal if _replayed(entry)]
    assert made.count(201) - len(replayed) - len(gone) == len(stored)


def _replayed(entry: Entry) -> bool:
    return ("Idempotent-Replayed", "true") in entry.response.headers


def test_request_that_found_its_session_before_it_was_dropped_is_answered_by_it(app: Flask) -> None:
    session = fresh_session()
    universes, line = sandbox_of(app).universes, sandbox_of(app).apis["tasks"].line
    through_wsgi(app, session)(create("ash"))
    found = universes.get(session)
    universes.drop(session)
    answer = line.answer(RawRequest("GET", "/tasks", "", {}, b"", "http://double.test"), found)
    assert b'"ash"' in answer.body
    assert through_wsgi(app, session)(Asked("GET", "/tasks")).body == b"[]"


# Planted mistakes: the test above finds each of them


def _no_lock(universe: Universe, _: pytest.MonkeyPatch) -> None:
    universe.lock = cast(Any, nullcontext())


def _lock_for_each_thread(universe: Universe, _: pytest.MonkeyPatch) -> None:
    own = threading.local()

    class Lock:
        def __enter__(self) -> None:
            if not hasattr(own, "lock"):
                own.lock = threading.RLock()
            own.lock.acquire()

        def __exit__(self, *_: object) -> None:
            own.lock.release()

    universe.lock = cast(Any, Lock())


def _gap_before_the_commit(_: Universe, patch: pytest.MonkeyPatch) -> None:
    commit = Committing.commit

    def later(self: Committing, universe: Universe, *arguments: Any, **more: Any) -> Any:
        universe.lock.release()
        universe.lock.acquire()
        return commit(self, universe, *arguments, **more)

    patch.setattr(Committing, "commit", later)


def _answers_forgotten(_: Universe, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "keep", lambda *_: None)


def _reads_of_the_state_before(_: Universe, patch: pytest.MonkeyPatch) -> None:
    commit = Committing.commit
    found: list[State] = []

    def late(self: Committing, universe: Universe, *arguments: Any, **more: Any) -> Any:
        if found:
            universe.state = found.pop()
        before = universe.state
        done = commit(self, universe, *arguments, **more)
        found.append(universe.state)
        universe.state = before
        return done

    patch.setattr(Committing, "commit", late)


@pytest.mark.usefixtures("_threads_change_often")
@pytest.mark.parametrize(
    "plant",
    [_no_lock, _lock_for_each_thread, _gap_before_the_commit, _answers_forgotten, _reads_of_the_state_before],
    ids=lambda plant: plant.__name__.strip("_"),
)
def test_mistake_in_the_committing_path_is_found(
    plant: Callable[[Universe, pytest.MonkeyPatch], None], app: Flask
) -> None:
    for seed in range(TRIES):
        with pytest.MonkeyPatch.context() as patch:
            found = in_process(app, seed=seed, planted=lambda universe: plant(universe, patch))
        if found.refuted() is not None:
            return
    pytest.fail(f"not found in {TRIES} rounds")

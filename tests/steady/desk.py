"""Tasks at a real entry, asked by many threads at once, and the same entry as a model that is asked one by one."""

from __future__ import annotations

import http.client
import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from flask import Flask

from mock_server import Options, create_app
from mock_server.exchange.ledger import Ledger
from mock_server.exchange.universe import Snapshot, Universe
from mock_server.model.clock import Clock
from mock_server.model.state import State
from mock_server.openapi.values import Json
from mock_server.web.app import sandbox_of
from tests.acceptance.lines import NOW
from tests.steady.linearizability import Operation

TASKS = Path(__file__).parent / "tasks.yaml"
OPTIONS = Options(seed=1, clock=NOW.timestamp)
_TOLD = ("etag", "location", "idempotent-replayed")
_NAMES = ("ash", "birch", "cedar", "elm")
_SESSIONS = count(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, without the session that it goes to."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        told = "".join(f" {name}: {value}" for name, value in self.headers if name != "Content-Type")
        return f"{self.method} {self.path} {self.body.decode()}{told}"


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says: its status, its body, and the headers that tell of the state."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        told = "".join(f" {name}: {value}" for name, value in self.headers)
        return f"{self.status} {self.body[:120].decode()}{told}"


Send: TypeAlias = Callable[[Asked], Told]


def told(status: int, body: bytes, headers: Sequence[tuple[str, str]]) -> Told:
    """An answer as the model gives it, too: a URL by its last part, since hosts differ."""
    kept = {name.lower(): value.rpartition("/")[2] for name, value in headers if name.lower() in _TOLD}
    return Told(status, body, tuple(sorted(kept.items())))


def fresh_session() -> str:
    """A name that no other test uses."""
    return f"steady-{next(_SESSIONS)}"


# The entries


def through_wsgi(app: Flask, session: str) -> Send:
    """Sends into the application, as granian does; safe for threads."""

    def send(asked: Asked) -> Told:
        begun: list[Any] = []
        environ: dict[str, Any] = {
            "REQUEST_METHOD": asked.method,
            "PATH_INFO": asked.path,
            "QUERY_STRING": "",
            "SERVER_NAME": "double.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_MOCK_SESSION": session,
            "CONTENT_LENGTH": str(len(asked.body)) if asked.body else "",
            "wsgi.input": io.BytesIO(asked.body),
            "wsgi.url_scheme": "http",
        }
        for name, value in asked.headers:
            variable = name.upper().replace("-", "_")
            environ[variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"] = value

        def begin(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            begun.extend((status, headers))

        pieces = app.wsgi_app(environ, begin)
        body = b"".join(pieces)
        return told(int(begun[0][:3]), body, begun[1])

    return send


@contextmanager
def over_sockets(host: str, port: int, session: str) -> Iterator[Send]:
    """Sends over a connection of each thread's own; all of them are closed at the end."""
    own, opened = threading.local(), []

    def send(asked: Asked) -> Told:
        if not hasattr(own, "connection"):
            own.connection = http.client.HTTPConnection(host, port, timeout=30)
            opened.append(own.connection)
        headers = {**dict(asked.headers), "Mock-Session": session}
        own.connection.request(asked.method, asked.path, asked.body or None, headers)
        response = own.connection.getresponse()
        return told(response.status, response.read(), response.getheaders())

    try:
        yield send
    finally:
        for connection in opened:
            connection.close()


# What is asked


def create(name: str, key: str | None = None) -> Asked:
    headers = (("Content-Type", "application/json"), *((("Idempotency-Key", key),) if key else ()))
    return Asked("POST", "/tasks", json.dumps({"name": name}).encode(), headers)


def change(task: str, member: Json, tag: str | None = None) -> Asked:
    headers = (("Content-Type", "application/merge-patch+json"), *((("If-Match", tag),) if tag else ()))
    return Asked("PATCH", f"/tasks/{task}", json.dumps(member).encode(), headers)


def replace_task(task: str, value: Json, tag: str | None = None) -> Asked:
    headers = (("Content-Type", "application/json"), *((("If-Match", tag),) if tag else ()))
    return Asked("PUT", f"/tasks/{task}", json.dumps(value).encode(), headers)


def control(method: str, path: str, body: Json = None) -> Asked:
    """A request to the control API."""
    return Asked(method, f"/__mock__{path}", json.dumps(body).encode() if body is not None else b"")


@dataclass(slots=True)
class Worker:
    """One of many that ask at random: what it knows of the tasks decides what it may ask next.

    ``tasks`` is shared: the keys that anybody has seen. ``tags`` are the entity tags that this one has seen.
    """

    random: Random
    tasks: list[str]
    controls: tuple[Asked, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)

    def ask(self) -> Asked:
        """The next request."""
        pick = self.random.random()
        task = self.random.choice(self.tasks)
        name = self.random.choice(_NAMES)
        tag = self.tags.get(task) if self.random.random() < 0.6 else None
        if self.controls and pick < 0.2:
            return self.random.choice(self.controls)
        if pick < 0.3:
            return create(name, self.random.choice(("k-1", "k-2", None, None)))
        if pick < 0.4:
            return change(task, {"count": self.random.randrange(100)}, tag)
        if pick < 0.5:
            return change(task, {"name": name}, tag)
        if pick < 0.55:
            return replace_task(task, {"name": name, "count": self.random.randrange(100)}, tag)
        if pick < 0.7:
            return Asked("POST", f"/tasks/{task}/bump")
        if pick < 0.78:
            return Asked("POST", f"/tasks/{task}/{self.random.choice(('start', 'finish'))}")
        if pick < 0.81:
            return Asked("DELETE", f"/tasks/{task}", b"", (("If-Match", tag),) if tag else ())
        return Asked("GET", "/tasks") if pick < 0.9 else Asked("GET", f"/tasks/{task}")

    def learn(self, asked: Asked, answer: Told) -> None:
        """Remembers the key and the entity tag that an answer shows."""
        headers = dict(answer.headers)
        if answer.status < 300 and "etag" in headers and answer.body.startswith(b"{"):
            task = json.loads(answer.body)["id"]
            self.tags[task] = headers["etag"]
            if task not in self.tasks:
                self.tasks.append(task)


def hammer(send: Send, workers: Sequence[Worker], each: int) -> list[Operation[Asked, Told]]:
    """So many requests of every worker, all of them at once, with the moments at which each was sent and came back."""
    stamps, barrier = count(), threading.Barrier(len(workers))

    def work(thread: int) -> list[Operation[Asked, Told]]:
        worker, done = workers[thread], []
        barrier.wait()
        for _ in range(each):
            asked = worker.ask()
            called = next(stamps)
            answer = send(asked)
            done.append(Operation(thread, called, next(stamps), asked, answer))
            worker.learn(asked, answer)
        return done

    with ThreadPoolExecutor(len(workers)) as pool:
        return [operation for done in pool.map(work, range(len(workers))) for operation in done]


def workers(number: int, seed: int, tasks: list[str], controls: tuple[Asked, ...] = ()) -> list[Worker]:
    """So many workers, each with a randomness of its own."""
    return [Worker(Random(f"{seed}/{at}"), tasks, controls) for at in range(number)]


# The model


@dataclass(frozen=True, slots=True)
class Moment:
    """All that a universe is at one moment. Two are equal when nobody could tell them apart (``told``)."""

    told: bytes
    state: State = field(compare=False)
    ledger: Ledger = field(compare=False)
    snapshots: dict[str, Snapshot] = field(compare=False)


class Ideal:
    """The same description, asked one request after the other: what the entry answers there is what is right.

    Its clock stands still at ``NOW``, so the one that is judged has to do so, too.
    """

    def __init__(self) -> None:
        self._app = create_app(TASKS, options=OPTIONS)
        session = fresh_session()
        self._send = through_wsgi(self._app, session)
        self._universe = sandbox_of(self._app).universes.get(session)
        self._universe.clock = Clock(NOW.timestamp, frozen_at=NOW)
        self._known: dict[tuple[Moment, Asked], tuple[Told, Moment]] = {}
        self.start = self._moment()

    def step(self, moment: Moment, asked: Asked, answer: Told) -> Moment | None:
        """The moment after a request that was answered so; None where it is answered otherwise."""
        given, after = self._asked(moment, asked)
        return after if given == answer else None

    def after(self, moment: Moment, asked: Asked) -> tuple[Told, Moment]:
        """What a request is answered, and the moment after it."""
        return self._asked(moment, asked)

    def _asked(self, moment: Moment, asked: Asked) -> tuple[Told, Moment]:
        found = self._known.get((moment, asked))
        if found is None:
            universe = self._universe
            universe.state, universe.ledger = moment.state, moment.ledger.copy()
            universe.snapshots = dict(moment.snapshots)
            answer = self._send(asked)
            universe.clock = Clock(NOW.timestamp, frozen_at=NOW)  # a reset lets it run
            found = self._known[moment, asked] = answer, self._moment()
        return found

    def _moment(self) -> Moment:
        universe = self._universe
        kept = {name: (shown(each.state), _answers(each.ledger)) for name, each in universe.snapshots.items()}
        seen = repr((shown(universe.state), _answers(universe.ledger), sorted(kept.items()))).encode()
        return Moment(seen, universe.state, universe.ledger.copy(), dict(universe.snapshots))


def shown(state: State) -> list[object]:
    """Everything in a state: items with their places and revisions, and how far the counters are."""
    found: list[object] = [sorted(state.counters.items())]
    for resource in sorted(state.resources):
        for partition, collection in state.partitions(resource):
            items = [(entry.key, entry.sequence, entry.revision, entry.value) for entry in collection]
            found.append((str(partition), collection.next_sequence, items))
    return found


def _answers(ledger: Ledger) -> list[tuple[tuple[str, ...], bytes, bytes]]:
    return sorted((key, kept.request, kept.response.body) for key, kept in ledger.answers.items())


@cache
def ideal() -> Ideal:
    """The model, made once."""
    return Ideal()


def prepared(universe: Universe) -> None:
    """Lets a universe's clock stand where the model's does."""
    universe.clock = Clock(NOW.timestamp, frozen_at=NOW)


def seeded(send: Send, names: Sequence[str]) -> Iterator[str]:
    """The keys of tasks that are made one after the other."""
    for name in names:
        yield json.loads(send(create(name)).body)["id"]

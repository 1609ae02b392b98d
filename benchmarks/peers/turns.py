"""One turn of one server: started, looked at, warmed up, loaded, weighed and ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.loading import Load, load, script
from benchmarks.peers.processes import Running, Unavailable, ask, free_port, running
from benchmarks.peers.servers import Server, command
from benchmarks.peers.workloads import (
    GET_ONE,
    IN_TURN,
    LIST_PAGE,
    PAGE,
    POST_INVALID,
    POST_VALID,
    SEEDED,
    WORKS,
    Work,
    customers,
)

BROKEN = (Unavailable, OSError, http.client.HTTPException, subprocess.TimeoutExpired)
"""What a server may do that makes a row of it which says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How turns are taken. ``cores``: the server's and the load's."""

    peers: Path
    scratch: Path
    seconds: int
    warm_up: int
    patience: float
    cores: tuple[int, int] | None

    @property
    def seed(self) -> Path:
        """The JSON file of customers for servers that read no description."""
        return self.scratch / "customers.json"

    @property
    def server_core(self) -> int | None:
        """Where servers run."""
        return self.cores[0] if self.cores else None

    @property
    def load_core(self) -> int | None:
        """Where wrk runs."""
        return self.cores[1] if self.cores else None


@dataclass(frozen=True, slots=True)
class Answer:
    """How a server answers one request of a workload, and whether that is what the workload is about."""

    status: int
    right: bool
    note: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A workload under load, and the CPU that the server took for one request, in microseconds."""

    load: Load
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn measured."""

    started: float
    started_cpu: float
    memory_mb: float
    resident_mb: float
    answers: Mapping[str, Answer]
    loads: Mapping[str, Measured]


@dataclass(frozen=True, slots=True)
class Failed:
    """A turn that came to nothing, and why."""

    reason: str


def turn(server: Server, description: Path, plan: Plan, *, works: tuple[Work, ...] = WORKS) -> Turn | Failed:
    """Everything that is measured of a server on the customers description."""
    port = free_port()
    try:
        start = command(server, peers=plan.peers, description=description, port=port, scratch=plan.scratch,
                        seed=plan.seed, large=False)  # fmt: skip
        ready = server.base + "/customers?" + server.page.format(limit=1, offset=0)
        log = plan.scratch / "server.log"
        with running(start, port=port, ready=ready, core=plan.server_core, seconds=plan.patience, log=log) as process:
            if server.seeds and LIST_PAGE in works:
                _seed(server, port)
            paths = _paths(server, port)
            answers = {work.name: looked_at(work, paths[work.name], port) for work in works}
            loads = {}
            for work in (work for work in IN_TURN if work in works and answers[work.name].right):
                try:
                    loads[work.name] = loaded(process, work, (paths[work.name][0],), plan)
                except Unavailable as error:  # of this workload; the others may do
                    answers[work.name] = Answer(answers[work.name].status, False, str(error))
            return Turn(
                process.started, process.started_cpu, process.memory_mb(), process.resident_mb(), answers, loads
            )
    except BROKEN as error:
        return Failed(str(error) or type(error).__name__)


def loaded(process: Running, work: Work, paths: tuple[str, ...], plan: Plan) -> Measured:
    """The workload under load, once it is warm."""
    source = script(work.method, paths, work.body)
    with contextlib.suppress(Unavailable):  # what is slow may have nothing to say yet
        load(process.port, source, seconds=plan.warm_up, core=plan.load_core, scratch=plan.scratch)
    before = process.cpu_seconds()
    found = load(process.port, source, seconds=plan.seconds, core=plan.load_core, scratch=plan.scratch)
    return Measured(found, (process.cpu_seconds() - before) / found.requests * 1e6)


def _paths(server: Server, port: int) -> dict[str, tuple[str, ...]]:
    """What each workload asks for; of a list two pages, which have to differ.

    The customer that is read is one that was created, where the server keeps it.
    """
    created = _json(ask(port, "POST", server.base + "/customers", POST_VALID.body).body)
    key = created.get("id") if isinstance(created, dict) else None
    one = f"{server.base}/customers/{key if isinstance(key, int) else 1}"
    if ask(port, "GET", one).status != 200:
        one = f"{server.base}/customers/1"
    many = server.base + "/customers"
    pages = tuple(f"{many}?{server.page.format(limit=PAGE, offset=offset)}" for offset in (SEEDED - PAGE, 0))
    return {GET_ONE.name: (one,), POST_VALID.name: (many,), POST_INVALID.name: (many,), LIST_PAGE.name: pages}


def looked_at(work: Work, paths: tuple[str, ...], port: int) -> Answer:
    """How the workload is answered before it is load."""
    replies = [ask(port, work.method, path, work.body) for path in paths]
    status = replies[0].status
    if not str(status).startswith(work.statuses):
        return Answer(status, False, f"answers {status}")
    if work is LIST_PAGE:
        pages = [_items(reply.body) for reply in replies]
        if any(len(page) != PAGE for page in pages) or pages[0] == pages[1]:
            return Answer(status, False, f"no pages: {len(pages[0])} items")
    return Answer(status, True, f"answers {status}")


def _seed(server: Server, port: int) -> None:
    """Puts the customers of the list there."""
    body = json.dumps({"customers": {"customers": customers(SEEDED)}}).encode()
    reply = ask(port, "POST", "/__mock__/seed", body)
    if reply.status != 204:
        raise Unavailable(f"takes no seed: {reply.status} {reply.body[:200].decode(errors='replace')}")


def _items(body: bytes) -> list[Any]:
    found = _json(body)
    items = found.get("data") if isinstance(found, dict) else found
    return items if isinstance(items, list) else []


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None

"""Ten minutes of mixed load on every pack served together: is memory flat, and are threads and files constant?

    python benchmarks/soak.py --minutes 10     # needs psutil and matplotlib besides the extra `test`

`apidouble serve` runs in a process of its own. Clients send valid requests of every operation, refused ones, names that
nobody has sent before, aborted connections, and control requests: new sessions, resets, snapshots, archives, listings,
faults. Webhooks go to a receiver on loopback that sometimes fails. The verdict is by numbers of the second half.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from random import Random

import psutil

from contracts.callers import seeded_callers
from contracts.drafting import Drafter
from contracts.pool import Pool
from contracts.roster import Roster
from contracts.service import presented
from contracts.wire import WireRequest
from mock_server.packs import pack, pack_names
from mock_server.sampling import Unsampleable
from mock_server.sandbox import Options, Sandbox

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "figures" / "soak.svg"
CLIENTS, DRAFTS, SECONDS = 4, 3, 5.0
SESSIONS = tuple(f"soak-{number}" for number in range(8))
LISTINGS = ("requests?limit=50", "events", "webhooks/deliveries?limit=50", "sessions", "clock", "faults", "snapshots",
            "apis", "requests?violations=true", "archive", "openapi.json")  # fmt: skip
MOST_SESSIONS = Options().sessions
STEEPEST = 0.5
"""The verdict's bound: percent of the mean by which memory may grow a minute over the second half."""


# What is sent


def drafted(names: Sequence[str]) -> list[tuple[str, WireRequest]]:
    """Valid requests of every operation of every pack, by the seed alone, with the path that each API is mounted at."""
    sandbox = Sandbox([pack(name) for name in names])
    found: list[tuple[str, WireRequest]] = []
    for name, served in sandbox.apis.items():
        roster = Roster(served.model)
        drafter = Drafter(roster, seeded_callers(served, now=sandbox.clock.now()))
        pool = Pool(served.model, state=sandbox.universes.default.state)
        for operation_id in served.api.refs:
            for number in range(DRAFTS):
                try:
                    draft = drafter.draft(operation_id, pool, number)
                except Unsampleable:
                    continue
                if draft is not None:
                    request = draft.request if draft.caller is None else presented(draft.request, draft.caller)
                    found.append((f"/{name}{served.api.base_paths[0]}", request))
    sandbox.close()
    return found


@dataclass(slots=True)
class Client:
    """One client with a connection of its own, and what came of its requests."""

    port: int
    random: Random
    requests: Sequence[tuple[str, WireRequest]]
    fresh: count[int]
    seen: Counter[str] = field(default_factory=Counter)
    connection: http.client.HTTPConnection | None = None

    def run(self, until: float) -> None:
        actions = (
            (61, self.valid), (12, self.refused), (8, self.strange), (10, self.new_session), (4, self.listing),
            (2, self.snapshot), (1, self.abort), (1, self.fault), (1, self.start_anew),
        )  # fmt: skip
        chosen: list[Callable[[], None]] = [action for weight, action in actions for _ in range(weight)]
        while time.monotonic() < until:
            self.attempt(self.random.choice(chosen))
        self.close()

    def attempt(self, action: Callable[[], None]) -> None:
        """Does something that may fail: faults break connections on purpose."""
        try:
            action()
        except (OSError, http.client.HTTPException) as error:
            self.seen[type(error).__name__] += 1
            self.close()

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value.encode("utf-8").decode("latin-1") for name, value in headers.items()}
        self.connection.request(method, path, body or None, sent)
        response = self.connection.getresponse()
        response.read()
        self.seen[str(response.status)] += 1

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def valid(self, **headers: str) -> None:
        mount, request = self.random.choice(self.requests)
        if self.random.random() < 0.4:
            headers.setdefault("Mock_Session", self.random.choice(SESSIONS))
        self.send(request.method, mount + request.target, request.body, **{**request.headers, **headers})

    def refused(self) -> None:
        mount, request = self.random.choice(self.requests)
        body = self.random.choice((b"{", b"[]", b'{"a": 1e999}', request.body[: len(request.body) // 2], b"\xff"))
        headers = {**request.headers, "Content-Type": self.random.choice(("application/json", "text/odd"))}
        self.send(request.method, mount + request.target, body, **headers)

    def strange(self) -> None:
        """Names and values that nobody has sent before: whatever remembers them for ever shows."""
        mount, request = self.random.choice(self.requests)
        odd = f"x{next(self.fresh)}"
        joint = "&" if "?" in request.target else "?"
        target = self.random.choice((f"{request.target}{joint}{odd}={odd}", f"{request.target}/{odd}", f"/{odd}"))
        preferred = f"code={self.random.randrange(200, 600)}; example={odd}"
        kind = f"application/vnd.{odd}+json; charset=utf-8"
        self.send(request.method, mount + target, request.body,
                  **{**request.headers, f"X-{odd}": odd, "Prefer": preferred, "Accept": f"{kind}, */*",
                     "Content-Type": kind, "Idempotency-Key": odd, "If-Match": f'"{odd}"', "Origin": f"https://{odd}"})  # fmt: skip

    def new_session(self) -> None:
        self.valid(Mock_Session=f"new-{next(self.fresh)}")

    def control(self, method: str, path: str, body: object = None) -> None:
        session = self.random.choice((*SESSIONS, "default"))
        data = json.dumps(body).encode() if body is not None else b""
        self.send(method, f"/__mock__/{path}", data, Mock_Session=session)

    def listing(self) -> None:
        self.control("GET", self.random.choice(LISTINGS))

    def snapshot(self) -> None:
        name = self.random.choice(("one", "two"))
        self.control(*self.random.choice((("PUT", f"snapshots/{name}"), ("POST", f"snapshots/{name}/restore"),
                                          ("DELETE", f"snapshots/{name}"))))  # fmt: skip

    def fault(self) -> None:
        kinds: tuple[dict[str, object], ...] = ({"status": 503}, {"delay": 0.2}, {"reset": True})
        self.control("POST", "faults", {**self.random.choice(kinds), "count": 1})

    def start_anew(self) -> None:
        self.control("POST", "reset")

    def abort(self) -> None:
        """Goes away in the middle of a request, or before its answer."""
        mount, request = self.random.choice(self.requests)
        head = f"{request.method} {mount}{request.target} HTTP/1.1\r\nHost: soak\r\nContent-Length: 10\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as raw:
            raw.sendall(head.encode("latin-1", "replace") + self.random.choice((b"", b"12345", b"1234567890")))
        self.seen["aborted"] += 1


class Receiver(BaseHTTPRequestHandler):
    """Takes webhooks: refuses one in five, and hangs up on one in twenty."""

    protocol_version = "HTTP/1.1"
    numbers = count(1)

    def do_POST(self) -> None:
        number = next(self.numbers)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if number % 20 == 0:
            self.close_connection = True
            return
        self.send_response(500 if number % 5 == 0 else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:
        """Says nothing."""


# What is measured


@dataclass(frozen=True, slots=True)
class Sample:
    """The server's worker at one moment: seconds since the start, MiB, threads, open files, requests a second."""

    at: float
    rss: float
    threads: int
    files: int
    rate: float


def served(names: Sequence[str], target: str, state: Path) -> tuple[subprocess.Popen[str], int]:
    """`apidouble serve` with its port, once it listens."""
    command = [sys.executable, "-m", "mock_server", "serve", *names, "--port", "0", "--no-cache", "--webhook", target,
               "--state", str(state)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        found = re.search(r"control API: http://127\.0\.0\.1:(\d+)", line)
        if found is not None:
            threading.Thread(target=process.stdout.read, daemon=True).start()  # so that it never waits for a reader
            _answering(int(found[1]))
            return process, int(found[1])
    raise SystemExit("the server did not start:\n" + "".join(said))


def _answering(port: int) -> None:
    """Returns when the server answers."""
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not listen")


def watch(worker: psutil.Process, clients: Sequence[Client], seconds: float) -> list[Sample]:
    """A sample every few seconds until the time is over."""
    samples: list[Sample] = []
    start = before = time.monotonic()
    done = sum(sum(client.seen.values()) for client in clients)
    print("   seconds   RSS MiB   threads   files   requests/s")
    while before - start < seconds:
        time.sleep(SECONDS)
        now, total = time.monotonic(), sum(sum(client.seen.values()) for client in clients)
        with worker.oneshot():
            sample = Sample(now - start, worker.memory_info().rss / 2**20, worker.num_threads(), worker.num_fds(),
                            (total - done) / (now - before))  # fmt: skip
        samples.append(sample)
        print(f"{sample.at:10.0f}{sample.rss:10.1f}{sample.threads:10}{sample.files:8}{sample.rate:13.0f}", flush=True)
        before, done = now, total
    return samples


def fill(clients: Sequence[Client]) -> None:
    """Brings what is bounded to its bound, so that the rest shows: sessions, their journals, compiled operations."""

    def fill_with(client: Client, part: Sequence[tuple[str, WireRequest]]) -> None:
        for mount, request in part:
            client.attempt(
                partial(client.send, request.method, mount + request.target, request.body, **request.headers)
            )
        for _ in range(1 + MOST_SESSIONS // len(clients)):
            client.attempt(client.new_session)

    print(f"filling {MOST_SESSIONS} sessions", flush=True)
    threads = [
        threading.Thread(target=fill_with, args=(client, client.requests[at :: len(clients)]))
        for at, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()


def slope(samples: Sequence[Sample]) -> float:
    """By how many percent of the mean memory grows in a minute (least squares)."""
    line = statistics.linear_regression([sample.at / 60 for sample in samples], [sample.rss for sample in samples])
    return 100 * line.slope / statistics.fmean(sample.rss for sample in samples)


def verdict(samples: Sequence[Sample]) -> tuple[bool, list[str]]:
    """Whether the second half is steady, and the numbers that say so."""
    middle = len(samples) // 2
    first, second = samples[:middle], samples[middle:]
    steep = slope(second)
    threads = max(s.threads for s in first), max(s.threads for s in second)
    files = max(s.files for s in first), max(s.files for s in second)
    rates = statistics.fmean(s.rate for s in first), statistics.fmean(s.rate for s in second)
    told = [
        f"memory grows by {steep:+.2f} % a minute over the second half (at most {STEEPEST} % is steady)",
        f"threads: at most {threads[0]} in the first half, {threads[1]} in the second (of them no more are allowed)",
        f"open files: at most {files[0]} in the first half, {files[1]} in the second (likewise)",
        f"requests a second: {rates[0]:.0f} in the first half, {rates[1]:.0f} in the second",
    ]
    slack = 2  # a thread or a connection that comes a moment earlier or later
    return steep <= STEEPEST and threads[1] <= threads[0] + slack and files[1] <= files[0] + slack, told


def drawn(samples: Sequence[Sample], title: str, path: Path) -> None:
    """The figure, in the format that the name of the file ends with."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "soak"  # the same numbers give the same file
    minutes = [sample.at / 60 for sample in samples]
    rows: tuple[tuple[str, list[float], str], ...] = (
        ("memory, MiB", [sample.rss for sample in samples], "#1f77b4"),
        ("threads", [sample.threads for sample in samples], "#d62728"),
        ("open files", [sample.files for sample in samples], "#2ca02c"),
        ("requests/s", [sample.rate for sample in samples], "#7f7f7f"),
    )
    figure, axes = pyplot.subplots(4, 1, sharex=True, figsize=(8, 7), height_ratios=(3, 1, 1, 1.4))
    for axis, (name, values, colour) in zip(axes, rows, strict=True):
        axis.plot(minutes, values, color=colour, linewidth=1.4)
        axis.set_ylabel(name)
        axis.set_ylim(0, max(values) * 1.15)
        axis.grid(alpha=0.3)
        axis.axvspan(minutes[len(minutes) // 2], minutes[-1], color="#000000", alpha=0.04)
    axes[-1].set_xlabel("minutes (the verdict is about the shaded half)")
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)


def main() -> int:
    """Runs the soak; the exit code is 0 when the server is steady."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--figure", type=Path, default=FIGURE, help="a file name that ends with .svg or .png")
    parser.add_argument("packs", nargs="*", default=pack_names())
    asked = parser.parse_args()
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    requests, fresh = drafted(asked.packs), count(1)
    with tempfile.TemporaryDirectory() as folder:
        target = f"http://127.0.0.1:{receiver.server_port}/"
        process, port = served(asked.packs, target, Path(folder) / "state.json")
        try:
            (worker,) = psutil.Process(process.pid).children()
            clients = [Client(port, Random(f"{asked.seed}/{at}"), requests, fresh) for at in range(CLIENTS)]
            fill(clients)
            until = time.monotonic() + asked.minutes * 60
            threads = [threading.Thread(target=client.run, args=(until,)) for client in clients]
            for thread in threads:
                thread.start()
            samples = watch(worker, clients, asked.minutes * 60)
            for thread in threads:
                thread.join(60)
        finally:
            process.terminate()
            process.wait(60)
    receiver.shutdown()
    seen = sum((client.seen for client in clients), Counter[str]())
    steady, told = verdict(samples)
    when = datetime.now(UTC).date().isoformat()
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    total = sum(seen.values())
    drawn(samples, f"{total:,} requests to {len(asked.packs)} packs in {asked.minutes:g} minutes ({when}; {machine})",
          asked.figure)  # fmt: skip
    print(f"\n{total:,} requests to {', '.join(asked.packs)}; webhooks: {next(Receiver.numbers) - 1:,}")
    print("answers: " + ", ".join(f"{name} {number:,}" for name, number in sorted(seen.items())))
    print(*told, "STEADY" if steady else "NOT STEADY", f"figure: {asked.figure}", sep="\n")
    return 0 if steady else 1


if __name__ == "__main__":
    sys.exit(main())

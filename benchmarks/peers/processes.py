"""A server in processes of its own on a core of its own: started, asked, measured and ended. Linux only (/proc, taskset)."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.005
_STOP_SECONDS = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Unavailable(Exception):
    """A server that cannot be installed, started or asked; its text is the row that stands in the table."""


@dataclass(frozen=True, slots=True)
class Command:
    """How a server is started."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. ``started`` and ``started_cpu``: seconds until it did, by the clock and of CPU."""

    session: int
    port: int
    started: float
    started_cpu: float

    def cpu_seconds(self) -> float:
        """User and system time that its processes have taken."""
        return _cpu_seconds(self.session)

    def memory_mb(self) -> float:
        """What its processes hold now; a page that several of them share counts once (proportional set size)."""
        return sum(_rollup(process, "Pss:") for process in members(self.session)) / 1024

    def resident_mb(self) -> float:
        """The sum of its processes' resident sets; a page that several of them share counts for each."""
        return sum(_rollup(process, "Rss:") for process in members(self.session)) / 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, as much as the harness looks at."""

    status: int
    body: bytes


def cores() -> tuple[int, int] | None:
    """The core for servers and the core for load; None where there are not two of them or no taskset."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 and shutil.which("taskset") else None


def pinned(words: tuple[str, ...], core: int | None) -> tuple[str, ...]:
    """The command line that keeps a command on a core."""
    return ("taskset", "-c", str(core), *words) if core is not None else words


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Command, *, port: int, ready: str, core: int | None, seconds: float, log: Path, refused: bool = False
) -> Iterator[Running]:
    """A server from its first 200 to ``ready`` on; ended with everything that it started, whatever happens.

    With ``refused`` an answer of 4xx counts, too. Standard output goes nowhere and errors to ``log``. Raises
    ``Unavailable`` where there is no such answer within ``seconds``.
    """
    begun = time.monotonic()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            pinned(command.words, core), cwd=command.folder, env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
        )  # fmt: skip
    try:
        while not _answers(port, ready, refused=refused):
            if process.poll() is not None:
                raise Unavailable(f"ended with status {process.returncode} before it answered{_last_words(log)}")
            if time.monotonic() - begun > seconds:
                raise Unavailable(f"no 200 to GET {ready} within {seconds:.0f} s{_last_words(log)}")
            time.sleep(_POLL_SECONDS)
        yield Running(process.pid, port, time.monotonic() - begun, _cpu_seconds(process.pid))
    finally:
        _end(process)


def ask(port: int, method: str, path: str, body: bytes = b"", *, seconds: float = 60.0) -> Reply:
    """One request on a connection of its own; ``OSError`` or ``HTTPException`` where there is no whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return Reply(response.status, response.read())
    finally:
        connection.close()


def _answers(port: int, ready: str, *, refused: bool) -> bool:
    try:
        status = ask(port, "GET", ready).status
        return status == 200 or (refused and 400 <= status < 500)
    except (OSError, http.client.HTTPException):
        return False


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    said = next((line for line in lines if "Error" in line), lines[-1] if lines else "")
    return f": {said[:200]}" if said else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the session: politely, then for certain."""
    for signalled in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signalled)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        deadline = time.monotonic() + _STOP_SECONDS
        while members(process.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not members(process.pid):
            return
        for left in members(process.pid):  # in a process group of their own
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signalled)


def members(session: int) -> list[int]:
    """The processes of a session that have not ended."""
    return [process for process, fields in _processes() if int(fields[3]) == session and fields[0] != "Z"]


def _cpu_seconds(session: int) -> float:
    """Of all members, with what their ended children took (proc_pid_stat(5), fields 14 to 17)."""
    taken = sum(sum(map(int, fields[11:15])) for _, fields in _processes() if int(fields[3]) == session)
    return taken / _TICKS


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Every process with the fields of its stat from the third (the state) on."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()


def _rollup(process: int, field: str) -> int:
    """Kilobytes of a process' memory."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1])
    return 0

"""CPU, wall time and memory until `apidouble serve` has given its first answer. Linux only: it reads /proc.

Each figure is of a fresh process. A first start finds an empty cache folder, a second start what the first one kept.

    .venv/bin/python benchmarks/start.py [--rounds 5] [PACK | DESCRIPTION]...
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from mock_server import __version__, pack_names

_PATIENCE = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")
_TRY = re.compile(r"^  try: (curl .*)$", re.MULTILINE)
_URL = re.compile(r"control API: (http://\S+)/__mock__/")


@dataclass(frozen=True, slots=True)
class Start:
    """What one start took: seconds of CPU in all its processes, seconds by the clock, and MB of memory (PSS)."""

    cpu: float
    wall: float
    memory: float


def imported() -> Start:
    """What it takes to import what the command imports, and do nothing."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    code = "import mock_server.commands.serve, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Start(cpu, wall, int(told.stdout) / 1024)


def served(sources: list[str], cache: Path) -> Start:
    """What it takes until the request that the banner shows has an answer, whatever its status."""
    command = [sys.executable, "-m", "mock_server", "serve", "--port", "0", *sources]
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "XDG_CACHE_HOME": str(cache)}
    ) as process:
        try:
            ask(first_request(process))
            wall = time.perf_counter() - begun
            family = list(processes(process.pid))
            return Start(sum(map(cpu_of, family)), wall, sum(map(memory_of, family)))
        finally:
            process.terminate()


def first_request(process: subprocess.Popen[str]) -> urllib.request.Request:
    """The request of the first curl line that the banner shows; the root where it shows none."""
    assert process.stdout is not None
    banner = ""
    for line in process.stdout:
        banner += line
        if address := _URL.search(line):
            shown = _TRY.search(banner)
            return curl_request(shlex.split(shown[1])) if shown else urllib.request.Request(f"{address[1]}/")
    raise SystemExit(f"the server ended before it began; it said: {banner or 'nothing'}")


def curl_request(words: list[str]) -> urllib.request.Request:
    """The request of a curl line with -H and -d alone."""
    headers, data = {}, None
    for flag, value in zip(words[1:-1:2], words[2:-1:2], strict=True):
        if flag == "-H":
            name, _, text = value.partition(": ")
            headers[name] = text
        else:
            data = value.encode()
    return urllib.request.Request(words[-1], data=data, headers=headers)


def ask(request: urllib.request.Request) -> None:
    """Sends a request again and again until something answers it."""
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            urllib.request.urlopen(request, timeout=_PATIENCE).close()
        except urllib.error.HTTPError as error:
            error.close()  # a refusal is an answer
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > ends:
                raise
            time.sleep(0.002)
            continue
        return


def processes(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from processes(int(child))


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has taken, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(pid: int) -> float:
    """MB that a process holds, what it shares with others divided among them."""
    rolled = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rolled, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def row(name: str, starts: list[Start]) -> str:
    """A row of the table: CPU with its spread, and the medians of the rest."""
    cpu = sorted(start.cpu for start in starts)
    wall, memory = median(start.wall for start in starts), median(start.memory for start in starts)
    return f"| {name} | {cpu[0]:.2f} | {median(cpu):.2f} | {cpu[-1]:.2f} | {wall:.2f} | {memory:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sources", nargs="*", help="packs and descriptions; every pack, and all at once, if none")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    groups = [[source] for source in asked.sources or pack_names()]
    if not asked.sources:
        groups.append(list(pack_names()))
    print(f"apidouble {__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores, {asked.rounds} rounds\n")
    print("| until the first answer | CPU s: min | median | max | wall s | MB |\n| --- | --- | --- | --- | --- | --- |")
    print(row("imports alone", [imported() for _ in range(asked.rounds)]))
    for sources in groups:
        name = Path(sources[0]).name if len(sources) == 1 else f"all {len(sources)} packs"
        firsts, seconds = [], []
        for _ in range(asked.rounds):
            with tempfile.TemporaryDirectory() as cache:
                firsts.append(served(sources, Path(cache)))
                seconds.append(served(sources, Path(cache)))
        print(row(f"{name}, first start", firsts))
        print(row(f"{name}, second start", seconds), flush=True)


if __name__ == "__main__":
    main()

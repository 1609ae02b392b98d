"""Requests per second of `apidouble check` and of Schemathesis' own command on the same double, in one run.

    python benchmarks/contract_checks.py [PACK|FILE] [--seconds 20] [--rounds 3]

In each round every command has its turn, each on a fresh double of its own in a process of its own, on another core. The
double counts what it is asked; the time is the command's from its start to its end, loading and reports and all. One
worker each, the same time each.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # benchmarks are not installed

from benchmarks.peers.figures import spread  # noqa: E402
from benchmarks.peers.processes import Command, ask, cores, free_port, pinned, running  # noqa: E402
from benchmarks.peers.table import markdown, middle  # noqa: E402
from mock_server.packs import source_of  # noqa: E402

BIN = Path(sys.executable).parent
OURS = re.compile(r"(?P<requests>\d+) exchanges in (?P<seconds>[\d.]+) s")
THEIRS = re.compile(r"(?P<requests>\d+) generated.*in (?P<seconds>[\d.]+)s =", re.DOTALL)
BASE = "schemathesis run"
GRACE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Tester:
    """A command that is measured. ``words`` is its command line for a URL, ``account`` finds what it says of itself."""

    name: str
    words: Callable[[str], list[str]]
    account: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Run:
    """One run: requests that the double was asked, seconds from start to end, CPU seconds of the command; and both by
    the command's own account."""

    requests: int
    seconds: float
    cpu: float
    told_requests: int
    told_seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Requests a second of CPU, which other load on the machine hardly moves."""
        return self.requests / self.cpu

    @property
    def told_rate(self) -> float:
        """Requests a second by its own account."""
        return self.told_requests / self.told_seconds


def run(api: str, tester: Tester, *, seconds: int) -> Run:
    """One run of a command against a fresh double."""
    both = cores()
    port = free_port()
    double = (sys.executable, "-m", "mock_server", "serve", api, "--port", str(port), "--no-limits")
    with tempfile.TemporaryDirectory() as folder:
        start = Command(double, Path(folder), {})
        with running(start, port=port, ready="/__mock__/apis", core=both[0] if both else None, seconds=60,
                     log=Path(folder) / "double.log"):  # fmt: skip
            words = pinned(tuple(tester.words(f"http://127.0.0.1:{port}")), both[1] if both else None)
            begun, before = time.monotonic(), cpu_of_ended()
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False,
                                  timeout=seconds * 3 + GRACE_SECONDS)  # fmt: skip
            taken, cpu = time.monotonic() - begun, cpu_of_ended() - before
            told = accounted(done.stdout + done.stderr, tester.account)
            return Run(asked(port), taken, cpu, int(told["requests"]), float(told["seconds"]))


def cpu_of_ended() -> float:
    """CPU seconds of all processes that this one has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def accounted(printed: str, account: re.Pattern[str]) -> re.Match[str]:
    """Where a command says how much it did; ends the program where it does not."""
    found = account.search(printed)
    if found is None or not int(found["requests"]):
        sys.exit(f"this does not say how many requests were made:\n{printed[-2000:]}")
    return found


def asked(port: int) -> int:
    """How many exchanges a double has had: the number in the name of the newest."""
    newest = json.loads(ask(port, "GET", "/__mock__/requests?limit=1").body)["requests"]
    return int(newest[-1]["id"].removeprefix("r")) if newest else 0


def ours(api: str, seconds: int, *checks: str) -> Callable[[str], list[str]]:
    """The command line of `apidouble check`; a family alone has more attempts, since it would end before its time.

    All families together go by the default: more attempts would also wait longer for webhooks that never come.
    """
    chosen = [word for check in checks for word in ("--check", check)]
    size = ["--size", "10"] if chosen else []

    def words(url: str) -> list[str]:
        return [str(BIN / "apidouble"), "check", api, "--url", url, "--max-time", f"{seconds}s", "--no-clean-up",
                "--workers", "1", *size, *chosen]  # fmt: skip

    return words


def theirs(api: str, seconds: int) -> Callable[[str], list[str]]:
    """The command line of Schemathesis, with the first credential of the seed."""

    def words(url: str) -> list[str]:
        served: dict[str, Any] = json.loads(ask(int(url.rpartition(":")[2]), "GET", "/__mock__/apis").body)
        known = next((one for one in served["apis"][0]["credentials"] if one["in"] == "header"), None)
        header = ["-H", f"{known['parameter']}: {known['value']}"] if known is not None else []
        return [str(BIN / "schemathesis"), "run", str(source_of(api).description), "--url", url, "--max-time",
                str(seconds), "--max-examples", "10000", "--continue-on-failure", "--generation-database", "none",
                "--workers", "1", "--no-color", *header]  # fmt: skip

    return words


def table(found: dict[str, list[Run]]) -> str:
    """One row a command; ratios are to Schemathesis in the same round."""
    rows = []
    for name, runs in found.items():
        pairs = list(zip(runs, found[BASE], strict=True))
        cells = [[each.rate / base.rate for each, base in pairs],
                 [each.told_rate / base.told_rate for each, base in pairs],
                 [each.cpu_rate / base.cpu_rate for each, base in pairs]]  # fmt: skip
        rows.append([name, middle(spread([each.rate for each in runs])),
                     *(middle(spread(cell), digits=2) for cell in cells)])  # fmt: skip
    return markdown(
        ["median (min-max) over rounds", "req/s", "ratio", "ratio by own account", "ratio per CPU second"], rows
    )


def measured(api: str, testers: Sequence[Tester], *, rounds: int, seconds: int) -> dict[str, list[Run]]:
    """All runs by command, taken in turn, so that another load on the machine meets each alike."""
    found: dict[str, list[Run]] = {tester.name: [] for tester in testers}
    for number in range(rounds):
        for tester in testers:
            found[tester.name].append(run(api, tester, seconds=seconds))
            last = found[tester.name][-1]
            sys.stderr.write(f"round {number + 1} of {rounds}: {tester.name}: {last.requests} requests in {last.seconds:.1f} s, "
                             f"{last.cpu:.1f} s of CPU"
                             f" ({last.told_requests} in {last.told_seconds:.1f} s by its own account)\n")  # fmt: skip
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("api", nargs="?", default=str(ROOT / "tests" / "acceptance" / "descriptions" / "shop.yaml"))
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    testers = (
        Tester(BASE, theirs(given.api, given.seconds), THEIRS),
        Tester("apidouble check, conformance", ours(given.api, given.seconds, "conformance"), OURS),
        Tester("apidouble check, every family", ours(given.api, given.seconds), OURS),
    )
    found = measured(given.api, testers, rounds=given.rounds, seconds=given.seconds)
    print(f"{Path(given.api).name}, {given.rounds} rounds of {given.seconds} s, apidouble {version('apidouble')}, "
          f"Schemathesis {version('schemathesis')}\n")  # fmt: skip
    print(table(found))


if __name__ == "__main__":
    main()

"""Requests per second of `apidouble check` and of Schemathesis' own command, on the same double, in one run.

Each by its own account: exchanges in the seconds of the run. Nothing limits the double.
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from mock_server.packs import source_of

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
OURS = re.compile(r"(?P<requests>\d+) exchanges in (?P<seconds>[\d.]+) s")
THEIRS = re.compile(r"(?P<requests>\d+) generated.*in (?P<seconds>[\d.]+)s =", re.DOTALL)


def rate(api: str, command: Callable[[str], list[str]], counted: re.Pattern[str]) -> float:
    """How many requests a second a command makes by its own account, on a fresh double in a process of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    double = subprocess.Popen([str(BIN / "apidouble"), "serve", api, "--port", str(port), "--no-limits"],
                              stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        wait_for(url)
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(command(url), cwd=folder, capture_output=True, text=True, check=False)
        found = counted.search(run.stdout)
        if found is None:
            raise SystemExit(run.stdout[-2000:] + run.stderr[-2000:])
        return float(found["requests"]) / float(found["seconds"])
    finally:
        double.terminate()
        double.wait(10)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    """Returns when the double answers."""
    for _ in range(600):
        try:
            requests.get(f"{url}/__mock__/apis", timeout=1)
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def ours(api: str, seconds: int, *checks: str) -> Callable[[str], list[str]]:
    """The command line of `apidouble check`."""
    chosen = [word for check in checks for word in ("--check", check)]

    def command(url: str) -> list[str]:
        return [str(BIN / "apidouble"), "check", api, "--url", url, "--max-time", f"{seconds}s", "--no-clean-up",
                "--size", "10", *chosen]  # fmt: skip

    return command


def theirs(api: str, seconds: int) -> Callable[[str], list[str]]:
    """The command line of Schemathesis, with the first credential of the seed."""

    def command(url: str) -> list[str]:
        apis = requests.get(f"{url}/__mock__/apis", timeout=10).json()["apis"]
        known = next((one for one in apis[0]["credentials"] if one["in"] == "header"), None)
        header = ["-H", f"{known['parameter']}: {known['value']}"] if known is not None else []
        return [str(BIN / "schemathesis"), "run", str(source_of(api).description), "--url", url, "--max-time",
                str(seconds), "--max-examples", "10000", "--continue-on-failure", "--generation-database", "none",
                *header]  # fmt: skip

    return command


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("api", nargs="?", default=str(ROOT / "tests" / "acceptance" / "descriptions" / "shop.yaml"))
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    commands = {
        "schemathesis run": theirs(given.api, given.seconds),
        "apidouble check, conformance": ours(given.api, given.seconds, "conformance"),
        "apidouble check, every family": ours(given.api, given.seconds),
    }
    rates: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(given.runs):
        for name, command in commands.items():  # in turn, so that another load on the machine meets each alike
            counted = THEIRS if name.startswith("schemathesis") else OURS
            rates[name].append(rate(given.api, command, counted))
    base = statistics.median(rates["schemathesis run"])
    print(f"{given.api}, {given.runs} runs of {given.seconds} s; requests per second")
    print(f"{'':<32}{'min':>8}{'median':>8}{'ratio':>8}")
    for name, found in rates.items():
        median = statistics.median(found)
        print(f"{name:<32}{min(found):>8.0f}{median:>8.0f}{median / base:>8.2f}")


if __name__ == "__main__":
    main()

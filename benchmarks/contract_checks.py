"""Requests per second of `apidouble check` and of Schemathesis' own command, on the same double, in one run.

The double is in a process of its own and counts what reaches it, so that both are measured alike; no limits are on.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from mock_server import MockServer, Options
from mock_server.packs import source_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def serve(api: str, told: Connection, counted: Synchronized[int]) -> None:
    """Serves a double that counts the requests of its API."""
    server = MockServer(api, options=Options(limits=False))
    answer = server.app.wsgi_app

    def counting(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/__mock__"):
            with counted.get_lock():
                counted.value += 1
        return answer(environ, start)

    server.app.wsgi_app = counting  # type: ignore[method-assign]  # Flask's own way to put something before it
    with server:
        told.send(server.url)
        multiprocessing.Event().wait()


def rate(api: str, seconds: int, command: Callable[[str], list[str]]) -> float:
    """How many requests a second a command makes while it sends: from its first request to its end."""
    here, there = multiprocessing.Pipe()
    counted: Any = multiprocessing.Value("q", 0)
    process = multiprocessing.Process(target=serve, args=(api, there, counted), daemon=True)
    process.start()
    url = here.recv()
    try:
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.Popen(command(url), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while counted.value == 0 and run.poll() is None:
                time.sleep(0.01)
            began = time.monotonic()
            run.wait(seconds * 6 + 60)
            return float(counted.value / (time.monotonic() - began))
    finally:
        process.kill()
        process.join()


def ours(api: str, seconds: int, *checks: str) -> Callable[[str], list[str]]:
    """The command line of `apidouble check`."""
    chosen = [word for check in checks for word in ("--check", check)]

    def command(url: str) -> list[str]:
        return [str(BIN / "apidouble"), "check", api, "--url", url, "--max-time", f"{seconds}s", "--no-clean-up",
                "--size", "10", "--quiet", *chosen]  # fmt: skip

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
            rates[name].append(rate(given.api, given.seconds, command))
    base = statistics.median(rates["schemathesis run"])
    print(f"{given.api}, {given.runs} runs of {given.seconds} s; requests per second")
    print(f"{'':<32}{'min':>8}{'median':>8}{'ratio':>8}")
    for name, found in rates.items():
        median = statistics.median(found)
        print(f"{name:<32}{min(found):>8.0f}{median:>8.0f}{median / base:>8.2f}")


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()

"""How quick apidouble is beside other servers that mock a description, in one run, as tables in Markdown.

    python benchmarks/compare.py [--quick] [--peers DIR] [--json FILE]

Servers run on one core and wrk on another; in each round every server has its turn, and ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # benchmarks are not installed

from benchmarks.peers import large, starts, table  # noqa: E402
from benchmarks.peers.installing import PINNED  # noqa: E402
from benchmarks.peers.processes import Unavailable, cores  # noqa: E402
from benchmarks.peers.servers import (  # noqa: E402
    BACKEND,
    FLASK,
    OURS,
    PRISM,
    SERVERS,
    SLOW_ON_LARGE,
    TOGETHER,
    Server,
    version_of,
)
from benchmarks.peers.turns import Failed, Plan, Turn, turn  # noqa: E402
from benchmarks.peers.workloads import DESCRIPTION, SEEDED, WORKS, customers  # noqa: E402

PARTS = ("customers", "large", "packs")
PAIRS = (*((one, other) for one in (OURS, TOGETHER) for other in (PRISM, BACKEND, FLASK)), (TOGETHER, OURS))
Turns = dict[str, list[Turn | Failed]]


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, default=cache_folder(), help="where the peers are installed")
    parser.add_argument("--rounds", type=int, help="3")
    parser.add_argument("--seconds", type=int, help="of load for each workload of each turn: 2")
    parser.add_argument("--warm-up", type=int, help="seconds of load before that: 2")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds until a server has to answer")
    parser.add_argument("--large-rounds", type=int, help="2")
    parser.add_argument("--quick", action="store_true", help="two rounds of a second, and the first peers only")
    parser.add_argument("--slow", action="store_true", help="with the peers that take minutes")
    parser.add_argument("--only", action="append", metavar="NAME", choices=[server.name for server in SERVERS])
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="every turn of every round")
    given = parser.parse_args()
    for name, usual, quick in (("rounds", 3, 2), ("seconds", 2, 1), ("warm_up", 2, 1), ("large_rounds", 2, 1)):
        if getattr(given, name) is None:
            setattr(given, name, quick if given.quick else usual)
    return given


def cache_folder() -> Path:
    """Where peers are installed unless told otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "apidouble-benchmarks"


QUICK = {OURS, TOGETHER, PRISM, BACKEND, FLASK}


def chosen(given: argparse.Namespace, *, on_large: bool) -> list[Server]:
    """The servers that take part."""
    if given.only:
        named = [server for server in SERVERS if server.name in given.only]
    else:
        named = [
            server
            for server in SERVERS
            if (not server.slow or given.slow) and (not given.quick or server.name in QUICK)
        ]
    if not on_large:
        return named
    return [
        server for server in named if server.large and (given.slow or given.only or server.name not in SLOW_ON_LARGE)
    ]


def taken(rounds: int, part: str, one_round: Callable[[int], Iterable[tuple[str, Turn | Failed]]]) -> Turns:
    """The turns of so many rounds, by server."""
    found: Turns = {}
    for number in range(rounds):
        for name, measured in one_round(number):
            found.setdefault(name, []).append(measured)
            state = measured.reason if isinstance(measured, Failed) else "measured"
            sys.stderr.write(f"{part}, round {number + 1} of {rounds}: {name}: {state}\n")
    return found


def in_turn(servers: list[Server], number: int) -> list[Server]:
    """The servers in another order each round, so that none always follows the same one."""
    by = number % len(servers) if servers else 0
    return servers[by:] + servers[:by]


def measured(given: argparse.Namespace, plan: Plan) -> dict[str, Turns]:
    """All parts that are asked for."""
    parts = given.part or PARTS
    found: dict[str, Turns] = {}
    if "customers" in parts:
        servers = chosen(given, on_large=False)

        def customers_round(number: int) -> Iterable[tuple[str, Turn | Failed]]:
            for server in in_turn(servers, number):
                shutil.rmtree(plan.scratch / "cache", ignore_errors=True)  # every start is a first one
                yield server.name, turn(server, DESCRIPTION, plan)

        found["customers"] = taken(given.rounds, "customers", customers_round)
    if "large" in parts:
        found["large"] = large_part(given, plan)
    if "packs" in parts:
        found["packs"] = taken(given.rounds, "packs", lambda _: starts.starts(plan).items())
    return found


def large_part(given: argparse.Namespace, plan: Plan) -> Turns:
    """The turns on the large description, or why there is none."""
    servers = chosen(given, on_large=True)
    try:
        pair = large.descriptions(plan)
    except Unavailable as error:
        return {server.name: [Failed(f"the description: {error}")] for server in servers}

    def large_round(number: int) -> Iterable[tuple[str, Turn | Failed]]:
        for server in in_turn(servers, number):
            yield from large.large_turns(server, pair, plan).items()

    return taken(given.large_rounds, "large", large_round)


def printed(found: dict[str, Turns], given: argparse.Namespace, plan: Plan) -> str:
    """The tables of all parts."""
    versions = {server.name: version_of(server) for server in SERVERS}
    parts = [heading(given, plan)]
    if "customers" in found:
        rounds = {
            server.name: found["customers"][server.name] for server in SERVERS if server.name in found["customers"]
        }
        parts += [
            table.servers_table(rounds, versions, WORKS),
            table.answers_table(rounds, WORKS),
            table.ratios_table(rounds, PAIRS, WORKS),
            table.cpu_table(rounds, WORKS),
        ]
    if "large" in found:
        parts += [large.large_table(found["large"], SERVERS), large.large_ratios(found["large"])]
    if "packs" in found:
        parts.append(starts.starts_table(found["packs"]))
    return "\n\n".join(parts)


def heading(given: argparse.Namespace, plan: Plan) -> str:
    """When, where and how."""
    where = f"servers on core {plan.cores[0]}, wrk -t1 -c8 on core {plan.cores[1]}" if plan.cores else "nothing pinned"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores, Linux {platform.release()}, Python "
        f"{platform.python_version()}; {where}; {given.rounds} rounds of {plan.seconds} s (large: {given.large_rounds}), "
        f"warm-up {plan.warm_up} s. Medians (least-most) over rounds. A workload in brackets is one that a server cannot do. "
        "Memory counts a page that several processes of a server share once, the sum of RSS for each of them; what keeps "
        "state holds what W2 created."
    )


def processor() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def document(found: dict[str, Turns], given: argparse.Namespace, plan: Plan) -> dict[str, object]:
    """Everything, for a program."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "rounds": given.rounds,
        "seconds": plan.seconds,
        "pinned": {name: packages.requirements() for name, packages in PINNED.items()},
        "versions": {server.name: version_of(server) for server in SERVERS},
        "parts": {
            part: {name: [dataclasses.asdict(each) for each in turns] for name, turns in servers.items()}
            for part, servers in found.items()
        },
    }


def ended(number: int, frame: FrameType | None) -> None:
    """Ends on SIGTERM as on Ctrl-C: what was started is ended first."""
    raise KeyboardInterrupt


def main() -> None:
    """Prints the tables."""
    given = options()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: it is a package of that name in Debian and Ubuntu")
    signal.signal(signal.SIGTERM, ended)
    with tempfile.TemporaryDirectory(prefix="apidouble-compare-") as folder:
        plan = Plan(given.peers.resolve(), Path(folder), given.seconds, given.warm_up, given.patience, cores())
        plan.seed.write_text(json.dumps(customers(SEEDED)), encoding="utf-8")
        try:
            found = measured(given, plan)
        except KeyboardInterrupt:
            sys.exit("interrupted; every server was ended")
        print(printed(found, given, plan))
        if given.json is not None:
            given.json.write_text(json.dumps(document(found, given, plan), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

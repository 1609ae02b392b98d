"""How soon `apidouble serve` answers for the packs: from an empty cache and from a filled one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from benchmarks.peers.figures import Rounds, figures, memory, started, started_cpu
from benchmarks.peers.processes import Command, free_port, running
from benchmarks.peers.table import NONE, markdown, middle, reason
from benchmarks.peers.turns import BROKEN, Failed, Plan, Turn

SERVED: dict[str, tuple[tuple[str, ...], str]] = {
    "repzo, 435 operations": (("repzo",), "/clients"),
    "every pack": ((), "/repzo/clients"),
}
"""What is served, and a mocked path: its answer, be it a 401, has gone through the whole line."""
FIRST, SECOND = "cache empty", "cache filled"


def starts(plan: Plan) -> dict[str, Turn | Failed]:
    """One round: each served twice."""
    found: dict[str, Turn | Failed] = {}
    for name, (words, ready) in SERVED.items():
        shutil.rmtree(plan.scratch / "cache", ignore_errors=True)
        for cache in (FIRST, SECOND):
            found[f"{name}, {cache}"] = _start(words, ready, plan)
    return found


def _start(words: Sequence[str], ready: str, plan: Plan) -> Turn | Failed:
    port = free_port()
    command = Command((sys.executable, "-m", "mock_server", "serve", *words, "--port", str(port)), plan.scratch,
                      {"XDG_CACHE_HOME": str(plan.scratch / "cache")})  # fmt: skip
    log = plan.scratch / "server.log"
    try:
        with running(command, port=port, ready=ready, core=plan.server_core, seconds=plan.patience, log=log,
                     refused=True) as process:  # fmt: skip
            return Turn(process.started, process.started_cpu, process.memory_mb(), process.resident_mb(), {}, {})
    except BROKEN as error:
        return Failed(str(error) or type(error).__name__)


def starts_table(rounds: Rounds) -> str:
    """One row a start: until the first answer, by the clock and of CPU."""
    rows = []
    for name, turns in rounds.items():
        why = reason(turns)
        if why is not None:
            rows.append([name, why, NONE, NONE])
            continue
        rows.append([name, middle(figures(turns, started), digits=2), middle(figures(turns, started_cpu), digits=2),
                     middle(figures(turns, memory))])  # fmt: skip
    return markdown(["apidouble serve", "first answer, s", "CPU until then, s", "memory, MB"], rows)

"""One small application under every Python server that is installed, loaded by wrk from another core.

    python benchmarks/servers.py [--rounds 3] [--seconds 2]

What a server itself costs, without a double behind it: requests per second, p99, CPU of the server for one request, and
ratios to the first row within a round. ``pip install waitress cheroot uvloop`` brings more rows.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # benchmarks are not installed

from benchmarks.peers.figures import cpu, figures, p99, rate, ratios  # noqa: E402
from benchmarks.peers.processes import Command, cores, free_port, running  # noqa: E402
from benchmarks.peers.table import NONE, markdown, middle, reason  # noqa: E402
from benchmarks.peers.turns import BROKEN, Failed, Plan, Turn, loaded  # noqa: E402
from benchmarks.peers.workloads import GET_ONE, POST_VALID  # noqa: E402

WORKS = (GET_ONE, POST_VALID)
APPLICATION = """
import logging, sys
BODY = b'{"id":1}' * 16
def wsgi(environ, start_response):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]
async def rsgi(scope, protocol):
    if scope.method == "POST":
        await protocol()
    protocol.response_bytes(200, [("content-type", "application/json")], BODY)
async def asgi(scope, receive, send):
    if scope["method"] == "POST":
        await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": BODY})
def granian(application, interface, **more):
    from granian.constants import Interfaces
    from granian.server import Server
    logging.getLogger("_granian").setLevel(logging.ERROR)
    Server("x", port=PORT, interface=Interfaces(interface), log_enabled=False, **more).serve(
        target_loader=lambda *_: application, wrap_loader=False)
"""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to serve it: the modules it needs, and what starts it."""

    modules: tuple[str, ...]
    code: str


WAYS = {
    "granian wsgi, 8 threads": Way(("granian",), "granian(wsgi, 'wsgi', blocking_threads=8)"),
    "granian wsgi, 1 thread": Way(("granian",), "granian(wsgi, 'wsgi', blocking_threads=1)"),
    "granian rsgi, asyncio": Way(("granian",), "from granian.constants import Loops; granian(rsgi, 'rsgi', loop=Loops.asyncio)"),
    "granian rsgi, uvloop": Way(("granian", "uvloop"), "from granian.constants import Loops; granian(rsgi, 'rsgi', loop=Loops.uvloop)"),
    "granian asgi, asyncio": Way(("granian",), "from granian.constants import Loops; granian(asgi, 'asginl', loop=Loops.asyncio)"),
    "waitress, 8 threads": Way(("waitress",), "import waitress; waitress.serve(wsgi, host='127.0.0.1', port=PORT, threads=8, _quiet=True)"),
    "cheroot, 8 threads": Way(("cheroot",), "from cheroot.wsgi import Server; Server(('127.0.0.1', PORT), wsgi, numthreads=8).start()"),
    "werkzeug": Way(("werkzeug",), "from werkzeug.serving import run_simple, WSGIRequestHandler as H; H.protocol_version = 'HTTP/1.1'; "
                    "H.log_request = lambda *_: None; run_simple('127.0.0.1', PORT, wsgi, threaded=True)"),
}  # fmt: skip


def taken(way: Way, plan: Plan) -> Turn | Failed:
    """One turn of one server."""
    missing = [module for module in way.modules if importlib.util.find_spec(module) is None]
    if missing:
        return Failed(f"{', '.join(missing)} is not installed")
    port = free_port()
    command = Command((sys.executable, "-c", f"PORT = {port}\n{APPLICATION}\n{way.code}"), plan.scratch, {})
    log = plan.scratch / "server.log"
    try:
        with running(command, port=port, ready="/", core=plan.server_core, seconds=plan.patience, log=log) as process:
            loads = {work.name: loaded(process, work, ("/",), plan) for work in WORKS}
            return Turn(process.started, process.started_cpu, process.memory_mb(), process.resident_mb(), {}, loads)
    except BROKEN as error:
        return Failed(str(error) or type(error).__name__)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed")
    rounds: dict[str, list[Turn | Failed]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(Path(folder), Path(folder), given.seconds, 1, 20.0, cores())
        for _ in range(given.rounds):
            for name, way in WAYS.items():
                rounds[name].append(taken(way, plan))
    first = next(iter(WAYS))
    heads = ["server"]
    for kind in ("GET", "POST"):
        heads += [f"{kind}, req/s", "ratio", "p99 ms", "CPU µs"]
    rows = []
    for name, turns in rounds.items():
        why = reason(turns)
        cells = [why, *[NONE] * (len(heads) - 2)] if why is not None else []
        for work in () if why is not None else (work.name for work in WORKS):
            cells += [middle(figures(turns, rate(work))), middle(ratios(rounds, name, first, rate(work)), digits=2),
                      middle(figures(turns, p99(work)), digits=1), middle(figures(turns, cpu(work)))]  # fmt: skip
        rows.append([name, *cells])
    print(markdown(heads, rows))


if __name__ == "__main__":
    main()

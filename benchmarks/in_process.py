"""CPU per validated, stateful, journalled request in process, as a ratio to a bare Flask route of the same bytes.

    python benchmarks/in_process.py [--rounds 60] [--requests 100]

The description and the requests are those of compare.py, with 10,000 customers in the state. Ours and Flask's have their
turns one after the other in each round, so a ratio is of one moment; a round is short, so that some fall where nothing
else runs. What Flask answers is what ours answered, as constant bytes; it parses a body and validates nothing.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # benchmarks are not installed

from flask import Flask, request

from benchmarks.peers.table import markdown
from benchmarks.peers.workloads import (
    DESCRIPTION,
    GET_ONE,
    IN_TURN,
    LIST_PAGE,
    PAGE,
    POST_INVALID,
    POST_VALID,
    SEEDED,
    Work,
    customers,
)
from mock_server import create_app

TARGETS = {
    GET_ONE.name: "/customers/17",
    POST_VALID.name: "/customers",
    POST_INVALID.name: "/customers",
    LIST_PAGE.name: f"/customers?limit={PAGE}&offset=5000",
}

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def ours() -> Application:
    """The double, seeded."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as seed:
        json.dump({"resources": {"customers": customers(SEEDED)}}, seed)
        seed.flush()
        return create_app(DESCRIPTION, seed=Path(seed.name)).wsgi_app


def bare_flask(one: bytes, page: bytes) -> Application:
    """A Flask application that validates nothing and answers constant bytes."""
    app = Flask("bare")

    @app.get("/customers/<int:customer_id>")
    def read(customer_id: int) -> Any:
        return app.response_class(one, mimetype="application/json")

    @app.get("/customers")
    def listed() -> Any:
        return app.response_class(page, mimetype="application/json")

    @app.post("/customers")
    def create() -> Any:
        request.get_json()
        return app.response_class(one, status=201, mimetype="application/json")

    return app.wsgi_app


def environ(work: Work) -> dict[str, Any]:
    """A request as a server would hand it on."""
    path, _, query = TARGETS[work.name].partition("?")
    return {
        "REQUEST_METHOD": work.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": "benchmark",
        "CONTENT_TYPE": "application/json" if work.body else "",
        "CONTENT_LENGTH": str(len(work.body)) if work.body else "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(work.body),
    }


def answered(application: Application, work: Work) -> bytes:
    """The body of one answer, whose status is what the workload is about."""
    statuses: list[str] = []
    body = b"".join(application(environ(work), lambda status, headers, info=None: statuses.append(status)))
    if not statuses[0].startswith(work.statuses):
        sys.exit(f"{work.name} was answered {statuses[0]}: {body[:300]!r}")
    return body


def microseconds(application: Application, work: Work, requests: int) -> float:
    """CPU time of one request."""
    started = time.process_time()
    for _ in range(requests):
        b"".join(application(environ(work), lambda status, headers, info=None: None))
    return (time.process_time() - started) / requests * 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--requests", type=int, default=100)
    asked = options.parse_args()
    double = ours()
    bodies = {work.name: answered(double, work) for work in IN_TURN}
    flask = bare_flask(bodies[GET_ONE.name], bodies[LIST_PAGE.name])
    found: dict[str, list[tuple[float, float]]] = {work.name: [] for work in IN_TURN}
    for _ in range(asked.rounds):
        for work in IN_TURN:
            # Flask gets what it takes for right: the valid body.
            theirs = POST_VALID if work is POST_INVALID else work
            found[work.name].append(
                (microseconds(double, work, asked.requests), microseconds(flask, theirs, asked.requests))
            )
    print(f"Python {sys.version.split()[0]}, Flask {version('flask')}, apidouble {version('apidouble')}; "
          f"{asked.rounds} rounds of {asked.requests} requests\n")  # fmt: skip
    rows = []
    for work in sorted(IN_TURN, key=lambda work: work.name):
        mine, theirs = zip(*found[work.name], strict=True)
        ratios = sorted(one / other for one, other in found[work.name])
        rows.append([f"{work.name} {work.summary}", f"{min(mine):.1f}", f"{min(theirs):.1f}",
                     f"{min(mine) / min(theirs):.2f}", f"{statistics.median(ratios):.2f}",
                     f"{ratios[len(ratios) // 10]:.2f}-{ratios[-1 - len(ratios) // 10]:.2f}"])  # fmt: skip
    print(markdown(["", "apidouble, least µs", "bare Flask, least µs", "ratio of the least", "median ratio",
                    "8 of 10 ratios"], rows))  # fmt: skip


if __name__ == "__main__":
    main()

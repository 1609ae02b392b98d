"""CPU per validated, stateful, journalled request in process, as a ratio to a bare Flask route of the same bytes."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import Flask, request

from mock_server import create_app

SHOP = Path(__file__).resolve().parents[1] / "tests" / "acceptance" / "descriptions" / "shop.yaml"
ROUNDS, REQUESTS = 7, 2000
VALID, INVALID = b'{"name": "Oak table", "price": 250}', b'{"name": "", "price": -1}'
BYTES = b'{"id":1,"name":"Oak table","price":250,"status":"draft","created_at":"2026-01-01T00:00:00Z"}'

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def bare_flask() -> Application:
    """A Flask application that validates nothing and answers constant bytes."""
    app = Flask("bare")

    @app.get("/products/<int:product_id>")
    def read(product_id: int) -> Any:
        return app.response_class(BYTES, mimetype="application/json")

    @app.post("/products")
    def create() -> Any:
        request.get_json()
        return app.response_class(BYTES, status=201, mimetype="application/json")

    return app.wsgi_app


def environ(method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    """A request as a server would hand it on."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": "benchmark",
        "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }


def microseconds(application: Application, method: str, path: str, body: bytes = b"") -> float:
    """CPU time of one request, the median of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(REQUESTS):
            b"".join(application(environ(method, path, body), lambda status, headers, info=None: None))
        rounds.append((time.process_time() - started) / REQUESTS * 1e6)
    return statistics.median(rounds)


def main() -> None:
    ours, flask = create_app(SHOP).wsgi_app, bare_flask()
    b"".join(ours(environ("POST", "/products", VALID), lambda status, headers, info=None: None))
    rows = (
        ("W1 GET one", ("GET", "/products/1"), ("GET", "/products/1")),
        ("W2 POST valid", ("POST", "/products", VALID), ("POST", "/products", VALID)),
        ("W3 POST invalid", ("POST", "/products", INVALID), ("POST", "/products", VALID)),
    )
    print(f"{'':<16}{'apidouble µs':>14}{'bare Flask µs':>15}{'ratio':>8}")
    for name, mine, theirs in rows:
        here, there = microseconds(ours, *mine), microseconds(flask, *theirs)
        print(f"{name:<16}{here:>14.1f}{there:>15.1f}{here / there:>8.2f}")


if __name__ == "__main__":
    main()

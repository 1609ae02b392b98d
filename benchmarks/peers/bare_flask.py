"""A plain Flask application that validates nothing: what a stand-in written by hand would cost.

Arguments: waitress or granian, the port, and a JSON file with a list of customers.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from flask import Flask, request

SEED: list[dict[str, Any]] = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
BODY = json.dumps(SEED[0], separators=(",", ":"))

app = Flask("bare")


@app.get("/customers/<int:customer_id>")
def read(customer_id: int) -> Any:
    """The same bytes every time."""
    return app.response_class(BODY, mimetype="application/json")


@app.post("/customers")
def create() -> Any:
    """The same bytes every time, once the body is parsed."""
    request.get_json()
    return app.response_class(BODY, status=201, mimetype="application/json")


@app.get("/customers")
def page() -> Any:
    """A slice of the seed."""
    offset, limit = int(request.args.get("offset", 0)), int(request.args.get("limit", 20))
    return {"data": SEED[offset : offset + limit], "total": len(SEED)}


def serve(server: str, port: int) -> None:
    """Serves until it is ended."""
    if server == "waitress":
        importlib.import_module("waitress").serve(app, host="127.0.0.1", port=port, threads=8, _quiet=True)
    else:
        from granian.constants import Interfaces
        from granian.server import Server

        Server("bare", address="127.0.0.1", port=port, interface=Interfaces.WSGI, blocking_threads=8,
               log_enabled=False).serve(target_loader=lambda *_: app, wrap_loader=False)  # fmt: skip


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))

"""A small real service, written without apidouble, with bugs to plant; and a server that runs it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

NOTES = Path(__file__).with_name("notes.yaml")
TOKEN = "tok-8d1f3e7a92"


@dataclass(slots=True)
class Notes:
    """The service's state. ``forgets`` is the bug: what is read is not what was written."""

    forgets: bool = False
    token: str | None = None
    deletes: bool = True
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    resets: int = 0
    numbers: Any = field(default_factory=lambda: count(1))

    def reset(self) -> None:
        """Forgets every note."""
        self.notes.clear()
        self.resets += 1

    def app(self) -> Flask:
        """The service as a Flask application."""
        app = Flask("notes")

        @app.before_request
        def guard() -> tuple[Response, int, dict[str, str]] | None:
            self.seen.append((request.method, request.path, request.headers.get("Authorization", "")))
            if request.path == "/reset" or self.token is None:
                return None
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                return jsonify(error="no"), 401, {"WWW-Authenticate": "Bearer"}
            return None

        @app.post("/reset")
        def reset() -> tuple[str, int]:
            self.reset()
            return "", 204

        @app.get("/notes")
        def listed() -> Response:
            return jsonify(list(self.notes.values()))

        @app.post("/notes")
        def create() -> tuple[Response, int]:
            body = request.get_json(silent=True)
            if not isinstance(body, dict) or not isinstance(body.get("text"), str) or len(body["text"]) > 50:
                return jsonify(error="text is missing"), 400
            note = {"id": f"n{next(self.numbers)}", "text": body["text"]}
            self.notes[note["id"]] = {**note, "text": ""} if self.forgets else note
            return jsonify(note), 201

        @app.get("/notes/<name>")
        def read(name: str) -> tuple[Response, int]:
            return (jsonify(self.notes[name]), 200) if name in self.notes else (jsonify(error="none"), 404)

        @app.delete("/notes/<name>")
        def delete(name: str) -> tuple[Response | str, int]:
            if name not in self.notes or not self.deletes:
                return jsonify(error="none"), 404 if self.deletes else 409
            del self.notes[name]
            return "", 204

        return app


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The base URL of an application that is served on a free port of this machine."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

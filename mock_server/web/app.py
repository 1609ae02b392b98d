"""The Flask application: factory, index page, errors as problem documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from mock_server.errors import ApidoubleError, ConfigurationError, StateError, did_you_mean
from mock_server.exchange.errorbodies import PROBLEM_JSON
from mock_server.openapi import jsontext
from mock_server.openapi.compile import Api
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from mock_server.packs import ApiSource, pack_names, source_of
from mock_server.sandbox import Options, Sandbox
from mock_server.web.control import control
from mock_server.web.entry import MockEntry


def create_app(
    *sources: str | Path | ApiSource | Api,
    overlays: Sequence[Path] = (),
    seed: Path | None = None,
    options: Options | None = None,
    control_token: str | None = None,
) -> Flask:
    """A Flask application that stands in for the given APIs; every pack when none is given.

    A source is a pack's name, a path of a description, an ``ApiSource`` or a compiled ``Api``. ``overlays`` and
    ``seed`` go with a single source. One API is mounted at the root, several at ``/<name>``. With a
    ``control_token`` the control API under ``/__mock__/`` wants it as a bearer token. Raises ``ApidoubleError``.
    """
    if len(sources) > 1 and (overlays or seed is not None):
        raise ConfigurationError("overlays and a seed go with one description", got=f"{len(sources)} descriptions")
    chosen = [
        source if isinstance(source, ApiSource | Api) else source_of(str(source), overlays=overlays, seed=seed)
        for source in (sources or pack_names())
    ]
    if not chosen:
        raise ConfigurationError("there is nothing to serve", hint="give the path of an OpenAPI description")
    return app_for(Sandbox(chosen, options=options), control_token=control_token)


def app_for(sandbox: Sandbox, *, control_token: str | None = None) -> Flask:
    """The Flask application of a sandbox."""
    app = Flask("mock_server", static_folder=None)
    app.extensions["apidouble"] = sandbox
    app.config["CONTROL_TOKEN"] = control_token
    app.config["MAX_CONTENT_LENGTH"] = sandbox.options.max_body
    app.register_blueprint(control, url_prefix="/__mock__")
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(ApidoubleError, _own_problem)
    app.register_error_handler(Undecodable, _unreadable)
    app.add_url_rule("/", "index", lambda: _index(sandbox))
    app.wsgi_app = MockEntry(app.wsgi_app, sandbox)  # type: ignore[method-assign] - Flask documents this as the place
    return app


def sandbox_of(app: Flask) -> Sandbox:
    """The sandbox that an application serves."""
    sandbox: Sandbox = app.extensions["apidouble"]
    return sandbox


def _index(sandbox: Sandbox) -> Response:
    """What is served here, for whoever opens the root of several APIs."""
    root = request.url_root.rstrip("/")
    return json_response(
        {
            "apis": {name: f"{root}/{name}" for name in sandbox.apis},
            "control": f"{root}/__mock__/openapi.json",
        }
    )


def json_response(value: Json, status: int = 200, *, media_type: str = "application/json") -> Response:
    """A JSON response."""
    return Response(jsontext.dumps(value), status=status, mimetype=media_type)


def problem_response(status: int, title: str, detail: str, **more: Json) -> Response:
    """An RFC 9457 problem."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return json_response(body, status, media_type=PROBLEM_JSON)


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    detail = error.description or ""
    if status == 404:
        sandbox: Sandbox = sandbox_of_request()
        hint = did_you_mean(request.path.split("/")[1], sandbox.apis)
        detail = f"nothing is served at {request.path}; the APIs are {', '.join('/' + n for n in sandbox.apis)}" + (
            f"; {hint}" if hint else ""
        )
    response = problem_response(status, error.name, detail)
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def sandbox_of_request() -> Sandbox:
    """The sandbox of the application that handles the current request."""
    return sandbox_of(current_app)


def _own_problem(error: ApidoubleError) -> Response:
    status = 404 if isinstance(error, StateError) and error.got is None else 422
    if isinstance(error, ConfigurationError):
        status = 400
    facts = {"allowed": error.allowed, "hint": error.hint}
    more = {name: fact for name, fact in facts.items() if fact is not None}
    return problem_response(status, "Refused", error.problem, **more)


def _unreadable(error: Undecodable) -> Response:
    return problem_response(400, "Bad Request", f"the body cannot be read: {error.message}")

"""The Flask application: factory, index page, errors as problem documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from mock_server.errors import ApidoubleError, ConfigurationError, did_you_mean
from mock_server.exchange.line import too_large
from mock_server.openapi.compile import Api
from mock_server.packs import ApiSource, pack_names, source_of
from mock_server.sandbox import Options, Sandbox
from mock_server.web.control import control
from mock_server.web.entry import CONTROL, MockEntry
from mock_server.web.responses import error_response, http_problem, json_response


def create_app(
    *sources: str | Path | ApiSource | Api,
    overlays: Sequence[Path] = (),
    seed: Path | None = None,
    options: Options | None = None,
    control_token: str | None = None,
) -> Flask:
    """A Flask application that stands in for the given APIs; every pack when none is given.

    A source is a pack's name, a path of a description, an ``ApiSource`` or a compiled ``Api``. ``overlays``
    and ``seed`` go with a single name or path. One API is mounted at the root, several at ``/<name>``. With a
    ``control_token`` the control API under ``/__mock__/`` wants it as a bearer token. Raises
    ``ApidoubleError``.
    """
    if overlays or seed is not None:
        _check_takes_files(sources)
    chosen = [
        source_of(str(source), overlays=overlays, seed=seed) if isinstance(source, str | Path) else source
        for source in (sources or pack_names())
    ]
    if not chosen:
        raise ConfigurationError("there is nothing to serve", hint="give the path of an OpenAPI description")
    return app_for(Sandbox(chosen, options=options), control_token=control_token)


def _check_takes_files(sources: Sequence[str | Path | ApiSource | Api]) -> None:
    """Overlays and a seed are laid over one description that is still to be read."""
    if len(sources) != 1:
        raise ConfigurationError("overlays and a seed go with one description", got=f"{len(sources)} descriptions")
    if not isinstance(sources[0], str | Path):
        raise ConfigurationError(
            "overlays and a seed go with a pack's name or a path",
            got=type(sources[0]).__name__,
            hint="give them to the ApiSource, or to compile_api",
        )


def app_for(sandbox: Sandbox, *, control_token: str | None = None) -> Flask:
    """The Flask application of a sandbox."""
    app = Flask("mock_server", static_folder=None)
    app.extensions["apidouble"] = sandbox
    app.config["CONTROL_TOKEN"] = control_token
    app.config["MAX_CONTENT_LENGTH"] = sandbox.options.max_body
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.register_blueprint(control, url_prefix=CONTROL)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(ApidoubleError, error_response)
    app.add_url_rule("/", "index", lambda: _index(sandbox))
    # Flask documents this as the place to wrap an application.
    app.wsgi_app = MockEntry(app.wsgi_app, sandbox)  # type: ignore[method-assign]
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


def _http_problem(error: HTTPException) -> Response:
    """The problem document for what Flask itself refuses."""
    return http_problem(error, _detail(error))


def _detail(error: HTTPException) -> str:
    if isinstance(error, NotFound):
        return _nothing_there(request.path)
    if isinstance(error, MethodNotAllowed):
        possible = ", ".join(sorted(error.valid_methods or ()))
        return f"{request.method} is not possible at {request.path}, only {possible}"
    if isinstance(error, RequestEntityTooLarge):
        return too_large(sandbox_of(current_app).options.max_body)
    return error.description or ""


def _nothing_there(path: str) -> str:
    if path == CONTROL or path.startswith(CONTROL + "/"):
        known = {rule.rule for rule in current_app.url_map.iter_rules() if rule.endpoint.startswith("control.")}
        named = path.removeprefix(CONTROL).strip("/")
        hint = (did_you_mean(path, known) if named else None) or f"{CONTROL}/openapi.json describes it"
        return f"the control API has nothing at {path}; {hint}"
    apis = sandbox_of(current_app).apis
    near = did_you_mean(path.split("/")[1], apis)
    served = ", ".join(f"/{name}" for name in apis)
    return f"nothing is served at {path}; the APIs are {served}" + (f"; {near}" if near else "")

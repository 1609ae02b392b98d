"""What every control operation shares: the token, the request as its description reads it, the universe it is for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources

from flask import Blueprint, Response, current_app, g, request

from mock_server.errors import StateError, did_you_mean
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.requests import Reading, RequestReader
from mock_server.exchange.universe import DEFAULT_SESSION, Universe
from mock_server.model.outcome import NO_BODY
from mock_server.model.problem import Kind, Problem
from mock_server.model.secretnames import without_secrets
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.source import parse
from mock_server.openapi.values import Json, Violation
from mock_server.sandbox import Sandbox, Served
from mock_server.web.control.guarding import ANSWER_HEADERS, has_token, stranger
from mock_server.web.responses import json_response, problem_response, refusal

control = Blueprint("control", __name__)


@cache
def description() -> Api:
    """The control API's own description, compiled."""
    name = "control.openapi.yaml"
    data = resources.files("mock_server.web").joinpath(name).read_bytes()
    return Api(Documents.from_value(parse(data, name=name), name=name), name="control")


@cache
def _reader(operation_id: str) -> RequestReader:
    return RequestReader(description().operation(operation_id))


@control.before_request
def _guard() -> Response | None:
    """Off loopback the control API wants its token (RFC 6750); on loopback it is not for web pages."""
    token = current_app.config.get("CONTROL_TOKEN")
    if token is None:
        why = stranger(request.method, request.headers)
        hint = "call it by localhost or a loopback address, from a program, or give the server a control token"
        return None if why is None else problem_response(403, why, hint=hint)
    if has_token(request.headers, str(token)):
        return None
    response = problem_response(
        401,
        "the control API wants the token that was printed at start",
        hint="send it as Authorization: Bearer <token>",
    )
    response.headers["WWW-Authenticate"] = 'Bearer realm="apidouble control"'
    return response


@control.before_request
def _read() -> Response | None:
    """Reads the request by its description, or refuses it."""
    if request.method == "OPTIONS":
        return None
    operation_id = (request.endpoint or "").rpartition(".")[2]
    found = _reader(operation_id).read(_raw_request(), {})
    if isinstance(found, Problem):
        in_body = any(violation.where == "body" for violation in found.violations)
        return refusal(found if in_body or found.kind is not Kind.INVALID else replace(found, status=400))
    unknown = _unknown_parameter(operation_id)
    if unknown is not None:
        return refusal(unknown)
    g.reading = found
    return None


def _raw_request() -> RawRequest:
    """The request for the reader. Its body is JSON whatever Content-Type says: ``curl -d`` calls it a form."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["content-type"] = "application/json"
    query = request.query_string.decode("latin-1")
    return RawRequest(request.method, request.path, query, headers, request.get_data(), request.url_root)


def _unknown_parameter(operation_id: str) -> Problem | None:
    """A refusal of the first query parameter that is not described: a misspelt filter would let everything through."""
    parameters = description().operation(operation_id).parameters
    known = [parameter.name for parameter in parameters if parameter.location == "query"]
    for name in request.args:
        if name not in known:
            hint = did_you_mean(name, known)
            message = f"there is no query parameter {name!r}" + (f"; {hint}" if hint else "")
            violation = Violation("query", "", "unknown", request.args[name], known, message, name)
            return Problem(Kind.INVALID, message, (violation,), status=400)
    return None


@control.after_request
def _told(response: Response) -> Response:
    """Whoever watches the universe looks at it again: the request may have changed its state or its time."""
    if "universe" in g:
        g.universe.watch(g.universe)
    response.headers.extend(ANSWER_HEADERS)
    return response


def sandbox() -> Sandbox:
    """The sandbox of the application that handles the request."""
    found: Sandbox = current_app.extensions["apidouble"]
    return found


def served(name: str) -> Served:
    """The API that a URL names; a ``StateError`` when there is none."""
    apis = sandbox().apis
    if name not in apis:
        raise StateError(f"there is no API {name!r}", allowed=", ".join(apis), hint=did_you_mean(name, apis))
    return apis[name]


def universe(*, catch_up: bool = True) -> Universe:
    """The universe that the request names by header, URL prefix or ``session`` parameter, up to date.

    Without ``catch_up`` what has become due there is left undone, for a request that does away with it.
    """
    named = request.headers.get("Mock-Session") or request.args.get("session")
    found = sandbox().universes.get(named or DEFAULT_SESSION)
    g.universe = found
    if catch_up:
        sandbox().committing.catch_up(found, found.clock.now())
    return found


def body() -> Json:
    """The decoded body; an empty object when an optional one was left out."""
    value = _reading().body
    return {} if value is NO_BODY else value


def query(name: str) -> Json:
    """A decoded query parameter, None when it was not sent."""
    return _reading().query.get(name)


def concealed(shown: Json) -> Json:
    """What is to be shown of the universe, without its secrets unless the request asks for them."""
    return shown if query("secrets") else without_secrets(without_known(shown))


def without_known(shown: Json) -> Json:
    """The same without what the seed and the state know for a secret, for what has no others in it any more."""
    return shown if query("secrets") else sandbox().secrets(g.universe).hidden_in(shown)


def _reading() -> Reading:
    reading: Reading = g.reading
    return reading


@control.get("/openapi.json")
def read_control_description() -> Response:
    """The description of this API."""
    return json_response(dict(description().root))

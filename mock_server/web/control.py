"""The control API under ``/__mock__/``: what a test or a person does to a double besides calling it.

It is described by ``control.openapi.yaml``, served at ``/__mock__/openapi.json``; a test holds the two together.
"""

from __future__ import annotations

import base64
import hmac
from functools import cache
from importlib import resources
from typing import Any

from flask import Blueprint, Response, current_app, request

from mock_server.errors import ConfigurationError, StateError, did_you_mean
from mock_server.exchange.faults import Fault
from mock_server.exchange.journal import matching
from mock_server.exchange.tokens import jwks, mint_token
from mock_server.exchange.universe import DEFAULT_SESSION, Universe
from mock_server.model.clock import parse_duration, parse_instant, rfc3339
from mock_server.openapi import jsontext
from mock_server.openapi.source import parse
from mock_server.openapi.values import Json
from mock_server.sandbox import Sandbox, Served
from mock_server.web import statewriting

control = Blueprint("control", __name__)


@control.before_request
def _guard() -> Response | None:
    """Off loopback the control API wants its token (RFC 6750)."""
    token = current_app.config.get("CONTROL_TOKEN")
    if token is None:
        return None
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if hmac.compare_digest(sent.encode(), str(token).encode()):
        return None
    response = _json(
        {"type": "about:blank", "title": "Unauthorized", "status": 401,
         "detail": "the control API wants the token that was printed at start, as Authorization: Bearer <token>"},
        401, "application/problem+json",
    )  # fmt: skip
    response.headers["WWW-Authenticate"] = 'Bearer realm="apidouble control"'
    return response


def _json(value: Json, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(jsontext.dumps(value), status=status, mimetype=media_type)


def _nothing() -> Response:
    return Response(status=204)


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["apidouble"]
    return sandbox


def _universe() -> Universe:
    """The universe that a request names by header, URL prefix or ``session`` parameter."""
    name = request.headers.get("Mock-Session") or request.args.get("session") or DEFAULT_SESSION
    return _sandbox().universes.get(name)


def _body() -> Json:
    """The JSON body; None when there is none."""
    return jsontext.loads(request.get_data()) if request.get_data() else None


def _object(allowed: tuple[str, ...]) -> dict[str, Json]:
    """The body as an object with no members but the allowed ones."""
    value = _body()
    if not isinstance(value, dict):
        raise ConfigurationError("the body is a JSON object", got=value, allowed=", ".join(allowed))
    for name in value:
        if name not in allowed:
            raise ConfigurationError("the body has an unknown member", got=name, allowed=", ".join(allowed),
                                     hint=did_you_mean(name, allowed))  # fmt: skip
    return value


@cache
def _description() -> Json:
    data = resources.files("mock_server.web").joinpath("control.openapi.yaml").read_bytes()
    return parse(data, name="control.openapi.yaml")


@control.get("/openapi.json")
def describe() -> Response:
    """The description of this API."""
    return _json(_description())


def api_json(served: Served, base_url: str) -> dict[str, Json]:
    """One API as ``GET /__mock__/apis`` shows it."""
    schemes = served.api.security_schemes
    return {
        "name": served.name,
        "title": served.api.title,
        "version": served.api.version,
        "base_url": base_url,
        "operations": len(served.api.refs),
        "credentials": [
            {
                "name": credential.name,
                "description": credential.description,
                "scheme": credential.scheme,
                "in": schemes[credential.scheme].location or "header",
                "parameter": schemes[credential.scheme].parameter or "Authorization",
                "value": on_the_wire(schemes[credential.scheme].scheme, credential.value),
                "scopes": list(credential.scopes) if credential.scopes is not None else None,
                "tenant": credential.tenant,
                "plan": credential.plan,
            }
            for credential in served.credentials
        ],
    }


def on_the_wire(http_scheme: str, value: str) -> str:
    """A credential as a client sends it, the HTTP scheme's name included."""
    if http_scheme == "basic":
        return "Basic " + base64.b64encode(value.encode()).decode()
    return f"Bearer {value}" if http_scheme == "bearer" else value


@control.get("/apis")
def list_apis() -> Response:
    """The APIs, their base URLs and credentials."""
    root = request.url_root.rstrip("/")
    apis = _sandbox().apis
    several = len(apis) > 1
    return _json({"apis": [api_json(s, f"{root}/{name}" if several else root) for name, s in apis.items()]})


@control.get("/apis/<name>/openapi.json")
def read_description(name: str) -> Response:
    """An API's description, overlays applied."""
    return _json(dict(_sandbox().api(name).api.root))


@control.get("/apis/<name>/jwks.json")
def read_keys(name: str) -> Response:
    """The keys that an API's tokens are checked with."""
    return _json(jwks(list(_sandbox().api(name).rules.values())))


@control.post("/apis/<name>/token")
def make_token(name: str) -> Response:
    """A token that an API accepts."""
    served = _sandbox().api(name)
    asked = _object(("scheme", "subject", "scopes", "lifetime", "claims"))
    if not served.rules:
        raise ConfigurationError(f"{name} has no security scheme with tokens of its own")
    scheme = asked.get("scheme", next(iter(served.rules)))
    if scheme not in served.rules:
        raise ConfigurationError("no such token scheme", got=scheme, allowed=", ".join(served.rules))
    token = mint_token(
        served.rules[scheme],
        subject=str(asked.get("subject", "user")),
        scopes=[str(scope) for scope in asked.get("scopes") or ()],
        now=_universe().clock.now(),
        lifetime=parse_duration(str(asked.get("lifetime", "P1D"))),
        claims=asked.get("claims"),
    )
    return _json({"token": token})


@control.post("/reset")
def reset() -> Response:
    """Back to the seed."""
    _universe().reset()
    return _nothing()


@control.post("/seed")
def seed() -> Response:
    """Adds resources to the state: a mapping of API names to resources, as in a seed file."""
    value = _body()
    if not isinstance(value, dict):
        raise ConfigurationError("the body maps API names to resources", got=value)
    sandbox, universe = _sandbox(), _universe()
    for name, resources_ in value.items():
        statewriting.write_api(sandbox, universe, sandbox.api(name), resources_, merge=True)
    return _nothing()


# State


@control.get("/state/<api>")
def read_state(api: str) -> Response:
    """All resources of an API."""
    return _json(statewriting.read_api(_sandbox(), _universe(), _sandbox().api(api)))


@control.put("/state/<api>")
@control.patch("/state/<api>")
def write_state(api: str) -> Response:
    """All resources of an API, or with PATCH those that are named."""
    sandbox, universe = _sandbox(), _universe()
    statewriting.write_api(sandbox, universe, sandbox.api(api), _body(), merge=request.method == "PATCH")
    return _json(statewriting.read_api(sandbox, universe, sandbox.api(api)))


@control.get("/state/<api>/<collection>")
def read_collection(api: str, collection: str) -> Response:
    """One resource's items."""
    return _json(statewriting.read_collection(_sandbox(), _universe(), _sandbox().api(api), collection))


@control.put("/state/<api>/<collection>")
def write_collection(api: str, collection: str) -> Response:
    """One resource's items, replaced."""
    sandbox, universe = _sandbox(), _universe()
    statewriting.write_collection(sandbox, universe, sandbox.api(api), collection, _body())
    return _json(statewriting.read_collection(sandbox, universe, sandbox.api(api), collection))


@control.delete("/state/<api>/<collection>")
def clear_collection(api: str, collection: str) -> Response:
    """One resource's items, all removed."""
    statewriting.remove(_sandbox(), _universe(), _sandbox().api(api), collection, None)
    return _nothing()


@control.get("/state/<api>/<collection>/<path:key>")
def read_item(api: str, collection: str, key: str) -> Response:
    """One item."""
    return _json(statewriting.read_item(_sandbox(), _universe(), _sandbox().api(api), collection, key))


@control.put("/state/<api>/<collection>/<path:key>")
@control.patch("/state/<api>/<collection>/<path:key>")
def write_item(api: str, collection: str, key: str) -> Response:
    """One item, whole or by merge patch."""
    sandbox = _sandbox()
    merge = request.method == "PATCH"
    value = statewriting.write_item(sandbox, _universe(), sandbox.api(api), collection, key, _body(), merge=merge)
    return _json(value)


@control.delete("/state/<api>/<collection>/<path:key>")
def remove_item(api: str, collection: str, key: str) -> Response:
    """One item, removed."""
    statewriting.remove(_sandbox(), _universe(), _sandbox().api(api), collection, key)
    return _nothing()


# Snapshots


@control.get("/snapshots")
def list_snapshots() -> Response:
    """The snapshots of the universe."""
    return _json({"snapshots": sorted(_universe().snapshots)})


@control.put("/snapshots/<name>")
def save_snapshot(name: str) -> Response:
    """The current state, kept under a name."""
    _universe().snapshot(name)
    return _nothing()


@control.post("/snapshots/<name>/restore")
def restore_snapshot(name: str) -> Response:
    """Back to a snapshot."""
    universe = _universe()
    if name not in universe.snapshots:
        raise StateError(f"there is no snapshot {name!r}", hint=did_you_mean(name, universe.snapshots))
    universe.restore(name)
    return _nothing()


@control.delete("/snapshots/<name>")
def drop_snapshot(name: str) -> Response:
    """A snapshot, forgotten."""
    if _universe().snapshots.pop(name, None) is None:
        raise StateError(f"there is no snapshot {name!r}")
    return _nothing()


# Clock


def _clock_json(universe: Universe) -> Response:
    return _json({"now": rfc3339(universe.clock.now()), "frozen": universe.clock.frozen_at is not None})


@control.get("/clock")
def read_clock() -> Response:
    """The virtual time."""
    return _clock_json(_universe())


@control.post("/clock")
def set_clock() -> Response:
    """Freezes the clock (true, or at an instant), lets it run (false), and advances it by a duration, in that order."""
    asked = _object(("freeze", "advance"))
    universe = _universe()
    with universe.lock:
        clock = universe.clock
        freeze = asked.get("freeze")
        if freeze is True:
            clock = clock.frozen()
        elif freeze is False:
            clock = clock.running()
        elif freeze is not None:
            clock = clock.frozen(parse_instant(str(freeze)))
        if "advance" in asked:
            try:
                clock = clock.advanced(parse_duration(str(asked["advance"])))
                clock.now()
            except OverflowError:
                raise ConfigurationError("the clock cannot go that far", got=asked["advance"]) from None
        universe.clock = clock
    return _clock_json(universe)


# Journal, events, faults, sessions

_FILTERS = ("api", "operation_id", "method", "status", "path", "id")


@control.get("/requests")
def list_requests() -> Response:
    """The journal, newest last; ``violations=true`` leaves only requests that broke the description."""
    wanted = {name: value for name, value in request.args.items() if name in _FILTERS}
    entries = list(matching(iter(_universe().journal), wanted))
    if request.args.get("violations") == "true":
        entries = [entry for entry in entries if entry.trace.violations]
    limit = request.args.get("limit", "")
    if limit.isascii() and limit.isdigit():
        entries = entries[-int(limit) :] if int(limit) else []
    redact = request.args.get("secrets") != "true"
    return _json({"requests": [entry.as_json(redact=redact) for entry in entries]})


@control.delete("/requests")
def clear_requests() -> Response:
    """The journal, emptied."""
    _universe().journal.clear()
    return _nothing()


@control.get("/requests/<entry_id>")
def read_request(entry_id: str) -> Response:
    """One exchange of the journal."""
    for entry in matching(iter(_universe().journal), {"id": entry_id}):
        return _json(entry.as_json())
    raise StateError(f"the journal has no request {entry_id!r}")


@control.get("/events")
def list_events() -> Response:
    """The events emitted so far."""
    return _json(
        {
            "events": [
                {"time": rfc3339(e.time), "api": e.api, "type": e.event.type, "resource": e.event.resource,
                 "key": e.event.key, "payload": e.event.data}
                for e in _universe().events
            ]
        }
    )  # fmt: skip


@control.get("/faults")
def list_faults() -> Response:
    """The faults that are set."""
    return _json({"faults": [fault.as_json() for fault in _universe().faults]})


@control.post("/faults")
def add_fault() -> Response:
    """Sets a fault for an operation (``*`` for all)."""
    asked = _object(("operation_id", "api", "status", "delay", "reset", "probability", "count"))
    fault = _fault(asked)
    universe = _universe()
    with universe.lock:
        universe.faults.append(fault)
    return _json(fault.as_json(), 201)


def _fault(asked: dict[str, Any]) -> Fault:
    sandbox = _sandbox()
    operation_id, api = asked.get("operation_id", "*"), asked.get("api")
    searched = [sandbox.api(api)] if api is not None else list(sandbox.apis.values())
    known = [known for served in searched for known in served.api.refs]
    if operation_id != "*" and operation_id not in known:
        raise ConfigurationError("no such operation", got=operation_id, hint=did_you_mean(str(operation_id), known))
    status, count = asked.get("status"), asked.get("count")
    delay, probability = asked.get("delay", 0), asked.get("probability", 1)
    if status is not None and not (isinstance(status, int) and 200 <= status <= 599):
        raise ConfigurationError("status is an HTTP status", got=status, allowed="200 to 599")
    if not isinstance(delay, int | float) or not 0 <= delay <= 60:
        raise ConfigurationError("delay is a number of seconds", got=delay, allowed="0 to 60")
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise ConfigurationError("probability is a number", got=probability, allowed="0 to 1")
    if count is not None and not (isinstance(count, int) and count >= 0):
        raise ConfigurationError("count is a number of requests", got=count, allowed="0 or more")
    return Fault(operation_id, api, status, float(delay), asked.get("reset") is True, float(probability), count)


@control.delete("/faults")
def clear_faults() -> Response:
    """Every fault, taken back."""
    _universe().faults.clear()
    return _nothing()


@control.get("/sessions")
def list_sessions() -> Response:
    """The universes that exist, the one idle longest first."""
    return _json({"sessions": list(_sandbox().universes.names())})


@control.delete("/sessions/<name>")
def drop_session(name: str) -> Response:
    """A universe, forgotten; the default one is reset instead."""
    if not _sandbox().universes.drop(name):
        raise StateError(f"there is no session {name!r}", hint=did_you_mean(name, _sandbox().universes.names()))
    return _nothing()

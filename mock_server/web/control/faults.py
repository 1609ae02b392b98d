"""Faults on purpose, set for an operation or for all of them."""

from __future__ import annotations

from flask import Response

from mock_server.errors import ConfigurationError, Place, did_you_mean
from mock_server.exchange.faults import MOST_FAULTS, Fault
from mock_server.web.control.blueprint import body, control, sandbox, universe
from mock_server.web.responses import json_response, no_content


@control.get("/faults")
def list_faults() -> Response:
    """The faults that are set."""
    return json_response({"faults": [fault.as_json() for fault in universe().faults]})


@control.post("/faults")
def add_fault() -> Response:
    """Sets a fault for an operation."""
    fault = _fault()
    here = universe()
    with here.lock:
        if len(here.faults) >= MOST_FAULTS:
            raise ConfigurationError(
                f"this universe has {MOST_FAULTS} faults already",
                place=Place("body"),
                allowed=f"at most {MOST_FAULTS}",
                hint="DELETE /__mock__/faults takes them back",
            )
        here.faults.append(fault)
    return json_response(fault.as_json(), 201)


def _fault() -> Fault:
    asked = body()
    operation_id, api = asked.get("operation_id", "*"), asked.get("api")
    apis = sandbox().apis
    if api is not None and api not in apis:
        raise ConfigurationError(
            f"there is no API {api!r}",
            place=Place("body", "/api"),
            got=api,
            allowed=", ".join(apis),
            hint=did_you_mean(api, apis),
        )
    searched = [apis[api]] if api is not None else list(apis.values())
    known = [name for each in searched for name in each.api.refs]
    if operation_id != "*" and operation_id not in known:
        raise ConfigurationError(
            f"there is no operation {operation_id!r}",
            place=Place("body", "/operation_id"),
            got=operation_id,
            allowed="an operationId, or * for every operation",
            hint=did_you_mean(operation_id, known),
        )
    status, count = asked.get("status"), asked.get("count")
    return Fault(
        operation_id,
        api,
        status=int(status) if status is not None else None,  # JSON Schema has 503.0 for an integer
        delay=float(asked.get("delay", 0)),
        reset=asked.get("reset", False),
        probability=float(asked.get("probability", 1)),
        count=int(count) if count is not None else None,
        headers=tuple(asked.get("headers", {}).items()),
        body=asked.get("body"),
    )


@control.delete("/faults")
def clear_faults() -> Response:
    """Every fault, taken back."""
    here = universe()
    with here.lock:
        here.faults.clear()
    return no_content()

"""Snapshots of a universe's state, by name."""

from __future__ import annotations

from flask import Response

from mock_server.errors import StateError, did_you_mean
from mock_server.exchange.universe import Universe
from mock_server.web.control.blueprint import control, universe
from mock_server.web.responses import json_response, no_content


@control.get("/snapshots")
def list_snapshots() -> Response:
    """The names of the snapshots."""
    return json_response({"snapshots": sorted(universe().snapshots)})


@control.put("/snapshots/<name>")
def save_snapshot(name: str) -> Response:
    """The current state, kept under a name."""
    universe().snapshot(name)
    return no_content()


@control.post("/snapshots/<name>/restore")
def restore_snapshot(name: str) -> Response:
    """Back to a snapshot."""
    here = universe(catch_up=False)
    with here.lock:
        _check(here, name)
        here.restore(name)
    return no_content()


@control.delete("/snapshots/<name>")
def drop_snapshot(name: str) -> Response:
    """A snapshot, forgotten."""
    here = universe()
    with here.lock:
        _check(here, name)
        del here.snapshots[name]
    return no_content()


def _check(here: Universe, name: str) -> None:
    if name not in here.snapshots:
        raise StateError(f"there is no snapshot {name!r}", hint=did_you_mean(name, here.snapshots))

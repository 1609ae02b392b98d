"""The virtual clock of a universe."""

from __future__ import annotations

from flask import Response

from mock_server.errors import ConfigurationError, Place
from mock_server.exchange import timekeeping
from mock_server.model.clock import Clock, parse_duration, parse_instant, rfc3339
from mock_server.openapi.values import Json
from mock_server.web.control.blueprint import body, control, sandbox, universe
from mock_server.web.responses import json_response


@control.get("/clock")
def read_clock() -> Response:
    """The virtual time."""
    return _shown(universe(catch_up=False).clock)


@control.post("/clock")
def change_clock() -> Response:
    """Freezes the clock or lets it run, then advances it; or neither, when one of them cannot be."""
    asked = body()
    here = universe(catch_up=False)
    with here.lock:
        clock = here.clock
        if "freeze" in asked:
            clock = _frozen(clock, asked["freeze"])
        if "advance" in asked:
            clock = _advanced(clock, asked["advance"])
        here.clock = clock
    sandbox().committing.catch_up(here, clock.now())
    return _shown(clock)


def _shown(clock: Clock) -> Response:
    return json_response({"now": rfc3339(clock.now()), "frozen": clock.frozen_at is not None})


def _frozen(clock: Clock, wanted: Json) -> Clock:
    if wanted is True:
        return clock.frozen()
    if wanted is False:
        return clock.running()
    try:
        return timekeeping.frozen(clock, parse_instant(wanted))
    except ConfigurationError as error:
        raise _refused(error, "/freeze", wanted) from None


def _advanced(clock: Clock, wanted: str) -> Clock:
    try:
        return timekeeping.advanced(clock, parse_duration(wanted))
    except ConfigurationError as error:
        raise _refused(error, "/advance", wanted) from None


def _refused(error: ConfigurationError, pointer: str, wanted: Json) -> ConfigurationError:
    """The error at a place in the body, with what stands there."""
    return ConfigurationError(error.problem, place=Place("body", pointer), got=wanted, allowed=error.allowed)

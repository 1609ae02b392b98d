"""A universe as a whole, to be kept elsewhere and brought back: what ``--state`` keeps of it."""

from __future__ import annotations

from flask import Response

from mock_server.errors import Place
from mock_server.exchange.archiving import archive_json, archived, restored
from mock_server.web import statefile
from mock_server.web.control.blueprint import body, control, sandbox, universe
from mock_server.web.responses import json_response, no_content


@control.get("/archive")
def read_archive() -> Response:
    """Everything that decides about the universe's next answers."""
    return json_response(archive_json(archived(universe())))


@control.put("/archive")
def replace_archive() -> Response:
    """A universe as it was read before, here or from another server, put in place of this one."""
    archive = statefile.read_archive(body(), Place("body"))
    statefile.check_fit(sandbox(), archive, Place("body"))
    restored(universe(catch_up=False), archive)
    return no_content()

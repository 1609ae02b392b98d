"""The application of a served double, with Flask made when it is first needed.

Flask has the control API and the index page. Importing it takes a quarter of the time until a first answer, and
many doubles are never asked for either.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mock_server.sandbox import Sandbox
from mock_server.web.entry import MockEntry

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def late_application(sandbox: Sandbox, *, control_token: str | None) -> WSGIApplication:
    """The WSGI application of a sandbox: what ``app_for`` makes, as soon as a request is for Flask."""

    @cache  # two threads at once may make one each, of which either will do
    def made() -> WSGIApplication:
        from mock_server.web.app import app_for

        application: WSGIApplication = app_for(sandbox, control_token=control_token).wsgi_app
        return application

    return MockEntry(lambda environ, start_response: made()(environ, start_response), sandbox)

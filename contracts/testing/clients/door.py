"""The way into one double, in this process: what every client that needs no socket sends through."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.web.entry import raw_path, received, refused, sent
from mock_server.web.heads import Refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Door: TypeAlias = Callable[[RawRequest], RawResponse]
"""Answers one request. A fault's ``delay`` (seconds) and ``reset`` are for the caller to act out."""


def wsgi_of(door: Door, *, max_body: int, mount: str = "") -> WSGIApplication:
    """A WSGI application that has one API at its root, or below the raw path ``mount``."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = raw_path(environ).removeprefix(mount) or "/"
        request = received(environ, path, mount, max_body=max_body)
        response = refused(request) if isinstance(request, Refusal) else door(request)
        return sent(response, start_response, head=environ["REQUEST_METHOD"] == "HEAD")

    return application

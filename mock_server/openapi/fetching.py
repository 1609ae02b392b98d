"""Documents that lie on another host: what an http(s) URL answers."""

from __future__ import annotations

import http.client
import urllib.request

from mock_server.errors import UnresolvedReference
from mock_server.openapi.source import Limits

_FETCH_SECONDS = 10.0


def fetched(url: str, limits: Limits) -> bytes:
    """What an http(s) URL answers; its redirects stay within http and https."""
    opener = urllib.request.OpenerDirector()  # urllib's default one would also open file: and ftp: URLs
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=_FETCH_SECONDS) as response:
            return bytes(response.read(limits.max_bytes + 1))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnresolvedReference(
            f"cannot be fetched: {error}", got=url, hint="keep a copy beside the description"
        ) from error

"""Whether the service is an apidouble sandbox, which can do more than its API: move its clock, write its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from contracts.service import Powers
from contracts.targets import powers_over_http

_SESSION = "default"
"""The session of a sandbox that requests without its header belong to."""

_TIMEOUT = 5.0


def powers_of(base_url: str, title: str, session: Mapping[str, str]) -> Powers | None:
    """What can be done to the API at a URL past the API, None where no sandbox answers.

    ``title`` is what the description calls the API, ``session`` the header by which the sandbox knows the worker.
    """
    parts = urlsplit(base_url)
    root = f"{parts.scheme}://{parts.netloc}"
    try:
        listed = requests.get(f"{root}/__mock__/apis", timeout=_TIMEOUT, allow_redirects=False)
        apis: Any = listed.json()["apis"] if listed.status_code == 200 else []
        name = _named(apis, parts.path.rstrip("/"), title)
        return powers_over_http(root, next(iter(session.values()), _SESSION), name) if name is not None else None
    except (requests.RequestException, ValueError, LookupError, TypeError, AttributeError):
        return None  # whatever answers there, it is no sandbox


def _named(apis: Sequence[Mapping[str, Any]], path: str, title: str) -> str | None:
    """The sandbox's name for the API that is served below a path."""
    for api in apis:
        if api["title"] == title and urlsplit(api["base_url"]).path.rstrip("/") == path:
            return str(api["name"])
    return None

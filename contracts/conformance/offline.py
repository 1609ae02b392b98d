"""While Schemathesis works it fetches nothing: what is remote in a description stays where it is.

Schemathesis follows remote references and ``externalValue`` and has no setting for that, so the two functions that do
it are replaced for as long as a campaign lasts; the user's own tests with it are as ever before and after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NoReturn

import requests
from schemathesis.core.jsonschema import resolver
from schemathesis.specs.openapi import examples

_PLACES: tuple[tuple[Any, str], ...] = ((resolver, "load_remote_uri"), (examples, "load_external_example"))
_lock = Lock()
_running = 0
_own: list[Any] = []


@contextmanager
def offline() -> Iterator[None]:
    """Nothing is fetched by Schemathesis until the context ends, in no thread."""
    global _running
    with _lock:
        if _running == 0:
            _own[:] = [getattr(module, name) for module, name in _PLACES]
            for module, name in _PLACES:
                setattr(module, name, _refuse)
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if _running == 0:
                for (module, name), function in zip(_PLACES, _own, strict=True):
                    setattr(module, name, function)


def _refuse(url: str) -> NoReturn:
    raise requests.ConnectionError(f"nothing is fetched for a description: {url}")

"""apidouble: an OpenAPI description goes in, a validated, stateful stand-in for the real service comes out.

from mock_server import MockServer

with MockServer("petstore.yaml") as server:
    requests.post(server.url + "/pets", json={"name": "Rex"})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server.version import __version__ as __version__

if TYPE_CHECKING:
    from mock_server.errors import (
        AnnotationError,
        ApidoubleError,
        ConfigurationError,
        DescriptionError,
        FixtureError,
        OverlayError,
        Place,
        SourceError,
        StateError,
        UnresolvedReference,
    )
    from mock_server.model.computed import computed
    from mock_server.openapi.compile import Api
    from mock_server.packs import ApiSource, pack, pack_names
    from mock_server.sandbox import Options, Sandbox
    from mock_server.web.app import create_app
    from mock_server.web.embedded import MockServer

__all__ = [
    "AnnotationError",
    "Api",
    "ApiSource",
    "ApidoubleError",
    "ConfigurationError",
    "DescriptionError",
    "FixtureError",
    "MockServer",
    "Options",
    "OverlayError",
    "Place",
    "Sandbox",
    "SourceError",
    "StateError",
    "UnresolvedReference",
    "compile_api",
    "computed",
    "create_app",
    "pack",
    "pack_names",
]

_HOMES = {
    "Api": "openapi.compile",
    "ApiSource": "packs",
    "MockServer": "web.embedded",
    "Options": "sandbox",
    "Sandbox": "sandbox",
    "computed": "model.computed",
    "create_app": "web.app",
    "pack": "packs",
    "pack_names": "packs",
}
"""The module of each name that is imported when it is first used; errors have one home."""


def __getattr__(name: str) -> Any:
    """A public name from its module (PEP 562): whoever imports one part does not wait for Flask, granian and Faker."""
    if name not in __all__:
        raise AttributeError(f"module 'mock_server' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"mock_server.{_HOMES.get(name, 'errors')}"), name)
    return value


def compile_api(
    description: str | Path | Mapping[str, Any],
    *,
    name: str | None = None,
    overlays: Sequence[Path] = (),
    allow_remote: bool = False,
    allow_outside: bool = False,
) -> Api:
    """The compiled API of a description: a path, a pack's name, or a description already in memory.

    ``allow_remote`` lets ``$ref`` fetch http(s) URLs, ``allow_outside`` lets it leave the description's folder.
    Raises ``DescriptionError`` with file, JSON pointer and line.
    """
    from mock_server.openapi.compile import Api, load_api
    from mock_server.openapi.documents import Documents
    from mock_server.packs import pack, pack_names

    if isinstance(description, Mapping):
        return Api(Documents.from_value(dict(description), name=name or "api"), name=name or "api")
    text = str(description)
    if isinstance(description, str) and text in pack_names():
        source = pack(text)
        return load_api(source.description, name=name or source.name, overlays=(*source.overlays, *overlays),
                         allow_outside=source.allow_outside)  # fmt: skip
    return load_api(Path(text), name=name, overlays=overlays, allow_remote=allow_remote, allow_outside=allow_outside)

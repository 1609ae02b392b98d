"""Descriptions whose files are as they were: what was worked out from them before need not be worked out again.

In one process, the API of a source is compiled once for all the sandboxes that serve it; it is a pure function of its
files. From one process to the next, the cache folder tells which descriptions were found sound when they were compiled
whole: that shows mistakes before the port opens, and takes most of the time until then.

What is on other hosts may change unseen, so sources that may refer there are read and compiled each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

import orjson

from mock_server.openapi.cache import digest_of, recall, remember
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.packs import ApiSource
from mock_server.version import __version__

_KIND = "sound"
_MOST_APIS = 16

_apis: OrderedDict[str, Api] = OrderedDict()
_lock = Lock()


def api_of(source: ApiSource, *, cache: Path | None) -> Api:
    """The API of a source: the one that this process has already, as long as no file that it was read from changed."""
    digest = _digest(source)
    with _lock:
        known = _apis.get(digest)
    if known is not None and not source.allow_remote and _unchanged(known.documents.digests()):
        return known
    documents = Documents.load(
        source.description,
        overlays=source.overlays,
        allow_remote=source.allow_remote,
        allow_outside=source.allow_outside,
        cache=cache,
    )
    api = Api(documents, name=source.name)
    with _lock:
        _apis[digest] = api
        _apis.move_to_end(digest)
        while len(_apis) > _MOST_APIS:
            _apis.popitem(last=False)
    return api


def forget_apis() -> None:
    """Lets go of the APIs that this process has read; the next sandboxes read theirs again."""
    with _lock:
        _apis.clear()


def is_known_sound(source: ApiSource, *, cache: Path | None) -> bool:
    """Whether the very same files were compiled whole before, without a mistake."""
    known = recall(cache, _digest(source), _KIND) if cache is not None and not source.allow_remote else None
    if known is None:
        return False
    digests = {Path(file): digest for file, digest in orjson.loads(known).items()}
    return digests.keys() >= set(_modules(source)) and _unchanged(digests)


def note_sound(source: ApiSource, api: Api, *, cache: Path | None) -> None:
    """Remembers that the API of a source has no mistake."""
    if cache is None:
        return
    with suppress(OSError):
        modules = {module: digest_of(module.read_bytes()) for module in _modules(source)}
        read = {file.resolve(): digest for file, digest in api.documents.digests().items()}
        digests = {str(file): digest for file, digest in {**read, **modules}.items()}
        remember(cache, _digest(source), _KIND, orjson.dumps(digests))


def _digest(source: ApiSource) -> str:
    """What a source goes by: its paths and how it may be read, whatever is in its files."""
    paths = [str(path.absolute()) for path in (source.description, *source.overlays)]
    computed = str(source.compute.absolute()) if source.compute is not None else None
    facts = (__version__, source.name, source.allow_remote, source.allow_outside, computed, *paths)
    return digest_of(repr(facts).encode())


def _modules(source: ApiSource) -> list[Path]:
    """The modules of a source's computed answers."""
    return [path.resolve() for path in source.compute.parent.glob("*.py")] if source.compute is not None else []


def _unchanged(digests: Mapping[Path, str]) -> bool:
    with suppress(OSError):
        return all(digest_of(file.read_bytes()) == digest for file, digest in digests.items())
    return False

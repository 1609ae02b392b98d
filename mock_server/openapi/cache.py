"""The cache folder: what was worked out from a text before, by the text's digest.

An entry is whole or missing, so several processes may share a folder. Entries hold JSON and numbers, never code, and
one that does not fit its own digest is passed over: a corrupt entry costs time and nothing else. The entries that were
written last are kept, up to a bound.
"""

from __future__ import annotations

import contextlib
import os
from hashlib import sha256
from pathlib import Path

from mock_server.version import __version__
from mock_server.wholefiles import write_whole

_FORMAT = 2  # part of each entry's name, with the version: raise it when the same text would lead to something else
_MOST_ENTRIES = 4000
_MOST_BYTES = 512 * 1024 * 1024


def digest_of(data: bytes) -> str:
    """What a text goes by in the cache."""
    return sha256(data).hexdigest()


def recall(folder: Path | None, digest: str, kind: str) -> bytes | None:
    """What was kept of a kind for the text of a digest; None when there is nothing that can be trusted."""
    if folder is None:
        return None
    try:
        with _entry(folder, digest, kind).open("rb") as stream:
            written = stream.readline().rstrip(b"\n")
            payload = stream.read()
    except OSError:
        return None
    return payload if digest_of(payload).encode() == written else None


def remember(folder: Path | None, digest: str, kind: str, payload: bytes) -> None:
    """Keeps ``payload`` for the text of a digest, whole or not at all; never an error."""
    if folder is None:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(_entry(folder, digest, kind), digest_of(payload).encode() + b"\n" + payload, private=True)
        if digest.startswith("00"):  # one entry in 256 pays for a look at all of them
            prune(folder)


def prune(folder: Path, *, most_entries: int = _MOST_ENTRIES, most_bytes: int = _MOST_BYTES) -> None:
    """Removes the oldest entries of a folder that has grown beyond its bounds."""
    with os.scandir(folder) as listed:
        files = ((entry.stat(), entry.path) for entry in listed if entry.is_file())
        found = sorted(files, key=lambda each: -each[0].st_mtime_ns)
    size = 0
    for number, (status, path) in enumerate(found, start=1):
        size += status.st_size
        if number > most_entries or size > most_bytes:
            Path(path).unlink(missing_ok=True)


def _entry(folder: Path, digest: str, kind: str) -> Path:
    return folder / f"{digest}.{__version__}-{_FORMAT}.{kind}"

"""Files that are whole at every moment: whoever reads one finds what was there before or what is new, never half.

The new content goes into a file of its own beside the old one and takes its name in one step (rename(2)), so a process
that is killed on the way, or a disk that is full, leaves the old file as it was. The ``atomicwrites`` library that did
this is no longer kept up.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

_LEFT = ".writing"


def write_whole(path: Path, content: str | bytes, *, durable: bool = False, private: bool = False) -> None:
    """Puts content in a file's place, text as UTF-8. An ``OSError`` when that cannot be; then nothing has changed.

    ``durable`` waits until it is on the disk, so that it outlives a power cut, too. ``private`` is for its owner alone;
    else a file keeps the mode that it had. A link goes on to point where it did, and what is no file (a terminal, a
    pipe, ``/dev/null``) is written to as ever.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    there = _status(path)
    if there is not None and not stat.S_ISREG(there.st_mode):
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}{_LEFT}")
    mode = 0o600 if private else 0o666
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if there is not None and not private:
            beside.chmod(stat.S_IMODE(there.st_mode))
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    if durable:
        _sync_folder(target.parent)


def clear_left(path: Path) -> None:
    """Removes what writers of a file that were killed have left beside it."""
    target = Path(os.path.realpath(path))
    for left in target.parent.glob(f".{target.name[:200]}.*{_LEFT}"):
        with contextlib.suppress(OSError):
            left.unlink()


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    """Has the new name on the disk; systems that cannot open a folder (Windows) do that by themselves."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Every pack in one sandbox, made once for all tests of a process; a test takes universes that nobody else names."""

from __future__ import annotations

from functools import cache

from mock_server.packs import pack, pack_names
from mock_server.sandbox import Sandbox

PACKS = tuple(pack(name) for name in pack_names())


@cache
def packs() -> Sandbox:
    """The sandbox of every pack."""
    return Sandbox(PACKS)

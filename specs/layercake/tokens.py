"""Values that nobody is to guess in the real service, and everybody gets again here: tokens, keys, codes."""

from __future__ import annotations

import hashlib

from mock_server.model.world import World


def digest(world: World, *about: str | int) -> str:
    """64 hexadecimal digits for a purpose; the seed of the double decides which."""
    return hashlib.sha256("/".join(map(str, (world.model.seed, *about))).encode()).hexdigest()


def made(world: World, resource: str) -> int:
    """How many items of a resource were made so far, whoever's they are."""
    return world.state.counter(f"{world.model.named_resource(resource).qualified}#made")

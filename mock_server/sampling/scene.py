"""The circumstances of one sampled value: whose it is, what it is called, and when now is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import orjson

from mock_server.dataclass import dataclass

if TYPE_CHECKING:
    from random import Random

_ENVELOPES = frozenset({"", "data", "attributes", "result", "results", "item", "items", "value", "object", "payload"})


@cache
def _pools() -> dict[str, list[str]]:
    pools: dict[str, list[str]] = orjson.loads(Path(__file__).with_name("pools.json").read_bytes())["pools"]
    return pools


@cache
def pool(provider: str) -> tuple[str, ...]:
    """A fixed choice of Faker's values of one kind, drawn beforehand (see faking.py)."""
    return tuple(_pools()[provider])


@dataclass(frozen=True, slots=True)
class Scene:
    """What a value is made for.

    ``name`` is the property's name and ``parent`` that of the object around it, ``identity`` a number that
    all properties of one object share, so that its first name, e-mail and user name belong together.
    ``fresh`` asks for a made value where a documented one would be taken.
    """

    rng: Random
    now: datetime
    name: str
    parent: str
    identity: int
    variant: int = 0
    fresh: bool = False

    def for_member(self, name: str, *, identity: int) -> Scene:
        """The circumstances of the property ``name`` of an object that is made in these."""
        # The object in `{"data": {…}}` is what the message around it is about.
        parent = self.parent if self.name in _ENVELOPES else self.name
        return Scene(self.rng, self.now, name, parent, identity, self.variant, self.fresh)

    def for_item(self, index: int, *, attempt: int) -> Scene:
        """The circumstances of an item of an array made in these; from the second attempt on a fresh one."""
        return replace(
            self,
            name=singular(self.name),
            identity=self.rng.getrandbits(32),
            variant=self.variant + index,
            fresh=self.fresh or attempt > 0,
        )

    def drawn(self, provider: str) -> str:
        """A value of Faker's ``provider``, at random."""
        return self.rng.choice(pool(provider))

    def own(self, provider: str) -> str:
        """The value of Faker's ``provider`` that belongs to this object."""
        values = pool(provider)
        # Mixed with the provider, or everybody with one first name would have the same last name.
        return values[crc32(provider.encode(), self.identity) % len(values)]

    def created(self) -> datetime:
        """When this object came to be: within the last 60 days, or earlier in a long series."""
        return self.now - timedelta(minutes=60 + self.identity % (86_400 * (1 + self.variant // 20)))

    def updated(self) -> datetime:
        """When this object was last changed: after its creation, and in the past."""
        return self.now - timedelta(minutes=5 + self.identity % 86_400 // 3)

    def expires(self) -> datetime:
        """When this object ends: within the next 30 days."""
        return self.now + timedelta(hours=1 + self.identity % 720)


def singular(name: str) -> str:
    """The name of one of the things that a plural name names: ``companies`` gives ``company``."""
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("sses", "xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name

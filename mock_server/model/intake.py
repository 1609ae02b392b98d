"""How the members of a request become those of an item, where a flat request fills a nested item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Intake:
    """The annotation ``intake`` of a resource.

    In this order: the members of the objects in ``spread`` count as if they had been sent beside them (which win);
    those in ``drop``, or not in ``keep`` where that is not None, are not kept; ``rename`` gives request members the
    item's names; and what the item has no member for goes into the object ``gather``.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    spread: tuple[str, ...] = ()
    drop: frozenset[str] = frozenset()
    keep: frozenset[str] | None = None
    gather: str | None = None

    def taken(self, given: Mapping[str, Json], members: Iterable[str]) -> dict[str, Any]:
        """What a request's members are to an item of the given members."""
        flat: dict[str, Any] = {}
        for name in self.spread:
            inner = given.get(name)
            if isinstance(inner, dict):
                flat |= inner
        flat |= {name: value for name, value in given.items() if not self._is_spread(name, value)}
        named = {self.rename.get(name, name): value for name, value in flat.items() if self._is_kept(name)}
        if self.gather is None:
            return named
        own = set(members)
        taken = {name: value for name, value in named.items() if name in own}
        gathered = {name: value for name, value in named.items() if name not in own}
        if gathered:
            held = taken.get(self.gather)
            taken[self.gather] = {**held, **gathered} if isinstance(held, dict) else gathered
        return taken

    def _is_kept(self, name: str) -> bool:
        return name not in self.drop and (self.keep is None or name in self.keep)

    def _is_spread(self, name: str, value: Json) -> bool:
        return name in self.spread and isinstance(value, dict)

    def reaches(self, requested: Iterable[str], members: Iterable[str]) -> frozenset[str]:
        """The item's members that a request with these members can set."""
        probe: dict[str, Json] = {name: {"": None} if name in self.spread else None for name in requested}
        return frozenset(self.taken(probe, members))

"""Telling the branches of a ``oneOf`` apart where a careless value fits several of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.sampling.bundle import Site
from mock_server.sampling.keywords import gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_server.openapi.values import Json
    from mock_server.sampling.bundle import Node
    from mock_server.sampling.plans import Plans

_PLAIN: tuple[Json, ...] = (None, "", 0, False, [], {})


def set_apart(plans: Plans, site: Site, values: Iterable[Json]) -> Iterator[Json]:
    """Objects that fit one branch of a ``oneOf`` alone, made from some that fit several.

    Branches whose members are all optional take each other's objects, since what a schema does not name it allows. A
    member of the other branch, with a value that this one cannot have, is what tells them apart then.
    """
    for value in values:
        if isinstance(value, dict):
            for node in plans.chain(site):
                if isinstance(node.schema, dict) and isinstance(node.schema.get("oneOf"), list):
                    yield from _kept_to_one(plans, [node.child("oneOf", i) for i in range(len(node.schema["oneOf"]))],
                                            value)  # fmt: skip


def _kept_to_one(plans: Plans, branches: list[Node], value: dict[str, Json]) -> Iterator[Json]:
    fitting = [branch for branch in branches if plans.bundle.accepts(Site.of([branch]))(value)]
    for kept in fitting:
        changed: dict[str, Json] | None = value
        own = gather(plans.bundle, Site.of([kept]), choices=())[0].property_names_known()
        for other in fitting:
            if other is not kept and changed is not None:
                changed = _refused_by(plans, other, changed, taken={*own, *changed})
        if changed is not None:
            yield changed


def _refused_by(plans: Plans, branch: Node, value: dict[str, Json], *, taken: set[str]) -> dict[str, Json] | None:
    """The object with a member that a branch does not admit; None where it names none to do that with."""
    accepts = plans.bundle.accepts(Site.of([branch]))
    if not accepts(value):
        return value
    for name in gather(plans.bundle, Site.of([branch]), choices=())[0].property_names_known():
        for member in _PLAIN if name not in taken else ():
            changed = {**value, name: member}
            if not accepts(changed):
                return changed
    return None

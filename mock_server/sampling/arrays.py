"""Candidate arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mock_server.sampling.bundle import Site
from mock_server.sampling.unsampleable import NoValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.openapi.values import Json
    from mock_server.sampling.drawing import Drawing
    from mock_server.sampling.plans import Plan
    from mock_server.sampling.scene import Scene
    from mock_server.sampling.shapes import Shape

_USUAL_MOST = 3
_TRIES_FOR_UNIQUENESS = 12
_MOST = 10_000  # more items are a test of memory, not a sample


def arrays(drawing: Drawing, plan: Plan, shape: Shape, scene: Scene) -> Iterator[list[Json]]:
    """Candidate arrays: one with a few items, then shorter ones down to the fewest that are admitted."""
    wanted = sum(contains.least for contains in shape.contains)
    floor = max(shape.min_items, wanted)
    if floor > _MOST:
        raise NoValue(plan.site.pointer, f"it asks for {floor:,} items, and a sample has at most {_MOST:,}")
    ceiling = max(floor, _usual_count(drawing, plan, shape))
    if shape.max_items is not None:
        ceiling = min(ceiling, shape.max_items)
    for count in dict.fromkeys((ceiling, floor, *range(ceiling - 1, shape.min_items - 1, -1))):
        if shape.max_items is None or count <= shape.max_items:
            yield _array(drawing, plan, shape, scene, count=count)


def _usual_count(drawing: Drawing, plan: Plan, shape: Shape) -> int:
    later = plan.item_site(shape, shape.tuple_length)
    if not drawing.wants_optional(later):
        return 0
    few = 1 if drawing.encloses(later) else drawing.rng.randint(1, _USUAL_MOST)
    return max(few, shape.tuple_length)


def _array(drawing: Drawing, plan: Plan, shape: Shape, scene: Scene, *, count: int) -> list[Json]:
    """An array of ``count`` items, or of fewer when later ones cannot be made or repeat an earlier one."""
    wanted = [contains.node for contains in shape.contains for _ in range(contains.least)]
    needed = count if wanted else max(shape.min_items, min(count, shape.tuple_length))
    items: list[Json] = []
    seen: set[str] = set()
    for index in range(count):
        site = plan.item_site(shape, index)
        matched = index - (count - len(wanted))  # the last items are those that `contains` asks for
        if 0 <= matched < len(wanted):
            site = Site.of([*site.nodes, wanted[matched]])
        try:
            item = _item(drawing, site, scene, index=index, seen=seen if shape.unique else set())
        except NoValue:
            if index < max(shape.min_items, len(wanted)):
                raise
            break
        mark = canonical(item)
        if mark in seen and index >= needed:
            break  # a second copy shows nothing
        seen.add(mark)
        items.append(item)
    return items


def _item(drawing: Drawing, site: Site, scene: Scene, *, index: int, seen: set[str]) -> Json:
    """The item at ``index``, different from those whose canonical forms have been ``seen``."""
    for attempt in range(_TRIES_FOR_UNIQUENESS):
        made = drawing.value(site, scene.for_item(index, attempt=attempt))
        if canonical(made) not in seen:
            return made
    for listed in drawing.plans.at(site).enumerable() or ():
        if canonical(listed) not in seen:
            return listed
    raise NoValue(site.pointer, "there are not enough different items")


def canonical(value: Json) -> str:
    """A text that two values share exactly when JSON Schema counts them as equal (1 and 1.0 are)."""
    return json.dumps(_with_plain_numbers(value), sort_keys=True)


def _with_plain_numbers(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_with_plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_plain_numbers(member) for name, member in value.items()}
    return value

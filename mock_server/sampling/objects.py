"""Candidate objects."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from mock_server.sampling.bundle import Site
from mock_server.sampling.patterns import strings_matching
from mock_server.sampling.plans import Member
from mock_server.sampling.unsampleable import NoValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.openapi.values import Json
    from mock_server.sampling.drawing import Drawing
    from mock_server.sampling.plans import Layout, Plan
    from mock_server.sampling.scene import Scene
    from mock_server.sampling.shapes import Shape

_RANDOM_SUBSETS = 12
_MAP_ENTRIES = 2
_TRIES_PER_KEY = 24
_MOST = 1_000  # more properties are a test of memory, not a sample
_ENTRY_NAMES = ("source", "campaign", "region", "channel", "segment", "team", "origin", "tier", "category")


def objects(drawing: Drawing, plan: Plan, shape: Shape, scene: Scene) -> Iterator[dict[str, Json]]:
    """Candidate objects: with all optional properties, with none, without one at a time, with random ones."""
    layout = plan.layout(shape)
    if layout.missing is not None:
        raise NoValue(plan.site.pointer, f"the required property {layout.missing!r} is not admitted")
    if shape.min_properties > _MOST:
        reason = f"it asks for {shape.min_properties:,} properties, and a sample has at most {_MOST:,}"
        raise NoValue(plan.site.pointer, reason)
    optional = [
        member.name
        for member in layout.members
        if not member.required and not member.hidden and drawing.wants_optional(member.site)
    ]
    making = _Making(drawing, plan, shape, layout, scene)
    yield making.build(optional)
    if optional:
        yield making.build([])
    if layout.open:
        yield making.build([], extras=1)  # some schemas accept only what they do not mention
    for absent in optional[:_RANDOM_SUBSETS]:
        yield making.build([name for name in optional if name != absent])
    for _ in range(_RANDOM_SUBSETS):
        yield making.build([name for name in optional if drawing.rng.random() < 0.5])


class _Making:
    """The making of one object: the same shape and circumstances, with different optional properties."""

    def __init__(self, drawing: Drawing, plan: Plan, shape: Shape, layout: Layout, scene: Scene) -> None:
        self.drawing = drawing
        self.plan = plan
        self.shape = shape
        self.layout = layout
        self.scene = scene
        self.identity = drawing.rng.getrandbits(32)

    def build(self, optional: list[str], *, extras: int = 0) -> dict[str, Json]:
        """An object with the required and, as far as they can be made, the ``optional`` properties.

        ``extras`` is how many properties it has at least, made up where the schemas name too few.
        """
        members = self._chosen(optional)
        made: dict[str, Json] = {}
        for member in members:
            try:
                made[member.name] = self._member_value(member)
            except NoValue:
                if member.required:
                    raise
        if len(made) < self.shape.min_properties:
            self._add_spare_members(made)
        wants_entries = self.layout.maplike and self.drawing.wants_optional(self.layout.extra)
        entries = _MAP_ENTRIES if wants_entries else extras
        if self.shape.max_properties is not None:
            entries = min(entries, self.shape.max_properties)
        if len(made) < max(entries, self.shape.min_properties):
            self._add_extras(made, entries=entries)
        return made

    def _chosen(self, optional: list[str]) -> list[Member]:
        """The members to make, with what they depend on, in the order of the description."""
        shape = self.shape
        chosen = {member.name: member for member in self.layout.members if member.required}
        by_name = {member.name: member for member in self.layout.members}
        for name in self._needed_by(list(chosen)):
            chosen[name] = self._needed_member(name)
        for name in optional:
            group = [name, *self._needed_by([name])]
            new = [each for each in group if each not in chosen]
            if shape.max_properties is not None and len(chosen) + len(new) > shape.max_properties:
                continue
            if all(each in by_name for each in new):
                chosen.update((each, by_name[each]) for each in new)
        if shape.max_properties is not None and len(chosen) > shape.max_properties:
            raise NoValue(self.plan.site.pointer, "more properties are required than maxProperties admits")
        order = {member.name: index for index, member in enumerate(self.layout.members)}
        return sorted(chosen.values(), key=lambda member: (order.get(member.name, len(order)), member.name))

    def _needed_by(self, names: list[str]) -> list[str]:
        """The names that the presence of ``names`` requires, through dependentRequired."""
        reached = dict.fromkeys(names)
        growing = bool(self.shape.dependent)
        while growing:
            before = len(reached)
            for name, needs in self.shape.dependent:
                if name in reached:
                    reached.update(dict.fromkeys(needs))
            growing = len(reached) > before
        return [name for name in reached if name not in names]

    def _needed_member(self, name: str) -> Member:
        site = self.shape.property_site(name)
        if name in self.shape.forbidden or any(node.schema is False for node in site.nodes):
            raise NoValue(self.plan.site.pointer, f"the property {name!r} is depended on and not admitted")
        return Member(name, site, required=True, hidden=False)

    def _member_value(self, member: Member) -> Json:
        tag = self.shape.tagged.get(member.name)
        if tag is not None and self.drawing.plans.at(member.site).accepts(tag):
            return tag
        return self.drawing.value(member.site, self.scene.for_member(member.name, identity=self.identity))

    def _add_spare_members(self, made: dict[str, Json]) -> None:
        """Add declared properties that were left out, for the sake of minProperties."""
        for member in self.layout.members:
            if len(made) >= self.shape.min_properties:
                return
            if member.name not in made:
                try:
                    made[member.name] = self._member_value(member)
                except NoValue:
                    continue

    def _add_extras(self, made: dict[str, Json], *, entries: int) -> None:
        """Add properties that no schema names, up to ``entries`` or minProperties."""
        taken = {member.name for member in self.layout.members} | set(self.shape.forbidden)
        target = max(entries, self.shape.min_properties)
        for key in islice(self._keys(), _TRIES_PER_KEY + 4 * target):
            if len(made) >= target:
                return
            site = self.shape.property_site(key)
            if key in made or key in taken or any(node.schema is False for node in site.nodes):
                continue
            try:
                made[key] = self.drawing.value(site, self.scene.for_member(key, identity=self.identity))
            except NoValue:
                continue
        if len(made) < self.shape.min_properties:
            raise NoValue(self.plan.site.pointer, "no further properties are admitted, and minProperties asks for them")

    def _keys(self) -> Iterator[str]:
        """Names for further properties, endlessly where there is an end to the tries of the caller."""
        rng = self.drawing.rng
        names = Site.of(self.shape.property_names)
        patterns = [pattern for group in self.shape.object_groups for pattern, _ in group.patterns]
        turn = 0
        while True:
            turn += 1
            if names.nodes:
                listed = self.drawing.plans.at(names).enumerable()
                if listed is not None:
                    yield from (name for name in listed if isinstance(name, str))
                    return
                name = self.drawing.value(names, self.scene.for_item(turn, attempt=turn))
                if isinstance(name, str):
                    yield name
            elif patterns and (turn % 2 or not self.layout.open):
                yield from islice(strings_matching(patterns[turn % len(patterns)], rng), 2)
            else:
                yield rng.choice(_ENTRY_NAMES) if turn < _TRIES_PER_KEY else f"key_{turn}"

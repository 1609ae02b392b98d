"""Plans: what is known about a site before the first sample of it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.dataclass import dataclass
from mock_server.openapi.values import Direction, Json
from mock_server.sampling.bundle import Site
from mock_server.sampling.keywords import alternatives

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.sampling.bundle import Accepts, Bundle, Node
    from mock_server.sampling.shapes import Shape

_MARKS = {Direction.RESPONSE: "writeOnly", Direction.REQUEST: "readOnly"}


@dataclass(frozen=True, slots=True)
class Member:
    """One property of an object shape. ``hidden`` ones do not travel in the direction that is sampled."""

    name: str
    site: Site
    required: bool
    hidden: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The properties of an object shape, in the description's order, without those that may not be there."""

    members: tuple[Member, ...]
    missing: str | None  # a required property that no schema admits
    extra: Site  # the schemas of a property that nothing names
    open: bool  # extra properties are admitted
    maplike: bool  # extra properties are the point of this object


class Plan:
    """What can be tried at one site: its documented values, then its shapes one after the other."""

    def __init__(self, site: Site, *, plans: Plans) -> None:
        self.site = site
        self._plans = plans
        self._shapes: list[Shape] = []
        self._unread = alternatives(plans.bundle, site)
        self._layouts: dict[int, Layout] = {}
        self._item_sites: dict[tuple[int, int], Site] = {}
        self._accepts: Accepts | None = None
        self.documented = tuple(self._valid_documented())
        self.reason = "its keywords together leave no value that could be found"

    def accepts(self, value: Json) -> bool:
        """Whether ``value`` satisfies every schema at this site."""
        return self.check()(value)

    def check(self) -> Accepts:
        """The check for values at this site, compiled when it is first asked for."""
        if self._accepts is None:
            given = self._plans.accepts if self.site.key == ("",) else None
            self._accepts = given or self._plans.bundle.accepts(self.site)
        return self._accepts

    def shapes(self) -> Iterator[Shape]:
        """The shapes that do not contradict themselves, in order, worked out as they are asked for."""
        position = 0
        while True:
            while position < len(self._shapes):
                yield self._shapes[position]
                position += 1
            shape = next(self._unread, None)
            if shape is None:
                return
            if shape.choices is not None:
                shape.choices = [value for value in shape.choices if self.accepts(value)]
                shape.contradiction = shape.contradiction or (None if shape.choices else "no listed value is valid")
            if shape.contradiction is None:
                self._shapes.append(shape)
            else:
                self.reason = shape.contradiction

    def enumerable(self) -> list[Json] | None:
        """All values of this site when its schemas list them, else None."""
        found: list[Json] = []
        for shape in self.shapes():
            if shape.choices is not None:
                found.extend(shape.choices)
            elif set(shape.kinds) <= {"boolean", "null"}:
                found.extend(value for kind in shape.kinds for value in _FEW[kind] if self.accepts(value))
            else:
                return None
        return found or None

    def layout(self, shape: Shape) -> Layout:
        """The properties of an object of ``shape``."""
        known = self._layouts.get(id(shape))  # shapes live as long as their plan
        if known is None:
            known = self._layouts[id(shape)] = _layout(shape, plans=self._plans)
        return known

    def item_site(self, shape: Shape, index: int) -> Site:
        """The site of the item at ``index`` of an array of ``shape``."""
        key = (id(shape), min(index, shape.tuple_length))
        if key not in self._item_sites:
            self._item_sites[key] = shape.item_site(index)
        return self._item_sites[key]

    def _valid_documented(self) -> Iterator[Json]:
        for node in self.site.nodes:
            for value in documented_values(node, plans=self._plans):
                shown = self._plans.without_hidden(self.site, value)
                if self.accepts(shown):
                    yield shown


_FEW: dict[str, tuple[Json, ...]] = {"boolean": (True, False), "null": (None,)}


class Plans:
    """The plans of all sites of one bundle, made when they are first needed."""

    def __init__(self, bundle: Bundle, direction: Direction, *, accepts: Accepts | None = None) -> None:
        self.bundle = bundle
        self.accepts = accepts  # the caller's own check of the whole
        self.direction = direction
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._identities: dict[tuple[str, ...], tuple[str, ...]] = {}

    def at(self, site: Site) -> Plan:
        """The plan for ``site``."""
        plan = self._plans.get(site.key)
        if plan is None:
            plan = self._plans[site.key] = Plan(site, plans=self)
        return plan

    def identity(self, site: Site) -> tuple[str, ...]:
        """The key of the schema that a site comes down to, so that two references to it count as one."""
        known = self._identities.get(site.key)
        if known is None:
            reached = [node.pointer for node in self.chain(site)]
            known = self._identities[site.key] = (reached[-1],) if len(site.nodes) == 1 else site.key
        return known

    def hides(self, site: Site) -> bool:
        """Whether values at ``site`` do not travel in this direction (OAS 3.1 §4.8.24)."""
        mark = _MARKS[self.direction]
        return any(isinstance(node.schema, dict) and node.schema.get(mark) is True for node in self.chain(site))

    def without_hidden(self, site: Site, value: Json) -> Json:
        """``value`` without the optional properties that do not travel in this direction."""
        if not isinstance(value, dict):
            return value
        shape = next(alternatives(self.bundle, site))
        return {
            name: member
            for name, member in value.items()
            if name in shape.required or not self.hides(shape.property_site(name))
        }

    def chain(self, site: Site) -> Iterator[Node]:
        """The schemas of a site and those that their references lead to directly."""
        for node in site.nodes:
            current: Node | None = node
            for _ in range(32):
                if current is None:
                    break
                yield current
                reference = current.schema.get("$ref") if isinstance(current.schema, dict) else None
                current = self.bundle.follow(reference) if isinstance(reference, str) else None


def documented_values(node: Node, *, plans: Plans) -> Iterator[Json]:
    """The values that a schema documents for itself: ``example``, ``examples``, then ``default``.

    A default of null or of an empty container is passed over: it is right to assume and poor to show.
    """
    for reached in plans.chain(Site.of([node])):
        schema = reached.schema
        if not isinstance(schema, dict):
            continue
        if "example" in schema:
            yield schema["example"]
        examples = schema.get("examples")
        if isinstance(examples, list):
            yield from examples
        if schema.get("default") not in (None, [], {}):
            yield schema["default"]


def _layout(shape: Shape, *, plans: Plans) -> Layout:
    names = [name for name in shape.property_names_known() if name not in shape.forbidden]
    name_checks = [plans.bundle.accepts(Site.of([node])) for node in shape.property_names]
    members: list[Member] = []
    missing = next((name for name in shape.required if name in shape.forbidden), None)
    for name in names:
        site, required = shape.property_site(name), name in shape.required
        admitted = all(check(name) for check in name_checks)
        if not admitted or any(node.schema is False for node in site.nodes):
            missing = name if required else missing
            continue
        members.append(Member(name, site, required, plans.hides(site)))
    extra = shape.property_site("")
    schemas = [group.additional for group in shape.object_groups if group.additional is not None]
    described = any(isinstance(node.schema, dict) and node.schema for node in schemas)
    patterned = any(group.patterns for group in shape.object_groups)
    return Layout(
        tuple(members),
        missing,
        extra,
        open=all(node.schema is not False for node in extra.nodes),
        maplike=described and not patterned and not any(group.properties for group in shape.object_groups),
    )

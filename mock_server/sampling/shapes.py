"""Shapes: what all the schemas that apply at one place ask for together.

Schemas are never merged into a new schema, because that cannot be done faithfully (``additionalProperties``
looks at its own siblings only). A shape instead collects the bounds, and keeps each schema's members apart
in groups; the schemas of one member are then looked up in every group.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

from mock_server.dataclass import dataclass
from mock_server.sampling.bundle import Node, Site
from mock_server.sampling.patterns import matches

if TYPE_CHECKING:
    from mock_server.openapi.values import Json

KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")


@dataclass(frozen=True, slots=True)
class ObjectGroup:
    """The property keywords of one schema, which know of each other and of no other schema's."""

    properties: dict[str, Node]
    patterns: tuple[tuple[str, Node], ...]
    additional: Node | None

    def nodes_for(self, name: str) -> list[Node]:
        """The schemas that this group applies to the property ``name``."""
        found = [self.properties[name]] if name in self.properties else []
        found += [node for pattern, node in self.patterns if matches(pattern, name)]
        if not found and self.additional is not None:
            found.append(self.additional)
        return found


@dataclass(frozen=True, slots=True)
class ArrayGroup:
    """The item keywords of one schema: those of the first items, and that of all later ones."""

    prefix: tuple[Node, ...]
    rest: Node | None

    def nodes_for(self, index: int) -> list[Node]:
        """The schemas that this group applies to the item at ``index``."""
        if index < len(self.prefix):
            return [self.prefix[index]]
        return [] if self.rest is None else [self.rest]


@dataclass(frozen=True, slots=True)
class Contains:
    """A ``contains`` with how many items must match it, and how many may."""

    node: Node
    least: int
    most: int | None


@dataclass(slots=True)
class Shape:
    """What one way through the alternatives at a site asks of a value there.

    Filled in by ``keywords.gather`` and only read afterwards. ``checked`` says that a value made for this
    shape may still be wrong (``oneOf``, ``not``, a format …) and has to be validated.
    """

    kinds: tuple[str, ...] = KINDS
    inferred: list[str] = field(default_factory=list)
    typed: bool = False
    checked: bool = False
    contradiction: str | None = None
    choices: list[Json] | None = None

    minimum: tuple[Fraction, bool] | None = None  # (bound, exclusive)
    maximum: tuple[Fraction, bool] | None = None
    steps: list[Fraction] = field(default_factory=list)

    min_length: int = 0
    max_length: int | None = None
    patterns: list[str] = field(default_factory=list)
    format: str | None = None
    encoding: str | None = None
    media_type: str | None = None

    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    contains: list[Contains] = field(default_factory=list)
    array_groups: list[ArrayGroup] = field(default_factory=list)
    unevaluated_items: list[Node] = field(default_factory=list)

    min_properties: int = 0
    max_properties: int | None = None
    required: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    object_groups: list[ObjectGroup] = field(default_factory=list)
    property_names: list[Node] = field(default_factory=list)
    unevaluated_properties: list[Node] = field(default_factory=list)
    dependent: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    tagged: dict[str, Json] = field(default_factory=dict)  # discriminator property -> its value here

    def property_names_known(self) -> list[str]:
        """The names that the schemas mention, in the order of the description."""
        names: dict[str, None] = {}
        for group in self.object_groups:
            names.update(dict.fromkeys(group.properties))
        names.update(dict.fromkeys(self.required))
        return list(names)

    def property_site(self, name: str) -> Site:
        """The site of the property ``name``."""
        nodes = [node for group in self.object_groups for node in group.nodes_for(name)]
        return Site.of(nodes or self.unevaluated_properties)

    @property
    def tuple_length(self) -> int:
        """How many first items have schemas of their own."""
        return max((len(group.prefix) for group in self.array_groups), default=0)

    def item_site(self, index: int) -> Site:
        """The site of the item at ``index``."""
        nodes = [node for group in self.array_groups for node in group.nodes_for(index)]
        return Site.of(nodes or self.unevaluated_items)

    def fits_length(self, text: str) -> bool:
        """Whether ``text`` has an admitted number of characters."""
        return self.min_length <= len(text) and (self.max_length is None or len(text) <= self.max_length)

    def fits_bounds(self, number: float) -> bool:
        """Whether ``number`` lies within the bounds and on the steps."""
        exact = exact_fraction(number)
        if self.minimum is not None and (exact < self.minimum[0] or (self.minimum[1] and exact == self.minimum[0])):
            return False
        if self.maximum is not None and (exact > self.maximum[0] or (self.maximum[1] and exact == self.maximum[0])):
            return False
        return all((exact / step).denominator == 1 for step in self.steps)

    def raise_minimum(self, bound: float, *, exclusive: bool) -> None:
        """Take ``bound`` as the minimum where it is stricter than the present one."""
        stricter = (exact_fraction(bound), exclusive)
        self.minimum = stricter if self.minimum is None else max(self.minimum, stricter)

    def lower_maximum(self, bound: float, *, exclusive: bool) -> None:
        """Take ``bound`` as the maximum where it is stricter than the present one."""
        stricter = (exact_fraction(bound), exclusive)
        if self.maximum is None or stricter[0] < self.maximum[0]:
            self.maximum = stricter
        elif stricter[0] == self.maximum[0]:
            self.maximum = (stricter[0], exclusive or self.maximum[1])

    def restrict_kinds(self, allowed: tuple[str, ...]) -> None:
        """Keep only the JSON types that ``allowed`` admits too, in the first schema's order."""
        if not self.typed:
            order = [kind for kind in allowed if kind in KINDS]
            if "number" in order and "integer" not in order:
                order.append("integer")
            self.kinds, self.typed = tuple(order), True
            return
        wide = (*allowed, "integer") if "number" in allowed else allowed
        self.kinds = tuple(kind for kind in self.kinds if kind in wide)


def exact_fraction(number: float) -> Fraction:
    """The number as it was written: 0.01 is 1/100, which its binary form is not."""
    if isinstance(number, int):
        return Fraction(number)
    return Fraction(repr(number)) if isfinite(number) else Fraction(0)


def upper(first: int | None, second: int) -> int:
    """The stricter of two upper bounds, the first of which may be absent."""
    return second if first is None else min(first, second)

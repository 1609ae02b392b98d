"""One sample in the making: limits on depth, size and failures, and the choice among candidates."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from mock_server.sampling import arrays, numbers, objects, strings
from mock_server.sampling.branching import set_apart
from mock_server.sampling.names import likely_flag
from mock_server.sampling.unsampleable import Exhausted, NoValue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from mock_server.openapi.values import Json
    from mock_server.sampling.bundle import Site
    from mock_server.sampling.plans import Plan, Plans
    from mock_server.sampling.scene import Scene
    from mock_server.sampling.shapes import Shape

MAX_DEPTH = 64  # containers within containers
OPTIONAL_DEPTH = 10  # optional properties appear down to here
RECURSIVE_OPTIONAL_DEPTH = 4  # and those that lead back to an enclosing schema down to here
MAX_RETURNS = 3  # how often a schema may enclose itself, even where it is required to
RICH_SIZE = 2_000  # values after which only what is required is made
MAX_SIZE = 50_000  # values in one sample
MAX_REJECTED = 400  # candidates thrown away for one sample
FIRST_CANDIDATES = 3  # of each shape and JSON type, at the first look
CANDIDATES = 24  # and at the second


class Drawing:
    """The state of one sample in the making."""

    def __init__(self, plans: Plans, rng: Random, *, thorough: bool) -> None:
        self.plans = plans
        self.rng = rng
        self.thorough = thorough
        self.depth = 0
        self.size = 0
        self._open: dict[tuple[str, ...], int] = {}  # how often each site encloses the present place
        self._hopeless: dict[tuple[str, ...], NoValue] = {}
        self._rejected = 0
        self._limited = 0

    @property
    def lean(self) -> bool:
        """Whether the sample has grown so large that only what is required is still made."""
        return self.size > RICH_SIZE

    def wants_optional(self, site: Site) -> bool:
        """Whether an optional property with this site is to be included here."""
        if self.lean or self.depth > OPTIONAL_DEPTH:
            return False
        return not self.encloses(site) or (self.depth <= RECURSIVE_OPTIONAL_DEPTH and self._returns(site) < 2)

    def encloses(self, site: Site) -> bool:
        """Whether the present place lies inside a value of the same schema."""
        return self._returns(site) > 0

    def value(self, site: Site, scene: Scene) -> Json:
        """A valid value for ``site``; raises ``NoValue`` when none was found within the limits."""
        key = self.plans.identity(site)
        if key in self._hopeless:
            raise self._hopeless[key]
        self._admit(site, key)
        plan = self.plans.at(site)
        if plan.documented and not scene.fresh:
            return plan.documented[scene.variant % len(plan.documented)]
        limited_before = self._limited
        self.depth += 1
        self._open[key] = self._open.get(key, 0) + 1
        try:
            return self._first_accepted(plan, scene)
        except NoValue as blocked:
            if self._limited == limited_before:
                self._hopeless[key] = blocked
            raise
        finally:
            self.depth -= 1
            self._open[key] -= 1

    def _first_accepted(self, plan: Plan, scene: Scene) -> Json:
        tried: list[Json] = []
        blocker: NoValue | None = None
        looks = deque((shape, kind, FIRST_CANDIDATES) for shape, kind in self._ways(plan, scene))
        while looks:
            shape, kind, limit = looks.popleft()
            try:
                for value in islice(self._candidates(kind, plan, shape, scene), limit):
                    if not (shape.checked or self.thorough) or plan.accepts(value):
                        return value
                    tried = [*tried[-2:], value]
                    self._reject(plan, tried)
            except NoValue as blocked:
                blocker = blocked
                self._reject(plan, tried)
            else:
                if limit == FIRST_CANDIDATES:  # after every other way has had its first look
                    looks.append((shape, kind, CANDIDATES))
        for value in set_apart(self.plans, plan.site, tried):
            if plan.accepts(value):
                return value
        if blocker is not None and not tried:
            raise blocker
        reason = "every candidate was rejected" if tried else plan.reason
        raise NoValue(plan.site.pointer, reason, tried=tuple(tried))

    def _ways(self, plan: Plan, scene: Scene) -> Iterator[tuple[Shape, str]]:
        """The shapes to try, and the JSON types of each."""
        for shape in self._ordered(plan, scene):
            for kind in ("listed",) if shape.choices is not None else shape.kinds:
                yield shape, kind

    def _ordered(self, plan: Plan, scene: Scene) -> Iterator[Shape]:
        """The shapes of a plan: rotated by the variant, or the least demanding first where they recur."""
        if self._returns(plan.site) > 1 or self.lean:
            return iter(sorted(plan.shapes(), key=lambda shape: len(shape.required) + shape.min_items))
        if scene.variant == 0:
            return plan.shapes()
        shapes = list(plan.shapes())
        turn = scene.variant % len(shapes) if shapes else 0
        return iter(shapes[turn:] + shapes[:turn])

    def _candidates(self, kind: str, plan: Plan, shape: Shape, scene: Scene) -> Iterator[Json]:
        match kind:
            case "listed":
                return self._listed(shape, scene)
            case "object":
                return objects.objects(self, plan, shape, scene)
            case "array":
                return arrays.arrays(self, plan, shape, scene)
            case "string":
                return strings.strings(shape, scene)
            case "integer":
                return numbers.integers(shape, scene)
            case "number" if "integer" in shape.kinds:
                return numbers.reals(shape, scene)
            case "number":
                return numbers.non_integers(shape, scene)
            case "boolean":
                return iter((likely_flag(scene.name), not likely_flag(scene.name)))
            case _:
                return iter((None,))

    def _listed(self, shape: Shape, scene: Scene) -> Iterator[Json]:
        values = shape.choices or []
        start = self.rng.randrange(len(values)) if scene.variant or scene.fresh or self.thorough else 0
        return iter(values[start:] + values[:start])

    def _returns(self, site: Site) -> int:
        return self._open.get(self.plans.identity(site), 0)

    def _admit(self, site: Site, key: tuple[str, ...]) -> None:
        self.size += 1
        if self.size > MAX_SIZE:
            raise Exhausted(site.pointer, f"the value would have more than {MAX_SIZE:,} parts")
        if self.depth >= MAX_DEPTH:
            self._limited += 1
            raise NoValue(site.pointer, f"what is required nests deeper than {MAX_DEPTH} levels")
        if self._open.get(key, 0) >= MAX_RETURNS:
            self._limited += 1
            raise NoValue(site.pointer, "the schema requires itself without end")

    def _reject(self, plan: Plan, tried: list[Json]) -> None:
        self._rejected += 1
        if self._rejected > MAX_REJECTED:
            raise Exhausted(plan.site.pointer, f"{MAX_REJECTED} candidates were rejected", tried=tuple(tried))

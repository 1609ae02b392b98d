"""The sampler: a valid, realistic value for a schema, the same one for the same seed."""

from __future__ import annotations

from random import Random
from threading import Lock
from typing import TYPE_CHECKING

from mock_server.openapi.values import Direction
from mock_server.sampling.bundle import Bundle, Node, Site
from mock_server.sampling.drawing import Drawing
from mock_server.sampling.plans import Plans
from mock_server.sampling.scene import Scene
from mock_server.sampling.unsampleable import Blocked, NoValue, Unsampleable

if TYPE_CHECKING:
    from datetime import datetime

    from mock_server.openapi.values import Json
    from mock_server.sampling.bundle import Accepts

_ATTEMPTS = 5


class Sampler:
    """Samples of one schema, which is read once and lazily.

    ``bundle`` is a self-contained schema: every ``$ref`` in it is local, and ``$schema`` names its dialect
    (2020-12 where it is absent). ``accepts`` replaces the check that every finished sample has to pass.
    ``direction`` decides which optional properties are left out: writeOnly ones of responses, readOnly ones
    of requests.
    """

    def __init__(
        self, bundle: Json, *, accepts: Accepts | None = None, direction: Direction = Direction.RESPONSE
    ) -> None:
        self._root = Site.of([Node(bundle, "")])
        self._plans = Plans(Bundle(bundle), direction, accepts=accepts)
        self._lock = Lock()

    def sample(self, *, seed: int, now: datetime, name: str = "", variant: int = 0) -> Json:
        """A valid value, determined by the arguments alone.

        ``now`` is an aware moment in UTC, near which dates lie. ``name`` says what the value is called (a
        property, a schema, a resource), which makes it more realistic. A ``variant`` above 0 prefers other
        examples, other listed values and other branches than the first. Raises ``Unsampleable`` when no
        valid value was found. The value may share parts with the schema, so it is not to be changed in
        place.
        """
        with self._lock:  # plans are completed while sampling
            return self._sample(seed=seed, now=now, name=name, variant=variant)

    def _sample(self, *, seed: int, now: datetime, name: str, variant: int) -> Json:
        accepts = self._plans.at(self._root).check()
        blocker: Blocked = NoValue("", "every sample was rejected as a whole")
        for attempt in range(_ATTEMPTS):
            rng = Random(f"{seed}/{name}/{variant}/{attempt}")  # noqa: S311 - samples are repeatable, not secret
            drawing = Drawing(self._plans, rng, thorough=attempt > 0)
            scene = Scene(rng, now, name, "", rng.getrandbits(32), variant, fresh=attempt > 1)
            try:
                value = drawing.value(self._root, scene)
            except Blocked as blocked:
                blocker = blocked
                continue
            if accepts(value):
                return value
            blocker.tried = (*blocker.tried[-2:], value)
        raise Unsampleable(blocker.pointer, reason=blocker.reason, tried=blocker.tried)


def sample(bundle: Json, *, seed: int, now: datetime, name: str = "") -> Json:
    """A valid, realistic value for ``bundle``; see ``Sampler``, which is cheaper for more than one."""
    return Sampler(bundle).sample(seed=seed, now=now, name=name)

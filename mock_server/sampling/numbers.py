"""Candidate numbers within bounds and on steps."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, lcm
from typing import TYPE_CHECKING

from mock_server.sampling.names import number_maker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.sampling.scene import Scene
    from mock_server.sampling.shapes import Shape

_USUAL_SPAN = 100  # how far from its one bound, or from 1, an otherwise free number lies


def integers(shape: Shape, scene: Scene) -> Iterator[int]:
    """Candidate integers: one that suits the name, then multiples of the step within the bounds."""
    realistic = number_maker(scene.name)
    if realistic is not None:
        made = realistic(scene)
        if shape.fits_bounds(whole := round(made)) and (whole == made or not shape.steps):
            yield whole
    step = common_step([*shape.steps, Fraction(1)])
    for multiple in _multiples(shape, scene, step):
        yield int(multiple)


def reals(shape: Shape, scene: Scene) -> Iterator[float]:
    """Candidate numbers: one that suits the name, then multiples of the step, or hundredths."""
    realistic = number_maker(scene.name)
    if realistic is not None:
        made = realistic(scene)
        if shape.fits_bounds(made):
            yield made
    for step in (common_step(shape.steps),) if shape.steps else (Fraction(1, 100), Fraction(1)):
        for multiple in _multiples(shape, scene, step):
            yield _json_number(multiple)
    if not shape.steps and shape.minimum is not None and shape.maximum is not None:
        low, high = shape.minimum[0], shape.maximum[0]
        yield from (_json_number(point) for point in ((low + high) / 2, low, high, low + (high - low) / 3))


def non_integers(shape: Shape, scene: Scene) -> Iterator[float]:
    """Candidate numbers with a fraction, for schemas that exclude integers."""
    for number in reals(shape, scene):
        yield number if number % 1 else number + 0.5


def common_step(steps: list[Fraction]) -> Fraction:
    """The smallest positive number that is a multiple of every one of ``steps``."""
    denominator = lcm(*(step.denominator for step in steps))
    return Fraction(lcm(*(int(step * denominator) for step in steps)), denominator)


def first_multiple(shape: Shape, step: Fraction) -> int | None:
    """How many steps the smallest admitted multiple is, or None without a minimum."""
    if shape.minimum is None:
        return None
    low, exclusive = shape.minimum
    count = ceil(low / step)
    return count + 1 if exclusive and count * step == low else count


def last_multiple(shape: Shape, step: Fraction) -> int | None:
    """How many steps the largest admitted multiple is, or None without a maximum."""
    if shape.maximum is None:
        return None
    high, exclusive = shape.maximum
    count = floor(high / step)
    return count - 1 if exclusive and count * step == high else count


def _multiples(shape: Shape, scene: Scene, step: Fraction) -> Iterator[Fraction]:
    low, high = first_multiple(shape, step), last_multiple(shape, step)
    # Later items of an array are drawn from further afield, so that many of them can differ.
    span = max(_USUAL_SPAN, ceil(_USUAL_SPAN / step), 8 * scene.variant)
    if low is not None and high is not None and low > high:
        return
    # Close to 1 where the bounds allow it: a plausible amount says more than one near 2^63.
    start = max(1, low) if low is not None else 1
    if high is not None and start > high:
        start = high if low is None else max(low, high - span)
    stop = start + span if high is None else min(high, start + span)
    for _ in range(4):
        yield scene.rng.randint(start, max(start, stop)) * step
    yield from (
        count * step for count in (start, stop, low, high, 0, -1) if count is not None and _within(count, low, high)
    )


def _within(count: int, low: int | None, high: int | None) -> bool:
    return (low is None or count >= low) and (high is None or count <= high)


def _json_number(number: Fraction) -> float:
    if number.denominator == 1:
        return int(number)
    return float(number)

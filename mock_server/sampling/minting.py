"""Minting: fresh identifiers, a different one for every ordinal.

A string is minted from a specimen: a documented example, or else a made value. Its characters are digits of
a number in mixed radix, where each position has the alphabet of characters that may stand there without
breaking the schema; counting through these numbers in an order that the seed decides gives every string
once before any is repeated.
"""

from __future__ import annotations

import json
import re
import string
from datetime import timedelta
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import islice
from math import gcd, prod
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

from mock_server.dataclass import dataclass
from mock_server.openapi.values import Direction
from mock_server.sampling import names, numbers
from mock_server.sampling.bundle import Bundle, Node, Site
from mock_server.sampling.patterns import strings_matching
from mock_server.sampling.plans import Plan, Plans, documented_values
from mock_server.sampling.sampler import Sampler
from mock_server.sampling.scene import Scene
from mock_server.sampling.unsampleable import Unsampleable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mock_server.openapi.values import Json
    from mock_server.sampling.shapes import Shape

_ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_HEXADECIMAL = "0123456789abcdef"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # the base 32 of ULIDs
_ULID = re.compile(rf"[0-7][{_CROCKFORD}]{{25}}$")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_ENOUGH_STRINGS = 10**12  # as many as nobody counts through
_ENOUGH_LIKE_EXAMPLE = 10**4  # so that a documented form is given up only when it leaves no room
_PLAIN_LENGTH = 16
_SPECIMENS = 40


def mint(schema: Json, *, ordinal: int, seed: int, name: str, now: datetime) -> Json:
    """A fresh identifier that satisfies ``schema``; different ordinals give different ones while there are
    enough.

    ``ordinal`` counts from 0. Integers ascend from the documented example, the minimum, or 1; listed values
    are taken in turn; strings have the form that the format, the pattern or the example shows:
    ``cus_9s6XKzkNRiz8i3`` leads to others that start with ``cus_``. A ULID carries ``now``. Raises
    ``Unsampleable`` like ``Sampler.sample``.
    """
    press = _press(json.dumps(schema, sort_keys=True), seed, name)
    return press.strike(ordinal, now)


class Mint:
    """Mints identifiers for one schema, which is read once for each seed; see ``mint``.

    Mints of one schema and ``name`` but another ``salt`` strike others, where there is anything to choose.
    """

    __slots__ = ("_name", "_presses", "_salt", "_schema")

    def __init__(self, schema: Json, *, name: str, salt: str = "") -> None:
        self._schema = schema
        self._name = name
        self._salt = salt
        self._presses: dict[int, _Press] = {}

    def strike(self, ordinal: int, *, seed: int, now: datetime) -> Json:
        """The identifier number ``ordinal``, counted from 0."""
        press = self._presses.get(seed)
        if press is None:
            press = self._presses[seed] = _Press(self._schema, seed=seed, name=self._name, salt=self._salt)
        return press.strike(ordinal, now)


@dataclass(frozen=True, slots=True)
class _Lettering:
    """A string form: at each position the characters that may stand there."""

    alphabets: tuple[str, ...]
    offset: int
    stride: int

    @property
    def size(self) -> int:
        return prod(len(alphabet) for alphabet in self.alphabets)

    def text(self, ordinal: int) -> str:
        """The string for ``ordinal``; none recurs before all have been used."""
        number = (self.offset + ordinal * self.stride) % self.size
        characters: list[str] = []
        for alphabet in reversed(self.alphabets):
            number, digit = divmod(number, len(alphabet))
            characters.append(alphabet[digit])
        return "".join(reversed(characters))


class _Press:
    """What one schema needs to strike identifiers, worked out once."""

    def __init__(self, schema: Json, *, seed: int, name: str, salt: str = "") -> None:
        self.schema = schema
        self.seed = seed
        self.name = name
        self.salt = salt
        bundle = Bundle(schema)
        site = Site.of([Node(schema, "")])
        plans = Plans(bundle, Direction.RESPONSE)
        self.plan: Plan = plans.at(site)
        self.shape: Shape | None = next(self.plan.shapes(), None)
        self.examples = [value for value in documented_values(site.nodes[0], plans=plans) if self.plan.accepts(value)]
        # A specimen with a format or from an example keeps its fixed beginning (or its domain).
        self.shape_is_shown = bool(self.examples) or (self.shape is not None and self.shape.format is not None)
        self._lettering: _Lettering | None = None
        self._sampler = Sampler(schema)
        self._lock = Lock()
        self._first: int | None = None  # where whole numbers simply count on from here: set when that is known

    def strike(self, ordinal: int, now: datetime) -> Json:
        """The identifier number ``ordinal``."""
        if self._first is not None:
            number = self._first + ordinal
            if self.plan.accepts(number):
                return number
        with self._lock:  # plans and the lettering are completed while striking
            return self._strike(ordinal, now)

    def _strike(self, ordinal: int, now: datetime) -> Json:
        if self.shape is None:
            raise Unsampleable("", reason=self.plan.reason)
        if self.shape.choices is not None:
            return self.shape.choices[ordinal % len(self.shape.choices)]
        kind = self._kind
        if kind in ("integer", "number"):
            counted = self._count(ordinal)
            if counted is not None and self.plan.accepts(counted):
                step, _, high, first = self._counting
                if step == 1 and high is None:
                    self._first = first
                return counted
        if kind == "string":
            rng = Random(f"{self.seed}/{self.salt}{self.name}/{ordinal}")  # noqa: S311 - repeatable, not secret
            text = self._moment(ordinal, now) or self._text(ordinal, rng, now)
            if text is not None:
                return text
        return self._sampler.sample(seed=self.seed, now=now, name=self.name, variant=ordinal)

    @cached_property
    def _kind(self) -> str:
        """The JSON type to strike: that of the example, or else the first that can identify something."""
        assert self.shape is not None
        for example in self.examples:
            if isinstance(example, str):
                return "string"
        return next((kind for kind in self.shape.kinds if kind in ("string", "integer", "number")), "")

    @cached_property
    def _counting(self) -> tuple[Fraction | int, int | None, int | None, int]:
        """The step between numbers, and in steps the lowest, the highest and the first of them."""
        assert self.shape is not None
        whole = self._kind == "integer" or not self.shape.steps
        step = numbers.common_step([*self.shape.steps, Fraction(1)] if whole else self.shape.steps)
        low, high = numbers.first_multiple(self.shape, step), numbers.last_multiple(self.shape, step)
        first = low if low is not None and low > 0 else 1
        for example in self.examples:
            if isinstance(example, int | float) and Fraction(example) % step == 0:
                first = int(Fraction(example) / step)
        if high is not None and first > high:
            first = high if low is None else low
        return int(step) if step.denominator == 1 else step, low, high, first

    def _count(self, ordinal: int) -> float | None:
        """The ascending number for ``ordinal``, starting anew where the maximum is reached."""
        step, low, high, first = self._counting
        count = first + ordinal
        if high is not None and count > high:
            lowest = low if low is not None else min(first, high - 10**9)
            count = lowest + (count - lowest) % (high - lowest + 1) if high >= lowest else high
        number = count * step
        return int(number) if number.denominator == 1 else float(number)

    def _moment(self, ordinal: int, now: datetime) -> str | None:
        """A moment or day of its own for ``ordinal``, where the schema is for those."""
        assert self.shape is not None
        made = None
        if self.shape.format == "date-time":
            made = names.timestamp(now + timedelta(seconds=ordinal))
        elif self.shape.format == "date":
            made = (now + timedelta(days=ordinal)).strftime("%Y-%m-%d")
        return made if made is not None and self.plan.accepts(made) else None

    def _text(self, ordinal: int, rng: Random, now: datetime) -> str | None:
        """The string for ``ordinal`` that the schema accepts, or None when no way to make one was found."""
        assert self.shape is not None
        example = next((value for value in self.examples if isinstance(value, str)), None)
        scene = Scene(rng, now, self.name, "", rng.getrandbits(32))
        unhinted = example is None and self.shape.format is None and not self.shape.patterns
        if self.shape.format == "uuid" or unhinted or (example is not None and _UUID.match(example)):
            made = names.identifier(scene)
            made = made.upper() if example is not None and example.isupper() else made
            if self.plan.accepts(made):
                return made
        if example is not None and _ULID.search(example):
            made = _ULID.sub("", example) + _ulid(rng, now)
            if self.plan.accepts(made):
                return made
        if self._lettering is None:
            self._lettering = self._settle_lettering(example, now)
        lettered = self._lettering.text(ordinal)
        if self.plan.accepts(lettered):
            return lettered
        return next((text for text in self._specimens(None, rng, now) if self.plan.accepts(text)), None)

    def _settle_lettering(self, example: str | None, now: datetime) -> _Lettering:
        """The form of the specimen that leaves the most room, up to what is plenty."""
        rng = Random(f"{self.seed}/{self.salt}{self.name}")  # noqa: S311 - repeatable, not secret
        best: tuple[str, ...] = ("",)
        # With a generator of its own: how many specimens are made must not decide which keys come of them.
        for specimen in self._specimens(example, Random(rng.getrandbits(64)), now):  # noqa: S311 - as above
            if not self.plan.accepts(specimen):
                continue
            alphabets = self._alphabets(specimen)
            if best == ("",) or _room(alphabets) > _room(best):
                best = alphabets
            if _room(best) >= (_ENOUGH_LIKE_EXAMPLE if specimen == example else _ENOUGH_STRINGS):
                break
        if best == ("",):
            best = tuple(str(self._sampler.sample(seed=self.seed, now=now, name=self.name)))
        size = max(_room(best), 1)
        stride = rng.randrange(size) | 1
        while gcd(stride, size) != 1:
            stride += 2
        return _Lettering(best, rng.randrange(size), stride)

    def _specimens(self, example: str | None, rng: Random, now: datetime) -> Iterator[str]:
        """Strings to take the form of: the example, made for the pattern with room to vary, or plain ones.

        Each is made when it is asked for: the first is often enough, and forty for a pattern take 20 ms.
        """
        assert self.shape is not None
        shape = self.shape
        nothing_yet = True
        if example is not None:
            nothing_yet = False
            yield example
        for pattern in shape.patterns:
            for length in (
                max(shape.min_length, min(shape.max_length or _PLAIN_LENGTH, _PLAIN_LENGTH)),
                shape.min_length,
            ):
                made = strings_matching(pattern, rng, min_length=length, max_length=shape.max_length)
                for text in islice(made, _SPECIMENS // 2):
                    nothing_yet = False
                    yield text
        if shape.format is None and not shape.patterns:
            usual = _PLAIN_LENGTH if shape.max_length is None else min(_PLAIN_LENGTH, shape.max_length)
            length = max(shape.min_length, usual)
            yield "".join(rng.choices(string.ascii_lowercase + string.digits, k=length))
        elif nothing_yet:
            yield str(self._sampler.sample(seed=rng.getrandbits(32), now=now, name=self.name))

    def _alphabets(self, specimen: str) -> tuple[str, ...]:
        """For each position of ``specimen``, the like characters that the schema admits there."""
        body, end = _varying_part(specimen) if self.shape_is_shown else (0, len(specimen))
        hexadecimal = end - body >= 8 and all(c in _HEXADECIMAL for c in specimen[body:end])
        alphabets: list[str] = []
        for position, character in enumerate(specimen):
            alike = next((each for each in _ALPHABETS if character in each), character)
            if hexadecimal:
                alike = _HEXADECIMAL
            if not body <= position < end or len(alike) == 1:
                alphabets.append(character)
                continue
            before, after = specimen[:position], specimen[position + 1 :]
            admitted = "".join(each for each in alike if self.plan.accepts(before + each + after))
            alphabets.append(admitted or character)
        return tuple(alphabets)


def _varying_part(specimen: str) -> tuple[int, int]:
    """Where the part of a documented identifier lies that changes from one to the next."""
    at = specimen.find("@")
    if at > 0:
        return 0, at
    start = max(specimen.rfind(mark) for mark in "_-:/") + 1
    if not any(character.isalnum() for character in specimen[start:]):
        start = 0
    return start, len(specimen)


def _room(alphabets: tuple[str, ...]) -> int:
    return prod(len(alphabet) for alphabet in alphabets)


def _ulid(rng: Random, now: datetime) -> str:
    """A ULID: 48 bits of milliseconds and 80 random bits, in Crockford's base 32."""
    number = int(now.timestamp() * 1000) << 80 | rng.getrandbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


@lru_cache(maxsize=1024)
def _press(schema: str, seed: int, name: str) -> _Press:
    return _Press(json.loads(schema), seed=seed, name=name)

"""Values that a server assigns: keys, times and samples, from a seed, so that every run gives the same
ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from mock_server.errors import DescriptionError
from mock_server.model.clock import rfc3339
from mock_server.model.outcome import HOLDERS, Filling, Hole, Outcome, filled, key_text
from mock_server.model.serials import Serial
from mock_server.model.state import Advance, Partition, Put, State
from mock_server.openapi.expressions import Joined
from mock_server.openapi.values import Json

_SPARE_TRIES = 16  # beyond the keys in use, for schemas of which two ordinals may give one value
_FEW_TRIES = 64  # more, as after a large seed, are worth remembering
_MILLISECONDS = 100_000_000_000  # an example above this is epoch time in milliseconds, not seconds


def realize(
    outcome: Outcome,
    *,
    state: State,
    seed: int,
    now: datetime,
    exchange: int = 0,
    given: Filling | None = None,
) -> Outcome:
    """The outcome with its holes filled by this double: fresh keys, times, samples, numbers.

    Holes for which values are ``given`` get those.
    """
    if not outcome.has_holes:
        return outcome
    minted = _Minted(given.values if given is not None else (), state, seed, now, exchange)
    kept = given.changes if given is not None else ()
    return filled(outcome, minted, lambda: (*kept, *[Advance(*reached) for reached in minted.reached.items()]))


class _Minted(dict[Hole, Json]):
    """The values of the holes of one outcome, each made when it is first asked for."""

    __slots__ = ("_exchange", "_now", "_seed", "_state", "_taken", "reached")

    def __init__(
        self,
        given: Mapping[Hole, Json] | Iterable[tuple[Hole, Json]],
        state: State,
        seed: int,
        now: datetime,
        exchange: int,
    ) -> None:
        super().__init__(given)
        self._state = state
        self._seed = seed
        self._now = now
        self._exchange = exchange
        self._taken: set[tuple[Partition, str]] = set()
        self.reached: dict[str, int] = {}

    def __missing__(self, hole: Hole) -> Json:
        value = self[hole] = self._made(hole)
        return value

    def _made(self, hole: Hole) -> Json:
        rule, seed, now = hole.rule, self._seed, self._now
        if rule == "key":
            return self._fresh_key(hole)
        if rule == "time":
            return moment(hole.schema, now, hole.name)
        if hole.serial is not None:
            value, counter, number = _next_serial(hole, hole.serial, self._state, self.reached, now)
            self.reached[counter] = number
            return value
        if rule == "exchange":
            number = self._exchange
            return hole.mint.strike(number, seed=seed, now=now) if hole.mint is not None else f"r{number}"
        assert hole.draw is not None
        return hole.draw(seed + self._state.counter(hole.counter), now)

    def _fresh_key(self, hole: Hole) -> Json:
        """The next value of a key that its collection does not hold and that was not given a moment ago."""
        mint, partition, counter, taken = hole.mint, hole.partition, hole.counter, self._taken
        assert mint is not None
        assert partition is not None
        collection = self._state.collection(partition)
        begin = max(self.reached.get(counter, 0), self._state.counter(counter))
        held = len(collection) if collection is not None else 0
        first = begin if collection is None else collection.noted((counter, self._seed, begin), begin)
        for ordinal in range(first, first + held + len(taken) + _SPARE_TRIES):
            value = mint.strike(ordinal, seed=self._seed, now=self._now)
            text = key_text(value)
            if (collection is None or text not in collection) and (not taken or (partition, text) not in taken):
                if collection is not None and not taken and ordinal - first > _FEW_TRIES:
                    collection.note((counter, self._seed, begin), ordinal)
                self.reached[counter] = ordinal + 1
                taken.add((partition, text))
                return value
        raise DescriptionError(
            f"no further value is left for the key {hole.name!r} of {partition.resource}",
            got=f"{held} items",
            hint="let the schema of the key admit more values, or delete some items",
        )


def _next_serial(
    hole: Hole, serial: Serial, state: State, reached: Mapping[str, int], now: datetime
) -> tuple[Json, str, int]:
    """The next number of a collection, with its counter; those given a moment ago count, too."""
    assert hole.partition is not None
    counter = serial.counter(hole.partition, serial.rest(now))
    number = max(reached.get(counter, 0), state.counter(counter)) + 1
    return serial.value(number, now), counter, number


def is_plain_moment(schema: Mapping[str, Json]) -> bool:
    """Whether a time is told in RFC 3339 by this schema, as it nearly always is."""
    return schema.get("type") == "string" and schema.get("format") in {None, "date-time"}


def moment(schema: Mapping[str, Json], now: datetime, name: str) -> Json:
    """The current time as a property's schema wants it: RFC 3339, a date, or epoch seconds or
    milliseconds."""
    if is_plain_moment(schema):
        return rfc3339(now)
    declared = schema.get("type")
    types = {declared} if isinstance(declared, str) else set(declared or ())
    if "string" in types or not types:
        if schema.get("format") == "date":
            return now.date().isoformat()
        if schema.get("format") == "time":
            return now.time().isoformat(timespec="seconds") + "Z"
        return rfc3339(now)
    example = schema.get("example", schema.get("default"))
    in_milliseconds = (
        (isinstance(example, int | float) and abs(example) >= _MILLISECONDS)
        or name.lower().endswith("ms")
        or "milli" in str(schema.get("description", "")).lower()
    )
    return int(now.timestamp() * 1000) if in_milliseconds else int(now.timestamp())


def holes_of(outcome: Outcome) -> list[Hole]:
    """The holes of an outcome, those of what it stores first; one that stands in several places is told each time."""
    found: list[Hole] = []
    body = outcome.body
    for change in outcome.changes:
        if isinstance(change, Put):
            _collect(change.key, found)
            _collect(change.value, found)
            body = None if change.value is body else body  # an item shown as it is stored
    _collect(body, found)
    _collect(outcome.location_key, found)
    return found


def _collect(value: object, found: list[Hole]) -> None:
    kind = type(value)
    if kind is Hole:
        found.append(cast("Hole", value))
    elif kind is Joined:
        for part in cast("Joined", value).parts:
            _collect(part, found)
    elif kind is dict or kind is list:
        for member in cast("dict[str, object]", value).values() if kind is dict else cast("list[object]", value):
            if type(member) in HOLDERS:
                _collect(member, found)

"""Values that a server assigns: keys, times and samples, from a seed, so that every run gives the same
ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from mock_server.errors import DescriptionError
from mock_server.model.clock import rfc3339
from mock_server.model.outcome import HOLDERS, Filling, Hole, Outcome, fill, key_text
from mock_server.model.serials import Serial
from mock_server.model.state import Advance, Change, Partition, Put, State
from mock_server.openapi.expressions import Joined
from mock_server.openapi.values import Json

_SPARE_TRIES = 16  # beyond the keys in use, for schemas of which two ordinals may give one value
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
    values: dict[Hole, Json] = dict(given.values) if given is not None else {}
    changes: list[Change] = list(given.changes) if given is not None else []
    reached: dict[str, int] = {}
    taken: set[tuple[Partition, str]] = set()
    for hole in holes_of(outcome):
        if hole in values:
            continue
        if hole.rule == "key":
            value, ordinal = _fresh_key(hole, state, taken, reached, seed, now)
            reached[hole.counter] = ordinal
            assert hole.partition is not None
            taken.add((hole.partition, key_text(value)))
            values[hole] = value
        elif hole.serial is not None:
            values[hole], counter, number = _next_serial(hole, hole.serial, state, reached, now)
            reached[counter] = number
        elif hole.rule == "exchange":
            values[hole] = hole.mint.strike(exchange, seed=seed, now=now) if hole.mint is not None else f"r{exchange}"
        elif hole.rule == "time":
            values[hole] = moment(hole.schema, now, hole.name)
        else:
            assert hole.draw is not None
            values[hole] = hole.draw(seed + state.counter(hole.counter), now)
    changes += [Advance(counter, ordinal) for counter, ordinal in reached.items()]
    return fill(outcome, Filling(values, tuple(changes)))


def _fresh_key(
    hole: Hole,
    state: State,
    taken: set[tuple[Partition, str]],
    reached: Mapping[str, int],
    seed: int,
    now: datetime,
) -> tuple[Json, int]:
    assert hole.mint is not None
    assert hole.partition is not None
    collection = state.collection(hole.partition)
    first = max(reached.get(hole.counter, 0), state.counter(hole.counter))
    held = len(collection) if collection is not None else 0
    for ordinal in range(first, first + held + len(taken) + _SPARE_TRIES):
        value = hole.mint.strike(ordinal, seed=seed, now=now)
        text = key_text(value)
        if (collection is None or text not in collection) and (hole.partition, text) not in taken:
            return value, ordinal + 1
    raise DescriptionError(
        f"no further value is left for the key {hole.name!r} of {hole.partition.resource}",
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


def moment(schema: Mapping[str, Json], now: datetime, name: str) -> Json:
    """The current time as a property's schema wants it: RFC 3339, a date, or epoch seconds or
    milliseconds."""
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

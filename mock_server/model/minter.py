"""Values that a server assigns: keys, times and samples, from a seed, so that every run gives the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mock_server.model.clock import rfc3339
from mock_server.model.outcome import Filling, Hole, Outcome, fill, key_text
from mock_server.model.state import Advance, Change, Partition, Put, State
from mock_server.openapi.values import Json
from mock_server.sampling import mint

_MILLISECONDS = 100_000_000_000  # an example above this is epoch time in milliseconds, not seconds


def realize(outcome: Outcome, *, state: State, seed: int, now: datetime) -> Outcome:
    """The outcome with its holes filled by this double: fresh keys, the clock's time, samples."""
    if not outcome.has_holes:
        return outcome
    values: dict[Hole, Json] = {}
    changes: list[Change] = []
    reached: dict[str, int] = {}
    taken: set[tuple[Partition, str]] = set()
    for hole in _holes(outcome):
        if hole in values:
            continue
        if hole.rule == "key":
            value, ordinal = _fresh_key(hole, state, taken, reached, seed, now)
            reached[hole.counter] = ordinal
            if hole.partition is not None:
                taken.add((hole.partition, key_text(value)))
            values[hole] = value
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
    collection = state.collection(hole.partition) if hole.partition is not None else None
    ordinal = max(reached.get(hole.counter, 0), state.counter(hole.counter))
    while True:
        ordinal += 1
        value = mint(dict(hole.schema), ordinal=ordinal, seed=seed, name=hole.name, now=now)
        text = key_text(value)
        used = collection is not None and text in collection
        if not used and (hole.partition is None or (hole.partition, text) not in taken):
            return value, ordinal


def moment(schema: Mapping[str, Json], now: datetime, name: str) -> Json:
    """The current time as a property's schema wants it: RFC 3339, a date, or epoch seconds or milliseconds."""
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


def _holes(outcome: Outcome) -> list[Hole]:
    found: list[Hole] = []
    for change in outcome.changes:
        if isinstance(change, Put):
            if isinstance(change.key, Hole):
                found.append(change.key)
            _collect(change.value, found)
    _collect(outcome.body, found)
    _collect(outcome.location_key, found)
    for event in outcome.events:
        _collect(event.data, found)
    return found


def _collect(value: object, found: list[Hole]) -> None:
    if type(value) is Hole:
        found.append(value)
    elif type(value) is dict:
        for member in value.values():
            _collect(member, found)
    elif type(value) is list:
        for member in value:
            _collect(member, found)

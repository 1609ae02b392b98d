"""A universe as JSON, and back: everything that decides about its next answers, to the last counter.

Items with their places and revisions (so cursors and entity tags go on), counters and serial numbers, timers, requests
counted against limits, answers kept under idempotency keys, the clock, and snapshots. What is only told of the past
(journal, events, deliveries) and what a test sets up (faults, targets) is not part of it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from immutables import Map

from mock_server.dataclass import dataclass
from mock_server.exchange.ledger import Count, Kept, Ledger
from mock_server.exchange.messages import RawResponse
from mock_server.exchange.universe import Snapshot, Universe
from mock_server.model.clock import Clock
from mock_server.model.collection import Collection, Entry
from mock_server.model.state import Partition, State
from mock_server.model.timers import Timer, Timers, waiting_for
from mock_server.openapi.values import Json

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Archive:
    """A universe at one moment. Taking one costs next to nothing: the state is a value."""

    clock: Clock
    state: State
    ledger: Ledger
    snapshots: Mapping[str, Snapshot]


def archived(universe: Universe) -> Archive:
    """The universe as it is now."""
    with universe.lock:
        return Archive(universe.clock, universe.state, universe.ledger.copy(), dict(universe.snapshots))


def restored(universe: Universe, archive: Archive) -> None:
    """Puts everything of an archive in place of what there was."""
    with universe.lock:
        clock = archive.clock
        universe.clock = Clock(universe.clock.source, clock.offset, clock.frozen_at)
        universe.state, universe.ledger = archive.state, archive.ledger.copy()
        universe.snapshots = dict(archive.snapshots)


# Writing


def archive_json(archive: Archive, *, seed: State | None = None) -> dict[str, Json]:
    """An archive as JSON; a whole million of items takes seconds, so no lock is held for it.

    With a ``seed``, collections that are still as they are there are not written out: a thousand sessions of one seed
    hold it once.
    """
    clock = archive.clock
    return {
        "clock": {"offset": clock.offset // _MICROSECOND, "frozen_at": _moment(clock.frozen_at)},
        **_kept_json(archive.state, archive.ledger, seed),
        "snapshots": {name: _kept_json(kept.state, kept.ledger, seed) for name, kept in archive.snapshots.items()},
    }


def _kept_json(state: State, ledger: Ledger, seed: State | None) -> dict[str, Json]:
    return {"state": _state_json(state, seed), "ledger": _ledger_json(ledger)}


def _state_json(state: State, seed: State | None) -> dict[str, Json]:
    return {
        "resources": {
            resource: [
                _partition_json(partition, collection, seed) for partition, collection in state.partitions(resource)
            ]
            for resource in state.resources
        },
        "counters": dict(state.counters),
        "timers": _timers_json(state.timers) if state.timers is not None else None,
    }


def _partition_json(partition: Partition, collection: Collection, seed: State | None) -> dict[str, Json]:
    scope = list(partition.scope)
    if seed is not None and seed.collection(partition) is collection:
        return {"scope": scope, "seeded": True}
    return {"scope": scope, "next": collection.next_sequence, "items": _items_json(collection)}


def _items_json(collection: Collection) -> list[Json]:
    return [[entry.key, entry.sequence, entry.revision, entry.value] for entry in collection]


def _timers_json(timers: Timers) -> dict[str, Json]:
    return {
        "set": timers.set_so_far,
        "waiting": [
            [
                _moment(timer.due), timer.order, timer.partition.resource, list(timer.partition.scope), timer.key,
                timer.transition, timer.wait // _MICROSECOND if timer.wait is not None else None,
            ]
            for timer in timers
        ],
    }  # fmt: skip


def _ledger_json(ledger: Ledger) -> dict[str, Json]:
    return {
        "counts": [
            [api, limit, count.window, [[list(caller), number] for caller, number in count.by_caller.items()]]
            for (api, limit), count in ledger.counts.items()
        ],
        "answers": [
            [
                list(place), kept.request.hex(), kept.response.status, [list(pair) for pair in kept.response.headers],
                b64encode(kept.response.body).decode(), _moment(kept.since), _moment(kept.until),
            ]
            for place, kept in ledger.answers.items()
        ],
    }  # fmt: skip


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


# Reading: from JSON that state.schema.json admits


def archive_of(value: Mapping[str, Any], *, seed: State | None = None) -> Archive:
    """The archive that was written so, the same ``seed`` given as then.

    A ``ValueError`` for texts that are no moments, numbers or bytes. Collections that were as in the seed are as they
    are there now.
    """
    clock, frozen_at = value["clock"], value["clock"]["frozen_at"]
    return Archive(
        Clock(_no_time, clock["offset"] * _MICROSECOND, _read_moment(frozen_at) if frozen_at is not None else None),
        _read_state(value["state"], seed),
        _read_ledger(value["ledger"]),
        {
            name: Snapshot(_read_state(kept["state"], seed), _read_ledger(kept["ledger"]))
            for name, kept in value["snapshots"].items()
        },
    )


def _no_time() -> float:
    raise AssertionError("an archive has no time of its own")


def _read_state(value: Mapping[str, Any], seed: State | None) -> State:
    resources: dict[str, Map[tuple[str, ...], Collection]] = {}
    for resource, partitions in value["resources"].items():
        found = ((tuple(each["scope"]), _read_collection(resource, each, seed)) for each in partitions)
        resources[resource] = Map({scope: collection for scope, collection in found if collection is not None})
    timers = value["timers"]
    return State(Map(resources), Map(value["counters"]), _read_timers(timers) if timers is not None else None)


def _read_collection(resource: str, value: Mapping[str, Any], seed: State | None) -> Collection | None:
    if "items" in value:
        return _read_items(value["items"], value["next"])
    if seed is None:
        raise ValueError(f"{resource} is as in a seed, and here is none")
    return seed.collection(Partition(resource, tuple(value["scope"])))


def _read_items(items: Iterable[Any], following: int) -> Collection:
    entries = sorted((Entry(key, sequence, item, revision) for key, sequence, revision, item in items), key=_place)
    places = [entry.sequence for entry in entries]
    if len({entry.key for entry in entries}) < len(entries) or len(set(places)) < len(places):
        raise ValueError("two items have one key or one place")
    if places and places[-1] >= following:
        raise ValueError(f"an item has the place {places[-1]}, and the next one is to have {following}")
    return Collection.restored(entries, following)


def _place(entry: Entry) -> int:
    return entry.sequence


def _read_timers(value: Mapping[str, Any]) -> Timers:
    waiting = (
        Timer(
            _read_moment(due), order, Partition(resource, tuple(scope)), key, transition,
            wait * _MICROSECOND if wait is not None else None,
        )
        for due, order, resource, scope, key, transition, wait in value["waiting"]
    )  # fmt: skip
    return waiting_for(waiting, value["set"])


def _read_ledger(value: Mapping[str, Any]) -> Ledger:
    counts = {
        (api, limit): Count(window, {tuple(caller): number for caller, number in callers})
        for api, limit, window, callers in value["counts"]
    }
    answers = {
        tuple(place): Kept(
            bytes.fromhex(request),
            RawResponse(status, tuple((name, text) for name, text in headers), b64decode(body, validate=True)),
            _read_moment(since),
            _read_moment(until),
        )
        for place, request, status, headers, body, since, until in value["answers"]
    }
    return Ledger(counts, answers)


def _read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} is in no time zone")
    return moment

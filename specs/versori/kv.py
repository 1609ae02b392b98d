"""The key-value store: keys are arrays of texts, entries may expire, and every write has a versionstamp.

The paths have no organisation: a store is looked for among those of the caller's, by its id or its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.model.call import Call
from mock_server.model.clock import moment_of, rfc3339
from mock_server.model.collection import Entry
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import NO_BODY, Outcome, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import Partition
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

from .places import Item, now, unfit, unknown

_LIMIT = 100
_SHOWN = ("key", "value", "versionstamp", "createdAt", "expiresAt", "metadata")


@dataclass(frozen=True, slots=True)
class Store:
    """One store, as a call works with it."""

    work: Work
    scope: tuple[str, ...]
    id: str

    @classmethod
    def of(cls, work: Work, call: Call) -> Store | Problem:
        """The store that a path names by id or name; a caller of no organisation may name any."""
        named, resource = key_text(call.path["store"]), work.world.model.named_resource("store")
        tenant = call.principal.tenant if call.principal is not None else None
        for partition, _ in work.world.state.partitions(resource.qualified):
            if tenant is None or partition.scope == (tenant,):
                found = work.get("store", named, scope=partition.scope)
                found = found or work.find("store", scope=partition.scope, name=named)
                if found is not None:
                    return cls(work, partition.scope, found["id"])
        return unknown("store", named)

    def entry(self, key: Json) -> Item | None:
        """What is under a key, None when it is nothing or has expired."""
        found = self.work.get("kv", key_text(key), scope=(self.id,))
        return found if found is not None and self.holds(found) else None

    def holds(self, entry: Item) -> bool:
        """Whether an entry has not expired."""
        return entry.get("expiresAt") is None or moment_of(entry["expiresAt"]) > self.work.world.now

    def write(self, key: Json, value: Json, options: Item) -> Item | Problem:
        """The commit of a write, or the problem that what is there does not allow it."""
        held = self.entry(key)
        if options.get("ifNotExists") and held is not None:
            return Problem(Kind.CONFLICT, f"there is something under {key!r}")
        wanted = options.get("ifVersionstamp")
        if wanted is not None and wanted != (held or {}).get("versionstamp"):
            return Problem(Kind.CONFLICT, f"what is under {key!r} has another versionstamp than {wanted!r}")
        entry = {
            "key": key,
            "value": value,
            "versionstamp": self._versionstamp(),
            "createdAt": held["createdAt"] if held is not None else now(self.work),
            "expiresAt": self._expiry(options),
        }
        if "metadata" in options:
            entry["metadata"] = options["metadata"]
        self.work.put("kv", key_text(key), entry, scope=(self.id,))
        return {"ok": True, "committed": True, "versionstamp": entry["versionstamp"]}

    def _versionstamp(self) -> str:
        store = self.work.get("store", self.id, scope=self.scope)
        assert store is not None
        writes = store.get("writes", 0) + 1
        self.work.put("store", self.id, {**store, "writes": writes}, scope=self.scope)
        return f"{writes:020x}"

    def _expiry(self, options: Item) -> str | None:
        if "expireIn" not in options:
            return options.get("expireAt")
        try:
            return rfc3339(self.work.world.now + timedelta(milliseconds=options["expireIn"]))
        except OverflowError:
            return None  # after the year 9999 is never

    def remove(self, key: Json) -> bool:
        """Whether there was something under a key; now there is not."""
        found = self.entry(key) is not None
        if found:
            self.work.remove("kv", key_text(key), scope=(self.id,))
        return found

    def selected(self, selector: Item) -> list[Entry]:
        """The entries that a selector chooses, in the order in which their keys were first written."""
        prefix, narrowing = selector.get("prefix", []), selector.get("filter", {})
        resource = self.work.world.model.named_resource("kv")
        stored = self.work.world.state.collection(Partition(resource.qualified, (self.id,)))
        return [
            entry
            for entry in stored or ()
            if self.holds(entry.value)
            and entry.value["key"][: len(prefix)] == prefix
            and _passes(entry.value, narrowing)
        ]


def _passes(entry: Item, narrowing: Item) -> bool:
    created, held = moment_of(entry["createdAt"]), entry.get("metadata", {})
    return (
        ("createdAfter" not in narrowing or created >= moment_of(narrowing["createdAfter"]))
        and ("createdBefore" not in narrowing or created <= moment_of(narrowing["createdBefore"]))
        and all(name in held and held[name] == value for name, value in narrowing.get("metadata", {}).items())
    )


def _shown(entry: Item) -> Item:
    return {name: entry[name] for name in _SHOWN if name in entry}


@computed("versori-kv-get")
def get(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The entry under a key."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    entry = store.entry(call.path["key"])
    return _nothing(call) if entry is None else work.outcome(meaning.status, _shown(entry))


def _nothing(call: Call) -> Problem:
    return Problem(Kind.NOT_FOUND, f"there is nothing under {call.path['key']!r}")


@computed("versori-kv-set")
def put(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The commit of one write."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    commit = store.write(call.path["key"], call.body["value"], call.body.get("options", {}))
    return commit if isinstance(commit, Problem) else work.outcome(meaning.status, commit)


@computed("versori-kv-delete")
def delete(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Nothing under a key, where there was something."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    return work.outcome(meaning.status) if store.remove(call.path["key"]) else _nothing(call)


@computed("versori-kv-batch-get")
def batch_get(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The entries under keys, without those that hold nothing."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    found = [store.entry(key) for key in call.body["keys"]]
    return work.outcome(meaning.status, {"entries": [_shown(entry) for entry in found if entry is not None]})


@computed("versori-kv-batch-set")
def batch_set(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The commits of the writes that were possible, and why the others were not."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    successes, failures = [], []
    for entry in call.body["entries"]:
        commit = store.write(entry["key"], entry["value"], entry.get("options", {}))
        if isinstance(commit, Problem):
            failures.append({"key": entry["key"], "error": commit.detail})
        else:
            successes.append(commit)
    return work.outcome(meaning.status, {"successes": successes, "failures": failures})


@computed("versori-kv-batch-delete")
def batch_delete(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """How many of the keys held something, which is gone."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    deleted = sum([store.remove(key) for key in call.body["keys"]])
    return work.outcome(meaning.status, {"status": "ok", "deleted": deleted})


@computed("versori-kv-list")
def list_entries(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A page of the entries that a selector chooses."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    query: dict[str, Any] = call.body if call.body is not NO_BODY else {}
    selector, options = query.get("selector", {}), query.get("options", {})
    for name in ("after", "before"):
        if selector.get(name) and not (selector[name].isascii() and selector[name].isdigit()):
            return unfit(f"/selector/{name}", selector[name], "is no cursor of a page", keyword="cursor")
    entries = store.selected(selector)
    page = _page(entries[::-1] if options.get("reverse") else entries, selector, int(options.get("limit", _LIMIT)))
    return work.outcome(meaning.status, page)


def _page(entries: Sequence[Entry], selector: Item, limit: int) -> dict[str, Json]:
    """The page behind or in front of a cursor, which is the number of an entry, so that it outlives the entry."""
    numbers = [entry.sequence for entry in entries]
    backwards = numbers != sorted(numbers)
    after, before = selector.get("after"), selector.get("before")
    chosen = [
        entry
        for entry in entries
        if (not after or (entry.sequence < int(after) if backwards else entry.sequence > int(after)))
        and (not before or (entry.sequence > int(before) if backwards else entry.sequence < int(before)))
    ]
    page = chosen[-limit:] if before and not after else chosen[:limit]
    more = bool(page) and page[-1] is not entries[-1]
    fewer = bool(page) and page[0] is not entries[0]
    cursors = {
        "nextCursor": str(page[-1].sequence) if more else "",
        "prevCursor": str(page[0].sequence) if fewer else "",
    }
    return {"data": [_shown(entry.value) for entry in page], "pagination": cursors}


@computed("versori-kv-count")
def count(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """How many entries a selector chooses."""
    work = Work.of(world, call)
    store = Store.of(work, call)
    if isinstance(store, Problem):
        return store
    return work.outcome(meaning.status, {"count": len(store.selected(call.body.get("selector", {})))})

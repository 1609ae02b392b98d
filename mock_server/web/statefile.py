"""``apidouble serve --state FILE``: what the universes hold outlives the server, even one that is killed.

The file is written whole or not at all (``wholefiles``), about a second after something has changed and once more when
the server stops. It is JSON (``state.schema.json``), one ``Archive`` for each universe that is not just the seed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, Place
from mock_server.exchange.archiving import Archive, archive_json, archive_of, archived, restored
from mock_server.exchange.universe import Universe
from mock_server.model.clock import rfc3339
from mock_server.model.meaning import Resource
from mock_server.model.model import Model
from mock_server.model.outcome import key_text
from mock_server.model.seeding import stored_violations
from mock_server.model.state import State
from mock_server.openapi import jsontext, pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from mock_server.openapi.wording import clipped
from mock_server.sandbox import Sandbox
from mock_server.wholefiles import clear_left, write_whole

FORMAT: Final = "apidouble-state"
VERSION: Final = 1
EVERY: Final = 1.0
"""Seconds between two looks whether something has changed."""

_SHARE = 20  # a file that takes long to write is written less often: saving takes a twentieth of the time at most
_MAX_DEPTH = 200  # an item may be nested as deep as a request, and lies a few levels down in the file
_Mark = tuple[object, ...]


@dataclass(slots=True)
class StateFile:
    """The file that a sandbox's state is kept in. ``say`` is told once when it cannot be written."""

    path: Path
    sandbox: Sandbox
    say: Callable[[str], None] = lambda _: None
    _marks: dict[str, _Mark] = field(default_factory=dict)
    _digests: dict[str, tuple[Api, str]] = field(default_factory=dict)
    _failed: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _writing: threading.Lock = field(default_factory=threading.Lock)

    # Loading

    def load(self) -> int:
        """Puts the universes of the file in place; how many there were.

        A ``ConfigurationError`` for a file that is none of ours, or that does not fit the descriptions; then nothing
        has changed.
        """
        self._check_folder()
        clear_left(self.path)
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise ConfigurationError("the state file cannot be read", got=f"{self.path}: {error.strerror}") from None
        try:
            value = jsontext.loads(data, max_depth=_MAX_DEPTH)
        except Undecodable as error:
            raise self._not_ours(f"not JSON: {error}") from None
        _check_format(value, str(self.path))
        seed = self.sandbox.universes.default.seed_state
        found = {name: read_archive(each, Place(str(self.path), pointers.join("/sessions", name)), seed=seed)
                 for name, each in value["sessions"].items()}  # fmt: skip
        if value["apis"] != self._described():
            for name, archive in found.items():
                check_fit(self.sandbox, archive, Place(str(self.path), pointers.join("/sessions", name)))
        for name, archive in found.items():
            universe = self.sandbox.universes.get(name)
            restored(universe, archive)
            self._marks[name] = _mark(universe)
        return len(found)

    def told(self) -> str:
        """What was found in the file, in words."""
        number = len(self._marks)
        return f"{number} session{'s' if number != 1 else ''} taken up" if number else "nothing is there yet"

    def _check_folder(self) -> None:
        if not self.path.resolve().parent.is_dir():
            raise ConfigurationError("the state file cannot be written", got=str(self.path),
                                     hint=f"make the folder {self.path.resolve().parent} first")  # fmt: skip

    def _not_ours(self, what: str) -> ConfigurationError:
        return ConfigurationError("this is no state file of apidouble", place=Place(str(self.path)), got=what,
                                  hint="name another file, which need not exist yet")  # fmt: skip

    # Saving

    def save(self) -> bool:
        """Writes the file if anything has changed since; whether it did. An ``OSError`` when it cannot be written."""
        with self._writing:
            known = {universe.name: universe for universe in self.sandbox.universes.known()}
            marks = {name: _mark(universe) for name, universe in known.items()}
            kept = {name: mark for name, mark in marks.items() if name in self._marks or not _is_seed(known[name])}
            if kept == self._marks:
                return False
            document = b"".join(self._pieces([known[name] for name in kept]))
            write_whole(self.path, document, durable=True, private=True)
            self._marks = kept
            return True

    def _pieces(self, universes: Sequence[Universe]) -> Iterator[bytes]:
        """The file's text. Only one universe at a time is there as JSON, which takes ten times the room of its text."""
        head = {"format": FORMAT, "version": VERSION, "saved": rfc3339(datetime.now(UTC)), "apis": self._described()}
        yield jsontext.dumps(head)[:-1] + b',"sessions":{'
        for number, universe in enumerate(universes):
            value = archive_json(archived(universe), seed=universe.seed_state)
            yield (b"," if number else b"") + jsontext.dumps(universe.name) + b":" + jsontext.dumps(value)
        yield b"}}"

    def start(self) -> None:
        """Saves on a thread of its own from now on. Whatever became due while nobody served is looked at."""
        for universe in self.sandbox.universes.known():
            universe.watch(universe)
        self._thread = threading.Thread(target=self._keep, name="apidouble-state", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Saves for the last time; does nothing when it was stopped before."""
        if self._thread is not None and not self._ended.is_set():
            self._ended.set()
            self._thread.join()
            self._try()

    def _keep(self) -> None:
        took = 0.0
        while not self._ended.wait(max(EVERY, _SHARE * took)):
            before = time.monotonic()
            self._try()
            took = time.monotonic() - before

    def _try(self) -> None:
        try:
            self.save()
            self._failed = False
        except (OSError, ValueError) as error:
            if not self._failed:
                self.say(f"the state is not kept: {self.path}: {error}")
            self._failed = True

    def _described(self) -> dict[str, str]:
        """The digest of each API's description; worked out once for each that is read."""
        for name, served in self.sandbox.apis.items():
            known = self._digests.get(name)
            if known is None or known[0] is not served.api:
                self._digests[name] = served.api, sha256(jsontext.dumps(dict(served.api.root))).hexdigest()
        return {name: self._digests[name][1] for name in self.sandbox.apis}


def _mark(universe: Universe) -> _Mark:
    """What changes when a universe does. States are values, so it is enough to see whether it is the same one."""
    with universe.lock:
        ledger = universe.ledger
        counted = sum(sum(count.by_caller.values()) for count in ledger.counts.values())
        newest = next(reversed(ledger.answers), None)
        kept = tuple((name, _Same(snapshot)) for name, snapshot in universe.snapshots.items())
        clock = (universe.clock.offset, universe.clock.frozen_at)
        return _Same(universe.state), clock, counted, len(ledger.answers), newest, kept


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A value that is equal to itself alone. It keeps the value, so that no other one can get its address."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _is_seed(universe: Universe) -> bool:
    """Whether a universe is as it was when it was first seen, so that it need not be written."""
    clock, ledger = universe.clock, universe.ledger
    untouched = universe.state.resources is universe.seed_state.resources and not universe.snapshots
    return untouched and not ledger.counts and not ledger.answers and not clock.offset and clock.frozen_at is None


# Archives from outside


def read_archive(value: Json, place: Place, *, seed: State | None = None) -> Archive:
    """The archive that a JSON value is; a ``ConfigurationError`` at the place in it that is wrong."""
    for error in _validator("universe").iter_errors(value):
        raise _misshapen(error, place)
    try:
        return archive_of(value, seed=seed)
    except ValueError as error:
        raise ConfigurationError(f"this is no state that apidouble has written: {error}", place=place) from None


def check_fit(sandbox: Sandbox, archive: Archive, place: Place) -> None:
    """Raises a ``ConfigurationError`` for the first item that the descriptions have no resource or no room for."""
    known = dict(_resources(sandbox))
    for resource, scopes in archive.state.resources.items():
        pointer = pointers.join(place.pointer + "/state/resources", resource)
        if "~" in resource:
            continue  # the engine's own notes: callbacks, what is gone
        if resource not in known:
            raise _unfit(f"nothing is called {resource} in what is served", Place(place.file, pointer),
                         allowed=", ".join(sorted(known)))  # fmt: skip
        model, found = known[resource]
        for number, scope in enumerate(sorted(scopes)):
            for index, entry in enumerate(scopes[scope]):
                where = Place(place.file, f"{pointer}/{number}/items/{index}/3")
                _check_item(model, found, entry.key, entry.value, where)


def _check_item(model: Model, resource: Resource, key: str, value: Json, place: Place) -> None:
    member = resource.key
    if member is not None and not resource.singleton and isinstance(value, Mapping) and member in value:
        said = key_text(value[member])
        if said != key:
            raise _unfit(f"the {member} of this item of {resource.name} is not its key", place, got=said, allowed=key)
    violations = stored_violations(model, resource, value)
    if violations:
        first = violations[0]
        there = Place(place.file, place.pointer + first.pointer)
        raise _unfit(f"this item of {resource.name} breaks its schema: {first.message}", there, got=first.got)


def _unfit(problem: str, place: Place, *, got: Json = None, allowed: str | None = None) -> ConfigurationError:
    return ConfigurationError(
        f"the state does not fit the descriptions: {problem}",
        place=place,
        got=clipped(got),
        allowed=allowed,
        hint="serve what it was kept for, correct it, or begin with another file",
    )


def _resources(sandbox: Sandbox) -> Iterator[tuple[str, tuple[Model, Resource]]]:
    for served in sandbox.apis.values():
        for name in served.model.resource_names():
            resource = served.model.resource(name)
            if resource is not None:
                yield resource.qualified, (served.model, resource)


def _check_format(value: Json, file: str) -> None:
    """Raises a ``ConfigurationError`` for what is no state file, or one of another version."""
    ours = isinstance(value, dict) and value.get("format") == FORMAT
    if ours and value.get("version") != VERSION:
        raise ConfigurationError("this state file is of another version", place=Place(file, "/version"),
                                 got=value.get("version"), allowed=str(VERSION),
                                 hint="serve it with the apidouble that wrote it, or take another file")  # fmt: skip
    for error in _validator("").iter_errors(value):
        raise _misshapen(error, Place(file))


def _misshapen(error: Any, place: Place) -> ConfigurationError:
    pointer = place.pointer + "".join(f"/{pointers.join('', step)[1:]}" for step in error.instance_path)
    return ConfigurationError(f"this is no state that apidouble has written: {error.message[:200]}",
                              place=Place(place.file, pointer))  # fmt: skip


@cache
def _validator(definition: str) -> jsonschema_rs.Draft202012Validator:
    whole = jsontext.loads(resources.files("mock_server.web").joinpath("state.schema.json").read_bytes())
    schema = whole["$defs"][definition] if definition else whole
    return jsonschema_rs.Draft202012Validator({**schema, "$defs": whole["$defs"]})

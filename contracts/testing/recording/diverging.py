"""Diverging: where the answer of a double is not what the real service answered to the same request.

What is compared depends on where a value comes from. What a test has made itself must look alike in every member that
the model decides; of what it merely found there (other people's items, samples), only the shape is compared, and what a
server makes up (ids, times) only by its form and by being the same wherever it was the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any

from contracts.comparing import same_value
from contracts.testing.recording.aligning import Bound
from contracts.testing.recording.knowing import Known
from contracts.testing.recording.opaque import ANY_TEXT, TIMES, Sight
from mock_server.dataclass import dataclass
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import key_text
from mock_server.openapi import pointers
from mock_server.openapi.values import Json
from mock_server.sandbox import Served

ABSENT: Any = object()
"""The value of a member that is not there."""

_WORDING = 6
_SUMS = frozenset({"total", "count", "pages", "has_more"})
_ECHOED = frozenset({"limit", "offset", "page", "true"})
_MADE_UP = frozenset({"sample", "serial"})


class Trust(Enum):
    """How much of a value the model decides."""

    ALL = auto()
    """Every member and its value."""
    ERROR = auto()
    """Every member, and its value unless that is a sentence for people."""
    SHAPE = auto()
    """Types, and members that are not described."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place at which two answers part. ``kind``: missing, extra (members), unlisted, listed
    (items), length, order, type, value, identity, form."""

    pointer: str
    kind: str
    recorded: Json
    double: Json
    sight: Sight


@dataclass(frozen=True, slots=True)
class Answers:
    """What it takes to compare one recorded body with the double's: who is who, and who made what."""

    served: Served
    meaning: Meaning | None
    bound: Bound
    known: Known
    number: int

    def differences(self, recorded: Json, got: Json, sight: Sight, *, error: bool) -> Iterator[Difference]:
        """Where the bodies part."""
        meaning = self.meaning
        if error:
            yield from self._compare(recorded, got, "", sight, Trust.ERROR)
        elif meaning is None or meaning.behaviour in {"sample", "compute"} or meaning.resource is None:
            trust = Trust.ALL if meaning is not None and meaning.body is not None else Trust.SHAPE
            yield from self._compare(recorded, got, "", sight, trust)
        else:
            yield from self._framed(recorded, got, "", sight, meaning.envelope.path, ())

    # Around items

    def _framed(
        self, recorded: Json, got: Json, pointer: str, sight: Sight, path: tuple[str, ...], here: tuple[str, ...]
    ) -> Iterator[Difference]:
        """An envelope on the way to the item or the list, which is at ``path`` from here."""
        if not path:
            if isinstance(recorded, list) and isinstance(got, list):
                yield from self._lists(recorded, got, pointer, sight.item())
            else:
                yield from self._item(recorded, got, pointer, sight, whole=True)
            return
        if not isinstance(recorded, dict) or not isinstance(got, dict):
            yield from self._compare(recorded, got, pointer, sight, Trust.SHAPE)
            return
        assert self.meaning is not None
        alike = self._lists_alike(recorded, got, path)
        for name in {**recorded, **got}:
            inner, at = pointers.join(pointer, name), sight.member(name)
            left, right = recorded.get(name, ABSENT), got.get(name, ABSENT)
            role = self.meaning.envelope.fields.get((*here, name), "")
            if name == path[0]:
                if left is ABSENT or right is ABSENT:
                    yield from self._presence(left, right, inner, at, Trust.ALL)
                else:
                    yield from self._framed(left, right, inner, at, path[1:], (*here, name))
            elif left is ABSENT or right is ABSENT:
                trust = Trust.SHAPE if role and left is ABSENT else Trust.ALL
                yield from self._presence(left, right, inner, at, trust)
            else:
                sums = role in _SUMS and alike and _plain(left)
                decided = sums or role in _ECHOED or ((*here, name) in self.meaning.adds)
                yield from self._compare(left, right, inner, at, Trust.ALL if decided else Trust.SHAPE)

    def _lists_alike(self, recorded: Json, got: Json, path: tuple[str, ...]) -> bool:
        """Whether two lists show nothing but what the test has made, so that sums must be the same."""
        for name in path:
            recorded = recorded.get(name) if isinstance(recorded, dict) else None
            got = got.get(name) if isinstance(got, dict) else None
        if not isinstance(recorded, list) or not isinstance(got, list):
            return False
        made = all(self._made_key(item) is not None for item in got)
        return made and all(self._bound_key(item) is not None for item in recorded)

    # Items

    def _key(self) -> str | None:
        return self.meaning.resource.key if self.meaning is not None and self.meaning.resource is not None else None

    def _made_key(self, item: Json) -> str | None:
        """The key of an item that the test has made; None for another one."""
        key, meaning = self._key(), self.meaning
        if key is None or meaning is None or meaning.resource is None or not isinstance(item, dict) or key not in item:
            return None
        text = key_text(item[key])
        return text if self.known.created(meaning.resource.qualified, text, self.number) else None

    def _bound_key(self, item: Json) -> str | None:
        """The key in the run of a recorded item that has been shown before."""
        key = self._key()
        value = item.get(key) if isinstance(item, dict) and key is not None else None
        if isinstance(value, dict):
            value = self.bound.names.get(value.get("$bind", ""))
        elif isinstance(value, str | int):
            value = self.bound.said.get(value, value) if isinstance(value, str) else value
        return key_text(value) if value is not None else None

    def _lists(self, recorded: list[Json], got: list[Json], pointer: str, sight: Sight) -> Iterator[Difference]:
        """Two lists of items: what the test has made must be in both, in one order; the rest only looks alike."""
        by_key = {key: number for number, item in enumerate(got) if (key := self._made_key(item)) is not None}
        pairs: list[tuple[int, int]] = []
        rest: list[int] = []
        for number, item in enumerate(recorded):
            key = self._bound_key(item)
            if key is not None and key in by_key:
                pairs.append((number, by_key[key]))
            elif key is not None and self._is_ours(key):
                yield Difference(pointers.join(pointer, number), "unlisted", item, ABSENT, sight)
            else:
                rest.append(number)
        paired = {number for _, number in pairs}
        for number in by_key.values():
            named = self.bound.owner(_own(got[number], self._key())) is not None
            if number not in paired and (named or not rest):
                yield Difference(pointers.join(pointer, number), "listed", ABSENT, got[number], sight)
        order = [number for _, number in pairs]
        if order != sorted(order):
            yield Difference(pointer, "order", [f"item {n}" for n in range(len(order))],
                             [f"item {sorted(order).index(n)}" for n in order], sight)  # fmt: skip
        free = [number for number in range(len(got)) if number not in paired]
        strangers = zip(rest, free, strict=False) if len(rest) == len(free) else [*zip(rest, free, strict=False)][:1]
        for left, right in (*pairs, *strangers):
            yield from self._item(recorded[left], got[right], pointers.join(pointer, right), sight)

    def _is_ours(self, key: str) -> bool:
        assert self.meaning is not None
        assert self.meaning.resource is not None
        return self.known.created(self.meaning.resource.qualified, key, self.number)

    def _item(
        self, recorded: Json, got: Json, pointer: str, sight: Sight, *, whole: bool = False
    ) -> Iterator[Difference]:
        """One item, member by member; ``whole``: the answer is about it alone."""
        if not isinstance(recorded, dict) or not isinstance(got, dict) or _is_marker(recorded):
            yield from self._compare(recorded, got, pointer, sight, Trust.SHAPE)
            return
        assert self.meaning is not None
        resource = self.meaning.resource
        assert resource is not None
        key = _own(got, resource.key)
        keys = {key_text(key) if key is not None else "", self._bound_key(recorded)} - {None}
        made = any(self.known.created(resource.qualified, str(each), self.number) for each in keys)
        made = made or (whole and self.known.creates(resource.qualified, self.number))
        sent = self.known.sent(resource.qualified, key, self.number)
        rules = {**self.served.model.resource_facts(resource).needed, **resource.assigned}
        for name in {**recorded, **got}:
            inner, at = pointers.join(pointer, name), sight.member(name)
            left, right = recorded.get(name, ABSENT), got.get(name, ABSENT)
            is_state = resource.states is not None and name == resource.states.property
            set_by_model = is_state or (name,) in self.meaning.set
            ours = made or name in sent or (bool(sent) and set_by_model)
            sampled = rules.get(name) in _MADE_UP and name not in sent and not set_by_model
            sampled = rules.get(name) in _MADE_UP and name not in {*sent, *resource.defaults, *resource.values}
            made_up = sampled or name in self.known.mended
            trust = Trust.ALL if ours and not made_up else Trust.SHAPE
            if left is ABSENT or right is ABSENT:
                yield from self._presence(left, right, inner, at, Trust.ALL if ours else Trust.SHAPE)
            else:
                yield from self._compare(left, right, inner, at, trust)

    # Values

    def _presence(self, left: Json, right: Json, pointer: str, sight: Sight, trust: Trust) -> Iterator[Difference]:
        """A member that only one of the answers has."""
        if left is ABSENT:
            if trust is not Trust.SHAPE:
                yield Difference(pointer, "extra", ABSENT, right, sight)
        elif trust is not Trust.SHAPE or sight.schema is None:
            yield Difference(pointer, "missing", left, ABSENT, sight)

    def _compare(self, recorded: Json, got: Json, pointer: str, sight: Sight, trust: Trust) -> Iterator[Difference]:
        if isinstance(recorded, dict) and _is_marker(recorded):
            yield from self._marked(recorded, got, pointer, sight, trust)
        elif isinstance(recorded, dict) and isinstance(got, dict):
            closed = bool(sight.anatomy.members)
            for name in {**recorded, **got}:
                inner, at = pointers.join(pointer, name), sight.member(name)
                left, right = recorded.get(name, ABSENT), got.get(name, ABSENT)
                if left is not ABSENT and right is not ABSENT:
                    yield from self._compare(left, right, inner, at, trust)
                elif trust is not Trust.SHAPE or closed:  # a map of anything has other names each time
                    yield from self._presence(left, right, inner, at, trust)
        elif isinstance(recorded, list) and isinstance(got, list):
            yield from self._arrays(recorded, got, pointer, sight.item(), trust)
        else:
            yield from self._scalars(recorded, got, pointer, sight, trust)

    def _arrays(
        self, recorded: list[Json], got: list[Json], pointer: str, sight: Sight, trust: Trust
    ) -> Iterator[Difference]:
        if trust is not Trust.SHAPE and len(recorded) != len(got):
            yield Difference(pointer, "length", recorded, got, sight)
            return
        if trust is Trust.ALL and recorded != got and _sorted(recorded) == _sorted(got):
            yield Difference(pointer, "order", recorded, got, sight)
            return
        for number, (left, right) in enumerate(zip(recorded, got, strict=False)):
            yield from self._compare(left, right, pointers.join(pointer, number), sight, trust)

    def _scalars(self, recorded: Json, got: Json, pointer: str, sight: Sight, trust: Trust) -> Iterator[Difference]:
        if same_value(recorded, got) or (isinstance(recorded, str) and self._said(recorded) == got):
            return
        left, right = _type(recorded), _type(got)
        if left != right:
            admitted = sight.anatomy.types
            either = "null" in {left, right} or (admitted and left in admitted)
            if trust is not Trust.SHAPE or not either:
                yield Difference(pointer, "value" if "null" in {left, right} else "type", recorded, got, sight)
        elif trust is Trust.ALL or (trust is Trust.ERROR and not (_is_sentence(recorded) or _is_sentence(got))):
            yield Difference(pointer, "value", recorded, got, sight)

    def _said(self, text: str) -> Json:
        """What the run's requests say where the recorded ones say a text, in longer texts as well."""
        if text in self.bound.said:
            return self.bound.said[text]
        for before, now in self.bound.said.items():
            if len(before) > _WORDING and before != now and isinstance(now, str) and before in text:
                text = text.replace(before, now)
        return text

    def _marked(
        self, marker: Mapping[str, Json], got: Json, pointer: str, sight: Sight, trust: Trust
    ) -> Iterator[Difference]:
        """What a recording has of a value that the service made up."""
        pattern, name = marker.get("$match"), marker.get("$bind")
        loose = trust is not Trust.ALL
        if "$any" in marker or (name is not None and pattern is None):
            if _type(got) not in {"number", "null"} or (got is None and not loose):
                yield Difference(pointer, "type", dict(marker), got, sight)
                return
        elif not isinstance(got, str):
            if got is not None or not loose:
                yield Difference(pointer, "value" if got is None else "type", dict(marker), got, sight)
            return
        elif not loose and pattern != ANY_TEXT and not re.search(pattern or "", got):
            kind = "form" if name is not None or pattern in TIMES else "value"
            if kind == "form" or " " not in str(pattern):
                yield Difference(pointer, kind, dict(marker), got, sight)
                return
        if name is not None and got is not None:
            yield from self._identity(name, marker, got, pointer, sight, loose=loose)

    def _identity(
        self, name: str, marker: Mapping[str, Json], got: Json, pointer: str, sight: Sight, *, loose: bool
    ) -> Iterator[Difference]:
        """Whether a value is the same one wherever the service's was, and another one wherever it was not."""
        held = self.bound.names.get(name, ABSENT)
        if held is not ABSENT and not loose and _text(held) != _text(got):
            yield Difference(pointer, "identity", dict(marker), got, sight)
        owner = self.bound.owner(got)
        if held is ABSENT and owner is not None and not loose and isinstance(got, str) and len(got) > _WORDING:
            yield Difference(pointer, "identity", dict(marker), got, sight)
        self.bound.bind(name, got)


def _is_marker(value: Json) -> bool:
    return isinstance(value, dict) and any(name.startswith("$") for name in value)


def _plain(value: Json) -> bool:
    return not isinstance(value, dict | list)


def _own(item: Json, key: str | None) -> Json:
    return item.get(key) if isinstance(item, dict) and key is not None else None


def _type(value: Json) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _is_sentence(value: Json) -> bool:
    """Whether a text is for people: its words are the service's own affair."""
    return isinstance(value, str) and " " in value.strip()


def _sorted(values: list[Json]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)

"""Expected values with markers in them, compared with what was observed.

A marker is an object that stands for a value nobody can know beforehand:

    {$any: true}      any value
    {$match: regex}   a text in which the regular expression is found; its named groups are bound
    {$bind: name}     any value at first, the same one wherever the name recurs, and another one for each name

``$match`` and ``$bind`` may stand in one marker. Everything else is expected exactly. In a request,
``{$bind: name}`` is what was bound, ``{$text: "Bearer {name}"}`` a text with it inside, and
``{$repeat: text, times: n}`` a long text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from contracts.service import same_json
from mock_server.dataclass import dataclass
from mock_server.errors import FixtureError, Place, did_you_mean
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

_IN_RESPONSES = ({"$any"}, {"$match"}, {"$bind"}, {"$bind", "$match"})
_IN_REQUESTS = ({"$bind"}, {"$text"}, {"$repeat", "times"})


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A place at which an observed value is not the expected one. ``got`` is None where there is nothing."""

    pointer: str
    expected: Json
    got: Json
    message: str


@dataclass(frozen=True, slots=True)
class Bindings:
    """What names stand for: ``identities`` from ``$bind``, one name a value; ``excerpts`` from ``$match``."""

    identities: Mapping[str, Json] = field(default_factory=dict)
    excerpts: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str, *, place: Place) -> Json:
        """What a name stands for; a ``FixtureError`` when no response has bound it yet."""
        known = {**self.excerpts, **self.identities}
        if name not in known:
            raise FixtureError(
                "nothing was bound to this name before",
                place=place,
                got=name,
                allowed=", ".join(known) or "no name is bound yet",
                hint=did_you_mean(name, known) or "an earlier response binds it with {$bind: name}",
            )
        return known[name]


def check_expected(value: Json, place: Place) -> None:
    """Raises a ``FixtureError`` for a marker in an expected value that means nothing."""
    _check(value, place, _IN_RESPONSES)


def check_sent(value: Json, place: Place) -> None:
    """Raises a ``FixtureError`` for a marker in a request that means nothing."""
    _check(value, place, _IN_REQUESTS)


def _check(value: Json, place: Place, known: tuple[set[str], ...]) -> None:
    if isinstance(value, list):
        for index, member in enumerate(value):
            _check(member, _below(place, index), known)
    if not isinstance(value, dict):
        return
    if _is_marker(value):
        if set(value) not in known or not _holds_sense(value):
            forms = "; ".join("{" + ", ".join(sorted(names)) + "}" for names in known)
            raise FixtureError("this marker means nothing here", place=place, got=value, allowed=forms)
        return
    for name, member in value.items():
        _check(member, _below(place, name), known)


def _below(place: Place, token: str | int) -> Place:
    return Place(place.file, pointers.join(place.pointer, token))


def _is_marker(value: Mapping[str, Json]) -> bool:
    return any(name.startswith("$") for name in value)


def _holds_sense(marker: Mapping[str, Json]) -> bool:
    texts = [marker[name] for name in ("$match", "$bind", "$text", "$repeat") if name in marker]
    if not all(isinstance(text, str) and text for text in texts) or marker.get("$any", True) is not True:
        return False
    if "times" in marker and type(marker["times"]) is not int:
        return False
    try:
        re.compile(marker.get("$match", ""))
    except re.error:
        return False
    return True


def resolved(value: Json, bindings: Bindings, place: Place) -> Any:
    """A value for a request with its markers replaced."""
    if isinstance(value, list):
        return [resolved(member, bindings, _below(place, index)) for index, member in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if "$bind" in value:
        return bindings.value(value["$bind"], place=place)
    if "$text" in value:
        return re.sub(r"\{(\w+)\}", lambda found: _text(bindings.value(found[1], place=place)), value["$text"])
    if "$repeat" in value:
        return value["$repeat"] * value["times"]
    return {name: resolved(member, bindings, _below(place, name)) for name, member in value.items()}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def compare(expected: Json, got: Json, bindings: Bindings, *, pointer: str = "") -> tuple[list[Mismatch], Bindings]:
    """Where an observed value is not the expected one, and the bindings with those that it adds."""
    if isinstance(expected, dict) and _is_marker(expected):
        return _compare_marker(expected, got, bindings, pointer)
    if isinstance(expected, dict) and isinstance(got, dict):
        return _compare_objects(expected, got, bindings, pointer)
    if isinstance(expected, list) and isinstance(got, list):
        return _compare_lists(expected, got, bindings, pointer)
    if same_json(expected, got):
        return [], bindings
    return [Mismatch(pointer, expected, got, "is another value")], bindings


def _compare_marker(
    marker: Mapping[str, Json], got: Json, bindings: Bindings, pointer: str
) -> tuple[list[Mismatch], Bindings]:
    if "$match" in marker:
        found = re.search(marker["$match"], got) if isinstance(got, str) else None
        if found is None:
            return [Mismatch(pointer, dict(marker), got, "does not match")], bindings
        excerpts: dict[str, str] = {group: text for group, text in found.groupdict().items() if text is not None}
        for group, text in excerpts.items():
            if bindings.excerpts.get(group, text) != text:
                message = f"{group} was {bindings.excerpts[group]!r} before"
                return [Mismatch(pointer, dict(marker), got, message)], bindings
        bindings = Bindings(bindings.identities, {**bindings.excerpts, **excerpts})
    name = marker.get("$bind")
    if name is None:
        return [], bindings
    if name in bindings.identities:
        if same_json(bindings.identities[name], got):
            return [], bindings
        return [Mismatch(pointer, bindings.identities[name], got, f"is not what {name} was before")], bindings
    twin = next((other for other, value in bindings.identities.items() if same_json(value, got)), None)
    if twin is not None:
        return [Mismatch(pointer, dict(marker), got, f"is {twin}; {name} must be another value")], bindings
    return [], Bindings({**bindings.identities, name: got}, bindings.excerpts)


def _compare_objects(
    expected: Mapping[str, Json], got: Mapping[str, Json], bindings: Bindings, pointer: str
) -> tuple[list[Mismatch], Bindings]:
    found: list[Mismatch] = []
    for name, member in expected.items():
        here = pointers.join(pointer, name)
        if name not in got:
            found.append(Mismatch(here, member, None, "is missing"))
            continue
        more, bindings = compare(member, got[name], bindings, pointer=here)
        found += more
    unexpected = [name for name in got if name not in expected]
    found += [Mismatch(pointers.join(pointer, name), None, got[name], "is not expected") for name in unexpected]
    return found, bindings


def _compare_lists(
    expected: list[Json], got: list[Json], bindings: Bindings, pointer: str
) -> tuple[list[Mismatch], Bindings]:
    if len(expected) != len(got):
        message = f"has {len(got)} items, not {len(expected)}"
        return [Mismatch(pointer, expected, got, message)], bindings
    found: list[Mismatch] = []
    for index, (left, right) in enumerate(zip(expected, got, strict=True)):
        more, bindings = compare(left, right, bindings, pointer=pointers.join(pointer, index))
        found += more
    return found, bindings

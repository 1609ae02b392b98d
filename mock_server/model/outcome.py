"""What an operation would do, before anything is done: an answer and changes, with holes for what a server
assigns.

The double fills the holes from its minter and clock (``realize``); a contract check fills them from what the
real service answered (``explain``). After that both commit the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime
from operator import is_
from typing import TYPE_CHECKING, Any, Final

from mock_server.dataclass import dataclass
from mock_server.model.meaning import Reason
from mock_server.model.state import Advance, Change, Partition, Put, Remove
from mock_server.openapi.expressions import Joined, Pending
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json
from mock_server.sampling import Mint

if TYPE_CHECKING:
    from mock_server.model.events import Event
    from mock_server.model.serials import Serial


class NoBody:
    """The type of ``NO_BODY``: an answer without a body, which is not an answer with the body ``null``."""

    def __repr__(self) -> str:
        return "NO_BODY"


NO_BODY: Final = NoBody()


@quick(frozen=True, slots=True, eq=False)
class Hole(Pending):
    """A value that the server will choose. The same hole in several places becomes the same value.

    ``rule`` is key, time, exchange (an id of the request, another each time), serial or sample; ``name`` the
    property; ``schema`` what the value must satisfy. Keys come from ``mint``, are fresh in their ``partition`` and
    numbered by ``counter``. ``draw`` gives the sample for a seed and a time. A ``serial`` counts on in its
    ``partition``.
    """

    rule: str
    name: str
    schema: Mapping[str, Json]
    partition: Partition | None = None
    counter: str = ""
    draw: Callable[[int, datetime], Json] | None = None
    mint: Mint | None = None
    serial: Serial | None = None


@quick(frozen=True, slots=True)
class Outcome:
    """An operation's effect. ``body`` and the values in ``changes`` may hold ``Hole`` objects until realized.

    ``media_type`` picks one of the described media types, whatever Accept prefers (a ``format=csv`` in the query).
    ``reads`` and ``writes`` name the state touched (``namespace/resource/key``), ``reasons`` say why this is
    the answer; ``etag`` is the entity tag of the representation, quotes included. ``events`` are told beside those that
    the changes emit.
    """

    status: int
    body: Json = NO_BODY
    headers: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()
    reads: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    etag: str | None = None
    location_key: Json = None
    has_holes: bool = False
    media_type: str | None = None
    events: tuple[Event, ...] = ()

    @property
    def writes(self) -> tuple[str, ...]:
        """The state that committing this would touch."""
        return tuple(
            f"{change.partition}/{change.key}" if isinstance(change, Put | Remove) else str(change.partition)
            for change in self.changes
            if not isinstance(change, Advance)
        )


@quick(frozen=True, slots=True)
class Filling:
    """Values for holes, and the changes that choosing them brings (counters that went on)."""

    values: Mapping[Hole, Json] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


def fill(outcome: Outcome, filling: Filling) -> Outcome:
    """The outcome with every hole replaced by its value, and the changes that choosing the values brings."""
    return filled(outcome, filling.values, lambda: filling.changes) if outcome.has_holes else outcome


def filled(outcome: Outcome, values: Mapping[Hole, Json], further: Callable[[], Iterable[Change]]) -> Outcome:
    """The outcome with its holes filled, and with the further changes that there are once every value is chosen.

    The holes of what is stored are asked for first. Parts without a hole are shared with the outcome that was given,
    and an item that is shown as it is stored is filled once.
    """
    body = outcome.body
    shown: Any = None
    changes: list[Change] = []
    for change in outcome.changes:
        if type(change) is Put:
            key = _filled(change.key, values)
            value = _filled(change.value, values)
            if change.value is body:
                shown = value
            change = Put(change.partition, key if type(key) is str else key_text(key), value)
        changes.append(change)
    if shown is None:
        shown = _filled(body, values)
    location_key, events = _filled(outcome.location_key, values), outcome.events
    if events:
        events = tuple([replace(event, data=_filled(event.data, values)) for event in events])
    return Outcome(
        outcome.status,
        shown,
        outcome.headers,
        (*changes, *further()),
        outcome.reads,
        outcome.reasons,
        outcome.etag,
        location_key,
        media_type=outcome.media_type,
        events=events,
    )


def _filled(value: Any, values: Mapping[Hole, Json]) -> Any:
    """A value with its holes filled: the very same object where there are none."""
    kind = type(value)
    if kind is Hole:
        return values[value]
    if kind is dict:
        filled = None
        for name, member in value.items():
            if type(member) in HOLDERS:
                made = _filled(member, values)
                if made is not member:
                    if filled is None:
                        filled = value.copy()
                    filled[name] = made
        return value if filled is None else filled
    if kind is list:
        entries = [_filled(member, values) if type(member) in HOLDERS else member for member in value]
        return value if all(map(is_, entries, value)) else entries
    return joined_text(value, values) if kind is Joined else value


def joined_text(joined: Joined, values: Mapping[Hole, Json]) -> str:
    """A text whose pending parts are holes, with their values."""
    return "".join(key_text(_filled(part, values)) for part in joined.parts)


HOLDERS: Final = frozenset({dict, list, Hole, Joined})
"""The types of values in which there may be a hole."""


def key_text(value: Json) -> str:
    """The text under which a key is kept: keys come as text in paths and as numbers in bodies."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which an observed answer is not what the model says."""

    pointer: str
    expected: Json
    got: Json
    message: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an observed answer fits an outcome: the holes it binds, or where it differs."""

    filling: Filling
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether the answer is one that the outcome allows."""
        return not self.differences


def explain(outcome: Outcome, *, status: int, body: Json) -> Explanation:
    """Binds the holes of an outcome to what a service answered, or says where the two differ.

    A member the model predicts must be there and equal; members it knows nothing of are the description's
    business. Holes that the answer does not show stay unbound; the caller decides whether it can go on
    without them.
    """
    if status != outcome.status:
        message = f"answered {status}, the model expects {outcome.status}"
        return Explanation(Filling(), (Difference("", outcome.status, status, message),))
    bound: dict[Hole, Json] = {}
    differences: list[Difference] = []
    if not isinstance(outcome.body, NoBody):
        _compare(outcome.body, body, "", bound, differences)
    return Explanation(Filling(bound, tuple(_advances(bound))), tuple(differences))


def _advances(bound: Mapping[Hole, Json]) -> Iterator[Advance]:
    """How far the serial numbers that a service gave take their counters."""
    for hole, value in bound.items():
        if hole.serial is not None and hole.partition is not None:
            found = hole.serial.reached(hole.partition, value)
            if found is not None:
                yield found


def _compare(expected: Any, got: Json, pointer: str, bound: dict[Hole, Json], differences: list[Difference]) -> None:
    if isinstance(expected, Hole):
        if expected in bound and bound[expected] != got:
            message = "is the same value elsewhere in the answer"
            differences.append(Difference(pointer, bound[expected], got, message))
        if expected.serial is not None and expected.serial.read(got) is None:
            differences.append(Difference(pointer, expected.serial.format, got, "is no serial number of this form"))
        bound.setdefault(expected, got)
    elif isinstance(expected, Joined):
        told = all(part in bound for part in expected.parts if isinstance(part, Hole))
        text = joined_text(expected, bound) if told else None
        if not isinstance(got, str) or (told and got != text):
            differences.append(Difference(pointer, text, got, "is another value"))
    elif isinstance(expected, dict) and isinstance(got, dict):
        for name, member in expected.items():
            here = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in got:
                differences.append(Difference(here, _shown(member), None, f"{name} is missing"))
            else:
                _compare(member, got[name], here, bound, differences)
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            message = f"has {len(got)} items, the model expects {len(expected)}"
            differences.append(Difference(pointer, _shown(expected), got, message))
            return
        for index, (left, right) in enumerate(zip(expected, got, strict=True)):
            _compare(left, right, f"{pointer}/{index}", bound, differences)
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        differences.append(Difference(pointer, _shown(expected), got, "is another value"))


def _shown(expected: Any) -> Json:
    """An expected value for display: holes by the name of their property."""
    if isinstance(expected, Hole):
        return f"<{expected.name}>"
    if isinstance(expected, Joined):
        return "".join(str(_shown(part)) for part in expected.parts)
    if isinstance(expected, dict):
        return {name: _shown(member) for name, member in expected.items()}
    if isinstance(expected, list):
        return [_shown(member) for member in expected]
    return expected

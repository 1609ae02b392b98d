"""What a test expects of a request, and where a request differs from it; wherever the requests come from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Protocol

from contracts.service import same_json
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, nearest
from mock_server.openapi import pointers

if TYPE_CHECKING:
    from contracts.testing.traffic.calls import Calls

ROOTS = ("body", "path", "query", "header", "cookie", "status", "principal")
"""The parts of an exchange that can be expected; a keyword begins with one of them."""

_NAMED = frozenset({"header", "cookie"})  # parts with so many members that only one of them can be expected
_COMPARED = 60  # characters of two texts
_OF_TEXTS = frozenset({"path", "query", "header", "cookie"})
_SINGLE = frozenset({"status", "principal"})  # parts without members


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()
"""The value of what was not sent; as an expected value: it must not have been sent."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an exchange a value is: one of ``ROOTS``, then names and positions."""

    root: str
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return pointers.join(self.root, *self.steps)

    def below(self, step: str | int) -> Place:
        """The place of a member or an entry."""
        return Place(self.root, (*self.steps, str(step)))

    @property
    def keyword(self) -> str:
        """How a test names the place: ``body__name``, or ``body/first-name`` where that is no keyword."""
        text = "__".join((self.root, *self.steps))
        spelled = text.isidentifier() and _split(text) == (self.root, *self.steps)
        return text if spelled else str(self)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One expectation: the value at a place equals ``value``, or satisfies it (see ``differences``)."""

    place: Place
    value: object


@dataclass(frozen=True, slots=True)
class Length:
    """A number of entries, as a value that differences can be about."""

    entries: int

    def __repr__(self) -> str:
        return "1 entry" if self.entries == 1 else f"{self.entries} entries"


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the expected one. ``got`` is ``ABSENT`` for what was not sent."""

    place: Place
    expected: object
    got: object


class Message(Protocol):
    """What can be matched: an exchange whose values are found by their places."""

    @property
    def body(self) -> bytes:
        """The request's body as it was sent."""

    def at(self, place: Place) -> object:
        """The decoded value at a place, ``ABSENT`` where there is none."""


def read_wanted(expected: Mapping[str, object]) -> tuple[Wanted, ...]:
    """The expectations that keywords state: ``body__address__city="Solo"``, ``query__limit=10``, ``status=201``.

    Two underscores lead one level down; positions in lists are numbers. Names that are no keywords, or have two
    underscores themselves, are written with slashes, as failures print them: ``{"body/first__name": "Jane"}`` (a
    JSON pointer below the part: RFC 6901). Raises ``ConfigurationError`` for what no request could have.
    """
    return tuple(_read(keyword, value) for keyword, value in expected.items())


def merged(like: Mapping[str, object], expected: Mapping[str, object]) -> dict[str, object]:
    """What is expected by places and by keywords, together; a ``ConfigurationError`` for one that is there twice."""
    __tracebackhide__ = True
    twice = next((name for name in expected if name in like), None)
    if twice is not None:
        raise ConfigurationError("this is expected twice", got=twice, hint="leave it out of like, or of the keywords")
    return {**like, **expected}


def unmet(wanted: Iterable[Wanted], message: Message) -> Iterator[Difference]:
    """Every difference between what is wanted and what a request was."""
    for each in wanted:
        yield from differences(each.value, _asked(each, message), each.place)


def meets(wanted: Iterable[Wanted], message: Message) -> bool:
    """Whether a request was as wanted."""
    return next(unmet(wanted, message), None) is None


def weight(difference: Difference) -> int:
    """How much a difference counts: every value that was expected below its place, or else one."""
    return max(1, _leaves(difference.expected))


def likeness(difference: Difference) -> float:
    """How alike the expected and the sent value are, from 0 to 1: that of their texts, else 0."""
    expected, got = difference.expected, difference.got
    if not isinstance(expected, str) or not isinstance(got, str):
        return 0.0
    return SequenceMatcher(None, expected[:_COMPARED], got[:_COMPARED], autojunk=False).ratio()


def _leaves(expected: object) -> int:
    if isinstance(expected, Mapping):
        return sum(map(_leaves, expected.values()))
    return sum(map(_leaves, expected)) if isinstance(expected, list | tuple) else 1


def differences(expected: object, got: object, place: Place) -> Iterator[Difference]:
    """Where a value is not as expected: entry by entry and member by member; none when it is.

    Objects and lists are expected whole; their members may be any of the following. A compiled regular expression is
    searched in a text. A class asks for an instance, any other callable is asked about the value. ``ABSENT`` asks that
    nothing was sent. All else is compared: JSON as JSON (1 is 1.0, true is not 1; in parameters, which travel as texts,
    10 is "10" as well), other objects by their own ``==``.
    """
    if got is ABSENT or expected is ABSENT:
        if got is not expected:
            yield Difference(place, expected, got)
    elif isinstance(expected, Mapping) and isinstance(got, Mapping):
        for name, value in expected.items():
            yield from differences(value, got.get(name, ABSENT), place.below(name))
        for name, value in got.items():
            if name not in expected:
                yield Difference(place.below(name), ABSENT, value)
    elif isinstance(expected, list | tuple) and isinstance(got, list):
        if len(expected) != len(got):
            yield Difference(place, Length(len(expected)), Length(len(got)))
        for index, (value, entry) in enumerate(zip(expected, got, strict=False)):
            yield from differences(value, entry, place.below(index))
    elif not _satisfied(expected, got, place):
        yield Difference(place, expected, got)


@dataclass(frozen=True, slots=True)
class Expectation:
    """That an operation is called in some way before the test ends: ``times`` exactly, or at least once.

    ``Calls.expectation`` makes one and refuses what the description does not know.
    """

    operation_id: str
    times: int | None = None
    expected: Mapping[str, object] = field(default_factory=dict)

    def met(self, calls: Calls) -> bool:
        """Whether the calls so far are as expected."""
        return not self.told(calls)

    def told(self, calls: Calls) -> str:
        """Why it is not met: what was expected, the nearest request and what else was called; "" when it is met."""
        return calls.missed(self.operation_id, times=self.times, expected=self.expected)


# Keywords


def _read(keyword: str, value: object) -> Wanted:
    root, *steps = _split(keyword)
    if root not in ROOTS:
        raise ConfigurationError("no part of a request goes by this name", got=keyword,
                                 allowed=", ".join(ROOTS), hint=_meant(root, steps))  # fmt: skip
    if root in _SINGLE and steps:
        raise ConfigurationError(f"{root} has no members", got=keyword, allowed=root)
    if root in _NAMED and not steps:
        raise ConfigurationError(f"{root} needs a name", got=keyword, allowed=f"{root}__name",
                                 hint=f"say which one: {root}__…=…")  # fmt: skip
    if "" in steps and "/" not in keyword:
        hint = 'write names that hold two underscores with slashes: like={"body/a__b": 1}'
        raise ConfigurationError("a name is empty", got=keyword, hint=hint)
    if root == "status" and (isinstance(value, str | bool) or value is ABSENT):
        raise ConfigurationError("status is a number", got=value, allowed="status=201")
    return Wanted(Place(root, tuple(steps)), value)


def _split(keyword: str) -> tuple[str, ...]:
    root, slash, rest = keyword.partition("/")
    if slash:
        return (root, *pointers.split("/" + rest))
    return tuple(keyword.split("__"))


def _meant(root: str, steps: list[str]) -> str:
    close = nearest(root, ROOTS)
    if close is not None:
        return f"did you mean {Place(close, tuple(steps)).keyword!r}?"
    return f"for a member of the body: {Place('body', (root, *steps)).keyword}"


# Values


def _asked(wanted: Wanted, message: Message) -> object:
    """The value that an expectation is about; bytes and expressions are held against the body as it was sent."""
    value = message.at(wanted.place)
    if wanted.place != Place("body") or value is ABSENT:
        return value
    if isinstance(wanted.value, bytes):
        return message.body
    if isinstance(wanted.value, re.Pattern):
        return message.body.decode("utf-8", "replace")
    return value


def _satisfied(expected: object, got: object, place: Place) -> bool:
    if expected is None or isinstance(expected, bool | int | float | str):
        return same_json(expected, got) or (place.root in _OF_TEXTS and _same_text(expected, got))
    if isinstance(expected, re.Pattern):
        return isinstance(got, str) and expected.search(got) is not None
    if isinstance(expected, type):
        if type(expected).__eq__ is not type.__eq__:  # classes that compare values, as dirty-equals has them
            return bool(expected == got)
        return isinstance(got, expected) and (expected in {bool, object} or not isinstance(got, bool))
    return _said(expected, got, place) if callable(expected) else bool(expected == got)


def _same_text(expected: object, got: object) -> bool:
    """Whether a text and a number or boolean stand for the same parameter: on the wire there are only texts."""
    if isinstance(expected, str) and isinstance(got, bool | int | float):
        return json.dumps(got) == expected
    return isinstance(got, str) and isinstance(expected, bool | int | float) and json.dumps(expected) == got


def _said(predicate: Callable[[Any], object], got: object, place: Place) -> bool:
    """What a predicate says. Its exceptions stay its own: one that was taken for a no would hide its mistakes."""
    try:
        return bool(predicate(got))
    except Exception as error:
        error.add_note(f"raised by the predicate that was asked about {place}")
        raise

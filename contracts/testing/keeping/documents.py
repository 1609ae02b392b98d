"""What a test expects of a JSON document (a payload, an item), in keywords, and where one differs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from contracts.testing.traffic.expecting import ABSENT, Difference, Place, Wanted, read_wanted, unmet
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError
from mock_server.openapi.values import Json

NOTHING: Mapping[str, object] = MappingProxyType({})
"""Nothing is expected beyond the keywords."""

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document as expectations look into it; ``body`` is how it is written, where that matters."""

    json: Json
    body: bytes = b""

    def at(self, place: Place) -> object:
        """The value at a place, ``ABSENT`` where there is none."""
        value = self.json
        for step in place.steps:
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                return ABSENT
        return value


def wanted_of(keywords: Mapping[str, object], like: Mapping[str, object] = NOTHING) -> tuple[Wanted, ...]:
    """The expectations that keywords state about a document (``address__city="Solo"``), and ``like`` by JSON pointer.

    Raises ``ConfigurationError`` for a name that names nothing.
    """
    for pointer in like:
        if not pointer.startswith("/"):
            raise ConfigurationError("like goes by JSON pointers", got=pointer, hint=f"begin with a slash: /{pointer}")
    for keyword in keywords:
        if "" in keyword.split("__"):
            raise ConfigurationError("a name in this keyword is empty", got=keyword,
                                     hint="names that begin with underscores or hold two of them are written as a "
                                     'pointer: like={"/a__b": 1}')  # fmt: skip
    named = {f"body__{keyword}": value for keyword, value in keywords.items()}
    return read_wanted({**named, **{f"body{pointer}": value for pointer, value in like.items()}})


def differing(wanted: tuple[Wanted, ...], document: Document) -> tuple[Difference, ...]:
    """Every difference between what is wanted and what there is."""
    return tuple(unmet(wanted, document))


def path_of(place: Place) -> str:
    """Where in a document something is: a JSON pointer."""
    return str(place).removeprefix("body") or "all of it"


def asked(wanted: tuple[Wanted, ...]) -> str:
    """What is wanted, for a message: ``/name='Jane', /age=7``."""
    return ", ".join(f"{path_of(each.place)}={each.value!r}" for each in wanted)


def told(difference: Difference) -> str:
    """One difference, for a message."""
    path = path_of(difference.place)
    if difference.got is ABSENT:
        return f"{path}: expected {_short(difference.expected)}, and it is not there"
    if difference.expected is ABSENT:
        return f"{path}: expected nothing, got {_short(difference.got)}"
    return f"{path}: expected {_short(difference.expected)}, got {_short(difference.got)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

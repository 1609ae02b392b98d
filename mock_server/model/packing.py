"""Items as texts: what a large collection keeps of them, in a fraction of the room that Python's objects take.

A kept item is the JSON text of its value behind the two numbers of its entry. Each reading makes the value anew.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import orjson

from mock_server.openapi.values import Json

Kept: TypeAlias = bytes

_NUMBERS: Final = struct.Struct("<qq")
_AS_IT_IS: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def packed(sequence: int, revision: int, value: Json) -> Kept | None:
    """An entry as a text; None for a value that would not come back from it as it was."""
    try:
        text = orjson.dumps(value, option=_AS_IT_IS)
    except TypeError:  # an integer beyond 64 bits, a lone surrogate, a value that is still to be filled in
        return None
    if b"null" in text and orjson.loads(text) != value:  # orjson writes NaN as null
        return None
    return _NUMBERS.pack(sequence, revision) + text


def unpacked(kept: Kept) -> tuple[int, int, Json]:
    """The sequence number, the revision and the value of an entry."""
    sequence, revision = _NUMBERS.unpack_from(kept)
    return sequence, revision, orjson.loads(kept[_NUMBERS.size :])

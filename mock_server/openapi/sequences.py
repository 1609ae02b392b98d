"""Bodies that are sequences of items: JSON lines, JSON text sequences, server-sent events (OAS 3.2 §4.14.3).

Each is read as an array; OAS 3.2's ``itemSchema`` describes its items.
"""

from __future__ import annotations

import re

from mock_server.openapi import jsontext, pointers
from mock_server.openapi.charsets import decode_text
from mock_server.openapi.expansion import plain
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json

LINES = frozenset(
    {
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-lines",
        "application/ndjson",
        "application/x-ndjson",
    }
)
SEQUENCE = "application/json-seq"
EVENTS = "text/event-stream"

_RECORD_SEPARATOR = b"\x1e"  # RFC 7464 §2.2
_LINE_END = re.compile(r"\r\n|\n|\r")
_EVENT_FIELDS = frozenset({"event", "data", "id", "retry"})


def loads_lines(data: bytes) -> list[Json]:
    """The items of newline-delimited JSON; blank lines are skipped."""
    return _documents(data.split(b"\n"))


def dumps_lines(items: Json) -> bytes:
    """One line of JSON for each item; what is no list is written as the text or the one item that it is."""
    if isinstance(items, str):
        return items.encode()
    return b"".join(jsontext.dumps(item) + b"\n" for item in _listed(items))


def loads_sequence(data: bytes) -> list[Json]:
    """The items of a JSON text sequence (RFC 7464)."""
    return _documents(data.split(_RECORD_SEPARATOR))


def dumps_sequence(items: Json) -> bytes:
    """A JSON text sequence (RFC 7464)."""
    return b"".join(_RECORD_SEPARATOR + jsontext.dumps(item) + b"\n" for item in _listed(items))


def _listed(items: Json) -> list[Json]:
    return items if isinstance(items, list) else [items]


def _documents(pieces: list[bytes]) -> list[Json]:
    items: list[Json] = []
    for piece in pieces:
        if piece.strip():
            try:
                items.append(jsontext.loads(piece))
            except Undecodable as failure:
                raise failure.at(pointers.join("", len(items))) from None
    return items


def loads_events(data: bytes) -> list[Json]:
    """The events of a stream, each an object of its fields (WHATWG HTML §9.2.6); ``retry`` is a number."""
    events: list[Json] = []
    fields: dict[str, Json] = {}
    for line in _LINE_END.split(decode_text(data, "").removeprefix("\ufeff")):
        if not line:
            if "data" in fields:  # an event without data is not dispatched
                events.append(fields)
            fields = {}
            continue
        name, _, text = line.partition(":")
        text = text.removeprefix(" ")
        if name == "data" and "data" in fields:
            fields["data"] += f"\n{text}"
        elif name in _EVENT_FIELDS:
            is_delay = name == "retry" and text.isascii() and text.isdigit() and len(text) < 16
            fields[name] = int(text) if is_delay else text
    return events


def dumps_events(items: Json) -> bytes:
    """An event stream; an item that is no event object becomes the JSON in the data of one."""
    blocks = []
    for item in _listed(items):
        fields = item if isinstance(item, dict) and item.keys() <= _EVENT_FIELDS else {"data": _as_data(item)}
        lines = [f"{name}: {line}\n" for name, value in fields.items() for line in _LINE_END.split(plain(value))]
        blocks.append("".join(lines) + "\n")
    return "".join(blocks).encode()


def _as_data(item: Json) -> str:
    return jsontext.dumps(item).decode()

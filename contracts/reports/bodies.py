"""Bodies as text for people: whatever the bytes are, nothing of them can break a terminal or a page."""

from __future__ import annotations

import json
from typing import Any

from mock_server.errors import visible
from mock_server.openapi.values import Json

MOST = 4000
"""Characters of a body that a report shows."""


def text_of(body: bytes) -> str | None:
    """A body as text, None when it is none (it is not UTF-8, or has zero bytes)."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def shown(body: bytes, *, most: int = MOST) -> str:
    """A body for people: text as it is, JSON on one line as it came, anything else by its size."""
    if not body:
        return ""
    text = text_of(body)
    if text is None:
        return f"({len(body)} bytes, beginning {body[:16].hex(' ')})"
    return cut(visible(text), most)


def pretty(body: bytes, *, most: int = MOST) -> str:
    """A body for people, JSON with its members on lines of their own."""
    if len(body) <= most * 4:
        try:
            return cut(visible(json.dumps(json.loads(body), indent=2, ensure_ascii=False)), most)
        except (ValueError, RecursionError):
            pass
    return shown(body, most=most)


def written(value: Json, *, most: int = 200) -> str:
    """A value on one line, for a diff."""
    if isinstance(value, bytes):
        return shown(value, most=most)
    return cut(visible(_dumped(value)), most)


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError, TypeError):
        return repr(value)


def capitalized(sentence: str) -> str:
    """A sentence with a capital, unless it begins with a name that is spelled its own way (``listPets``, ``/name``)."""
    first = sentence.partition(" ")[0]
    return sentence[:1].upper() + sentence[1:] if first.islower() and first.isalpha() else sentence


def cut(text: str, most: int) -> str:
    """A text that is no longer than it may be; says how much is missing."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most} characters more)"

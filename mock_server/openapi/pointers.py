"""JSON Pointers (RFC 6901): how a place inside a JSON value is written."""

from __future__ import annotations

import re

from mock_server.openapi.values import Json

_BAD_ESCAPE = re.compile(r"~(?![01])")

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)  # RFC 6901 §4: no leading zeros


class PointerError(LookupError):
    """A JSON pointer leads nowhere in a value.

    ``pointer`` is the whole pointer, ``found`` the longest part of it that exists, ``token`` the first one
    (unescaped) that does not, and ``parent`` the value at ``found``.
    """

    def __init__(self, pointer: str, *, found: str, token: str, parent: Json) -> None:
        self.pointer = pointer
        self.found = found
        self.token = token
        self.parent = parent
        super().__init__(f"{token!r} is missing at {found or 'the root'!r}")


def escape(token: str) -> str:
    """One member name or index as it is written between the slashes of a pointer (RFC 6901 §3)."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """The member name that an escaped token stands for (RFC 6901 §4: ``~1`` first, then ``~0``)."""
    return token.replace("~1", "/").replace("~0", "~")


def join(pointer: str, *tokens: str | int) -> str:
    """A pointer to what ``tokens`` (not yet escaped) lead to below ``pointer``."""
    for token in tokens:
        text = token if type(token) is str else str(token)
        pointer += "/" + (escape(text) if "~" in text or "/" in text else text)
    return pointer


def split(pointer: str) -> tuple[str, ...]:
    """The unescaped tokens of a pointer; a ``ValueError`` when it is not a pointer at all."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON pointer is empty or starts with a slash, not {pointer!r}")
    tokens = tuple(pointer[1:].split("/"))
    if "~" not in pointer:
        return tokens
    if _BAD_ESCAPE.search(pointer):
        raise ValueError(f"a tilde in a JSON pointer is written ~0 (and a slash ~1): {pointer!r}")
    return tuple(unescape(token) for token in tokens)


def lookup(value: Json, pointer: str) -> Json:
    """The value at ``pointer``; a ``PointerError`` (a ``LookupError``) names the token that is missing.

    The array token ``-`` names the element after the last one (RFC 6901 §4), which never exists.
    """
    here = value
    tokens = split(pointer)
    for position, token in enumerate(tokens):
        if isinstance(here, dict) and token in here:
            here = here[token]
        elif isinstance(here, list) and _INDEX.fullmatch(token) and int(token) < len(here):
            here = here[int(token)]
        else:
            raise PointerError(pointer, found=join("", *tokens[:position]), token=token, parent=here)
    return here

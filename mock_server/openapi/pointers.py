"""JSON Pointers (RFC 6901): how a place inside a JSON value is written, and where it is in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from mock_server.openapi.values import Json

_BAD_ESCAPE = re.compile(r"~(?![01])")
EVENT_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML may have been built without libyaml

_WALK_DEPTH = 1000  # libyaml takes quadratic time in the depth of flow collections; no message needs more
_SURROGATE_ESCAPE = re.compile(r"\\(u[dD][89a-fA-F])")
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
    return pointer + "".join("/" + escape(str(token)) for token in tokens)


def split(pointer: str) -> tuple[str, ...]:
    """The unescaped tokens of a pointer; a ``ValueError`` when it is not a pointer at all."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON pointer is empty or starts with a slash, not {pointer!r}")
    if _BAD_ESCAPE.search(pointer):
        raise ValueError(f"a tilde in a JSON pointer is written ~0 (and a slash ~1): {pointer!r}")
    return tuple(unescape(token) for token in pointer.split("/")[1:])


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


@dataclass(frozen=True, slots=True)
class Visit:
    """One key or value of a YAML or JSON text: its event, the pointer to it, and whether it is a key."""

    event: Any  # a yaml.NodeEvent; its stub leaves out the value, style and marks that every such event has
    pointer: str
    is_key: bool

    @property
    def line(self) -> int:
        """The 1-based line on which it starts."""
        return int(self.event.start_mark.line) + 1


@dataclass(slots=True)
class _Collection:
    """A mapping or sequence that is being walked."""

    pointer: str
    is_mapping: bool
    index: int = 0
    key: str | None = None  # the key whose value comes next

    def visit(self, event: Any) -> Visit:
        if not self.is_mapping:
            self.index += 1
            return Visit(event, join(self.pointer, self.index - 1), is_key=False)
        if self.key is None:
            self.key = event.value if isinstance(event, yaml.ScalarEvent) else "?"
            return Visit(event, join(self.pointer, self.key), is_key=True)
        pointer = join(self.pointer, self.key)
        self.key = None
        return Visit(event, pointer, is_key=False)


def visits(text: str) -> Iterator[Visit]:
    """Each key and value of a YAML or JSON text in the order written, down to ``_WALK_DEPTH``."""
    unfinished: list[_Collection] = []
    # YAML has no surrogate escapes; without its backslash, a JSON one is still as distinct and as long a key.
    for event in yaml.parse(_SURROGATE_ESCAPE.sub(r"_\1", text), Loader=EVENT_LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            unfinished.pop()
        elif isinstance(event, yaml.NodeEvent):
            visit = unfinished[-1].visit(event) if unfinished else Visit(event, "", is_key=False)
            yield visit
            if isinstance(event, yaml.CollectionStartEvent):
                unfinished.append(_Collection(visit.pointer, isinstance(event, yaml.MappingStartEvent)))
                if len(unfinished) > _WALK_DEPTH:
                    return

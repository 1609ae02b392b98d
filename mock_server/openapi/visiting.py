"""Where each key and value is in a YAML or JSON text, from the event stream of PyYAML.

Walking it takes seconds for megabytes, so it is for messages, and for what the fast parsers do not tell.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from mock_server.dataclass import dataclass
from mock_server.openapi.pointers import join

EVENT_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML may have been built without libyaml

_WALK_DEPTH = 1000  # libyaml takes quadratic time in the depth of flow collections; no message needs more
_SURROGATE_ESCAPE = re.compile(r"\\(u[dD][89a-fA-F])")


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


def starts(text: str) -> dict[str, int]:
    """The 1-based line on which each value starts, by JSON pointer, as far as the text can be read."""
    found: dict[str, int] = {}
    with contextlib.suppress(yaml.YAMLError):
        for visit in visits(text):
            if not visit.is_key:
                found.setdefault(visit.pointer, visit.line)
    return found

"""Patterns that only a backtracking engine can run, and how long a text may be for them to be tried.

The validator runs all other patterns in linear time. It has a budget of steps for these, but a step may look through
the whole text (``(?=.*[0-9])``), and a pattern that is not tied to the beginning is tried at every character. So the
length is bounded, too, for each as far as half a second goes.
"""

from __future__ import annotations

import re

from mock_server.openapi.values import Json

ANYWHERE = 4_000
"""Characters of a text that a backtracking pattern is tried at each of."""

FROM_THE_START = 65_536
"""Characters of a text for a backtracking pattern that begins with ``^``."""

# Look-around, atomic groups, conditions, back-references, possessive repetition; a backslash may stand twice, in JSON.
_SIGNS = re.compile(r"\(\?(?:<?[=!]|[>(])|\\[1-9k]|[*+?}]\+")
_OUTSIDE = re.compile(r"\\.|\[(?:[^\]\\]|\\.)*\]|[()|]", re.DOTALL)


def may_backtrack(text: str) -> bool:
    """Whether a pattern, or a text with patterns in it, has what the linear engine has not."""
    return _SIGNS.search(text) is not None


def longest(pattern: str) -> int | None:
    """The most characters of a text that a pattern is tried on; None for any number."""
    if not may_backtrack(pattern):
        return None
    return FROM_THE_START if pattern.startswith("^") and not _has_alternatives(pattern) else ANYWHERE


def has_longer_text(value: Json, *, than: int) -> bool:
    """Whether a text longer than that is anywhere in a value."""
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            pending += here
            pending += here.values()
        elif isinstance(here, list):
            pending += here
        elif isinstance(here, str) and len(here) > than:
            return True
    return False


def _has_alternatives(pattern: str) -> bool:
    """Whether it is several patterns side by side, of which only the first begins with its beginning."""
    depth = 0
    for found in _OUTSIDE.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found[0] == "|" and depth == 0:
            return True
    return False

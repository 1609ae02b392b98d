"""Colour, in one place: text with a style becomes what a terminal shows, or stays plain."""

from __future__ import annotations

import os
from typing import TextIO

from rich.color import ColorSystem
from rich.style import Style

STYLES = {
    "title": Style(bold=True),
    "bad": Style(color="red", bold=True),
    "good": Style(color="green"),
    "question": Style(color="yellow"),
    "dim": Style(dim=True),
    "code": Style(color="cyan"),
    "expected": Style(color="green"),
    "got": Style(color="red"),
}


def coloured(stream: TextIO) -> bool:
    """Whether a stream shows colours: a terminal, unless ``NO_COLOR`` is set (https://no-color.org) or it is dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, style: str, *, colour: bool) -> str:
    """A text in one of the ``STYLES``; without ``colour`` the text itself."""
    if not colour or not text:
        return text
    return "\n".join(STYLES[style].render(line, color_system=ColorSystem.STANDARD) for line in text.split("\n"))

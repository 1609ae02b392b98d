"""Lines on a terminal: with colours of our own and without control characters of anybody else's."""

from __future__ import annotations

import re

import click

from mock_server.errors import visible

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")  # what click.style writes; it changes how a text looks and nothing else


def say(line: str) -> None:
    """Prints a line that may quote a description."""
    click.echo("".join(part if number % 2 else visible(part) for number, part in enumerate(_STYLE.split(line))))

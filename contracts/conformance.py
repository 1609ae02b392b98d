"""Placeholder."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.bench import Bench, Task


def tasks(bench: Bench) -> Iterator[Task]:
    """No task yet."""
    yield from ()

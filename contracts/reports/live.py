"""What a run shows while it goes on: one moving line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from contracts.findings import Finding
from contracts.reports.bodies import visible
from contracts.reports.colour import coloured
from contracts.reports.secrets import Secrets
from contracts.running import Progress

EVERY = 5.0
"""Seconds between two plain lines, at least."""

Tell = Callable[[Progress], None]


@contextmanager
def live(stream: TextIO, secrets: Secrets, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """What to tell of a run's progress, for as long as the context lasts."""
    if stream.isatty():
        with _moving(stream, secrets) as tell:
            yield tell
    else:
        yield plain(stream, secrets, clock=clock)


def plain(stream: TextIO, secrets: Secrets, *, clock: Callable[[], float] = time.monotonic) -> Tell:
    """Writes a line for each finding, and one for the whole every few seconds and at the end."""
    began = said = clock()
    found = 0

    def tell(progress: Progress) -> None:
        nonlocal said, found
        now = clock()
        if progress.finding is not None:
            found += progress.finding.fails
            stream.write(_line(progress.finding, secrets) + "\n")
        elif progress.made == progress.tasks or now - said >= EVERY:
            said = now
            stream.write(f"{now - began:6.1f} s  {progress.made} of {progress.tasks} tasks, "
                         f"{progress.exchanges} exchanges, {found} findings\n")  # fmt: skip
        stream.flush()

    return tell


def _line(finding: Finding, secrets: Secrets) -> str:
    kind = "finding " if finding.fails else "question"
    return f"{kind}  {finding.check}  {finding.operation_id}: {visible(secrets.hidden(finding.sentence))}"


@contextmanager
def _moving(stream: TextIO, secrets: Secrets) -> Iterator[Tell]:
    console = Console(file=stream, no_color=not coloured(stream), highlight=False, markup=False, emoji=False)
    columns = (BarColumn(30), TextColumn("{task.completed} of {task.total} tasks", markup=False),
               TextColumn("{task.fields[exchanges]} exchanges · {task.fields[found]} findings", markup=False),
               TimeElapsedColumn(), TextColumn("{task.description}", style="dim", markup=False))  # fmt: skip
    with Bar(*columns, console=console, transient=True) as bar:
        row = bar.add_task("", total=None, exchanges=0, found=0)
        found = 0

        def tell(progress: Progress) -> None:
            nonlocal found
            if progress.finding is not None:
                found += progress.finding.fails
                console.print(_line(progress.finding, secrets), style="red" if progress.finding.fails else "yellow")
            name = visible(progress.done.task.name)[:40] if progress.done is not None else None
            bar.update(row, total=progress.tasks or None, completed=progress.made if progress.tasks else None,
                       exchanges=progress.exchanges, found=found, description=name)  # fmt: skip

        yield tell

"""What a run shows while it goes on: one moving line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from contracts.findings import Finding
from contracts.reports.colour import coloured
from contracts.reports.secrets import Secrets
from contracts.running import Progress
from mock_server.errors import visible

EVERY = 5.0
"""Seconds between two plain lines, at least."""

Tell = Callable[[Progress], None]


@contextmanager
def live(
    stream: TextIO, secrets: Secrets, *, seconds: float = 0.0, clock: Callable[[], float] = time.monotonic
) -> Iterator[Tell]:
    """What to tell of a run's progress, for as long as the context lasts. ``seconds`` is how long it may take."""
    if stream.isatty():
        with _moving(stream, secrets, seconds) as tell:
            yield tell
    else:
        yield plain(stream, secrets, clock=clock)


def plain(stream: TextIO, secrets: Secrets, *, clock: Callable[[], float] = time.monotonic) -> Tell:
    """Writes a line for each finding, and one for the whole every few seconds and at the end."""
    began = said = clock()
    found = questions = 0

    def tell(progress: Progress) -> None:
        nonlocal said, found, questions
        now = clock()
        if progress.finding is not None:
            found += progress.finding.fails
            questions += not progress.finding.fails
            stream.write(_line(progress.finding, secrets) + "\n")
        elif progress.made == progress.tasks or now - said >= EVERY:
            said = now
            stream.write(f"{now - began:6.1f} s  {progress.made} of {progress.tasks} tasks, "
                         f"{progress.exchanges} requests, {_found(found, questions)}\n")  # fmt: skip
        stream.flush()

    return tell


def _found(found: int, questions: int) -> str:
    asked = f", {_count(questions, 'question')}" if questions else ""
    return _count(found, "finding") + asked


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _line(finding: Finding, secrets: Secrets) -> str:
    kind = "finding " if finding.fails else "question"
    where = f"{finding.check}  {finding.operation_id}".rstrip()
    return f"{kind}  {where}: {visible(secrets.hidden(finding.sentence))}"


class _Clock(ProgressColumn):
    """How long the run has taken, of how long it may take."""

    max_refresh = 0.5

    def __init__(self, seconds: float) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._seconds = seconds

    def render(self, task: Task) -> Text:
        took = round(task.elapsed or 0)
        return Text(f"{_minutes(took)} of {_minutes(round(self._seconds))}" if self._seconds else _minutes(took))


def _minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


@contextmanager
def _moving(stream: TextIO, secrets: Secrets, seconds: float) -> Iterator[Tell]:
    console = Console(file=stream, no_color=not coloured(stream), highlight=False, markup=False, emoji=False)
    whole, rest = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = (BarColumn(16), _Clock(seconds), TextColumn("{task.fields[told]}", markup=False, table_column=whole),
               TextColumn("{task.description}", style="dim", markup=False, table_column=rest))  # fmt: skip
    with Bar(*columns, console=console, transient=True, expand=True, refresh_per_second=4) as bar:
        row = bar.add_task("looking at what is there", total=None, told="")
        found = questions = 0

        def tell(progress: Progress) -> None:
            nonlocal found, questions
            if progress.finding is not None:
                found += progress.finding.fails
                questions += not progress.finding.fails
                console.print(_line(progress.finding, secrets), style="red" if progress.finding.fails else "yellow")
            if progress.done is not None:
                told = (
                    f"{progress.made}/{progress.tasks} tasks  {progress.exchanges} requests  {_found(found, questions)}"
                )
                bar.update(row, total=progress.tasks, completed=progress.made, told=told,
                           description=visible(progress.done.task.name))  # fmt: skip

        yield tell

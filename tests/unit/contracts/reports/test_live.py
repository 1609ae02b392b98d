"""What a run shows while it goes on."""

from __future__ import annotations

import io
import re

import pytest

from contracts.bench import Held, Task
from contracts.checks.registry import Family
from contracts.reports.live import EVERY, live
from contracts.reports.secrets import Secrets
from contracts.running import Done, Progress
from tests.unit.contracts.reports.broken_shop import ALICE, SECRET, Shop

DONE = Done(Task(Family.RELATION, "read_your_write products", "read_your_write", (), lambda _: Held()), Held(1, 0), 0.1)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_lines_come_now_and_then_and_at_the_end() -> None:
    stream, clock = io.StringIO(), _Clock()
    with live(stream, Secrets(), clock=clock) as tell:
        for made in range(1, 5):
            tell(Progress(done=DONE, tasks=4, made=made, exchanges=made * 10))
            clock.now += EVERY / 2
    assert [line.split("  ")[-1] for line in stream.getvalue().splitlines()] == [
        "3 of 4 tasks, 30 requests, 0 findings",
        "4 of 4 tasks, 40 requests, 0 findings",
    ]


def test_finding_is_told_at_once_without_secrets() -> None:
    stream = io.StringIO()
    finding = Shop().finding(name=SECRET).noting("again")
    with live(stream, Secrets([ALICE])) as tell:
        tell(Progress(finding=finding))
    assert stream.getvalue().startswith("finding   read_your_write  getProduct: price is not shown")
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_moving_line_fits_the_terminal(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("TERM", "xterm")
    stream = _Terminal()
    with live(stream, Secrets(), seconds=90) as tell:
        tell(Progress(done=DONE, tasks=282, made=17, exchanges=1234))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    lines = [line for line in re.split(r"[\r\n]", plain) if "17/282" in line]
    assert lines
    assert all(len(line) <= int(width) for line in lines)
    assert "0:00 of 1:30" in lines[-1]


def test_moving_line_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = _Terminal()
    with live(stream, Secrets()) as tell:
        tell(Progress(done=DONE, tasks=2, made=2, exchanges=3))
    assert stream.getvalue().endswith(("\x1b[2K", "\x1b[1A\x1b[2K", "\x1b[?25h\r\x1b[1A\x1b[2K"))

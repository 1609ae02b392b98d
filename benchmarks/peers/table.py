"""Markdown tables of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.peers.figures import (
    Figure,
    Rounds,
    Spread,
    cpu,
    figures,
    memory,
    p99,
    rate,
    ratios,
    resident,
    started,
    started_cpu,
)
from benchmarks.peers.turns import Failed, Turn
from benchmarks.peers.workloads import Work

NONE = "-"


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what is in a cell cannot break it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def middle(found: Spread | None, *, digits: int = 0) -> str:
    """The median and, where they differ, the least and the most in brackets."""
    if found is None:
        return NONE
    if found.least == found.most:
        return f"{found.median:,.{digits}f}"
    return f"{found.median:,.{digits}f} ({found.least:,.{digits}f}-{found.most:,.{digits}f})"


def reason(turns: Sequence[Turn | Failed]) -> str | None:
    """Why there is nothing of a server; None where there is something."""
    if any(isinstance(turn, Turn) for turn in turns):
        return None
    return next((turn.reason for turn in turns if isinstance(turn, Failed)), "was not asked")


def servers_table(rounds: Rounds, versions: Mapping[str, str], works: Sequence[Work]) -> str:
    """One row a server: what it answers a second, how late, how soon after the start, with how much memory."""
    heads = ["server", "version", *(f"{work.name} {work.summary}, req/s; p99 ms" for work in works),
             "first 200, s", "CPU until then, s", "memory after load, MB", "sum of RSS, MB"]  # fmt: skip
    rows = []
    for name, turns in rounds.items():
        why = reason(turns)
        if why is not None:
            rows.append([name, versions[name], why, *[NONE] * (len(heads) - 3)])
            continue
        cells = [_cell(turns, work) for work in works]
        rows.append([name, versions[name], *cells, middle(figures(turns, started), digits=2),
                     middle(figures(turns, started_cpu), digits=2), middle(figures(turns, memory)),
                     middle(figures(turns, resident))])  # fmt: skip
    return markdown(heads, rows)


def answers_table(rounds: Rounds, works: Sequence[Work]) -> str:
    """One row a server: the statuses with which it answers one request of each workload, before any load."""
    rows = []
    for name, turns in rounds.items():
        answers = [turn.answers for turn in turns if isinstance(turn, Turn)]
        if answers:
            told = ({str(each[work.name].status): None for each in answers if work.name in each} for work in works)
            rows.append([name, *(", ".join(statuses) or NONE for statuses in told)])
    return markdown(["answers one request with", *(f"{work.name} {work.summary}" for work in works)], rows)


def _cell(turns: Sequence[Turn | Failed], work: Work) -> str:
    found, late = figures(turns, rate(work.name)), figures(turns, p99(work.name))
    if found is None or late is None:
        notes = [turn.answers[work.name].note for turn in turns if isinstance(turn, Turn) and work.name in turn.answers]
        return f"({notes[0]})" if notes else NONE
    return f"{middle(found)}; {middle(late, digits=1)}{_otherwise(turns, work)}"


def _otherwise(turns: Sequence[Turn | Failed], work: Work) -> str:
    """How many answers under load were not what the workload is about."""
    wrong = 0
    for turn in turns:
        if isinstance(turn, Turn) and work.name in turn.loads:
            load = turn.loads[work.name].load
            wrong += load.broken + (load.requests - load.refused if work.statuses == "4" else load.refused)
    return f" ({wrong:,} otherwise)" if wrong else ""


def cpu_table(rounds: Rounds, works: Sequence[Work]) -> str:
    """One row a server: CPU for one request. Other load on the machine moves it far less than requests a second."""
    rows = [
        [name, *(middle(figures(turns, cpu(work.name))) for work in works)]
        for name, turns in rounds.items()
        if reason(turns) is None
    ]
    return markdown(["CPU of the server, µs a request", *(work.name for work in works)], rows)


def ratios_table(rounds: Rounds, pairs: Sequence[tuple[str, str]], works: Sequence[Work]) -> str:
    """Each pair's ratios within a round: requests a second (more is better), p99, CPU, start and memory (less is)."""
    rows = []
    for one, other in pairs:
        kinds: tuple[tuple[str, Sequence[Figure]], ...] = (
            ("req/s", [rate(work.name) for work in works]),
            ("p99", [p99(work.name) for work in works]),
            ("CPU", [cpu(work.name) for work in works]),
        )
        for kind, wanted in kinds:
            found = [ratios(rounds, one, other, figure) for figure in wanted]
            whole = (started, memory, resident)
            ends = [ratios(rounds, one, other, figure) if kind == "req/s" else None for figure in whole]
            if any(found):
                rows.append([f"{one} / {other}", kind, *(middle(each, digits=2) for each in (*found, *ends))])
    return markdown(["ratio, median (min-max)", "of", *(work.name for work in works), "start", "memory", "RSS"], rows)

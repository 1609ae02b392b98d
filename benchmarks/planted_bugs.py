"""What finds the planted bugs, after how long: our checks, and Schemathesis alone. Writes docs/planted-bugs.md.

    python benchmarks/planted_bugs.py [--only NAME] [--seconds 60] [--processes 2]

Schemathesis runs in a process of its own, after ours.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from flask import Flask, Response, request

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the mutants are part of the tests, which are not installed

from contracts.checks.registry import all_checks  # noqa: E402
from contracts.service import Transport  # noqa: E402
from tests.acceptance.schemathesis_runs import read  # noqa: E402
from tests.planted_bugs.bakery import create_app  # noqa: E402
from tests.planted_bugs.killing import MUTANTS, callers, hunted, served, service_transport, source  # noqa: E402
from tests.planted_bugs.mutants import BAKERY, Mutant  # noqa: E402
from tests.planted_bugs.serving import listening  # noqa: E402

TABLE = ROOT / "docs" / "planted-bugs.md"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]
LEAST_SECONDS = 15.0
Kind = tuple[str, str, int]
"""A finding of Schemathesis: operation, check, status."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``checks`` of ours that found the mutant, and ``theirs``; empty where none did.

    ``theirs`` is None where Schemathesis was not run.
    """

    mutant: Mutant
    checks: tuple[str, ...]
    seconds: float
    requests: int
    theirs: tuple[str, ...] | None = None


def ours(mutant: Mutant, *, seconds: float) -> tuple[tuple[str, ...], float, int]:
    """The checks that find a mutant first, the seconds until then, and the requests."""
    begun = time.monotonic()
    report = hunted(mutant, seconds=seconds)
    found = tuple(dict.fromkeys(finding.check for finding in report.findings if finding.fails))
    return found, time.monotonic() - begun, report.exchanges


def behind(transport: Transport) -> Flask:
    """An application in front of a transport, so that a pack with a mistake can be called over HTTP."""
    app = Flask("tampered")

    def forward(path: str = "") -> Response:
        target = request.environ["RAW_URI"]
        reply = transport(request.method, target, dict(request.headers), request.get_data())
        return Response(reply.body, reply.status, list(reply.headers))

    app.add_url_rule("/", "root", forward, methods=METHODS, provide_automatic_options=False)
    app.add_url_rule("/<path:path>", "any", forward, methods=METHODS, provide_automatic_options=False)
    return app


@contextmanager
def online(target: str, mutant: Mutant | None) -> Iterator[str]:
    """The URL of a target, with a mistake or without."""
    if target == BAKERY:
        app = create_app(
            mutant.name if mutant is not None else None, limit=mutant.limit if mutant is not None else None
        )
    else:
        app = behind(service_transport(target, mutant))
    with listening(app) as url:
        yield url


def schemathesis(target: str, mutant: Mutant | None, *, seconds: float) -> frozenset[Kind]:
    """What the command line of Schemathesis finds in so many seconds: all checks in all phases, with a good key."""
    caller = next((caller for caller in callers(target) if caller.valid), None)
    headers = [part for name, value in (caller.headers if caller is not None else {}).items()
               for part in ("-H", f"{name}: {value}")]  # fmt: skip
    base = served(target).api.base_paths[0] if served(target).api.base_paths else ""
    with online(target, mutant) as url, tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.ndjson"
        subprocess.run(
            [Path(sys.executable).parent / "schemathesis", "run", source(target).description.resolve(), "--url",
             url + base, "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-time",
             str(round(seconds)), "--seed", "1", "--generation-database", "none", "--no-color", "--no-shrink",
             "--continue-on-failure", "--report-ndjson-path", report, *headers],
            capture_output=True, check=False, cwd=folder, timeout=seconds * 3 + 60,
        )  # fmt: skip
        found = read(report).findings
    return frozenset((finding.operation, finding.check, finding.status) for finding in found)


@cache
def anyway(target: str, seconds: float) -> frozenset[Kind]:
    """What Schemathesis finds in the correct service."""
    return schemathesis(target, None, seconds=seconds)


def measured(mutant: Mutant, *, seconds: float) -> Row:
    """One line of the table, without Schemathesis."""
    return Row(mutant, *ours(mutant, seconds=seconds))


def remeasured(known: dict[Mutant, Row], mutant: Mutant, *, seconds: float) -> Row:
    """The line that is known of a mutant that was found, else a new one."""
    row = known.get(mutant)
    return row if row is not None and row.checks else measured(mutant, seconds=seconds)


def kept() -> Iterator[Row]:
    """The lines of the page that was written."""
    named = {(mutant.target, mutant.name): mutant for mutant in MUTANTS}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        mutant = named.get((cells[0], cells[1].strip("`"))) if len(cells) == 7 else None
        if mutant is not None:
            checks = () if cells[3] == "**nothing**" else tuple(cells[3].split(", "))
            theirs = {"not run": None, "no": ()}.get(cells[6], tuple(cells[6].split(", ")))
            yield Row(mutant, checks, float(cells[4]), int(cells[5]), theirs)


def compared(row: Row, *, least: float, most: float) -> Row:
    """The line with what Schemathesis finds in three times the time that we took, within these bounds."""
    seconds = min(most, max(least, 3 * row.seconds))
    found = schemathesis(row.mutant.target, row.mutant, seconds=seconds) - anyway(row.mutant.target, most)
    return replace(row, theirs=tuple(sorted({check for _, check, _ in found})))


def summary(rows: Sequence[Row]) -> str:
    """How many are found, and after how long."""
    killed = [row for row in rows if row.checks]
    times = sorted(row.seconds for row in killed) or [0.0]
    late = statistics.quantiles(times, n=10)[-1] if len(times) > 1 else times[0]
    tried = [row for row in rows if row.theirs is not None]
    alone = sum(bool(row.theirs) for row in tried)
    theirs = f"; Schemathesis alone finds {alone} of {len(tried)} ({alone / len(tried):.0%})" if tried else ""
    return (
        f"{len(killed)} of {len(rows)} mutants are found ({len(killed) / len(rows):.0%}), half of them within "
        f"{statistics.median(times):.1f} s and nine of ten within {late:.1f} s{theirs}."
    )


def _told(theirs: tuple[str, ...] | None) -> str:
    return "not run" if theirs is None else ", ".join(theirs) or "no"


def document(rows: Sequence[Row], *, seconds: float) -> str:
    """The page."""
    lines = [
        "# Planted bugs",
        "",
        "What the contract checks find of mistakes that were planted on purpose: in a small shop written by hand "
        "(`tests/planted_bugs/bakery`), and in packs of this repository (`tests/planted_bugs/mistakes.py`). Each run "
        f"makes all checks, has {seconds:.0f} s, and ends with the first finding. Schemathesis has three times as long as "
        "we took (15 s at least, 60 s at most), the same description without annotations, all its checks in all its phases, and a valid key; what it finds in "
        "the correct service as well does not count.",
        "",
        summary(rows),
        "",
        f"Written by `python benchmarks/planted_bugs.py` on {datetime.now(UTC):%Y-%m-%d}, with Python "
        f"{sys.version.split()[0]}, Schemathesis {version('schemathesis')}, Hypothesis {version('hypothesis')} and "
        f"{len(all_checks())} checks.",
        "",
        "| target | mutant | what it does | found by | seconds | requests | Schemathesis |",
        "| --- | --- | --- | --- | ---: | ---: | --- |",
    ]
    lines += [
        f"| {row.mutant.target} | `{row.mutant.name}` | {row.mutant.does} | {', '.join(row.checks) or '**nothing**'} | "
        f"{row.seconds:.1f} | {row.requests} | {_told(row.theirs)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of mutants; nothing is written")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each mutant and tool")
    parser.add_argument("--ours", action="store_true", help="without Schemathesis")
    parser.add_argument("--resume", action="store_true", help="go on from the page that was written")
    parser.add_argument("--processes", type=int, default=1, help="mutants at a time; two at most on two cores")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only in str(mutant)]
    known = {row.mutant: row for row in (kept() if options.resume else ())}
    with ProcessPoolExecutor(options.processes) as pool:
        rows = []
        for row in pool.map(partial(remeasured, known, seconds=options.seconds), chosen):
            rows.append(row)
            print(f"{row.mutant!s:42} {row.seconds:6.1f} s {row.requests:6} requests  {', '.join(row.checks) or '-'}",
                  flush=True)  # fmt: skip
        write(rows, options)
        work = partial(compared, least=LEAST_SECONDS, most=60.0)
        left = [] if options.ours else [row for row in rows if row.theirs is None]
        for row in pool.map(work, left):
            rows[[each.mutant for each in rows].index(row.mutant)] = row
            print(f"{row.mutant!s:42} Schemathesis: {_told(row.theirs)}", flush=True)
            write(rows, options)
    print(summary(rows) if rows else "no mutant has such a name")


def write(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Writes the page, as far as it is known; not for a part of the mutants."""
    if rows and not options.only:
        TABLE.write_text(document(rows, seconds=options.seconds), encoding="utf-8")


if __name__ == "__main__":
    main()

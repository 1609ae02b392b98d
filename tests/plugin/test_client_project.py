"""The sample client project, whose suite uses the plugin in every way, run as its developer would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_server import MockServer

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent / "client_project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, to run in."""
    shutil.copytree(PROJECT, tmp_path / "outreach", ignore=shutil.ignore_patterns("__pycache__", ".*", "recordings"))
    return tmp_path / "outreach"


def run(project: Path, *options: str) -> tuple[int, str]:
    """Runs its suite; the exit code and what was printed."""
    environ = {**os.environ, "CI": "true", "COLUMNS": "160"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:schemathesis", *options], cwd=project, text=True,
                          capture_output=True, timeout=180, env=environ)  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_its_suite_is_green_on_two_workers(project: Path) -> None:
    code, printed = run(project, "-n", "2", "--contract-seconds", "3")
    assert code == 0, printed
    assert re.search(r"\b[3-9]\d passed", printed), printed


@pytest.fixture
def real() -> Iterator[MockServer]:
    """What stands for the real service: a double of its own, far away on another port."""
    with MockServer("kirimdev") as server:
        yield server


def test_what_is_recorded_of_another_service_is_no_drift_unless_the_double_is_changed(
    project: Path, real: MockServer
) -> None:
    wanted = ("tests/test_outreach.py", "-k", "customer and not state")
    code, printed = run(project, "--mock-api-record", real.url, *wanted)
    assert code == 0, printed
    recorded = sorted((project / "recordings").rglob("*.yaml"))
    assert recorded, printed
    assert "kdev_live" not in "".join(path.read_text() for path in recorded), "a credential is in a recording"
    assert (
        "only a double has" in run(project, "--mock-api-record", real.url, "tests/test_outreach.py", "-k", "state")[1]
    )

    code, printed = run(project, *wanted)
    assert (code, "drifted" in printed) == (0, False), printed

    path = next(path for path in recorded if "as_the_platform_wants" in path.name)
    path.write_text(path.read_text().replace("status: pending", "status: active"))
    code, printed = run(project, *wanted)
    assert code == 0, printed
    assert "has drifted from what was recorded" in printed
    code, printed = run(project, "-o", "mock_api_drift=fail", *wanted)
    assert code == 1, printed

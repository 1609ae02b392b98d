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

PROJECT = Path(__file__).resolve().parent.parent / "client_project"
ISOLATED = int(os.environ.get("APIDOUBLE_ISOLATED", "60"))
"""How many tests are run in random order on two workers; 1000 at full size."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, to run in."""
    shutil.copytree(PROJECT, tmp_path / "outreach", ignore=shutil.ignore_patterns("__pycache__", ".*", "recordings"))
    return tmp_path / "outreach"


def run(project: Path, *options: str) -> tuple[int, str]:
    """Runs its suite; the exit code and what was printed."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:schemathesis", *options], cwd=project, text=True,
                          capture_output=True, timeout=300, env={**os.environ, "COLUMNS": "160"})  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_its_suite_is_green(project: Path) -> None:
    code, printed = run(project)
    assert code == 0, printed
    assert re.search(r"\b[4-9]\d passed", printed), printed


@pytest.fixture
def real() -> Iterator[MockServer]:
    """What stands for the real service: a double of its own, elsewhere on another port."""
    with MockServer("kirimdev") as server:
        yield server


def test_what_is_recorded_of_another_service_is_no_drift_unless_something_has_changed(
    project: Path, real: MockServer
) -> None:
    chosen = ("tests/test_outreach.py", "-k", "customer or state", "-rs")
    code, printed = run(project, "--mock-api-record", real.url, *chosen)
    assert code == 0, printed
    assert "api.state is something that only a double has" in printed
    recorded = sorted((project / "recordings").rglob("*.yaml"))
    assert len(recorded) == 2, printed
    assert "kdev_live" not in "".join(path.read_text() for path in recorded), "a credential is in a recording"

    code, printed = run(project, *chosen)
    assert (code, "drifted" in printed) == (0, False), printed

    path = next(path for path in recorded if "as_the_platform_wants" in path.name)
    path.write_text(path.read_text().replace("status: pending", "status: active"))
    code, printed = run(project, "-o", "mock_api_drift=fail", *chosen)
    assert code == 1, printed
    assert "has drifted from what was recorded" in printed
    assert "status has another value" in printed


ISOLATED_TESTS = """
import random
import pytest

def pytest_collection_modifyitems(items):
    random.Random(4).shuffle(items)
"""


def test_isolated_tests_hold_in_any_order_on_two_workers(project: Path) -> None:
    (project / "tests" / "conftest.py").write_text(ISOLATED_TESTS)
    (project / "tests" / "test_isolated.py").write_text(f"""
import pytest

@pytest.mark.parametrize("number", range({ISOLATED}))
def test_nobody_else_is_here(mock_api, number):
    api = mock_api("../openapi.yaml")
    session = api.session(live=number % 3 == 0)
    assert session.get("/campaigns").json() == []
    made = session.post("/campaigns", json={{"title": f"Number {{number}}"}}).json()
    assert session.get("/campaigns").json() == [made]
    assert made["id"] == 1
    assert len(api.requests) == 3
""")
    code, printed = run(project, "-n", "2", "tests/test_isolated.py")
    assert code == 0, printed
    assert f"{ISOLATED} passed" in printed

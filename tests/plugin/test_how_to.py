"""docs/testing.md, and the README on test suites: every Python example runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"^```python\n(.*?)^```$", README + PAGE, flags=re.DOTALL | re.MULTILINE)
          if "MockServer(\"openapi.yaml\")" not in block]  # fmt: skip  # which tests/repo/test_readme.py runs


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose test modules are the page's examples, with the application that some of them are about."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:schemathesis --strict-markers\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    shop = ROOT / "tests" / "client_project"
    (tmp_path / "openapi.yaml").write_text((shop / "openapi.yaml").read_text())
    (tmp_path / "service.py").write_text((shop / "outreach" / "service.py").read_text())
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"test_block_{number:02}.py").write_text(block)
    return tmp_path


CONFTEST = """
import pytest
from mock_server import MockServer

@pytest.fixture
def my_service():
    with MockServer("openapi.yaml") as server:
        yield server
"""


def test_every_example_runs(project: Path) -> None:
    assert len(BLOCKS) > 12, "are they fenced otherwise?"
    environ = {**os.environ, "CI": "true"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "--import-mode=importlib"], cwd=project, text=True,
                          capture_output=True, env=environ, timeout=180)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > len(BLOCKS), done.stdout

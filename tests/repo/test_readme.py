"""The README's own commands, run as they stand there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_server import MockServer

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

_VOLATILE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def _transcript() -> list[tuple[str, str]]:
    """The curl commands of the README, each with the output shown below it ("" for none)."""
    lines = [line.removeprefix("    ") for line in README.splitlines() if line.startswith("    ")]
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(("$ curl", "curl ")):
            found.append((line.removeprefix("$ "), ""))
        elif found and not found[-1][1] and re.match(r"\{|\d{3}$", line):
            found[-1] = (found[-1][0], line)
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(ROOT / "tests" / "acceptance" / "descriptions" / "shop.yaml") as running:
        yield running


def test_curl_lines_of_the_readme_answer_what_it_shows(server: MockServer) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    transcript = _transcript()
    assert len(transcript) >= 8
    for command, shown in transcript:
        local = command.replace("localhost:8001", f"{server.host}:{server.port}")
        done = subprocess.run(shlex.split(local), capture_output=True, text=True, check=True, timeout=20)
        assert done.stdout, command
        if shown.startswith("{…"):
            assert shown.removeprefix("{…").strip() in done.stdout
        elif shown:
            assert _VOLATILE.sub("T", done.stdout.strip()) == _VOLATILE.sub("T", shown), command


def test_readme_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n(import requests\nfrom mock_server import MockServer.*?)```", README, re.DOTALL)
    assert example is not None
    description = ROOT / "tests" / "acceptance" / "descriptions" / "shop.yaml"
    (tmp_path / "openapi.yaml").write_text(description.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(example.group(1), "README.md", "exec"), {})


@pytest.mark.parametrize("heading", ["# apidouble", "## Run the tests"])
def test_readme_has_one_command_for_each_start(heading: str) -> None:
    after = README.split(heading + "\n", 1)[1]
    command = next(line for line in after.splitlines() if line.startswith("    "))
    assert command.strip().startswith("python3 -m venv .venv && .venv/bin/pip install -q -e")

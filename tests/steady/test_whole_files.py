"""Files that the project writes are whole at every moment, whenever the process that writes them is killed."""

from __future__ import annotations

import ast
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_server.wholefiles import clear_left, write_whole

ROOT = Path(__file__).parents[2]

# Forks a child for each line of Python that writing takes, which is killed when it comes to that line.
_KILLED = """
import json, os, signal, sys
from pathlib import Path
from mock_server.wholefiles import write_whole

path, how, step, seen = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), []
OLD, NEW = b"old" * 5_000, b"new!" * 5_000
for moment in range(1, 1000, step):
    path.write_bytes(OLD)
    child = os.fork()
    if child == 0:
        left = moment
        def line(frame, event, _):
            global left
            left -= event == "line"
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return line
        sys.settrace(line)
        path.write_bytes(NEW) if how == "plain" else write_whole(path, NEW, durable=True)
        sys.settrace(None)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    found = path.read_bytes()
    seen.append("old" if found == OLD else "new" if found == NEW else "half")
    if status == 0:
        break
json.dump(seen, sys.stdout)
"""


def killed_at_lines(path: Path, how: str, *, step: int) -> list[str]:
    """What a file holds after each (or each second, third …) line at which its writer can be killed, and in the end."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path), how, str(step)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
    )
    seen: list[str] = json.loads(done.stdout)
    return seen


posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked for each moment")


@posix
def test_file_is_old_or_new_at_whatever_line_its_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    seen = killed_at_lines(path, "whole", step=1 if os.environ.get("APIDOUBLE_STEADY") else 4)
    assert len(seen) > 15
    assert set(seen) == {"old", "new"}
    assert seen == sorted(seen, reverse=True)  # old, until it is new
    clear_left(path)
    assert os.listdir(tmp_path) == ["kept.json"]


@posix
def test_file_written_in_place_is_found_half(tmp_path: Path) -> None:
    assert "half" in killed_at_lines(tmp_path / "kept.json", "plain", step=1)


def test_failed_writer_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept"
    write_whole(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new", durable=True)
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["kept"])


def test_link_goes_on_to_point_where_it_did(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    write_whole(link, "new")
    assert (link.is_symlink(), real.read_text()) == (True, "new")


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), "gone")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_modes_are_kept_and_what_is_private_is_its_owners_alone(tmp_path: Path) -> None:
    shared, private = tmp_path / "shared", tmp_path / "private"
    shared.write_text("old")
    shared.chmod(0o640)
    write_whole(shared, "new")
    write_whole(private, "secret", private=True)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (shared, private)] == [0o640, 0o600]


def test_long_names_have_room_for_what_is_put_before_and_behind(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    write_whole(path, "new")
    assert path.read_text() == "new"


# Who writes


_OTHERWISE = {
    "mock_server/wholefiles.py": "the one place that does it",
    "contracts/commands/reporting.py": "adds to GITHUB_STEP_SUMMARY, which is the runner's and is appended to",
}


_HINT = re.compile(r"write_text|write_bytes|mkstemp|open\(|TemporaryFile")


def _writes(path: Path) -> Iterator[int]:
    if not _HINT.search(path.read_text()):
        return  # parsing takes a hundred times as long
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            modes = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            opens = name in {"open", "fdopen", "NamedTemporaryFile"} and any(
                mode[:1] in "wax" for mode in modes if mode
            )
            if name in {"write_text", "write_bytes", "mkstemp"} or opens:
                yield node.lineno


def test_every_file_is_written_whole() -> None:
    found = {}
    for package in ("mock_server", "contracts"):
        for path in sorted((ROOT / package).rglob("*.py")):
            lines = list(_writes(path))
            if lines:
                found[path.relative_to(ROOT).as_posix()] = lines
    assert found.keys() == _OTHERWISE.keys(), "write with mock_server.wholefiles.write_whole"

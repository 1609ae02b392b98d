"""The how-to, the GitHub Action and the pre-commit hook: what they say can be done."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from click import Context, Group

from contracts.commands.check import check
from mock_server import MockServer, Options
from mock_server.cli import apidouble
from tests.unit.commands.running import SHOP, run

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "contract-checks.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def _runnable() -> list[str]:
    after = PAGE.split("<!-- runs -->")[1].split("\n\n")[1]
    return [line.strip() for line in after.splitlines()]


@pytest.mark.parametrize("command", _runnable(), ids=range(len(_runnable())))
def test_commands_of_the_page_hold_against_the_sandbox(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with MockServer(SHOP, options=Options(limits=False)) as server:
        words = shlex.split(command.replace("http://127.0.0.1:8001", server.url))
        ran = run(*words[1:], "--size", "0.2")
    assert ran.code == 0, ran.out + ran.err


def test_every_option_that_the_page_names_exists() -> None:
    known = {name for parameter in check.params for name in (*parameter.opts, *parameter.secondary_opts)}
    known |= _options_of(apidouble)
    code = re.findall(r"(?<![\w-])--[a-z0-9][a-z0-9-]+", PAGE)
    assert sorted({option for option in code if option not in known} - {"--app", "--port"}) == []


def _options_of(group: Group) -> set[str]:
    context = Context(group)
    commands = (group.get_command(context, name) for name in group.list_commands(context))
    return {name for command in commands if command for parameter in command.params for name in parameter.opts}


def test_page_has_every_exit_code() -> None:
    told = PAGE.split("Exit codes:")[1].split("\n\n")[0]
    assert re.findall(r"(?<!\w)(\d+) ", told) == ["0", "1", "2", "3", "130"]


def test_every_input_of_the_action_is_used() -> None:
    text = yaml.safe_dump(ACTION["runs"])
    assert [name for name in ACTION["inputs"] if f"inputs.{name}" not in text] == []


def test_action_uses_no_input_that_it_does_not_have() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", yaml.safe_dump(ACTION["runs"])))
    assert used - set(ACTION["inputs"]) == set()


def test_action_puts_no_input_into_a_script() -> None:
    """An expression inside ``run`` is text of the script: what a pull request says would be run."""
    assert [step["name"] for step in ACTION["runs"]["steps"] if "${{" in step.get("run", "")] == []


def test_scripts_of_the_action_are_bash() -> None:
    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            assert step["shell"] == "bash"
            subprocess.run(["bash", "-n", "-c", step["run"]], check=True)


def test_hook_runs_a_command_that_exists() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, command = hook["entry"].split()
    assert program == "apidouble"
    assert command in apidouble.list_commands(Context(apidouble))
    assert re.search(hook["files"], "api/openapi.yaml")
    assert not re.search(hook["files"], "compose.yaml")

"""SECURITY.md is held to the code: the tests that it names exist, as do the options, and the figures are right."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import click
import pytest

from contracts import transports
from mock_server.cli import apidouble
from mock_server.exchange import concealing
from mock_server.model import redaction
from mock_server.webhooks import posting

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
_NAMED = re.compile(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`")


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests of a module."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_")


def _promises() -> list[tuple[str, str]]:
    """Each paragraph of the promises, with the section that it is in."""
    part = PAGE.partition("\n## Promises\n")[2].partition("\n## ")[0]
    sections = re.split(r"^### (.+)$", part, flags=re.MULTILINE)[1:]
    return [
        (title, paragraph.strip())
        for title, body in zip(sections[::2], sections[1::2], strict=True)
        for paragraph in body.strip().split("\n\n")
    ]


def test_every_test_that_is_named_exists() -> None:
    named = _NAMED.findall(PAGE)
    assert len(named) > 50
    missing = [f"{path}::{name}" for path, name in named if name and name not in names_in(path)]
    assert missing == []


@pytest.mark.parametrize("promise", _promises(), ids=lambda promise: f"{promise[0]}: {promise[1][:30]}")
def test_every_promise_names_the_tests_behind_it(promise: tuple[str, str]) -> None:
    said, _, tests = promise[1].partition("\nTests:\n")
    assert len(said) > 60
    assert _NAMED.findall(tests)
    assert not _NAMED.findall(said)


def test_every_module_of_these_tests_stands_behind_a_promise() -> None:
    modules = {f"tests/security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert {path for path, _ in _NAMED.findall(PAGE)} >= modules


def test_options_that_are_named_exist() -> None:
    command = apidouble.get_command(click.Context(apidouble), "serve")
    assert command is not None
    known = {name for parameter in command.params for name in parameter.opts}
    named = set(re.findall(r"`(--[a-z-]+)`", PAGE))
    assert named
    assert named <= known


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_figures_are_those_of_the_code() -> None:
    assert f"more than {transports.LARGEST // 2**20} MiB" in PAGE
    assert f"{posting._READ} bytes of that are read" in PAGE
    assert f"of {concealing._SHORTEST} characters or more" in " ".join(PAGE.split())
    assert f"of under {redaction._SHORTEST} characters" in " ".join(PAGE.split())
    assert f"of {18 * 8} random bits" in " ".join(PAGE.split())
    for module in ("mock_server/commands/serve.py", "mock_server/web/embedded.py"):
        assert "secrets.token_urlsafe(18)" in (ROOT / module).read_text(encoding="utf-8")

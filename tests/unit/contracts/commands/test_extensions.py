"""Commands of other packages: found by name, loaded late, and told of when something is missing for them."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

import pytest

from mock_server.commands import extensions
from tests.unit.commands.running import run


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("weigh", "nosuchpackage.commands:weigh", extensions.GROUP)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: (entry,))


@pytest.mark.usefixtures("broken")
def test_command_that_lacks_a_package_says_which_to_install() -> None:
    ran = run("weigh", "--by", "hand")
    assert ran.code == 2
    assert "pip install 'apidouble[nosuchpackage]'" in ran.err


@pytest.mark.usefixtures("broken")
def test_help_lists_it_all_the_same() -> None:
    assert "weigh" in run("--help").out


def test_unknown_command_is_told_the_nearest() -> None:
    ran = run("serv")
    assert ran.code == 2
    assert "did you mean 'serve'" in ran.err

"""The command line in process, as ``main`` runs it."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from mock_server.cli import main

PETS = Path(__file__).parents[2] / "acceptance" / "descriptions" / "pets.yaml"
SHOP = PETS.with_name("shop.yaml")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def run(*arguments: str | Path) -> Ran:
    """One command, run to its end."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["apidouble", *map(str, arguments)])
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())

"""Relations are witnesses: they must not ask the model what it would answer."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import contracts
from contracts.checks.registry import Family, all_checks

CONTRACTS = Path(contracts.__file__).parent
SHARED = ("trial", "relations", "casting", "likeness", "narrowing", "paging", "selecting", "preconditions", "trespass")
RELATIONS = [name for name, found in all_checks().items() if found.family is Family.RELATION]
FILES = [*(CONTRACTS / "checks" / f"{name}.py" for name in RELATIONS), *(CONTRACTS / f"{name}.py" for name in SHARED)]

ASKING = {"predict", "answer", "step", "explain", "realize", "double", "oracle"}
"""The names by which the model would be asked."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_relation_neither_imports_the_oracle_nor_asks_the_model(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported.isdisjoint(
        {"contracts.oracle", "contracts.agreeing", "contracts.showing", "mock_server.model.step"}
    )
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used.isdisjoint(ASKING)

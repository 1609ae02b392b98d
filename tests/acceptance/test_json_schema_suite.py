"""Our validators give the verdicts of the JSON Schema Test Suite, through an OpenAPI description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mock_server.errors import UnresolvedReference
from mock_server.openapi.dialects import dialect_of
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.schemas import Schema, Schemas
from mock_server.openapi.values import Direction
from tests.acceptance.json_schema_cases import SUITE, Case, cases, files

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason=f"the referee {SUITE} is not there")


def compiled(suite_cases: Sequence[Case], folder: Path) -> list[Schema]:
    """The schema of each case, a file of its own that one OpenAPI 3.1 description refers to."""
    references = {f"Case{number}": {"$ref": f"case-{number}.json"} for number in range(len(suite_cases))}
    description = {"openapi": "3.1.0", "components": {"schemas": references}}
    (folder / "openapi.json").write_text(json.dumps(description))
    for number, case in enumerate(suite_cases):
        (folder / f"case-{number}.json").write_text(json.dumps(case.stands_alone))
    documents = Documents.load(folder / "openapi.json")
    schemas = Schemas(documents, dialect_of(description, file=documents.root))
    return [
        schemas.at(Located(documents.root, f"/components/schemas/{name}", reference))
        for name, reference in references.items()
    ]


@pytest.mark.parametrize("file", files())
def test_verdicts_are_those_of_the_suite(file: str, tmp_path: Path) -> None:
    suite_cases = [case for case in cases(file) if not case.unreachable]
    wrong = [
        f"{case.description}: {description} should be {valid}"
        for case, schema in zip(suite_cases, compiled(suite_cases, tmp_path), strict=True)
        for description, value, valid in case.tests
        if not case.differs(description) and schema.accepts(value, Direction.RESPONSE) is not valid
    ]
    assert not wrong


@pytest.mark.parametrize("file", files())
def test_what_is_not_accepted_has_a_reason(file: str, tmp_path: Path) -> None:
    suite_cases = [case for case in cases(file) if not case.unreachable]
    for case, schema in zip(suite_cases, compiled(suite_cases, tmp_path), strict=True):
        for _, value, _ in case.tests:
            accepted = schema.accepts(value, Direction.REQUEST)
            violations = schema.violations(value, Direction.REQUEST, where="body")
            assert bool(violations) is not accepted
            assert all(violation.message and violation.keyword for violation in violations)


def test_unreachable_cases_really_lead_nowhere(tmp_path: Path) -> None:
    unreachable = [case for file in files() for case in cases(file) if case.unreachable]
    for schema in compiled(unreachable, tmp_path):
        with pytest.raises(UnresolvedReference):
            schema.accepts(None, Direction.RESPONSE)


def test_every_argued_difference_is_one(tmp_path: Path) -> None:
    argued = [case for file in files() for case in cases(file) if any(case.differs(t[0]) for t in case.tests)]
    agreeing = [
        f"{case.file}: {case.description}: {description}"
        for case, schema in zip(argued, compiled(argued, tmp_path), strict=True)
        for description, value, valid in case.tests
        if case.differs(description) and schema.accepts(value, Direction.RESPONSE) is valid
    ]
    assert not agreeing


def test_the_whole_suite_is_judged() -> None:
    tests = [(case, test) for file in files() for case in cases(file) for test in case.tests]
    unreachable = sum(case.unreachable for case, _ in tests)
    argued = sum(case.differs(test[0]) for case, test in tests)
    assert (len(tests), unreachable, argued) == (4883, 87, 26)

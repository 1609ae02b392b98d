"""The verdicts of the JSON Schema Test Suite, given by the whole line about request bodies.

What is left out, and why, is in the tables of json_schema_cases.py: documents that are not at hand, and
verdicts in which we differ on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from tests.acceptance.json_schema_cases import SUITE, Case, cases, files
from tests.acceptance.lines import Served, served

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason=f"the referee {SUITE} is not there")

REQUIRED_FILES = [file for file in files() if "/optional/" not in file]


def _line(suite_cases: Sequence[Case], folder: Path) -> Served:
    """One operation for each case, whose body's schema is a file of its own."""
    paths: dict[str, Json] = {}
    for number, case in enumerate(suite_cases):
        (folder / f"case-{number}.json").write_text(json.dumps(case.stands_alone))
        content = {"application/json": {"schema": {"$ref": f"case-{number}.json"}}}
        paths[f"/cases/{number}/judge"] = {
            "post": {
                "operationId": f"judge{number}",
                "requestBody": {"required": True, "content": content},
                "responses": {"204": {"description": "valid"}},
            }
        }
    description = {"openapi": "3.1.0", "info": {"title": "Cases", "version": "1"}, "paths": paths}
    (folder / "openapi.json").write_text(json.dumps(description))
    return served(folder / "openapi.json")


def _reachable(file: str) -> list[Case]:
    return [case for case in cases(file) if not case.unreachable]


@pytest.mark.parametrize("file", REQUIRED_FILES)
def test_line_takes_what_is_valid_and_refuses_the_rest(file: str, tmp_path: Path) -> None:
    suite_cases = _reachable(file)
    double = _line(suite_cases, tmp_path)
    wrong = []
    for number, case in enumerate(suite_cases):
        for description, data, valid in case.tests:
            if case.differs(description):
                continue
            headers = {"Content-Type": "application/json"}
            answer = double.send("POST", f"/cases/{number}/judge", headers=headers, body=jsontext.dumps(data))
            if answer.status != (204 if valid else 422):
                wrong.append(f"{case.description}: {description}: {answer.status} {answer.body[:300]!r}")
    assert not wrong


def test_every_verdict_but_the_argued_ones_is_asserted() -> None:
    found = [(case, name) for file in REQUIRED_FILES for case in cases(file) for name, _, _ in case.tests]
    unreachable = sum(case.unreachable for case, _ in found)
    argued = sum(case.differs(name) for case, name in found if not case.unreachable)
    assert (len(found), unreachable, argued) == (2844, 84, 20)


@pytest.mark.parametrize("body", [b"false", b"null", b"0", b'""', b"[]", b"{}"])
def test_bodies_that_are_nothing_in_python_are_bodies(body: bytes, tmp_path: Path) -> None:
    everything = Case("draft2020-12/made-up.json", "everything", {"not": {"const": json.loads(body)}}, ())
    double = _line([everything], tmp_path)
    answer = double.send("POST", "/cases/0/judge", headers={"Content-Type": "application/json"}, body=body)
    assert json.loads(answer.body)["errors"][0]["keyword"] == "not"

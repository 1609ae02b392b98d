"""Every schema of the JSON Schema test suite that a value can satisfy gets a sample that satisfies it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import jsonschema_rs
import pytest

from mock_server.sampling import Unsampleable, sample

SUITE = Path(__file__).parents[3] / "shared" / "referees" / "json-schema-test-suite"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DIALECTS = {
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft4": "http://json-schema.org/draft-04/schema#",
}
FEWEST_SATISFIABLE = {"draft2020-12": 350, "draft7": 250, "draft4": 150}
LONGEST_SECONDS = 5.0

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason=f"the JSON Schema test suite is not at {SUITE}")


@dataclass(frozen=True, slots=True)
class Case:
    """One schema of the suite; ``satisfiable`` when one of its tests is valid, for our validator too."""

    file: str
    description: str
    schema: Any
    satisfiable: bool


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for keyword, value in schema.items():
            if keyword in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def validator(schema: Any) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)


def cases(folder: str) -> Iterator[Case]:
    """The schemas of one draft, in its own dialect, that refer to nothing outside themselves."""
    dialect = DIALECTS[folder]
    for path in sorted((SUITE / folder).rglob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            schema = group["schema"]
            if isinstance(schema, dict):
                schema = {"$schema": dialect, **schema}
                if schema["$schema"] != dialect:
                    continue  # a metaschema or another draft, which would have to be fetched
            if all(reference.startswith("#") for reference in references(schema)):
                accepts = validator(schema).is_valid
                satisfiable = any(test["valid"] and accepts(test["data"]) for test in group["tests"])
                file = path.relative_to(SUITE / folder).as_posix()
                yield Case(file, group["description"], schema, satisfiable)


@pytest.mark.parametrize("folder", DIALECTS)
def test_every_satisfiable_schema_gets_a_valid_sample(folder: str) -> None:
    satisfiable = [case for case in cases(folder) if case.satisfiable]
    failures: list[str] = []
    for case in satisfiable:
        try:
            value = sample(case.schema, seed=1, now=NOW)
        except Unsampleable as error:
            failures.append(f"{case.file}: {case.description}: {error}")
        else:
            if not validator(case.schema).is_valid(value):
                failures.append(f"{case.file}: {case.description}: invalid {value!r}")
    assert failures == []
    assert len(satisfiable) >= FEWEST_SATISFIABLE[folder]


@pytest.mark.parametrize("folder", DIALECTS)
def test_schemas_without_a_known_valid_value_end_in_unsampleable_or_a_valid_value(folder: str) -> None:
    wrong: list[str] = []
    for case in cases(folder):
        if case.satisfiable:
            continue
        started = perf_counter()
        try:
            value = sample(case.schema, seed=1, now=NOW)
        except Unsampleable as error:
            if not error.problem.startswith("no valid sample value"):
                wrong.append(f"{case.file}: {case.description}: {error}")
        else:
            if not validator(case.schema).is_valid(value):
                wrong.append(f"{case.file}: {case.description}: invalid {value!r}")
        if perf_counter() - started > LONGEST_SECONDS:
            wrong.append(f"{case.file}: {case.description}: took too long")
    assert wrong == []

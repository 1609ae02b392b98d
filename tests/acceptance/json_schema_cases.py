"""The cases of the JSON Schema Test Suite, each with what is argued about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mock_server.openapi.values import Json

SUITE = Path(__file__).parents[3] / "shared" / "referees" / "json-schema-test-suite"

METASCHEMAS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}

_REMOTE = "refers to http://localhost:1234, whose documents do not come with the referee; nothing is fetched"

UNREACHABLE: tuple[tuple[str, str, str], ...] = (
    ("*/refRemote.json", "*localhost*", _REMOTE),
    ("draft2020-12/dynamicRef.json", "strict-tree schema, guards against misspelled properties", _REMOTE),
    ("draft2020-12/dynamicRef.json", "tests for implementation dynamic anchor and reference link", _REMOTE),
    (
        "draft2020-12/dynamicRef.json",
        "$ref and $dynamicAnchor are independent of order - $defs first",
        _REMOTE,
    ),
    (
        "draft2020-12/dynamicRef.json",
        "$ref and $dynamicAnchor are independent of order - $ref first",
        _REMOTE,
    ),
    ("draft2020-12/dynamicRef.json", "$ref to $dynamicRef finds detached $dynamicAnchor", _REMOTE),
    ("draft7/optional/cross-draft.json", "refs to future drafts are processed as future drafts", _REMOTE),
    (
        "draft2020-12/optional/cross-draft.json",
        "refs to historic drafts are processed as historic drafts",
        _REMOTE,
    ),
)
"""Cases that cannot be compiled here: file, description or a part of the schema, reason."""

DIFFERENCES: tuple[tuple[str, str, str, str], ...] = (
    (
        "draft2020-12/format.json",
        "*",
        "invalid * string is only an annotation by default",
        "whoever writes `format: email` in an API description means it, so formats are asserted",
    ),
    (
        "draft2020-12/vocabulary.json",
        "schema that uses custom metaschema with with no validation vocabulary",
        "no validation: invalid number, but it still validates",
        "the metaschema is at http://localhost:1234; an unknown one reads as the description's default",
    ),
    (
        "draft4/optional/zeroTerminatedFloats.json",
        "*",
        "a float is not an integer even without fractional part",
        "draft 4 leaves it open; 1.0 is an integer in every later draft and in most JSON libraries",
    ),
    (
        "draft4/optional/format/hostname.json",
        "validation of host names",
        "hostname with consecutive hyphens (RFC1123)",
        "later drafts forbid -- in the third and fourth place (RFC 5891 §4.2.3.1), and so does the validator",
    ),
    (
        "draft7/optional/content.json",
        "*",
        "*invalid *",
        "content is an annotation from 2019-09 on (Validation §8.1), and draft 7 only allows asserting it",
    ),
)
"""Tests whose verdict differs on purpose: file, case, test, reason."""


@dataclass(frozen=True, slots=True)
class Case:
    """One schema of the suite with its tests: description, value, verdict."""

    file: str
    description: str
    schema: Json
    tests: tuple[tuple[str, Json, bool], ...]

    @property
    def stands_alone(self) -> Json:
        """The schema as a file of its own, with the draft of its folder unless it names one."""
        if not isinstance(self.schema, dict) or "$schema" in self.schema:
            return self.schema
        return {"$schema": METASCHEMAS[self.file.partition("/")[0]]} | self.schema

    @property
    def unreachable(self) -> bool:
        """Whether the case needs a document that is not at hand."""
        written = json.dumps(self.schema)
        return any(
            fnmatchcase(self.file, file) and (fnmatchcase(written, case) or self.description == case)
            for file, case, _ in UNREACHABLE
        )

    def differs(self, test: str) -> bool:
        """Whether another verdict than the suite's may be given about one test."""
        return any(
            fnmatchcase(self.file, file) and fnmatchcase(self.description, case) and fnmatchcase(test, name)
            for file, case, name, _ in DIFFERENCES
        )


def files() -> list[str]:
    """Every file of the suite by its path; none when the referee is not beside the repository."""
    return sorted(path.relative_to(SUITE).as_posix() for path in SUITE.glob("*/**/*.json"))


def cases(file: str) -> Iterator[Case]:
    """The cases of one file."""
    for case in json.loads((SUITE / file).read_text(encoding="utf-8")):
        tests = tuple((test["description"], test["data"], test["valid"]) for test in case["tests"])
        yield Case(file, case["description"], case["schema"], tests)

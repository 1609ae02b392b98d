"""JSON Schemas that arrive while the double runs: stored by one operation, they judge what others send.

They are read like the schemas of a description (draft 2020-12 unless ``$schema`` says otherwise, formats asserted,
patterns under a budget) and may refer to nothing outside themselves.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from mock_server.errors import DescriptionError
from mock_server.openapi import jsontext
from mock_server.openapi.dialects import dialect_of
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.schemas import Schema, Schemas
from mock_server.openapi.values import Direction, Json, Violation

_DIALECT = dialect_of({"openapi": "3.1.0"}, file="")


def schema_problem(schema: Json) -> str | None:
    """Why a JSON Schema cannot be used, in a sentence; None when it can."""
    if not isinstance(schema, dict | bool):
        return f"a JSON Schema is an object, true or false, not {jsontext.dumps(schema).decode()[:80]}"
    try:
        _compiled(jsontext.dumps(schema)).compile(Direction.REQUEST)
    except DescriptionError as error:
        parts = [error.problem, *([f"got {error.got!r}"] if error.got is not None else [])]
        parts += [f"allowed: {error.allowed}"] if error.allowed else []
        return "; ".join(parts)
    return None


def violations(schema: Json, value: Json, *, pointer: str = "") -> tuple[Violation, ...]:
    """How a value breaks a stored schema; ``pointer`` is where in the request's body the value stands.

    A ``DescriptionError`` when the schema is broken: ask ``schema_problem`` before one is stored.
    """
    found = _compiled(jsontext.dumps(schema)).violations(value, Direction.REQUEST, where="body")
    return tuple(replace(violation, pointer=pointer + violation.pointer) for violation in found)


@lru_cache(maxsize=256)
def _compiled(text: bytes) -> Schema:
    stored = jsontext.loads(text)
    # A document of its own, so that `#` in its references is the schema itself.
    documents = Documents.from_value(stored if isinstance(stored, dict) else {"allOf": [stored]}, name="the schema")
    root = documents.root
    return Schemas(documents, _DIALECT).at(Located(root, "", documents.value(root)))

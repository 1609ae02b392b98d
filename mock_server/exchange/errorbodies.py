"""Problems in the API's own words: the described error schema filled in, or RFC 9457 problem details."""

from __future__ import annotations

from functools import lru_cache

from mock_server.exchange.errorfacts import Facts, problem_document
from mock_server.exchange.errorplans import ABSENT, error_plan
from mock_server.model.anatomy import anatomy_of
from mock_server.model.annotations import ErrorMapping
from mock_server.openapi.expressions import Context
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json

__all__ = ["PROBLEM_JSON", "Facts", "described_body", "problem_document"]

PROBLEM_JSON = "application/problem+json"


def described_body(facts: Facts, schema: Schema, mapping: ErrorMapping | None) -> Json | None:
    """A body that the described error schema admits and that says what is wrong; None when there is none.

    In this order: the template of an ``x-mock-errors`` annotation, problem details where the schema describes
    those, the schema's members filled in by what they are for, and only its required members.
    """
    if mapping is not None and mapping.body is not None:
        context = Context(bindings={"problem": facts.as_json(), "now": facts.now.isoformat()})
        body = mapping.body.evaluate(context)
        if schema.accepts(body, Direction.RESPONSE):
            return body
    if _describes_problem_details(schema):
        document = problem_document(facts)
        if schema.accepts(document, Direction.RESPONSE):
            return document
    for lean in (False, True):
        body = error_plan(schema, lean=lean)(facts.whole)
        if body is not ABSENT and schema.accepts(body, Direction.RESPONSE):
            return body
    return None


@lru_cache(maxsize=1024)
def _describes_problem_details(schema: Schema) -> bool:
    return {"type", "title"} <= set(anatomy_of(schema).members)

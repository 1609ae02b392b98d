"""A problem is told in whatever shape of error an API describes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mock_server.exchange.errorbodies import Facts, described_body, problem_document
from mock_server.exchange.errorroles import spelled_like
from mock_server.model.annotations import ErrorMapping
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.dialects import dialect_of
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.expressions import ROOTS, template_value
from mock_server.openapi.schemas import Schema, Schemas
from mock_server.openapi.values import Direction, Json, Violation

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
FLAG: Json = {"type": "boolean"}


def thing(*required: str, **members: Json) -> Json:
    return {"type": "object", "required": list(required), "properties": members}


def closed(*required: str, **members: Json) -> Json:
    return thing(*required, **members) | {"additionalProperties": False}


def listing(items: Json) -> Json:
    return {"type": "array", "items": items}


def mapping(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


PRICE = Violation("body", "/items/0/price", "minimum", -1, 0, "must be at least 0, got -1")
NAME = Violation("body", "", "required", {}, ["name"], "'name' is required but missing")
LIMIT = Violation("query", "", "type", "x" * 3000, "integer", "must be an integer", "limit")
DETAIL = "body at /items/0/price: must be at least 0, got -1 (and 2 more)"
INVALID = Problem(Kind.INVALID, DETAIL, (PRICE, NAME, LIMIT), status=422)
NOT_FOUND = Problem(Kind.NOT_FOUND, "pets '9' does not exist", status=404)
UNKNOWN_CALLER = Problem(
    Kind.UNAUTHENTICATED,
    "a bearer credential is missing",
    (Violation("header", "", "security", None, "token", "a bearer credential is missing", "Authorization"),),
    status=401,
)


def facts(problem: Problem, *, code: str | None = None) -> Facts:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return Facts(problem, problem.status or 500, code, problem.detail, "r7", "/pets/9", now, 1)


def compiled(schema: Json) -> Schema:
    document = {"openapi": "3.1.0", "components": {"schemas": {"Error": schema}}}
    documents = Documents.from_value(document)
    schemas = Schemas(documents, dialect_of(document, file=documents.root))
    return schemas.at(Located(documents.root, "/components/schemas/Error", schema))


ENTRY = thing(field=TEXT, message=TEXT)
FIELDS = [
    {"field": "items.0.price", "message": "must be at least 0, got -1"},
    {"field": "name", "message": "'name' is required but missing"},
    {"field": "limit", "message": "must be an integer"},
]
MESSAGES = {
    "items.0.price": ["must be at least 0, got -1"],
    "name": ["'name' is required but missing"],
    "limit": ["must be an integer"],
}
PLACED = thing("loc", "msg", "type", loc=listing({"anyOf": [TEXT, WHOLE]}), msg=TEXT, type=TEXT)
PLACES = [
    {"loc": ["body", "items", "0", "price"], "msg": "must be at least 0, got -1", "type": "minimum"},
    {"loc": ["body", "name"], "msg": "'name' is required but missing", "type": "required"},
    {"loc": ["query", "limit"], "msg": "must be an integer", "type": "type"},
]
MOMENT = {"type": "string", "format": "date-time"}
CODED = {"type": "string", "enum": ["not_found", "invalid_request", "unauthorized", "rate_limited"]}
KINDS = {"type": "string", "enum": ["api_error", "card_error", "invalid_request_error"]}

SHAPES: tuple[tuple[str, Json, Problem, Json], ...] = (
    (
        "nested",
        thing(error=thing("code", code=TEXT, message=TEXT, details=listing(ENTRY), timestamp=MOMENT, request_id=TEXT)),
        INVALID,
        {
            "error": {
                "code": "VALIDATION_ERROR",
                "message": DETAIL,
                "details": FIELDS,
                "timestamp": "2026-01-02T00:00:00Z",
                "request_id": "r7",
            }
        },
    ),
    (
        "numeric code",
        thing("code", code=WHOLE, message=TEXT),
        NOT_FOUND,
        {"code": 404, "message": NOT_FOUND.detail},
    ),
    ("messages by field", thing(errors=mapping(listing(TEXT))), INVALID, {"errors": MESSAGES}),
    (
        "messages by field, nothing to blame",
        thing(errors=mapping(listing(TEXT))),
        NOT_FOUND,
        {"errors": {"request": [NOT_FOUND.detail]}},
    ),
    (
        "message and messages by field",
        thing("message", "errors", message=TEXT, errors=mapping(listing(TEXT))),
        NOT_FOUND,
        {"message": NOT_FOUND.detail, "errors": {}},
    ),
    (
        "one text by field",
        thing(errors=mapping(TEXT)),
        INVALID,
        {"errors": {name: messages[0] for name, messages in MESSAGES.items()}},
    ),
    (
        "OAuth",
        thing("error", error=TEXT, error_description=TEXT, error_uri=TEXT),
        UNKNOWN_CALLER,
        {"error": "invalid_token", "error_description": UNKNOWN_CALLER.detail},
    ),
    ("error is the message", thing("error", error=TEXT), NOT_FOUND, {"error": NOT_FOUND.detail}),
    ("flag", thing(success=FLAG, message=TEXT), NOT_FOUND, {"success": False, "message": NOT_FOUND.detail}),
    (
        "flag called error",
        thing(error=FLAG, message=TEXT),
        NOT_FOUND,
        {"error": True, "message": NOT_FOUND.detail},
    ),
    (
        "JSON:API",
        thing(
            "errors",
            errors=listing(thing(status=TEXT, title=TEXT, source=thing(pointer=TEXT, parameter=TEXT))),
        ),
        INVALID,
        {
            "errors": [
                {"status": "422", "title": "Unprocessable Entity", "source": {"pointer": "/items/0/price"}},
                {"status": "422", "title": "Unprocessable Entity", "source": {"pointer": ""}},
                {"status": "422", "title": "Unprocessable Entity", "source": {"parameter": "limit"}},
            ]
        },
    ),
    (
        "JSON:API, nothing to blame",
        thing("errors", errors=listing(thing(status=TEXT, detail=TEXT))),
        NOT_FOUND,
        {"errors": [{"status": "404", "detail": NOT_FOUND.detail}]},
    ),
    ("places as lists", thing(detail=listing(PLACED)), INVALID, {"detail": PLACES}),
    (
        "places or a text: places",
        thing(detail={"anyOf": [TEXT, listing(PLACED)]}),
        INVALID,
        {"detail": PLACES},
    ),
    (
        "places or a text: the text",
        thing(detail={"anyOf": [TEXT, listing(PLACED)]}),
        NOT_FOUND,
        {"detail": NOT_FOUND.detail},
    ),
    (
        "message and coded fields",
        thing(
            "message",
            message=TEXT,
            documentation_url=TEXT,
            errors=listing(thing("code", field=TEXT, code=TEXT)),
        ),
        INVALID,
        {
            "message": DETAIL,
            "errors": [
                {"field": "items.0.price", "code": "minimum"},
                {"field": "name", "code": "required"},
                {"field": "limit", "code": "type"},
            ],
        },
    ),
    ("listed codes", thing("code", code=CODED), INVALID, {"code": "invalid_request"}),
    (
        "status, error and path",
        thing(timestamp=MOMENT, status=WHOLE, error=TEXT, message=TEXT, path=TEXT),
        NOT_FOUND,
        {
            "timestamp": "2026-01-02T00:00:00Z",
            "status": 404,
            "error": "Not Found",
            "message": NOT_FOUND.detail,
            "path": "/pets/9",
        },
    ),
    (
        "message as text or list",
        thing("statusCode", "message", statusCode=WHOLE, message={"oneOf": [TEXT, listing(TEXT)]}, error=TEXT),
        INVALID,
        {
            "statusCode": 422,
            "message": [f"{entry['field']}: {entry['message']}" for entry in FIELDS],
            "error": "Unprocessable Entity",
        },
    ),
    (
        "status as a word beside a numeric code",
        thing(error=thing(code=WHOLE, message=TEXT, status=TEXT)),
        NOT_FOUND,
        {"error": {"code": 404, "message": NOT_FOUND.detail, "status": "NOT_FOUND"}},
    ),
    (
        "status as success, fail or error",
        thing("status", status={"type": "string", "enum": ["success", "fail", "error"]}, message=TEXT, data={}),
        NOT_FOUND,
        {"status": "fail", "message": NOT_FOUND.detail},
    ),
    (
        "kind, code and parameter",
        thing(error=thing("type", type=KINDS, code=TEXT, message=TEXT, param=TEXT, doc_url=TEXT)),
        INVALID,
        {
            "error": {
                "type": "invalid_request_error",
                "code": "VALIDATION_ERROR",
                "message": DETAIL,
                "param": "items.0.price",
            }
        },
    ),
    (
        "inner error",
        thing(error=thing("code", code=TEXT, message=TEXT, target=TEXT, innererror=thing(code=TEXT))),
        NOT_FOUND,
        {"error": {"code": "NOT_FOUND", "message": NOT_FOUND.detail}},
    ),
    (
        "spelling of the example",
        thing(errorCode={"type": "string", "example": "invalidInput"}, errorMessage=TEXT),
        NOT_FOUND,
        {"errorCode": "notFound", "errorMessage": NOT_FOUND.detail},
    ),
    (
        "a list at the root",
        listing(thing("message", message=TEXT)),
        NOT_FOUND,
        [{"message": NOT_FOUND.detail}],
    ),
    ("a text at the root", TEXT, NOT_FOUND, NOT_FOUND.detail),
    (
        "patterns and lengths",
        thing(
            "code",
            code={"type": "string", "pattern": "^[a-z-]+$"},
            message={"type": "string", "maxLength": 4},
        ),
        NOT_FOUND,
        {"code": "not-found", "message": "pets"},
    ),
    (
        "alternatives that exclude each other",
        {
            "oneOf": [
                closed("kind", "fields", kind={"const": "validation"}, fields=listing(thing(path=TEXT))),
                closed("kind", "message", kind={"const": "other"}, message=TEXT),
            ]
        },
        INVALID,
        {"kind": "validation", "fields": [{"path": "items.0.price"}, {"path": "name"}, {"path": "limit"}]},
    ),
    (
        "closed problem details",
        closed(type=TEXT, title=TEXT, status=WHOLE, detail=TEXT),
        NOT_FOUND,
        {"type": "NOT_FOUND", "title": "Not Found", "status": 404, "detail": NOT_FOUND.detail},
    ),
    (
        "optional payload",
        thing(success=FLAG, data=thing(id=TEXT), error=thing(message=TEXT)),
        NOT_FOUND,
        {"success": False, "error": {"message": NOT_FOUND.detail}},
    ),
)


@pytest.mark.parametrize(("schema", "problem", "body"), [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES])
def test_problem_takes_the_described_shape(schema: Json, problem: Problem, body: Json) -> None:
    assert described_body(facts(problem), compiled(schema), None) == body


@pytest.mark.parametrize("problem", [INVALID, NOT_FOUND, UNKNOWN_CALLER], ids=lambda problem: str(problem.kind))
@pytest.mark.parametrize("schema", [s[1] for s in SHAPES], ids=[s[0] for s in SHAPES])
def test_every_filled_body_is_valid(schema: Json, problem: Problem) -> None:
    known = compiled(schema)
    assert known.accepts(described_body(facts(problem), known, None), Direction.RESPONSE)


def test_required_member_without_a_role_is_made_up() -> None:
    schema = compiled(thing("weight", "message", weight={"type": "integer", "minimum": 5}, message=TEXT))
    body = described_body(facts(NOT_FOUND), schema, None)
    assert body is not None
    assert body["weight"] >= 5


def test_members_that_exclude_each_other_are_left_out() -> None:
    schema = compiled(thing("message", message=TEXT, code=TEXT) | {"maxProperties": 1})
    assert described_body(facts(NOT_FOUND), schema, None) == {"message": NOT_FOUND.detail}


def test_schema_that_no_error_fits_gives_none() -> None:
    assert (
        described_body(facts(NOT_FOUND), compiled(thing(id=WHOLE) | {"required": ["colour"], "maxProperties": 0}), None)
        is None
    )


def test_code_of_an_annotation_is_shown() -> None:
    body = described_body(facts(NOT_FOUND, code="PET_GONE"), compiled(thing(code=TEXT, message=TEXT)), None)
    assert body == {"code": "PET_GONE", "message": NOT_FOUND.detail}


def test_template_of_an_annotation_comes_first() -> None:
    template = template_value({"oops": "$problem#/detail"}, roots=ROOTS | {"problem"})
    mapped = ErrorMapping(None, None, None, template)
    body = described_body(facts(NOT_FOUND), compiled(thing(oops=TEXT, message=TEXT)), mapped)
    assert body == {"oops": NOT_FOUND.detail}


def test_described_problem_details_carry_every_violation() -> None:
    uri = {"type": "string", "format": "uri"}
    body = described_body(facts(INVALID), compiled(thing(type=uri, title=TEXT, status=WHOLE)), None)
    assert body == problem_document(facts(INVALID))


def test_problem_document_is_that_of_rfc_9457() -> None:
    document = problem_document(facts(INVALID))
    assert {name: document[name] for name in ("type", "title", "status", "detail", "instance")} == {
        "type": "urn:apidouble:problem:invalid",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": DETAIL,
        "instance": "/pets/9",
    }
    assert document["errors"][0] == {
        "in": "body",
        "pointer": "/items/0/price",
        "keyword": "minimum",
        "got": -1,
        "expected": 0,
        "message": "must be at least 0, got -1",
    }


def test_long_received_values_are_cut_short() -> None:
    got = problem_document(facts(INVALID))["errors"][2]["got"]
    assert got.endswith("… (3000 characters)")
    assert len(got) < 250


@pytest.mark.parametrize(
    ("example", "code"),
    [
        ("INVALID_TOKEN", "NOT_FOUND"),
        ("invalid_token", "not_found"),
        ("invalid-token", "not-found"),
        ("InvalidToken", "NotFound"),
        ("invalidToken", "notFound"),
        ("Invalid Token", "Not Found"),
        ("invalid", "not_found"),
    ],
)
def test_codes_are_spelled_like_the_example(example: str, code: str) -> None:
    assert spelled_like(example, "NOT_FOUND") == code

"""What public and odd descriptions brought to light, each on the smallest description that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.judge import Judge
from mock_server.errors import DescriptionError
from mock_server.openapi import source
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler
from tests.acceptance.lines import NOW, Served, served

JSON = {"Content-Type": "application/json"}


def described(paths: Json, *, version: str = "3.1.0", **more: Json) -> Json:
    return {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": paths, **more}


def answers(schema: Json, *, media_type: str = "application/json", **more: Json) -> Json:
    return {"responses": {"200": {"description": "", "content": {media_type: {"schema": schema}}}}, **more}


def double(paths: Json, **more: Any) -> Served:
    return served(described(paths, **more))


def header(made: Served, target: str, name: str, **headers: str) -> str:
    return dict(made.send("GET", target, headers=headers).headers)[name]


# Media types


@pytest.mark.parametrize(
    ("described_type", "schema", "sent"),
    [
        ("*/*", {"type": "object"}, "application/json"),
        ("application/*", {"type": "array"}, "application/json"),
        ("*/*", {"type": "string"}, "application/octet-stream"),
        ("image/*", {"type": "string"}, "image/png"),
        ("audio/*", {"type": "string"}, "audio/mpeg"),
        ("text/*", {"type": "string"}, "text/plain"),
    ],
)
def test_range_of_types_is_answered_with_a_type_inside_it(described_type: str, schema: Json, sent: str) -> None:
    made = double({"/a": {"get": answers(schema, media_type=described_type)}})
    assert header(made, "/a", "Content-Type") == sent


def test_text_of_any_type_is_json_where_json_was_asked_for() -> None:
    made = double({"/a": {"get": answers({"const": "hello"}, media_type="*/*")}})
    answer = made.send("GET", "/a", headers={"Accept": "application/json"})
    assert (dict(answer.headers)["Content-Type"], answer.body) == ("application/json", b'"hello"')


def test_type_of_its_own_wins_over_a_range() -> None:
    content = {"*/*": {"schema": {"const": 1}}, "application/json": {"schema": {"const": 2}}}
    made = double({"/a": {"get": {"responses": {"200": {"description": "", "content": content}}}}})
    assert made.send("GET", "/a", headers={"Accept": "application/json, */*;q=0.5"}).body == b"2"


def test_every_described_type_is_answered_by_its_own_schema() -> None:
    content = {"application/json": {"schema": {"const": [1]}}, "text/csv": {"schema": {"const": "a,b"}}}
    made = double({"/a": {"get": {"responses": {"200": {"description": "", "content": content}}}}})
    assert made.send("GET", "/a", headers={"Accept": "text/csv"}).body == b"a,b"
    assert made.send("GET", "/a", headers={"Accept": "application/json"}).body == b"[1]"


def test_misspelled_type_is_taken_as_it_is_spelled() -> None:
    odd = "text/plain; utf-8"
    body = {"required": True, "content": {odd: {"schema": {"type": "string"}}}}
    made = double({"/a": {"post": answers({"const": "x"}, media_type="json", requestBody=body)}})
    answer = made.send("POST", "/a", headers={"Content-Type": odd}, body=b"text")
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (200, "json")


def test_error_without_a_schema_has_the_described_json_type() -> None:
    refused = {"description": "", "content": {"application/json": {"example": {}}}}
    made = double({"/a": {"get": {"parameters": [{"name": "q", "in": "query", "required": True, "schema": {}}],
                                  "responses": {"204": {"description": ""}, "400": refused}}}})  # fmt: skip
    answer = made.send("GET", "/a")
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (400, "application/json")
    assert orjson.loads(answer.body)["status"] == 400


def test_text_of_a_stream_is_not_taken_apart() -> None:
    for media_type, body in (("application/x-ndjson", b"text"), ("text/event-stream", b'data: "text"\n\n')):
        made = double({"/a": {"get": answers({"const": "text"}, media_type=media_type)}})
        assert made.send("GET", "/a").body == body


def test_item_schema_describes_what_a_stream_holds() -> None:
    content = {"application/jsonl": {"itemSchema": {"const": {"n": 1}}}}
    made = double({"/a": {"get": {"responses": {"200": {"description": "", "content": content}}}}}, version="3.2.0")
    lines = made.send("GET", "/a").body.splitlines()
    assert lines
    assert set(lines) == {b'{"n":1}'}


def test_schema_of_null_says_nothing() -> None:
    made = double({"/a": {"get": answers(None)}})
    assert made.send("GET", "/a").status == 200


# What operations mean


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": "integer"}, {"type": "array", "items": {}}])
def test_body_that_is_no_object_is_no_patch(schema: Json) -> None:
    body = {"content": {"application/json": {"schema": schema}}}
    made = double({"/settings": {"get": answers({"type": "object"}), "patch": answers({}, requestBody=body)}})
    sample = {"string": b'"a"', "integer": b"1", "array": b"[]"}[schema["type"]]
    assert made.send("PATCH", "/settings", headers=JSON, body=sample).status == 200


def test_class_of_refusals_does_not_ask_for_preconditions() -> None:
    item = {"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}}
    parameters = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    body = {"content": {"application/json": {"schema": item}}}
    refused = {"4XX": {"description": ""}}
    put = answers(item, requestBody=body, parameters=parameters)
    put["responses"] |= refused
    made = double({"/items/{id}": {"get": answers(item, parameters=parameters), "put": put}})
    assert made.send("PUT", "/items/a", headers=JSON, body=b'{"n":1}').status == 200


def test_new_key_is_spelled_as_the_path_wants_it() -> None:
    item = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "readOnly": True}}}
    key = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{24}$"}}
    create = {
        "requestBody": {"content": {"application/json": {"schema": item}}},
        "responses": {"201": {"description": "", "content": {"application/json": {"schema": item}}}},
    }
    made = double({"/items": {"post": create}, "/items/{id}": {"get": answers(item, parameters=[key])}})
    created = orjson.loads(made.send("POST", "/items", headers=JSON, body=b"{}").body)["id"]
    assert made.send("GET", f"/items/{created}").status == 200


def test_class_of_redirects_is_a_success_where_nothing_else_is() -> None:
    made = double({"/a": {"get": {"responses": {"3XX": {"description": ""}}}}})
    assert made.send("GET", "/a").status == 302


def test_made_up_operation_ids_have_no_braces() -> None:
    get = {"get": {"responses": {"204": {"description": ""}}}}
    documents = Documents.from_value(described({"/users/{user_id}": get, "/x/{a}{b}/{c.d}": get}))
    assert list(Api(documents, name="t").refs) == ["getUsersByUserId", "getXByAbByCD"]


# Values

PAIR = {"type": "object", "required": ["a", "b"], "properties": {"a": {"const": 1}, "b": {"const": 2}},
        "additionalProperties": False}  # fmt: skip


def test_one_of_with_open_branches_is_kept_to_one() -> None:
    schema = {
        "oneOf": [
            {"type": "object", "properties": {"a": {"type": "object"}}},
            {"type": "object", "properties": {"b": {"type": "object"}}},
            {"type": "object", "properties": {"c": {"type": "integer"}}},
        ]
    }
    made = double({"/a": {"get": answers(schema)}})
    answer = made.send("GET", "/a")
    assert answer.status == 200
    assert (
        Judge(described({"/a": {"get": answers(schema)}})).response("GET", "/a", 200, answer.headers, answer.body).valid
    )
    assert Sampler(schema).sample(seed=1, now=NOW)


def test_exploded_object_in_a_required_header_is_written_so() -> None:
    told = {"required": True, "explode": True, "schema": PAIR}
    operation = {"responses": {"200": {"description": "", "headers": {"X-Pair": told}}}}
    assert header(double({"/a": {"get": operation}}), "/a", "X-Pair") == "a=1,b=2"


def test_wide_integers_of_yaml_are_read_as_json_reads_them() -> None:
    text = b"{minimum: -9223372036854776000, maximum: 18446744073709552000}"
    as_json = b'{"minimum": -9223372036854776000, "maximum": 18446744073709552000}'
    assert source.parse(text, name="a.yaml") == source.parse(as_json, name="a.json")


# What is no description


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"info": "t"}, "'info' of a description is a mapping"),
        ({"servers": {"url": "/"}}, "'servers' of a description is a list of mappings"),
        ({"components": []}, "'components' of a description is a mapping"),
        ({"components": {"securitySchemes": {"k": "apiKey"}}}, "a security scheme is a mapping"),
        ({"paths": {"/a": {"get": {"responses": ["200"]}}}}, "'responses' of an operation is a mapping"),
        ({"paths": {"/a": {"get": {"responses": {"200": "ok"}}}}}, "a response is a mapping"),
        ({"paths": {"/a": {"get": {"responses": {"200": {"content": "json"}}}}}}, "'content' of a response is"),
        ({"paths": {"/a": {"get": {"responses": {"200": {"content": {"a/b": "x"}}}}}}}, "a media type is a mapping"),
        ({"paths": {"/a": {"get": {"responses": {"200": {"headers": {"X": 1}}}}}}}, "a header is a mapping"),
        ({"paths": {"/a": {"get": {"parameters": {"name": "q"}}}}}, "'parameters' of an operation is a list"),
        ({"paths": {"/a": {"get": {"security": "none"}}}}, "'security' of an operation is a list of mappings"),
        ({"paths": {"/a": {"get": {"requestBody": []}}}}, "a request body is a mapping"),
        ({"paths": {"/a": {"get": answers({"properties": []})}}}, "the schema keyword 'properties' cannot be used"),
        ({"paths": {"/a": {"get": answers({"required": [["a"]]})}}}, "the schema keyword 'required' cannot be used"),
    ],
    ids=str,
)  # fmt: skip
def test_part_of_the_wrong_shape_is_refused_by_name(broken: Json, told: str) -> None:
    with pytest.raises(DescriptionError, match=told) as caught:
        _compile({**described({}), **broken})
    assert caught.value.place is not None


def _compile(description: Json) -> None:
    made = served(description)
    made.line.compile()
    for operation in made.line.api.operations():
        for response in operation.responses.values():
            for media in response.content:
                assert media.schema is not None
                media.schema.bundle(Direction.RESPONSE)


# The judge


def test_judge_does_not_ask_where_a_message_came_from() -> None:
    item = {"servers": [{"url": "/elsewhere"}], "get": {**answers({"const": 1}), "servers": [{"url": "/v9"}]}}
    verdict = Judge(described({"/a": item})).response("GET", "/a", 200, [("Content-Type", "application/json")], b"1")
    assert verdict.valid, verdict.reasons


def test_judge_knows_times_with_their_offset() -> None:
    judge = Judge(described({"/a": {"get": answers({"type": "string", "format": "time"})}}))
    headers = [("Content-Type", "application/json")]
    assert judge.response("GET", "/a", 200, headers, b'"18:26:05Z"').valid
    assert not judge.response("GET", "/a", 200, headers, b'"soon"').valid


def test_catalogue_names_no_host() -> None:
    text = (Path(__file__).parent / "catalogue.yaml").read_text()
    assert "://" not in text

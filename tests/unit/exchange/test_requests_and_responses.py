"""Statuses and headers of the protocol, each as its RFC has it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mock_server.exchange.faults import Fault
from mock_server.exchange.rendering import header_text
from mock_server.openapi.values import Json
from tests.acceptance.lines import Served, served
from tests.acceptance.rich_description import RICH

JSON = {"Content-Type": "application/json"}
THING = b'{"id":"a","name":"b"}'


def one(operation: Json, *, method: str = "get") -> Served:
    """A line that serves one operation at /x."""
    described = {"operationId": "x", "responses": {"204": {"description": ""}}} | operation
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {method: described}},
    }
    return served(document)


def answering(content: Json, **more: Json) -> Served:
    return one({"responses": {"200": {"description": "", "content": content, **more}}})


def errors(body: bytes) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = orjson.loads(body)["errors"]
    return listed


@pytest.fixture(scope="module")
def double() -> Served:
    return served(RICH)


def test_method_not_allowed_lists_the_allowed_ones(double: Served) -> None:
    answer = double.send("PUT", "/things")
    assert (answer.status, dict(answer.headers)["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


def test_unsupported_media_type_lists_the_supported_ones(double: Served) -> None:
    answer = double.send("POST", "/text", headers={"Content-Type": "image/png"}, body=b"x")
    assert (answer.status, dict(answer.headers)["Accept"]) == (415, "text/plain, application/octet-stream")


def test_compressed_body_is_refused_with_the_codings_that_are_taken(double: Served) -> None:
    answer = double.send("POST", "/things", headers=JSON | {"Content-Encoding": "br"}, body=b"x")
    assert (answer.status, dict(answer.headers)["Accept-Encoding"]) == (415, "identity")


def test_identity_coding_is_taken(double: Served) -> None:
    headers = JSON | {"Content-Encoding": "Identity"}
    assert double.send("POST", "/anything", headers=headers, body=b"0").status == 204


def test_unreadable_body_is_told_together_with_wrong_parameters() -> None:
    body = {"required": True, "content": {"application/json": {"schema": {}}}}
    needed = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    double = one({"requestBody": body, "parameters": [needed]}, method="post")
    answer = double.send("POST", "/x", headers=JSON, body=b"{")
    assert [(error["in"], error["keyword"]) for error in errors(answer.body)] == [
        ("body", "json"),
        ("query", "required"),
    ]


def test_every_place_of_a_request_is_told_in_one_answer() -> None:
    number = {"type": "integer"}
    places = ("query", "header", "cookie")
    double = one({"parameters": [{"name": f"{place}-n", "in": place, "schema": number} for place in places]})
    headers = {"header-n": "x", "Cookie": "cookie-n=x"}
    answer = double.send("GET", "/x?query-n=x", headers=headers)
    assert [(error["in"], error["name"]) for error in errors(answer.body)] == [(p, f"{p}-n") for p in places]


def test_body_without_content_type_is_read_as_the_first_described(double: Served) -> None:
    assert double.send("POST", "/anything", body=b"[1]").status == 204


def test_acceptable_type_of_highest_quality_is_sent() -> None:
    double = answering({"application/json": {"example": {"a": 1}}, "text/plain": {"example": {"a": 1}}})
    answer = double.send("GET", "/x", headers={"Accept": "application/json;q=0.4, text/*;q=0.6"})
    assert dict(answer.headers)["Content-Type"].startswith("text/plain")


def test_choice_among_types_varies_by_accept() -> None:
    double = answering({"application/json": {"example": 1}, "text/plain": {"example": 1}})
    assert dict(double.send("GET", "/x").headers)["Vary"] == "Accept"
    single = answering({"application/json": {"example": 1}})
    assert "Vary" not in dict(single.send("GET", "/x").headers)


def test_nothing_acceptable_is_406() -> None:
    double = answering({"application/json": {"example": 1}})
    assert double.send("GET", "/x", headers={"Accept": "image/png"}).status == 406


def test_required_response_header_is_made_up() -> None:
    header = {"X-Rate": {"required": True, "schema": {"type": "integer", "minimum": 7, "maximum": 7}}}
    double = answering({"application/json": {"example": 1}}, headers=header)
    assert dict(double.send("GET", "/x").headers)["X-Rate"] == "7"


def test_answer_that_breaks_its_description_does_not_leave() -> None:
    content = {"application/json": {"schema": {"type": "integer"}, "examples": {"bad": {"value": "text"}}}}
    answer = answering(content).send("GET", "/x", headers={"Prefer": "example=bad"})
    assert (answer.status, errors(answer.body)[0]["in"]) == (500, "response-body")


def test_preferred_status_is_answered_and_named() -> None:
    double = one({"responses": {"204": {"description": ""}, "418": {"description": "short"}}})
    answer = double.send("GET", "/x", headers={"Prefer": "code=418"})
    assert (answer.status, dict(answer.headers)["Preference-Applied"]) == (418, "code=418")


def test_preferred_example_of_another_media_type_is_found() -> None:
    double = answering({"text/plain": {"examples": {"hello": {"value": "hi"}}}})
    assert double.send("GET", "/x", headers={"Prefer": "example=hello"}).body == b"hi"


def test_misspelled_example_is_corrected() -> None:
    double = answering({"application/json": {"examples": {"happy": {"value": 1}}}})
    answer = double.send("GET", "/x", headers={"Prefer": "example=hapy"})
    assert (answer.status, "did you mean 'happy'?" in orjson.loads(answer.body)["detail"]) == (404, True)


def test_explanation_wraps_the_answer() -> None:
    double = answering({"application/json": {"example": {"a": 1}}})
    explained = orjson.loads(double.send("GET", "/x", headers={"Prefer": "explain"}).body)
    assert explained["response"]["body"] == {"a": 1}
    assert explained["explanation"]["operation_id"] == "x"


def test_explained_answer_without_content_has_one(double: Served) -> None:
    answer = double.send("POST", "/anything", headers=JSON | {"Prefer": "explain"}, body=b"1")
    assert (answer.status, orjson.loads(answer.body)["response"]["status"]) == (200, 204)


def test_fault_strikes_as_often_as_it_was_told_to() -> None:
    double = one({})
    double.universe.faults.append(Fault("x", status=503, count=1))
    assert [double.send("GET", "/x").status for _ in range(2)] == [503, 204]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
        (["a", 1], "a,1"),
        ({"a": 1, "b": False}, "a,1,b,false"),
        ("a\r\nX-Injected: 1\x7f", "aX-Injected: 1"),
    ],
)
def test_header_text_is_simple_style_without_controls(value: Json, text: str) -> None:
    assert header_text(value) == text

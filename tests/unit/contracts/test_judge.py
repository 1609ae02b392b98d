"""The judge knows good messages from bad ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts.judge import Judge
from mock_server.errors import DescriptionError
from mock_server.openapi.values import Json

JSON = {"Content-Type": "application/json"}
PET: Json = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}},
}


def description(version: str = "3.1.0") -> dict[str, Json]:
    body = {
        "required": True,
        "content": {"application/json": {"schema": PET}, "application/pet+json": {"schema": PET}},
    }
    headers = {"X-Count": {"required": True, "schema": {"type": "integer"}}}
    answer = {"description": "", "content": {"application/json": {"schema": PET}}, "headers": headers}
    limit = {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 9}}
    secured = {
        "operationId": "add",
        "requestBody": body,
        "responses": {"201": answer},
        "security": [{"token": []}],
    }
    return {
        "openapi": version,
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://pets.test/{stage}", "variables": {"stage": {"default": "v1"}}}],
        "paths": {
            "/pets": {
                "get": {
                    "operationId": "list",
                    "parameters": [limit],
                    "responses": {"204": {"description": ""}},
                },
                "post": secured,
            },
            "/any": {
                "post": {
                    "operationId": "any",
                    "requestBody": {"content": {"application/json": {"schema": True}}},
                    "responses": {"204": {"description": ""}},
                }
            },
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


BEARER = JSON | {"Authorization": "Bearer x"}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
@pytest.mark.parametrize(
    ("method", "url", "headers", "body"),
    [
        ("GET", "/pets?limit=9", {}, b""),
        ("GET", "https://elsewhere.test/v1/pets?limit=9", {}, b""),
        ("POST", "/pets", BEARER, b'{"name":"Rex"}'),
        ("POST", "/pets", BEARER | {"Content-Type": "application/pet+json"}, b'{"name":"Rex","age":3}'),
        ("POST", "/any", JSON, b"[null]"),
    ],
)
def test_good_request_is_valid(version: str, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
    verdict = Judge(description(version)).request(method, url, headers, body)
    assert (verdict.valid, verdict.reasons) == (True, ())


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "reason"),
    [
        ("GET", "/pets", {}, b"", "limit"),
        ("GET", "/pets?limit=10", {}, b"", "maximum of 9"),
        ("GET", "/pets?limit=x", {}, b"", "invalid literal"),
        ("GET", "/cats", {}, b"", "Path not found"),
        ("PUT", "/pets", {}, b"", "Operation put not found"),
        ("POST", "/pets", JSON, b'{"name":"Rex"}', "Security not found"),
        ("POST", "/pets", BEARER, b'{"name":""}', "/name"),
        ("POST", "/pets", BEARER, b'{"name":"Rex","age":"old"}', "/age"),
        ("POST", "/pets", BEARER, b"{", "Failed to deserialize"),
        ("POST", "/pets", BEARER, b"", "Missing required request body"),
        ("POST", "/pets", BEARER | {"Content-Type": "text/plain"}, b"x", "mimetype not found"),
    ],
)
def test_bad_request_is_not_and_the_reason_is_named(
    version: str, method: str, url: str, headers: dict[str, str], body: bytes, reason: str
) -> None:
    verdict = Judge(description(version)).request(method, url, headers, body)
    assert not verdict.valid
    assert reason in " ".join(verdict.reasons)


def judged(status: int, headers: list[tuple[str, str]], body: bytes) -> tuple[bool, str]:
    verdict = Judge(description()).response("POST", "/pets", status, headers, body)
    return verdict.valid, " ".join(verdict.reasons)


def test_good_response_is_valid() -> None:
    headers = [("Content-Type", "application/json"), ("X-Count", "1")]
    assert judged(201, headers, b'{"name":"Rex"}') == (True, "")


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (
            200,
            [("Content-Type", "application/json"), ("X-Count", "1")],
            b'{"name":"Rex"}',
            "Unknown response http status",
        ),
        (201, [("Content-Type", "text/plain"), ("X-Count", "1")], b"Rex", "mimetype not found"),
        (201, [("Content-Type", "application/json")], b'{"name":"Rex"}', "X-Count"),
        (
            201,
            [("Content-Type", "application/json"), ("X-Count", "many")],
            b'{"name":"Rex"}',
            "invalid literal",
        ),
        (
            201,
            [("Content-Type", "application/json"), ("X-Count", "1")],
            b'{"age":1}',
            "'name' is a required property",
        ),
    ],
)
def test_bad_response_is_not(status: int, headers: list[tuple[str, str]], body: bytes, reason: str) -> None:
    valid, reasons = judged(status, headers, body)
    assert not valid
    assert reason in reasons


@pytest.mark.parametrize(
    ("form", "text", "valid"),
    [
        ("iri", "https://example.com/\u00e4?\u00f6#\u00fc", True),
        ("iri", "\u00e4/b", False),
        ("iri", "https://example.com/a b", False),
        ("iri-reference", "\u00e4/b", True),
        ("iri-reference", "a b", False),
        ("uri", "https://example.com/\u00e4", False),
    ],
)
def test_international_addresses_are_judged(form: str, text: str, *, valid: bool) -> None:
    document = description()
    schema = {"type": "string", "format": form}
    document["paths"]["/any"]["post"]["requestBody"]["content"]["application/json"]["schema"] = schema
    assert Judge(document).request("POST", "/any", JSON, json.dumps(text).encode()).valid is valid


def test_description_is_read_with_the_files_it_refers_to(tmp_path: Path) -> None:
    (tmp_path / "pet.json").write_text(json.dumps(PET))
    document = description()
    document["paths"]["/any"]["post"]["requestBody"]["content"]["application/json"]["schema"] = {"$ref": "pet.json"}
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    judge = Judge(tmp_path / "openapi.json")
    assert judge.request("POST", "/any", JSON, b'{"name":"Rex"}').valid
    assert not judge.request("POST", "/any", JSON, b"{}").valid


@pytest.mark.parametrize("document", [{"swagger": "2.0"}, {"openapi": "4.0.0"}, {}])
def test_unknown_version_is_refused(document: dict[str, str]) -> None:
    with pytest.raises(DescriptionError, match="the judge does not know this version"):
        Judge(document)

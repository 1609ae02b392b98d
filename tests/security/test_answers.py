"""What a client sends: bombs are refused in time, and nothing of a request becomes a header, a file or code."""

from __future__ import annotations

import bz2
import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mock_server import ApidoubleError, MockServer, Options, compile_api, create_app
from mock_server.openapi.values import Json
from tests.security.conftest import SECONDS, Got, asked

_KINDS = ("application/json", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data")
_ITEM = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "n": {"type": "integer"}},
}


def _answer(schema: Json, **more: Json) -> Json:
    return {"description": "Ok.", "content": {"application/json": {"schema": schema}}, **more}


def described() -> Json:
    """An API that takes bodies of every kind and tells of its requests in headers."""
    body = {"content": {kind: {"schema": _ITEM} for kind in _KINDS}}
    listed = {"type": "array", "items": _ITEM}
    page = [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in ("page", "limit")]
    told = {"Set-Cookie": {"schema": {"type": "string"}}, "Link": {"schema": {"type": "string"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {
            "/things": {
                "get": {"operationId": "list", "parameters": page, "responses": {"200": _answer(listed, headers=told)}},
                "post": {"operationId": "create", "requestBody": body, "responses": {"201": _answer(_ITEM)}},
            },
            "/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "get": {"operationId": "read", "responses": {"200": _answer(_ITEM)}},
                "put": {"operationId": "put", "requestBody": body,
                        "responses": {"200": _answer(_ITEM), "201": _answer(_ITEM)}},
            },
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def things() -> Iterator[MockServer]:
    with MockServer(compile_api(described(), name="things"), options=Options(max_body=2_000_000)) as server:
        yield server


# Bombs

_LAUGHS = "<!DOCTYPE l [" + '<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
) + "]><thing><name>&a11;</name></thing>"  # fmt: skip
_OUTSIDE = '<!DOCTYPE t [<!ENTITY e SYSTEM "file:///etc/hostname">]><thing><name>&e;</name></thing>'
_PARAMETER = '<!DOCTYPE t [<!ENTITY % e SYSTEM "http://127.0.0.1:9/x.dtd"> %e;]><thing><name>x</name></thing>'
_ZEROS = bytes(20_000_000)

BOMBS: dict[str, tuple[dict[str, str], bytes]] = {
    "laughs": ({"Content-Type": "application/xml"}, _LAUGHS.encode()),
    "file": ({"Content-Type": "application/xml"}, _OUTSIDE.encode()),
    "host": ({"Content-Type": "application/xml"}, _PARAMETER.encode()),
    "quadratic": ({"Content-Type": "application/xml"},
                  f'<!DOCTYPE t [<!ENTITY e "{"x" * 50_000}">]><t>{"&e;" * 10_000}</t>'.encode()),
    "deep xml": ({"Content-Type": "application/xml"}, b"<a>" * 100_000),
    "deep": ({"Content-Type": "application/json"}, b"[" * 1_000_000),
    "deep objects": ({"Content-Type": "application/json"}, b'{"a":' * 200_000),
    "number": ({"Content-Type": "application/json"}, b'{"n": ' + b"9" * 500_000 + b"}"),
    "exponent": ({"Content-Type": "application/json"}, b'{"n": 1e999999999}'),
    "gzip": ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, gzip.compress(_ZEROS)),
    "deflate": ({"Content-Type": "application/json", "Content-Encoding": "deflate"}, zlib.compress(_ZEROS)),
    "bzip2": ({"Content-Type": "application/json", "Content-Encoding": "bzip2"}, bz2.compress(_ZEROS)),
    "brackets": ({"Content-Type": "application/x-www-form-urlencoded"}, b"a" + b"[a]" * 100_000 + b"=1"),
    "parts": ({"Content-Type": "multipart/form-data; boundary=b"},
              b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 20_000 + b"--b--\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_in_time(things: MockServer, name: str) -> None:
    headers, body = BOMBS[name]
    began = time.process_time()
    got = asked(things.url, "POST", "/things", headers=headers, body=body)
    assert 400 <= got.status < 500
    assert time.process_time() - began < 3
    assert _hostname() not in got.body
    assert asked(things.url, "GET", "/things").status == 200


def _hostname() -> bytes:
    try:
        return Path("/etc/hostname").read_bytes().strip() or b"\x00"
    except OSError:
        return b"\x00"


# Headers

_BREAKS = ["a\r\nX-Injected: 1", "a\nX-Injected: 1", "a\r\n\r\n<script>", "a\x00b", "a\x0bX-Injected: 1",
           "\u560d\u560aX-Injected: 1", "a\x85X-Injected: 1", "a\u2028X-Injected: 1"]  # fmt: skip


def _is_whole(got: Got) -> None:
    names = {name.lower() for name, _ in got.headers}
    assert "x-injected" not in names
    assert not {mark for name, value in got.headers for mark in name + value} & {"\r", "\n", "\x00"}


@pytest.mark.parametrize("text", _BREAKS)
def test_value_of_a_body_that_becomes_a_location_stays_one(things: MockServer, text: str) -> None:
    body = json.dumps({"id": text, "name": text}).encode()
    got = asked(things.url, "POST", "/things", headers={"Content-Type": "application/json"}, body=body)
    assert got.status in {201, 409}
    assert got.header("Location") is not None
    _is_whole(got)


@pytest.mark.parametrize("text", _BREAKS)
@pytest.mark.parametrize("path", [
    "/things?page={0}", "/things?limit=1&page=1&x={0}", "/things/{0}", "/{0}", "/__session__/{0}/things",
    "/__mock__/{0}",
])  # fmt: skip
def test_url_is_in_no_header_as_more_than_a_value(things: MockServer, path: str, text: str) -> None:
    encoded = quote(text, safe="")
    _is_whole(asked(things.url, "GET", path.format(encoded), headers={"Origin": "https://a.example"}))


@pytest.mark.parametrize(("name", "value"), [
    ("Origin", "https://a.example\x85X-Injected: 1"), ("Origin", "\xff" * 100), ("Mock-Session", "\x85\xff"),
    ("Access-Control-Request-Headers", "a\x85"), ("Prefer", 'example="\xff\x85"'), ("Accept", "a/b\x85\xff"),
    ("Idempotency-Key", "\x85\xff"), ("If-Match", '"\x85"'),
])  # fmt: skip
def test_header_is_repeated_in_no_header_as_more_than_a_value(things: MockServer, name: str, value: str) -> None:
    lines = ["OPTIONS /things HTTP/1.1", "Host: localhost", "Connection: close", "Access-Control-Request-Method: PUT"]
    lines += [f"{name}: {value}", *(["Origin: x"] if name != "Origin" else []), "", ""]
    with socket.create_connection(("127.0.0.1", things.port), SECONDS) as wire:
        wire.sendall("\r\n".join(lines).encode("latin-1"))
        got = b"".join(iter(lambda: wire.recv(65536), b""))
    head = got.partition(b"\r\n\r\n")[0]
    assert b"\r\nx-injected" not in head.lower()
    assert head.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4"))


def test_host_header_reaches_links_as_a_host_and_no_header_of_its_own(things: MockServer) -> None:
    body = b'{"id": "h1", "name": "x"}'
    sent = {"Content-Type": "application/json", "Host": "a.example/'\"<x>"}
    got = asked(things.url, "POST", "/things", headers=sent, body=body)
    _is_whole(got)
    assert got.status in {201, 400}


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "1\r\nX-Injected: 1"), ("X-A\r\nX-B", "1"), ("X A", "1"), ("", "1")]
)
def test_headers_of_a_fault_are_refused_unless_they_are_headers(things: MockServer, name: str, value: str) -> None:
    body = json.dumps({"status": 503, "count": 1, "body": "x", "headers": {name: value}}).encode()
    assert asked(things.url, "POST", "/__mock__/faults", body=body).status == 422
    assert asked(things.url, "GET", "/things").status == 200


def test_answers_of_a_double_can_be_read_by_every_page_and_those_of_its_control_by_none(things: MockServer) -> None:
    origin = {"Origin": "https://a.example"}
    assert asked(things.url, "GET", "/things", headers=origin).header("Access-Control-Allow-Origin") == origin["Origin"]
    assert asked(things.url, "GET", "/__mock__/apis", headers=origin).header("Access-Control-Allow-Origin") is None


# What a page would run


def test_index_is_data_whatever_the_host_header_says() -> None:
    client = create_app(compile_api(described(), name="one"), compile_api(described(), name="two")).test_client()
    got = client.get("/", headers={"Host": "<script>alert(1)</script>"})
    assert got.mimetype in {"application/json", "application/problem+json"}
    nothing = client.get("/<script>alert(1)</script>")
    assert nothing.mimetype == "application/problem+json"


# Code


@pytest.mark.parametrize("text", [
    "{{7*7}}", "${7*7}", "{$request.body#/name}", "__import__('os').system('id')", "!!python/name:os.system", "$(id)",
    "`id`", "%s%n", "{0.__class__.__mro__}", "'; DROP TABLE things; --",
])  # fmt: skip
def test_text_of_a_client_stays_a_text(things: MockServer, text: str) -> None:
    body = json.dumps({"name": text}).encode()
    made = asked(things.url, "POST", "/things", headers={"Content-Type": "application/json"}, body=body)
    key = json.loads(made.body)["id"]
    assert json.loads(asked(things.url, "GET", f"/things/{key}").body)["name"] == text


_TAGS = ["!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system", "!ruby/x a", "!!binary aGk="]


@pytest.mark.parametrize("tag", _TAGS)
@pytest.mark.parametrize("kind", ["description", "overlay", "seed", "exchange", "workflow"])
def test_tag_in_a_file_is_refused(kind: str, tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    description = tmp_path / "api.json"
    description.write_text(json.dumps(described()))
    odd = tmp_path / "odd.yaml"
    odd.write_text(f"x-thing: {tag}\n")
    with pytest.raises(ApidoubleError, match="tag"):
        _read(kind, odd, description)
    assert not (tmp_path / "pwned").exists()


def _read(kind: str, odd: Path, description: Path) -> Any:
    from contracts import arazzo, exchanges

    match kind:
        case "description":
            return create_app(odd)
        case "overlay":
            return create_app(description, overlays=[odd])
        case "seed":
            return create_app(description, seed=odd)
        case "exchange":
            return exchanges.load(odd)
        case _:
            return arazzo.load(odd, lambda _: None)  # type: ignore[arg-type, return-value]  # it is not asked for


_RUNS = "__import__('pathlib').Path('pwned').touch()"


@pytest.mark.parametrize("text", [_RUNS, f"{{${_RUNS}}}", f"{{{{{_RUNS}}}}}"])
@pytest.mark.parametrize(
    "place", ["x-mock-resources", "x-mock-operation", "x-mock-webhooks", "pattern", "example", "callback", "link"]
)
def test_no_annotation_is_run(place: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = described()
    create: dict[str, Any] = document["paths"]["/things"]["post"]
    match place:
        case "x-mock-resources":
            document["x-mock-resources"] = {
                "things": {"key": text, "events": {text: {"on": "created", "payload": text}}}
            }
        case "x-mock-operation":
            create["x-mock-operation"] = {"behavior": "create", "when": text, "body": {"name": text}, "compute": text}
        case "x-mock-webhooks":
            document["x-mock-webhooks"] = {"headers": {"X-A": text}, "subscriptions": {"resource": text, "url": text}}
        case "pattern":
            create["requestBody"]["content"]["application/json"]["schema"] = {"properties": {"name": {"pattern": text}}}
        case "example":
            create["responses"]["201"]["content"]["application/json"]["examples"] = {"one": {"value": {"name": text}}}
        case "callback":
            create["callbacks"] = {"done": {text: {"post": {"responses": {"200": {"description": "Ok."}}}}}}
        case _:
            create["responses"]["201"]["links"] = {"next": {"operationId": "read", "parameters": {"id": text}}}
    try:
        client = create_app(compile_api(document, name="things")).test_client()
    except ApidoubleError:
        pass
    else:
        client.post("/things", json={"name": text})
        client.get("/things")
    assert not (tmp_path / "pwned").exists()


def test_computed_answer_that_nobody_registered_is_no_python_to_import(tmp_path: Path) -> None:
    document = described()
    document["paths"]["/things"]["post"]["x-mock-operation"] = {"behavior": "compute", "compute": "os:system"}
    with pytest.raises(ApidoubleError):
        create_app(compile_api(document, name="things"))


def test_module_beside_a_description_of_a_user_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text(json.dumps(described()))
    (tmp_path / "compute.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'pwned')!r}).touch()\n")
    create_app(tmp_path / "openapi.yaml").test_client().post("/things", json={"name": "x"})
    assert not (tmp_path / "pwned").exists()

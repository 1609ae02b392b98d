"""What is printed of a finding runs, on a server that has never seen it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from contracts.bindings import ETAG, Origin, bindings, bound_request
from contracts.findings import Difference, Finding
from contracts.reports.curl import curl
from contracts.reports.pytest_code import pytest_code
from contracts.reports.secrets import Secrets
from contracts.service import Recorded, Reply
from contracts.wire import WireRequest
from mock_server import MockServer

from .broken_shop import ALICE, BASE, JSON, SECRET, SHOP, Shop, forgetful_app


@pytest.fixture
def broken_server() -> Iterator[MockServer]:
    """A broken shop in which ids have moved on."""
    server = MockServer(SHOP)
    server.app.wsgi_app = forgetful_app(server.app.wsgi_app)  # type: ignore[method-assign,assignment]  # as Flask documents it
    with server:
        _move_ids(server)
        yield server


@pytest.fixture
def good_server() -> Iterator[MockServer]:
    with MockServer(SHOP) as server:
        _move_ids(server)
        yield server


def _move_ids(server: MockServer) -> None:
    for _ in range(3):
        requests.post(f"{server.url}/products", json={"name": "before", "price": 1}, timeout=10).raise_for_status()


def _run(code: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE_URL", url)
    monkeypatch.setenv("TOKEN", SECRET)
    names: dict[str, Any] = {}
    exec(compile(code, "printed.py", "exec"), names)
    next(value for name, value in names.items() if name.startswith("test_"))()


def test_printed_test_fails_on_a_broken_server_with_other_ids(
    broken_server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = pytest_code(Shop().finding(), Secrets([ALICE]), BASE)
    with pytest.raises((AssertionError, KeyError)):
        _run(code, broken_server.url, monkeypatch)


def test_printed_test_passes_on_a_correct_server_with_other_ids(
    good_server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(pytest_code(Shop().finding(), Secrets([ALICE]), BASE), good_server.url, monkeypatch)


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("jq") is None, reason="needs curl and jq")
def test_printed_commands_run_on_a_server_with_other_ids(good_server: MockServer) -> None:
    script = curl(Shop().finding(name='it\'s $5 "each"'), Secrets([ALICE]), good_server.url)
    ran = subprocess.run(["bash", "-eu"], input=script, env={"TOKEN": SECRET, "PATH": "/usr/bin:/bin"},
                         capture_output=True, text=True, check=True)  # fmt: skip
    shown = json.loads(ran.stdout)
    assert shown["name"] == 'it\'s $5 "each"'
    assert shown["id"] > 3


def _told(number: int, operation: str, method: str, target: str, sent: Any, status: int, came: Any,
          headers: tuple[tuple[str, str], ...] = (), sends: dict[str, str] | None = None) -> Recorded:  # fmt: skip
    body = json.dumps(sent).encode() if sent is not None else b""
    request = WireRequest(method, target, {**(JSON if body else {}), **(sends or {})}, body)
    return Recorded(number, operation, request, Reply(status, headers, json.dumps(came).encode()))


def test_ids_tags_and_references_are_taken_from_earlier_replies() -> None:
    sequence = (
        _told(1, "a", "POST", "/products", {"name": "x", "rank": 1}, 201, {"data": {"id": 1, "rank": 1}},
              (("ETag", '"v1-abc"'),)),
        _told(2, "b", "POST", "/products/1/reviews", {"rating": 1}, 201, {"id": "5b0c3f5e-aa11", "product_id": 1}),
        _told(3, "c", "PATCH", "/reviews/5b0c3f5e-aa11?product_id=1", {"product_id": 1, "rating": 1}, 200, {},
              sends={"If-Match": '"v1-abc"'}),
    )  # fmt: skip
    first, second, third = bindings(sequence)
    assert list(first.origins()) == []
    assert second.path == {2: Origin(0, "/data/id")}
    assert not second.body
    assert third.path == {2: Origin(1, "/id")}
    assert third.query == {0: Origin(0, "/data/id")}
    assert third.headers == {"If-Match": Origin(0, ETAG)}
    assert third.body == {"/product_id": Origin(0, "/data/id")}
    fresh = bound_request(sequence[2].request, third, lambda origin: {"/id": "n/w", ETAG: '"v9"'}.get(origin.at, 42))
    assert fresh.target == "/reviews/n%2Fw?product_id=42"
    assert json.loads(fresh.body) == {"product_id": 42, "rating": 1}
    assert fresh.headers["If-Match"] == '"v9"'


def test_a_path_takes_the_id_of_the_thing_that_it_names() -> None:
    sequence = (
        _told(1, "a", "POST", "/customers", {}, 201, {"id": 1}),
        _told(2, "b", "POST", "/orders", {"customer_id": 1}, 201, {"id": 1}),
        _told(3, "c", "GET", "/customers/1/orders/1", None, 200, {}),
    )
    assert bindings(sequence)[2].path == {2: Origin(0, "/id"), 4: Origin(1, "/id")}


def test_commands_with_variables_in_a_body_are_good_shell() -> None:
    sequence = (
        _told(1, "a", "POST", "/customers", {}, 201, {"id": 1, "code": "it's-0001"}, (("ETag", '"t-000001"'),)),
        _told(2, "b", "POST", "/orders?x[]=1", {"customer_id": 1, "code": "it's-0001", "note": "a'b$c"}, 500, {},
              sends={"If-Match": '"t-000001"'}),
    )  # fmt: skip
    finding = Finding("server_error", Shop().finding().side, "it fails", "b", sequence,
                      (Difference("status", "below 500", 500, ""),))  # fmt: skip
    text = curl(finding, Secrets(), BASE)
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    reply = r'HTTP/1.1 201\r\nETag: "t-9"\r\n\r\n{"id": 7, "code": "new"}'
    stub = f"""curl() {{ printf '%s\\n' "${{@: -1}}" >&2; printf '{reply}'; }}\n"""
    if shutil.which("jq"):
        ran = subprocess.run(["bash", "-eu"], input=stub + text, capture_output=True, text=True, check=True)
        assert json.loads(ran.stderr.splitlines()[-1]) == {"customer_id": 7, "code": "new", "note": "a'b$c"}
    code = pytest_code(finding, Secrets(), BASE)
    compile(code, "test", "exec")
    assert '"customer_id": customer_id' in code
    assert "assert reply.status_code != 500" in code


def test_credentials_are_variables_that_the_reader_sets() -> None:
    finding = Shop().finding()
    assert '-H "Authorization: Bearer $TOKEN"' in curl(finding, Secrets([ALICE]), BASE)
    code = pytest_code(finding, Secrets([ALICE]), BASE)
    assert 'TOKEN = os.environ["TOKEN"]' in code
    assert '"Authorization": f"Bearer {TOKEN}"' in code


def test_callers_are_told_apart_by_their_variables() -> None:
    secrets = Secrets([ALICE, replace(ALICE, name="bob b.", headers={"Authorization": "Bearer other-one"}, secrets=())])
    assert secrets.hidden(f"{SECRET} other-one") == "$TOKEN_ALICE $TOKEN_BOB_B"
    assert secrets.revealed("$TOKEN_ALICE $TOKEN_BOB_B $HOME") == f"{SECRET} other-one $HOME"

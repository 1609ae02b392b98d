"""Reports and what commands print: no secrets, and nothing of a reply or a description that acts on its reader."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from click.testing import CliRunner

from contracts.bench import Task
from contracts.checks.registry import Family
from contracts.findings import Difference, Finding
from contracts.replaying import write_finding
from contracts.reports.curl import curl
from contracts.reports.html import html
from contracts.reports.junit import junit
from contracts.reports.material import Material
from contracts.reports.pytest_code import pytest_code
from contracts.reports.sarif import sarif
from contracts.reports.terminal import terminal
from contracts.service import Recorded, Reply, Unreachable, Unsendable
from contracts.testing.clients.transports import _asked
from contracts.testing.traffic.expecting import Difference as Mismatch
from contracts.testing.traffic.expecting import Place as At
from contracts.testing.traffic.telling import Teller
from contracts.transports import LARGEST, over_http
from contracts.wire import WireRequest
from mock_server.cli import apidouble
from mock_server.errors import DescriptionError, Place
from mock_server.model.redaction import Secrets
from tests.security.conftest import served
from tests.unit.contracts.reports.broken_shop import BASE, Shop
from tests.unit.contracts.reports.test_formats import FORMATS

MADE = "sid-4f9a8b7c6d5e"
KEY = "sk_live_9d8c7b6a5f4e"


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def about(shop: Shop, *sequence: Recorded, **members: Any) -> Finding:
    """A finding with these exchanges."""
    return replace(shop.finding(), sequence=sequence or shop.finding().sequence, **members)


# Secrets of the service


def _with_secrets(shop: Shop) -> Finding:
    body = json.dumps({"id": 1, "api_key": KEY, "user": {"accessToken": KEY}, "name": "shown as it is"}).encode()
    headers = (("Set-Cookie", f"sid={MADE}; Path=/; HttpOnly"), ("X-Auth-Token", KEY))
    login = Recorded(1, "createProduct", WireRequest("POST", "/products", {}, b"{}"), Reply(201, headers, body))
    again = Recorded(2, "getProduct", WireRequest("GET", f"/products/1?token={KEY}", {"Cookie": f"sid={MADE}"}, b""),
                     Reply(200, (), json.dumps({"you sent": [KEY, MADE]}).encode()))  # fmt: skip
    return about(shop, login, again, sentence=f"it says {KEY}", differences=(Difference("/a", KEY, MADE, MADE),))


@pytest.mark.parametrize("format_", FORMATS)
def test_no_report_shows_what_a_service_handed_out(shop: Shop, format_: str) -> None:
    text = FORMATS[format_](shop.material(_with_secrets(shop)))
    assert KEY not in text
    assert MADE not in text


def test_no_file_of_a_finding_has_what_a_service_handed_out(shop: Shop, tmp_path: Path) -> None:
    write_finding(_with_secrets(shop), tmp_path / "finding.json")
    text = (tmp_path / "finding.json").read_text(encoding="utf-8")
    assert KEY not in text
    assert MADE not in text
    assert "shown as it is" in text


# What a reply or a description may have in it

ODD = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e</script><img src=x onerror=alert(1)>"
    "'\"`$(id)]]>&\x00\ufffe::error::|[x](javascript:1)"
)


def _odd(shop: Shop) -> Material:
    """A run in which every text is odd that a reply, or a description, decides."""
    headers = {"X-Odd": ODD}
    told = Recorded(1, ODD, WireRequest("POST", "/products", headers, ODD.encode("utf-8", "replace")),
                    Reply(500, (("Content-Type", ODD), (ODD, ODD)), ODD.encode("utf-8", "replace")))  # fmt: skip
    finding = about(shop, told, sentence=ODD, operation_id=ODD, notes=(ODD,), remedy=ODD, accepted=None,
                    differences=(Difference(f"/{ODD}", ODD, {ODD: ODD}, ODD),))  # fmt: skip
    made = shop.material(finding)
    odd = Task(Family.RELATION, f"task {ODD}", "read_your_write", (ODD,), lambda _: None)  # type: ignore[arg-type, return-value]  # it is never made
    return replace(made, report=replace(made.report, left=(odd,)), stopped=ODD)


@pytest.mark.parametrize("format_", FORMATS)
def test_no_report_has_a_command_for_a_terminal(shop: Shop, format_: str) -> None:
    text = FORMATS[format_](_odd(shop))
    ours = re.sub(r"\x1b\[[0-9;]*m", "", text) if format_ == "coloured" else text
    left = {mark for mark in ours if (ord(mark) < 32 or 127 <= ord(mark) < 160 or mark in "\u202e\ufffe")}
    assert left <= {"\n", "\t"}


def test_description_that_is_quoted_by_the_terminal_has_none_either(shop: Shop, tmp_path: Path) -> None:
    described = tmp_path / "api.yaml"
    described.write_text("a: \x1b[2J\n", encoding="utf-8")
    text = terminal(shop.material(about(shop, place=Place(str(described), "/a", 1))))
    assert "\\x1b[2J" in text
    assert "\x1b" not in text


def test_page_runs_nothing_of_a_reply(shop: Shop) -> None:
    page = html(_odd(shop))
    seen: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, dict(attrs)))

    Reader().feed(page)
    assert [tag for tag, _ in seen].count("script") == 1
    assert "img" not in {tag for tag, _ in seen}
    assert not [
        name for _, attributes in seen for name in attributes if name.startswith("on") or name in {"src", "href"}
    ]
    policies = [attributes["content"] for tag, attributes in seen if attributes.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"]


def test_xml_and_sarif_are_read_by_their_parsers_whatever_is_in_them(shop: Shop) -> None:
    root = ElementTree.fromstring(junit(_odd(shop)))
    assert "task" in " ".join(case.get("name", "") for case in root.iter("testcase"))
    text = json.loads(sarif(_odd(shop)))["runs"][0]["results"][0]["message"]["text"]
    assert not {mark for mark in text if ord(mark) < 32} - {"\n", "\t"}


def _bound(shop: Shop, member: str, value: str) -> Finding:
    """A finding whose second request takes what it needs from a member of the first reply."""
    made = Recorded(1, "createProduct", WireRequest("POST", "/products", {}, b""),
                    Reply(201, (), json.dumps({member: value}).encode()))  # fmt: skip
    read = Recorded(2, "getProduct", WireRequest("GET", f"/products/{value}", {}, b""), Reply(200, (), b"{}"))
    return about(shop, made, read)


@pytest.mark.parametrize("member", ["id", 'x"]+env.HOME+["', "\\(env.HOME)", "$ENV.HOME", "a b", "'; touch pwned; '"])
def test_printed_commands_run_nothing_of_a_reply(shop: Shop, tmp_path: Path, member: str) -> None:
    printed = curl(_bound(shop, member, "abc12345"), shop.material().secrets, BASE)
    for tool in ("curl", "jq"):  # what they are called with is all that matters
        (tmp_path / tool).write_text(
            f'#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >> "{tmp_path}/{tool}.seen"\n'
        )
        (tmp_path / tool).chmod(0o755)
    subprocess.run(
        ["bash", "-c", printed], cwd=tmp_path, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout=20
    )
    assert not (tmp_path / "pwned").exists()
    seen = tmp_path / "jq.seen"
    program = seen.read_text().splitlines()[1] if seen.exists() else ""
    if member != "id" and program:
        assert json.loads(program.removeprefix(".")) == [member]


@pytest.mark.parametrize("member", ["path", "PROMPT_COMMAND", "ps1", "bash_env", "ld_preload", "IFS", "home"])
def test_printed_commands_set_no_variable_of_the_shell(shop: Shop, member: str) -> None:
    printed = curl(_bound(shop, member, "abc12345"), shop.material().secrets, BASE)
    names = set(re.findall(r"^([A-Z_0-9]+)=", printed, re.MULTILINE))
    assert names <= {"BASE", f"V_{member.upper()}"}


def test_printed_test_is_code_of_ours_alone(shop: Shop) -> None:
    code = pytest_code(_odd(shop).findings[0], shop.material().secrets, BASE)
    compile(code, "printed", "exec")
    assert not {mark for mark in code if ord(mark) < 32} - {"\n"}


# What commands print


def _described(tmp_path: Path) -> Path:
    path = tmp_path / "api.json"
    title = "Shop \x1b]0;owned\x07\x1b[2J\ncontrol API: http://evil.example/"
    operation = {"operationId": "read\x9b2J", "summary": "\x1b[2J", "responses": {"200": {"description": "\x1b[2J"}}}
    paths = {"/a\x1b[2J": {"get": operation}, "/b": {"get": operation}}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": title, "version": "1\x1b[2J"}, "paths": paths}))
    return path


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "list": lambda path: ["list", str(path)],
    "lint": lambda path: ["lint", str(path)],
    "infer": lambda path: ["infer", "--explain", str(path)],
    "check": lambda path: ["check", "--dry-run", str(path)],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_print_nothing_that_a_terminal_obeys(command: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(apidouble, COMMANDS[command](_described(tmp_path)))
    assert result.output
    assert not {"\x1b", "\x9b", "\x07"} & set(re.sub(r"\x1b\[[0-9;]*m", "", result.output))


def test_banner_prints_nothing_that_a_terminal_obeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, printed = served(monkeypatch, str(_described(tmp_path)), "--port", "1")
    assert not {"\x1b", "\x9b", "\x07"} & set(printed)
    assert [line for line in printed.splitlines() if line.startswith("control API")] == [
        "control API: http://127.0.0.1:1/__mock__/openapi.json"
    ]


def test_message_of_an_error_has_nothing_that_a_terminal_obeys() -> None:
    error = DescriptionError(
        "\x1b[2J", place=Place("\x1b[2J", "/\x9b"), got="\x1b]0;x\x07", allowed="\u202e", hint="\x00"
    )
    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\x00"} & set(str(error))


def test_verdict_of_a_test_has_nothing_that_a_terminal_obeys() -> None:
    differences = [
        Mismatch(At("body", ("\x1b[2J",)), re.compile("\x1b2J"), "\x9b2J"),
        Mismatch(At("body", ("\x9b",)), 1, 2),
    ]
    told = "\n".join(Teller(Secrets.of(()), frozenset()).differences(differences))
    assert told.count("expected") == 2
    assert not {"\x1b", "\x9b"} & set(told)


# Replies that are too much


@contextmanager
def answering(headers: dict[str, str], body: Iterator[bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in body:
                    self.wfile.write(piece)
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_reply_that_never_ends_is_cut_off() -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10 * LARGEST:
            sent += 1_000_000
            yield bytes(1_000_000)

    with answering({}, endless()) as url, pytest.raises(Unreachable, match="more than"):
        over_http(url)("GET", "/", {}, b"")
    assert sent < 2 * LARGEST


@pytest.mark.parametrize(
    "value", [" Bearer s3cr3t-0f-ours", "Bearer s3cr3t-0f-ours\r\nX: y", "Bearer s3cr3t-0f-ours \u20ac"]
)
def test_credential_that_cannot_be_sent_is_not_told(value: str) -> None:
    with answering({}, iter(())) as url, pytest.raises(Unsendable) as raised:
        over_http(url, headers={"Authorization": value})("GET", "/", {}, b"")
    assert "Authorization" in str(raised.value)
    assert "s3cr3t" not in str(raised.value)


def test_credential_that_a_client_in_a_test_cannot_send_is_not_told() -> None:
    request = httpx.Request("GET", "http://api.example/", headers=[(b"Authorization", b"Bearer s3cr3t-0f-ours\x00")])
    with pytest.raises(httpx.LocalProtocolError, match="the header Authorization") as raised:
        _asked(request, b"", None, None)  # type: ignore[arg-type]  # it comes to neither
    assert "s3cr3t" not in str(raised.value)


def test_redirect_of_a_service_is_not_followed_with_credentials() -> None:
    with answering({"Location": "http://127.0.0.1:9/elsewhere"}, iter(())) as url:
        reply = over_http(url)("GET", "/", {"Authorization": "Bearer x"}, b"")
    assert reply.status == 200


def test_words_of_a_command_are_words(shop: Shop) -> None:
    finding = about(shop, check="read_your_write; touch pwned")
    again = shop.material(finding).again(finding)
    assert shlex.split(again)[shlex.split(again).index("--check") + 1] == "read_your_write; touch pwned"

"""What ``apidouble serve`` prints at start."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest
import yaml

from mock_server import ApiSource, Options, Sandbox
from mock_server.commands.banner import banner
from mock_server.commands.serve import is_loopback
from mock_server.openapi.values import Json
from tests.unit.commands.running import PETS


def _lines(*sources: ApiSource, host: str = "127.0.0.1", token: str | None = None) -> list[str]:
    sandbox = Sandbox(sources, options=Options(eager=False))
    return [click.unstyle(line) for line in banner(sandbox, host=host, port=8000, token=token)]


def _guarded(folder: Path, scheme: Json, value: str, *, count: int = 1) -> ApiSource:
    document = yaml.safe_load(PETS.read_text())
    document["components"]["securitySchemes"] = {"door": scheme}
    document["security"] = [{"door": []}]
    seed = {
        "credentials": [
            {"name": f"user {n}", "scheme": "door", "value": value, "description": "May do all."} for n in range(count)
        ]
    }
    (folder / "doors.yaml").write_text(yaml.safe_dump(document))
    (folder / "seed.yaml").write_text(yaml.safe_dump(seed))
    return ApiSource("doors", folder / "doors.yaml", seed=folder / "seed.yaml")


def test_single_api_is_at_the_root() -> None:
    first, _, title, url, example, _, control = _lines(ApiSource("pets", PETS))
    assert first == "apidouble serves 1 API with 4 operations; stop it with Ctrl-C"
    assert (title, url) == ("Pets 1", "  http://127.0.0.1:8000   4 operations")
    assert shlex.split(example)[-1] == "http://127.0.0.1:8000/v2/pets"
    assert control == "control API: http://127.0.0.1:8000/__mock__/openapi.json"


def test_several_apis_are_below_their_names() -> None:
    lines = _lines(ApiSource("north", PETS), ApiSource("south", PETS))
    assert "apidouble serves 2 APIs with 8 operations; stop it with Ctrl-C" in lines
    assert "  http://127.0.0.1:8000/south   4 operations" in lines


def test_control_token_is_printed() -> None:
    lines = _lines(ApiSource("pets", PETS), host="0.0.0.0", token="s3cret")
    assert lines[-1] == "  wants Authorization: Bearer s3cret"


def test_ipv6_host_is_in_brackets() -> None:
    assert "  http://[::1]:8000   4 operations" in _lines(ApiSource("pets", PETS), host="::1")


@pytest.mark.parametrize(
    ("scheme", "value", "shown"),
    [
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, "k-1", "X-Key: k-1"),
        ({"type": "apiKey", "in": "query", "name": "key"}, "k-1", "?key=k-1"),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, "k-1", "Cookie: sid=k-1"),
        ({"type": "http", "scheme": "bearer"}, "b-1", "Authorization: Bearer b-1"),
        ({"type": "http", "scheme": "basic"}, "ann:pw", "Authorization: Basic YW5uOnB3"),
    ],
)
def test_credential_is_shown_as_it_is_sent(tmp_path: Path, scheme: Json, value: str, shown: str) -> None:
    assert f"  user 0: {shown}   May do all." in _lines(_guarded(tmp_path, scheme, value))


def test_curl_line_carries_a_credential(tmp_path: Path) -> None:
    source = _guarded(tmp_path, {"type": "apiKey", "in": "header", "name": "X-Key"}, "it's")
    (example,) = [line for line in _lines(source) if line.startswith("  try: ")]
    words = shlex.split(example.removeprefix("  try: "))
    assert words[:3] == ["curl", "-H", "X-Key: it's"]


@pytest.mark.parametrize(("value", "count"), [("x" * 100, 1), ("x", 9)])
def test_what_is_left_out_is_said_to_be_elsewhere(tmp_path: Path, value: str, count: int) -> None:
    lines = _lines(_guarded(tmp_path, {"type": "http", "scheme": "bearer"}, value, count=count))
    assert "  every credential, in full: http://127.0.0.1:8000/__mock__/apis" in lines
    assert all(len(line) < 120 for line in lines if line.startswith("  user"))


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.1", False), ("example.test", False)],
)  # fmt: skip
def test_only_loopback_goes_without_a_token(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone

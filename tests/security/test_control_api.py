"""The control API: for whoever has its token, or else for programs of this machine and for no web page."""

from __future__ import annotations

import hmac
import ipaddress
import socket

import click
import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import Client

from mock_server import MockServer, create_app
from mock_server.cli import apidouble
from mock_server.packs import source_of
from mock_server.sandbox import Sandbox
from mock_server.web.control import guarding
from mock_server.web.late import late_application
from tests.security.conftest import PETS, Got, asked, served

PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
"""What a browser says of a request that a page elsewhere makes."""

FORM = {**PAGE, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_serve_binds_to_loopback_unless_it_is_told_otherwise() -> None:
    command = apidouble.get_command(click.Context(apidouble), "serve")
    assert command is not None
    host = next(option for option in command.params if option.name == "host")
    assert host.get_default(click.Context(command)) == "127.0.0.1"
    with MockServer(PETS) as server:
        assert ipaddress.ip_address(server.host).is_loopback


def test_server_on_loopback_is_reached_by_no_other_address(pets: MockServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the address to send from
        except OSError:
            pytest.skip("this machine has no address but loopback")
        other = probe.getsockname()[0]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((other, pets.port), 2).close()


def test_serve_beyond_loopback_prints_a_control_token(monkeypatch: pytest.MonkeyPatch) -> None:
    one, printed = served(monkeypatch, str(PETS), "--host", "0.0.0.0")
    another, _ = served(monkeypatch, str(PETS), "--host", "192.0.2.7")
    assert one.control_token is not None
    assert len(one.control_token) >= 20
    assert f"Bearer {one.control_token}" in printed
    assert another.control_token not in {None, one.control_token}
    assert one.control_token not in repr(one)


def test_serve_on_loopback_needs_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    one, printed = served(monkeypatch, str(PETS))
    assert one.control_token is None
    assert "Bearer" not in printed.partition("control API")[2]


def test_embedded_server_beyond_loopback_makes_up_a_token() -> None:
    with MockServer(PETS, host="0.0.0.0") as server:
        url = f"http://127.0.0.1:{server.port}"
        assert asked(url, "GET", "/__mock__/apis").status == 401
        assert asked(url, "GET", "/__mock__/apis", headers={"Authorization": "Bearer guess"}).status == 401
        assert (
            asked(url, "GET", "/__mock__/apis", headers={"Authorization": f"Basic {server.control_token}"}).status
            == 401
        )
        right = {"Authorization": f"Bearer {server.control_token}", "Host": "double.internal"}
        assert asked(url, "GET", "/__mock__/apis", headers=right).status == 200


def test_given_token_is_wanted_on_loopback_too() -> None:
    client = create_app(PETS, control_token="s3cret-token").test_client()
    assert client.get("/__mock__/apis").status_code == 401
    assert client.get("/__session__/one/__mock__/apis").status_code == 401
    sent = {"Authorization": "bearer s3cret-token", "Origin": "http://localhost:3000"}
    assert client.get("/__mock__/apis", headers=sent).status_code == 200


def test_served_application_asks_for_the_token_too() -> None:
    """What ``apidouble serve`` runs: Flask is made when it is first needed."""
    application = Client(late_application(Sandbox([source_of(str(PETS))]), control_token="s3cret-token"))
    assert application.get("/pets").status_code == 200
    assert application.get("/__mock__/apis").status_code == 401
    assert application.get("/__mock__/apis", headers={"Authorization": "Bearer s3cret-token"}).status_code == 200
    alone = Client(late_application(Sandbox([source_of(str(PETS))]), control_token=None))
    assert alone.get("/__mock__/apis").status_code == 200
    assert alone.get("/__mock__/apis", headers={"Host": "evil.example"}).status_code == 403


def test_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(guarding, "hmac", type("Spied", (), {"compare_digest": staticmethod(compare)}))
    assert not guarding.has_token(Headers({"Authorization": "Bearer s3cret-t"}), "s3cret-token")
    assert guarding.has_token(Headers({"Authorization": "Bearer s3cret-token"}), "s3cret-token")
    assert len(compared) == 2


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example",
                                  "localhost.evil.example", "localhost@evil.example", "0.0.0.0", "2130706433", "0x7f.1",
                                  "[::ffff:10.0.0.1]", "[", ""])  # fmt: skip
def test_name_that_was_made_to_lead_here_does_not_open_the_control_api(pets: MockServer, host: str) -> None:
    got = asked(pets.url, "GET", "/__mock__/apis", headers={"Host": host})
    assert got.status in {400, 403}
    assert b"credentials" not in got.body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "localhost.", "double.localhost:80", "127.0.0.1",
                                  "127.8.9.10:1", "[::1]:8000", "[::ffff:127.0.0.1]"])  # fmt: skip
def test_own_names_of_this_machine_open_the_control_api(pets: MockServer, host: str) -> None:
    assert asked(pets.url, "GET", "/__mock__/apis", headers={"Host": host}).status == 200


@pytest.mark.parametrize(("method", "path", "body"), [
    ("POST", "/__mock__/reset", b""),
    ("POST", "/__mock__/seed", b'{"pets": {"pets": []}}'),
    ("POST", "/__mock__/webhooks/targets", b'{"url": "http://127.0.0.1:1/"}'),
    ("POST", "/__session__/one/__mock__/clock", b'{"freeze": true}'),
    ("PUT", "/__mock__/snapshots/one", b""),
    ("DELETE", "/__mock__/requests", b""),
    ("GET", "/__mock__/requests?secrets=true", None),
])  # fmt: skip
@pytest.mark.parametrize("browser", [PAGE, FORM, OWN_PAGE, {"Origin": "null"}, {"Origin": "http://localhost:3000"}],
                         ids=["page", "form", "own page", "no origin", "older browser"])  # fmt: skip
def test_no_page_in_a_browser_can_use_the_control_api(
    pets: MockServer, browser: dict[str, str], method: str, path: str, body: bytes | None
) -> None:
    got = asked(pets.url, method, path, headers={"Content-Type": "text/plain", **browser}, body=body)
    assert got.status == 403
    assert b"web page" in got.body
    _is_unreadable(got)


def test_browser_is_not_told_that_a_page_may_send_more(pets: MockServer) -> None:
    asks = {**PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    _is_unreadable(asked(pets.url, "OPTIONS", "/__mock__/snapshots/one", headers=asks))


def _is_unreadable(got: Got) -> None:
    assert not [name for name, _ in got.headers if name.lower().startswith("access-control-")]


def test_link_that_is_followed_shows_a_document_that_can_do_nothing(pets: MockServer) -> None:
    got = asked(pets.url, "GET", "/__mock__/apis", headers=LINK)
    assert got.status == 200
    policy = got.header("Content-Security-Policy") or ""
    assert {"default-src 'none'", "frame-ancestors 'none'", "sandbox"} <= {part.strip() for part in policy.split(";")}
    assert got.header("X-Content-Type-Options") == "nosniff"
    assert got.header("Cache-Control") == "no-store"
    assert asked(pets.url, "POST", "/__mock__/reset", headers=LINK).status == 403


@pytest.mark.parametrize("client", [{}, {"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Site": "none"}],
                         ids=["a program", "Node's fetch", "an address that was typed"])  # fmt: skip
def test_programs_of_this_machine_use_the_control_api_as_ever(pets: MockServer, client: dict[str, str]) -> None:
    assert asked(pets.url, "POST", "/__mock__/reset", headers=client).status == 204

"""What the promises of SECURITY.md are tried on: a small API on a port of its own, and the raw bytes it answers."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from mock_server import MockServer
from mock_server.cli import apidouble
from mock_server.web.serving import Serving

serve = import_module("mock_server.commands.serve")  # the package has the command of that name
PETS = Path(__file__).parent.parent / "acceptance" / "descriptions" / "pets.yaml"
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


Ask = Callable[..., Got]


def asked(
    url: str, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Got:
    """What a server answers to a request by a client that changes nothing in it."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Got(response.status, tuple(response.getheaders()), response.read())
    finally:
        connection.close()


def served(monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[Serving, str]:
    """What ``apidouble serve`` with these options would serve, and what it prints before."""
    found: list[Serving] = []
    monkeypatch.setattr(serve, "run_server", lambda what, *_, **__: found.append(what))
    monkeypatch.setattr(serve, "check_port", lambda *_: None)
    result = CliRunner().invoke(apidouble, ["serve", "--no-cache", *options], catch_exceptions=False)
    return found[0], result.output


@pytest.fixture(scope="module")
def pets() -> Iterator[MockServer]:
    """A double of the pet shop on a port of its own."""
    with MockServer(PETS) as server:
        yield server

"""The servers that are compared, and how each is started on a description."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as distribution_version
from pathlib import Path

from benchmarks.peers.installing import installed, version
from benchmarks.peers.processes import Command, Unavailable
from mock_server.packs import pack_names

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Site:
    """What a server is started with. ``seed`` is a JSON file with customers, for servers that read no description."""

    packages: Path
    description: Path
    port: int
    scratch: Path
    seed: Path


@dataclass(frozen=True, slots=True)
class Server:
    """One row. ``words`` is its command line; ``base`` the path below which the customers are.

    ``large`` peers take part with the large description; ``slow`` ones only where they are asked for. ``seeds``: the
    customers of the list are put there through its control API.
    """

    name: str
    packages: str
    words: Callable[[Site], tuple[str, ...]]
    base: str = ""
    page: str = "limit={limit}&offset={offset}"
    large: bool = False
    slow: bool = False
    seeds: bool = False
    large_words: Callable[[Site], tuple[str, ...]] | None = None


def command(
    server: Server, *, peers: Path, description: Path, port: int, scratch: Path, seed: Path, large: bool
) -> Command:
    """How a server is started, its packages installed first."""
    packages = installed(server.packages, peers) if server.packages else scratch
    words = server.large_words if large and server.large_words is not None else server.words
    site = Site(packages, description, port, scratch, seed)
    return Command(words(site), packages, {"XDG_CACHE_HOME": str(scratch / "cache"), "NO_COLOR": "1"})


def version_of(server: Server) -> str:
    """The version that stands in the table."""
    return version(server.packages) if server.packages else distribution_version("apidouble")


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise Unavailable("needs Node.js, which is not installed")
    return node


def _ours(site: Site) -> tuple[str, ...]:
    return (sys.executable, "-m", "mock_server", "serve", str(site.description), "--port", str(site.port))


def _packs(site: Site) -> tuple[str, ...]:
    return (
        sys.executable,
        "-m",
        "mock_server",
        "serve",
        *pack_names(),
        str(site.description),
        "--port",
        str(site.port),
    )


def _prism(site: Site) -> tuple[str, ...]:
    return (_node(), str(site.packages / "node_modules/@stoplight/prism-cli/dist/index.js"), "mock", str(site.description),
            "-p", str(site.port))  # fmt: skip


def _prism_silent(site: Site) -> tuple[str, ...]:
    return (*_prism(site), "-v", "silent")


def _openapi_backend(site: Site) -> tuple[str, ...]:
    return (_node(), str(HERE / "openapi_backend.mjs"), str(site.description), str(site.port))


def _openapi_backend_quick(site: Site) -> tuple[str, ...]:
    return (*_openapi_backend(site), "quick")


def _scalar(site: Site) -> tuple[str, ...]:
    return (_node(), str(HERE / "scalar.mjs"), str(site.description), str(site.port))


def _mockoon(site: Site) -> tuple[str, ...]:
    return (_node(), str(site.packages / "node_modules/@mockoon/cli/bin/run.js"), "start", "-d", str(site.description), "-p",
            str(site.port), "-l", "127.0.0.1", "--disable-log-to-file")  # fmt: skip


def _json_server(site: Site) -> tuple[str, ...]:
    state = site.scratch / "json-server.json"  # it writes every change there
    state.write_text(f'{{"customers": {site.seed.read_text(encoding="utf-8")}}}', encoding="utf-8")
    return (_node(), str(site.packages / "node_modules/json-server/lib/cli/bin.js"), str(state), "--port", str(site.port),
            "--host", "127.0.0.1")  # fmt: skip


def _specmatic(site: Site) -> tuple[str, ...]:
    java = shutil.which("java")
    if java is None:
        raise Unavailable("needs Java, which is not installed")
    jar = site.packages / "node_modules/specmatic/specmatic.jar"
    return (java, "-jar", str(jar), "mock", str(site.description), "--host", "127.0.0.1", "--port", str(site.port))


def _connexion(site: Site) -> tuple[str, ...]:
    return (str(site.packages / "bin/connexion"), "run", str(site.description), "--mock", "all", "--host", "127.0.0.1",
            "--port", str(site.port))  # fmt: skip


def _flask(server: str) -> Callable[[Site], tuple[str, ...]]:
    def words(site: Site) -> tuple[str, ...]:
        return (str(site.packages / "bin/python"), str(HERE / "bare_flask.py"), server, str(site.port), str(site.seed))

    return words


OURS, PRISM, BACKEND, FLASK = "apidouble", "Prism", "openapi-backend", "bare Flask, waitress"
TOGETHER = "apidouble, with every pack"
SERVERS = (
    Server(OURS, "", _ours, large=True, seeds=True),
    Server(TOGETHER, "", _packs, base="/customers", seeds=True),
    Server(PRISM, "prism", _prism, large=True),
    Server("Prism, -v silent", "prism", _prism_silent),
    Server(BACKEND, "openapi-backend", _openapi_backend, large=True, large_words=_openapi_backend_quick),
    Server("@scalar/mock-server", "scalar", _scalar, large=True),
    Server("Mockoon", "mockoon", _mockoon, large=True),
    Server("connexion mock", "connexion", _connexion, large=True),
    Server("json-server", "json-server", _json_server, page="_start={offset}&_limit={limit}"),
    Server("Specmatic", "specmatic", _specmatic, slow=True),
    Server(FLASK, "waitress", _flask("waitress")),
    Server("bare Flask, granian", "granian", _flask("granian")),
)
SLOW_ON_LARGE = frozenset({"connexion mock"})

"""The peers' packages, at versions that are pinned here, each set in a folder of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.processes import Unavailable

_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Packages:
    """What one peer needs, from npm or from PyPI; the first one's version stands in the table."""

    registry: str
    pins: tuple[tuple[str, str], ...]

    def requirements(self) -> list[str]:
        """The pins as the installer takes them."""
        joint = "@" if self.registry == "npm" else "=="
        return [f"{name}{joint}{version}" for name, version in self.pins]


PINNED = {
    "prism": Packages("npm", (("@stoplight/prism-cli", "5.16.0"),)),
    "openapi-backend": Packages("npm", (("openapi-backend", "5.21.2"), ("ajv-formats", "3.0.1"))),
    "scalar": Packages("npm", (("@scalar/mock-server", "0.14.4"), ("@hono/node-server", "2.1.8"))),
    "mockoon": Packages("npm", (("@mockoon/cli", "9.9.0"),)),
    "json-server": Packages("npm", (("json-server", "0.17.4"),)),
    "specmatic": Packages("npm", (("specmatic", "2.55.1"),)),
    "octokit": Packages("npm", (("@octokit/openapi", "23.0.2"),)),
    "connexion": Packages("pip", (("connexion[flask,uvicorn,mock]", "3.3.0"),)),
    "waitress": Packages("pip", (("waitress", "3.0.2"), ("flask", "3.1.3"))),
    "granian": Packages("pip", (("granian", "2.8.7"), ("flask", "3.1.3"))),
}


def version(name: str) -> str:
    """The pinned version of a set's first package; empty for what is not installed here."""
    return PINNED[name].pins[0][1] if name in PINNED else ""


def installed(name: str, peers: Path) -> Path:
    """The folder of a set, filled from the registry where it is not yet; ``Unavailable`` where that fails."""
    packages = PINNED[name]
    folder = peers / packages.registry / name
    done = folder / "installed.json"
    wanted = json.dumps(packages.requirements())
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return folder
    sys.stderr.write(f"installing {' '.join(packages.requirements())} …\n")
    folder.mkdir(parents=True, exist_ok=True)
    install = _npm if packages.registry == "npm" else _pip
    install(packages.requirements(), folder)
    done.write_text(wanted, encoding="utf-8")
    return folder


def _npm(requirements: list[str], folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("needs npm (Node.js), which is not installed")
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    _run([npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *requirements], folder)


def _pip(requirements: list[str], folder: Path) -> None:
    venv.create(folder, with_pip=True)
    _run([str(folder / "bin" / "pip"), "install", "--quiet", *requirements], folder)


def _run(words: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"not installed within {_SECONDS} s") from None
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if "rror" in line] or ["no reason given"]
        raise Unavailable(f"not installed: {lines[-1].strip()[:200]}")

"""The catalogue of public descriptions: packages of npm and PyPI, what lies in them, and what needs an argument."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "catalogue.yaml"


@dataclass(frozen=True, slots=True)
class Published:
    """One description. ``exceptions`` say by operation why openapi-core does not accept a right answer."""

    path: str
    exceptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a registry (npm, or pypi with ``kind`` wheel or sdist), and the descriptions in it."""

    registry: str
    name: str
    version: str
    kind: str
    descriptions: tuple[Published, ...]

    @property
    def folder(self) -> Path:
        """Where the package lies once it was fetched."""
        return packages_folder() / f"{self.registry}-{self.name.strip('@').replace('/', '-')}-{self.version}"

    @property
    def command(self) -> str:
        """What fetches it."""
        return f"python -m tests.public.fetch '{self.name}'"


def packages_folder() -> Path:
    """The folder of fetched packages: ``APIDOUBLE_PUBLIC``, else one beside apidouble's cache of parsed files."""
    told = os.environ.get("APIDOUBLE_PUBLIC")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(told) if told else Path(base) / "apidouble-public"


def catalogue() -> tuple[Package, ...]:
    """Every package of the catalogue, in its order."""
    return tuple(_packages(yaml.safe_load(FILE.read_text())))


def _packages(entries: list[dict[str, Any]]) -> Iterator[Package]:
    for entry in entries:
        yield Package(
            entry["registry"],
            entry["name"],
            entry["version"],
            entry.get("kind", ""),
            tuple(
                Published(one) if isinstance(one, str) else Published(one["path"], one["exceptions"])
                for one in entry["descriptions"]
            ),
        )

"""API packs: the descriptions, overlays and fixtures that ship with apidouble, and files a user brings.

A pack is ``specs/<name>/openapi.yaml`` with ``behavior.overlay.yaml`` and ``compute.py`` beside it where it needs
them; its fixtures are ``fixtures/<name>/`` or those of its namespace.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, FixtureError, Place, did_you_mean
from mock_server.openapi.compile import slug
from mock_server.openapi.source import line_of, parse
from mock_server.openapi.values import Json

_DESCRIPTIONS = ("openapi.yaml", "openapi.json")


@dataclass(frozen=True, slots=True)
class ApiSource:
    """Where one API comes from. ``fixtures`` is the folder that seed, keys and exchanges are read from, if any."""

    name: str
    description: Path
    overlays: tuple[Path, ...] = ()
    fixtures: Path | None = None
    seed: Path | None = None
    compute: Path | None = None
    allow_remote: bool = False
    allow_outside: bool = False


def _data(folder: str) -> Path:
    """``specs`` or ``fixtures``: inside the installed package, or beside it in a source checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "_packs" / folder
    return installed if installed.is_dir() else here.parent / folder


@cache
def pack_names() -> tuple[str, ...]:
    """The packs that ship, in the order of their names."""
    folder = _data("specs")
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in folder.iterdir() if _description_in(entry) is not None))


def _description_in(folder: Path) -> Path | None:
    return next((folder / name for name in _DESCRIPTIONS if (folder / name).is_file()), None)


def pack(name: str) -> ApiSource:
    """The pack of a name; a ``ConfigurationError`` that names the nearest one when there is none."""
    folder = _data("specs") / name
    description = _description_in(folder) if "/" not in name and name in pack_names() else None
    if description is None:
        raise ConfigurationError(
            f"there is no API pack {name!r}",
            allowed=", ".join(pack_names()) or "no pack is installed",
            hint=did_you_mean(name, pack_names()) or "give the path of a description file instead",
        )
    overlay = folder / "behavior.overlay.yaml"
    compute = folder / "compute.py"
    fixtures = _fixtures(name)
    return ApiSource(
        name=name,
        description=description,
        overlays=(overlay,) if overlay.is_file() else (),
        fixtures=fixtures,
        seed=_existing(fixtures, "seed.yaml"),
        compute=compute if compute.is_file() else None,
        allow_outside=True,  # packs of one namespace share schema files
    )


def _fixtures(name: str) -> Path | None:
    """``fixtures/<name>``, or that of the longest prefix: ``shop-orders`` falls back to ``shop``."""
    parts = name.partition("@")[0].split("-")
    for length in range(len(parts), 0, -1):
        folder = _data("fixtures") / "-".join(parts[:length])
        if folder.is_dir():
            return folder
    return None


def _existing(folder: Path | None, name: str) -> Path | None:
    path = folder / name if folder is not None else None
    return path if path is not None and path.is_file() else None


def source_of(text: str, *, overlays: Sequence[Path] = (), seed: Path | None = None) -> ApiSource:
    """The API that a command line names: a pack by its name, or a description by its path."""
    path = Path(text)
    if text in pack_names() or (not path.suffix and "/" not in text and not path.exists()):
        found = pack(text)
        return ApiSource(
            found.name, found.description, (*found.overlays, *overlays), found.fixtures, seed or found.seed,
            found.compute, found.allow_remote, found.allow_outside,
        )  # fmt: skip
    if not path.is_file():
        raise ConfigurationError(
            "there is no such description file",
            got=text,
            allowed=f"a file, or one of the packs {', '.join(pack_names())}",
            hint=did_you_mean(text, [*pack_names(), *(str(p) for p in path.parent.glob("*.yaml"))]),
        )
    return ApiSource(slug(path), path, tuple(overlays), path.parent if seed is not None else None, seed)


def run_computations(path: Path) -> None:
    """Runs a pack's ``compute.py``, whose decorators register its computed answers.

    The folder is a package while it runs, so that ``from . import invoices`` finds the modules beside the file.
    """
    folder = path.resolve().parent
    package = f"mock_server._computed_{sha256(str(folder).encode()).hexdigest()[:12]}"
    for known in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[known]  # run again, after a change perhaps
    sys.modules[package] = ModuleType(package)
    sys.modules[package].__path__ = [str(folder)]
    importlib.invalidate_caches()
    importlib.import_module(f"{package}.{path.stem}")


@dataclass(frozen=True, slots=True)
class SeedFile:
    """A seed file as it was read: initial resources, credentials, keys, and tables for computed answers."""

    path: Path | None
    resources: Mapping[str, Json] = field(default_factory=dict)
    credentials: tuple[Mapping[str, Json], ...] = ()
    keys: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    tables: Mapping[str, Json] = field(default_factory=dict)

    def place(self, pointer: str) -> Place:
        """File, pointer and line of something in the seed."""
        if self.path is None:
            return Place("seed", pointer)
        return Place(str(self.path), pointer, line_of(self.path.read_bytes(), pointer))


_MEMBERS = ("resources", "credentials", "keys", "tables")


def read_seed(path: Path, *, cache: Path | None = None) -> SeedFile:
    """A seed file; a ``FixtureError`` for a member it may not have. ``cache`` keeps what was parsed before."""
    value = parse(path.read_bytes(), name=str(path), cache=cache)
    found = SeedFile(path)
    if value is None:
        return found
    if not isinstance(value, dict):
        raise FixtureError("a seed is a mapping", place=found.place(""), got=type(value).__name__)
    for name in value:
        if name not in _MEMBERS:
            raise FixtureError("a seed has no such member", place=found.place(f"/{name}"), got=name,
                               allowed=", ".join(_MEMBERS), hint=did_you_mean(name, _MEMBERS))  # fmt: skip
    return SeedFile(
        path,
        value.get("resources") or {},
        tuple(value.get("credentials") or ()),
        value.get("keys") or {},
        value.get("tables") or {},
    )

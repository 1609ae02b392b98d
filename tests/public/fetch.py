"""Fetches the packages of the catalogue with npm and pip, and unpacks them.

    python -m tests.public.fetch              # all, some 90 MB packed
    python -m tests.public.fetch rclone-openapi jupyter-server

They go to the folder that ``APIDOUBLE_PUBLIC`` names, else to one in the user's cache. Nothing of them is installed.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tests.public.catalogue import Package, catalogue


def fetch(package: Package) -> None:
    """Downloads one package and unpacks it into its folder, whole or not at all."""
    package.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.folder.parent) as name:
        scratch = Path(name)
        subprocess.run(_command(package), cwd=scratch, check=True)
        (packed,) = scratch.iterdir()
        unpacked = scratch / "unpacked"
        if packed.suffix == ".whl":
            with zipfile.ZipFile(packed) as archive:
                archive.extractall(unpacked)
        else:
            with tarfile.open(packed) as archive:
                archive.extractall(unpacked, filter="data")
        unpacked.rename(package.folder)


def _command(package: Package) -> list[str]:
    if package.registry == "npm":
        return ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    wanted = ["--no-binary", package.name] if package.kind == "sdist" else ["--only-binary", ":all:"]
    return [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        *wanted,
        f"{package.name}=={package.version}",
    ]


def main(names: list[str]) -> None:
    """Fetches what is named and not there yet; all of the catalogue if nothing is named."""
    known = {package.name: package for package in catalogue()}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"not in the catalogue: {', '.join(unknown)}; it has {', '.join(known)}")
    for package in known.values():
        if (not names or package.name in names) and not package.folder.is_dir():
            sys.stdout.write(f"{package.name} {package.version}\n")
            fetch(package)


if __name__ == "__main__":
    main(sys.argv[1:])

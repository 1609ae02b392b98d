"""The project as a whole: its public names, its documents, its wheel, its layers."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema_rs
import pytest

import mock_server
from mock_server.model.annotations import vocabulary
from mock_server.model.reference import reference_page

ROOT = Path(__file__).resolve().parents[2]

PUBLIC = {
    "AnnotationError", "Api", "ApiSource", "ApidoubleError", "ConfigurationError", "DescriptionError", "FixtureError",
    "MockServer", "Options", "OverlayError", "Place", "Sandbox", "SourceError", "StateError", "UnresolvedReference",
    "compile_api", "computed", "create_app", "pack", "pack_names",
}  # fmt: skip


def test_public_api_is_what_is_promised() -> None:
    assert set(mock_server.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_documented(name: str) -> None:
    documented = getattr(mock_server, name).__doc__
    assert documented
    assert len(documented.split()) > 3


def test_layers_hold() -> None:
    pytest.importorskip("importlinter")
    found = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def test_vocabulary_page_is_generated_from_the_vocabulary() -> None:
    page = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
    assert page == reference_page(), "run: python -m mock_server.model.reference > docs/vocabulary.md"


@pytest.mark.parametrize("name", vocabulary()["properties"])
def test_every_annotation_has_an_example_that_the_vocabulary_admits(name: str) -> None:
    examples = vocabulary()["properties"][name]["examples"]
    assert examples
    for example in examples:
        jsonschema_rs.validate(vocabulary(), {name: example})


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/contract-checks.md",
        "docs/checks.md",
        "docs/testing.md",
    ],
)
def test_paths_named_in_the_documents_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"`((?:mock_server|contracts|tests|specs|fixtures|docs|benchmarks|\.ci)/[\w./-]*\w)`", text)
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [path for path in linked if not ((ROOT / document).parent / path).exists()] == []


def test_engine_names_no_vendor() -> None:
    vendors = sorted({path.name.partition("-")[0] for path in (ROOT / "specs").iterdir() if path.is_dir()})
    sources = [*(ROOT / "mock_server").rglob("*.py"), *(ROOT / "contracts").rglob("*.py")]
    texts = {path: path.read_text(encoding="utf-8").lower() for path in sources if "_packs" not in path.parts}
    assert [(path.name, vendor) for path, text in texts.items() for vendor in vendors if vendor in text] == []


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that this checkout builds, without touching a registry."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_wheel_installs_two_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"mock_server", "contracts"}


@pytest.mark.parametrize(
    "needed",
    [
        "mock_server/py.typed",
        "contracts/py.typed",
        "mock_server/model/vocabulary.schema.json",
        "mock_server/web/control.openapi.yaml",
    ],
)
def test_wheel_carries_its_data(wheel: zipfile.ZipFile, needed: str) -> None:
    assert needed in wheel.namelist()


def test_wheel_carries_every_spec_and_fixture(wheel: zipfile.ZipFile) -> None:
    carried = set(wheel.namelist())
    files = [path for folder in ("specs", "fixtures") for path in (ROOT / folder).rglob("*") if path.is_file()]
    wanted = {
        f"mock_server/_packs/{path.relative_to(ROOT).as_posix()}" for path in files if "__pycache__" not in path.parts
    }
    assert wanted
    assert wanted <= carried

"""The cache folder: faster, bounded, and never different."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mock_server import OverlayError
from mock_server.openapi.cache import digest_of, prune, recall, remember
from mock_server.openapi.documents import Documents

DESCRIPTION = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n"
OVERLAY = "overlay: 1.0.0\ninfo: {title: O, version: '1'}\nactions:\n- {target: $.info, update: {title: New}}\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A description, an overlay for it, and a folder for the cache."""
    description, overlay = tmp_path / "openapi.yaml", tmp_path / "overlay.yaml"
    description.write_text(DESCRIPTION)
    overlay.write_text(OVERLAY)
    return description, overlay, tmp_path / "cache"


def _title(files: tuple[Path, Path, Path]) -> str:
    description, overlay, cache = files
    documents = Documents.load(description, overlays=[overlay], cache=cache)
    title: str = documents.value(documents.root)["info"]["title"]
    return title


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    remember(tmp_path, digest_of(b"text"), "kind", b"payload\nof lines")
    assert recall(tmp_path, digest_of(b"text"), "kind") == b"payload\nof lines"
    assert recall(tmp_path, digest_of(b"text"), "other") is None


def test_corrupt_entry_is_passed_over(tmp_path: Path) -> None:
    remember(tmp_path, digest_of(b"text"), "kind", b"payload")
    [entry] = tmp_path.iterdir()
    entry.write_bytes(entry.read_bytes().replace(b"payload", b"hijacked"))
    assert recall(tmp_path, digest_of(b"text"), "kind") is None


def test_entry_that_many_write_at_once_is_always_whole(tmp_path: Path) -> None:
    digest, payloads = digest_of(b"text"), [bytes([97 + number]) * 100_000 for number in range(4)]

    def work(payload: bytes) -> list[bytes | None]:
        found = []
        for _ in range(10):
            remember(tmp_path, digest, "kind", payload)
            found.append(recall(tmp_path, digest, "kind"))
        return found

    with ThreadPoolExecutor(4) as threads:
        seen = [found for each in threads.map(work, payloads) for found in each]
    assert set(seen) <= set(payloads)
    assert len(list(tmp_path.iterdir())) == 1


def test_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    remember(tmp_path / "file", digest_of(b"text"), "kind", b"payload")
    assert recall(tmp_path / "file", digest_of(b"text"), "kind") is None


def test_oldest_entries_go_when_there_are_too_many(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / str(number)).write_bytes(b"x" * 10)
        os.utime(tmp_path / str(number), (number, number))
    prune(tmp_path, most_entries=4)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["2", "3", "4", "5"]
    prune(tmp_path, most_bytes=25)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["4", "5"]


def test_overlaid_description_is_the_same_from_the_cache(files: tuple[Path, Path, Path]) -> None:
    assert [_title(files), _title(files)] == ["New", "New"]
    assert any(entry.name.endswith(".overlaid") for entry in files[2].iterdir())


def test_changed_overlay_counts_at_once(files: tuple[Path, Path, Path]) -> None:
    assert _title(files) == "New"
    files[1].write_text(OVERLAY.replace("New", "Newer"))
    assert _title(files) == "Newer"


def test_changed_description_counts_at_once(files: tuple[Path, Path, Path]) -> None:
    assert _title(files) == "New"
    files[0].write_text(DESCRIPTION.replace("info: {title: T, ", "info: {"))
    assert _title(files) == "New"
    files[0].write_text(DESCRIPTION.replace("info: {title: T, version: '1'}\n", ""))
    with pytest.raises(OverlayError):
        _title(files)


def test_lines_of_messages_are_those_of_the_file(files: tuple[Path, Path, Path]) -> None:
    description, overlay, cache = files
    for _ in range(2):
        documents = Documents.load(description, overlays=[overlay], cache=cache)
        assert documents.place(documents.root, "/paths").line == 3

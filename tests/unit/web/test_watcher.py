"""Watching descriptions: what is reloaded, what is kept, what a broken edit does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from werkzeug.test import Client

from mock_server import ApiSource, Sandbox
from mock_server.web.app import app_for
from mock_server.web.serving import Watcher
from tests.unit.web.controlled import PET, described, items


class _Watched:
    """A description in a file, served, with what the watcher says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._edits = 0
        self.edit("pets")
        sandbox = Sandbox([ApiSource("zoo", path)])
        self.client: Client = app_for(sandbox).test_client()
        self.said: list[str] = []
        self.watcher = Watcher(sandbox, say=self.said.append)

    def edit(self, *names: str, text: str = "") -> None:
        paths = {path: item for name in names for path, item in items(name, "id", PET, kind="integer").items()}
        self.path.write_text(text or json.dumps(described(paths)))
        # An edit within the clock's resolution would not be seen; editors of tests are that fast.
        self._edits += 1
        os.utime(self.path, ns=(self._edits * 10**9, self._edits * 10**9))


@pytest.fixture
def zoo(tmp_path: Path) -> _Watched:
    return _Watched(tmp_path / "zoo.json")


def test_nothing_happens_while_nothing_changes(zoo: _Watched) -> None:
    assert zoo.watcher.check() is False
    assert zoo.said == []


def test_changed_description_is_reloaded_and_the_state_is_kept(zoo: _Watched) -> None:
    created = zoo.client.post("/pets", json={"name": "Rex"}).json
    assert zoo.client.get("/birds").status_code == 404
    zoo.edit("pets", "birds")
    assert zoo.watcher.check() is True
    assert zoo.said == ["reloaded; the state is kept"]
    assert zoo.client.get("/birds").status_code == 200
    assert zoo.client.get("/pets").json == [created]


@pytest.mark.parametrize("text", ["{", '{"openapi": "9.9"}', '{"openapi": "3.1.0", "paths": {"/a": []}}'])
def test_broken_edit_is_reported_once_and_the_last_good_description_stays(zoo: _Watched, text: str) -> None:
    zoo.edit(text=text)
    assert zoo.watcher.check() is False
    assert zoo.watcher.check() is False
    (said,) = zoo.said
    assert said.startswith("not reloaded, still serving what was read before")
    assert "zoo.json" in said
    assert zoo.client.get("/pets").status_code == 200


def test_mended_edit_is_taken(zoo: _Watched) -> None:
    zoo.edit(text="{")
    zoo.watcher.check()
    zoo.edit("birds")
    assert zoo.watcher.check() is True
    assert zoo.client.get("/birds").status_code == 200


def test_deleted_description_is_reported_and_the_last_good_one_stays(zoo: _Watched) -> None:
    zoo.path.unlink()
    assert zoo.watcher.check() is False
    assert "zoo.json" in zoo.said[0]
    assert zoo.client.get("/pets").status_code == 200

"""Watching a description whose files are read as requests need them."""

from __future__ import annotations

import os
from pathlib import Path

from mock_server import ApiSource, Options, Sandbox
from mock_server.web.app import app_for
from mock_server.web.serving import Watcher

DESCRIPTION = """\
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /things:
    get: {responses: {'200': {description: OK, content: {application/json: {schema: {$ref: 'parts.yaml#/Things'}}}}}}
"""
PARTS = "Things: {type: array, items: {type: object, properties: {id: {type: string}}}}\n"


def test_file_that_a_request_reads_first_is_watched_from_then_on_and_is_no_change(tmp_path: Path) -> None:
    parts = tmp_path / "parts.yaml"
    parts.write_text(PARTS)
    (tmp_path / "openapi.yaml").write_text(DESCRIPTION)
    said: list[str] = []
    sandbox = Sandbox([ApiSource("things", tmp_path / "openapi.yaml")], options=Options(eager=False))
    watcher = Watcher(sandbox, say=said.append)
    assert parts not in sandbox.files()
    assert app_for(sandbox).test_client().get("/things").status_code == 200
    assert parts in sandbox.files()
    assert watcher.check() is False
    os.utime(parts, ns=(1, 1))
    assert watcher.check() is True
    assert said == ["reloaded; the state is kept"]

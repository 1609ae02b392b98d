"""The state of a server outlives it: in a file that is always whole, or through the control API."""

from __future__ import annotations

import json
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from mock_server import ConfigurationError, Options, create_app
from mock_server.exchange.archiving import archive_json, archive_of, archived
from mock_server.exchange.universe import Universe
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from mock_server.packs import ApiSource, pack, pack_names
from mock_server.sandbox import Sandbox
from mock_server.web.app import sandbox_of
from mock_server.web.statefile import StateFile
from tests.acceptance.test_serving import PETS, _until, serving
from tests.steady.desk import OPTIONS, TASKS, Asked, Send, change, control, create, prepared, shown, through_wsgi

TIMED = TASKS.read_text().replace("from: [running], to: done}", "from: [running], to: done, after: PT1H}")
LIMITED = "x-mock-limits: {few: {limit: 3, window: PT1H, operations: [createTask], per: everyone}}\n"


def double(path: Path = TASKS) -> tuple[Sandbox, Send, Universe]:
    """A sandbox of one description, and its default universe, whose clock stands still."""
    app = create_app(path, options=OPTIONS)
    universe = sandbox_of(app).universes.default
    prepared(universe)
    return sandbox_of(app), through_wsgi(app, "default"), universe


def description(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tasks.yaml"
    path.write_text(text)
    return path


# What is kept


def test_server_goes_on_where_it_was_with_the_last_tag_counter_key_and_snapshot(tmp_path: Path) -> None:
    sandbox, send, _ = double()
    ash, birch = (json.loads(send(create(name, key)).body)["id"] for name, key in (("ash", "k-1"), ("birch", None)))
    send(Asked("PUT", "/__mock__/snapshots/two"))
    send(Asked("DELETE", f"/tasks/{birch}"))
    tag = dict(send(change(ash, {"count": 3})).headers)["etag"]
    kept = StateFile(tmp_path / "state.json", sandbox)
    assert kept.save()

    other, again, _ = double()
    StateFile(tmp_path / "state.json", other).load()
    rest = [
        create("ash", "k-1"),
        create("cedar"),
        change(ash, {"count": 4}, tag),
        change(ash, {"count": 5}, tag),
        Asked("GET", "/tasks"),
        Asked("POST", "/__mock__/snapshots/two/restore"),
        Asked("GET", "/tasks"),
        create("elm"),
    ]
    assert [again(asked) for asked in rest] == [send(asked) for asked in rest]


def test_timers_and_limits_go_on(tmp_path: Path) -> None:
    path = description(tmp_path, LIMITED + TIMED)
    sandbox, send, universe = double(path)
    task = json.loads(send(create("ash")).body)["id"]
    send(create("birch"))
    send(Asked("POST", f"/tasks/{task}/start"))
    StateFile(tmp_path / "state.json", sandbox).save()

    other, again, there = double(path)
    StateFile(tmp_path / "state.json", other).load()
    assert [again(create(name)).status for name in ("cedar", "elm")] == [201, 429]
    for clock_of in (universe, there):
        clock_of.clock = clock_of.clock.advanced(timedelta(minutes=59))
    assert json.loads(again(Asked("GET", f"/tasks/{task}")).body)["state"] == "running"
    there.clock = there.clock.advanced(timedelta(minutes=1))
    assert json.loads(again(Asked("GET", f"/tasks/{task}")).body)["state"] == "done"


@pytest.mark.parametrize("name", pack_names() if os.environ.get("APIDOUBLE_STEADY") else ["kirimdev"])
def test_seed_of_a_pack_is_the_same_as_json_and_back(name: str) -> None:
    universe = Sandbox([pack(name)], options=Options(eager=False)).universes.default
    value = archive_json(archived(universe))
    again = archive_of(jsontext.loads(jsontext.dumps(value), max_depth=200))
    assert shown(again.state) == shown(universe.state)
    assert archive_json(again) == value
    short = archive_json(archived(universe), seed=universe.seed_state)
    assert len(jsontext.dumps(short)) < len(jsontext.dumps(value)) / 5  # it is the seed's, and follows it
    assert shown(archive_of(short, seed=universe.seed_state).state) == shown(universe.state)
    with pytest.raises(ValueError, match="as in a seed, and here is none"):
        archive_of(short)


def test_numbers_and_texts_come_back_as_they_were(tmp_path: Path) -> None:
    odd = {"big": 2**80, "small": 1e-300, "whole": 1.0, "text": '\u2028\x00\\"', "deep": [[[{}]]], "none": None}
    open_schema = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /things/{id}:\n    put:\n" + (
        "      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"
        "      requestBody: {content: {application/json: {schema: {type: object}}}}\n"
        "      responses: {'201': {description: '', content: {application/json: {schema: {type: object}}}}}\n"
        "    get:\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"
        "      responses: {'200': {description: '', content: {application/json: {schema: {type: object}}}}}\n"
    )
    path = description(tmp_path, open_schema)
    sandbox, send, _ = double(path)
    body = json.dumps(odd).encode()
    assert send(Asked("PUT", "/things/one", body, (("Content-Type", "application/json"),))).status == 201
    StateFile(tmp_path / "state.json", sandbox).save()
    other, again, _ = double(path)
    StateFile(tmp_path / "state.json", other).load()
    assert again(Asked("GET", "/things/one")) == send(Asked("GET", "/things/one"))


# When it is written


def test_file_is_written_when_something_has_changed_and_only_then(tmp_path: Path) -> None:
    sandbox, send, universe = double()
    universe.clock = sandbox.clock
    kept = StateFile(tmp_path / "state.json", sandbox)
    assert not kept.save()
    assert not kept.path.exists()
    task = json.loads(send(create("birch")).body)["id"]
    kept.save()
    for asked, changes in [
        (create("ash", "k-1"), True),
        (Asked("GET", "/tasks"), False),
        (create("ash"), False),
        (change(task, {"count": 1}), True),
        (control("PUT", "/snapshots/one"), True),
        (control("POST", "/clock", {"advance": "PT1H"}), True),
        (control("POST", "/reset"), True),
        (control("GET", "/state/tasks"), False),
    ]:
        send(asked)
        assert kept.save() == changes, asked


def test_sessions_are_kept_and_those_that_are_just_the_seed_are_not(tmp_path: Path) -> None:
    app = create_app(TASKS, options=OPTIONS)
    through_wsgi(app, "written")(create("ash"))
    through_wsgi(app, "looked-at")(Asked("GET", "/tasks"))
    kept = StateFile(tmp_path / "state.json", sandbox_of(app))
    kept.save()
    assert list(json.loads(kept.path.read_bytes())["sessions"]) == ["written"]
    sandbox_of(app).universes.drop("written")
    assert kept.save()
    assert json.loads(kept.path.read_bytes())["sessions"] == {}


def test_folder_that_cannot_be_written_to_is_told_once_and_the_server_goes_on(tmp_path: Path) -> None:
    sandbox, send, _ = double()
    folder = tmp_path / "gone"
    folder.mkdir()
    said: list[str] = []
    kept = StateFile(folder / "state.json", sandbox, say=said.append)
    kept.load()
    folder.rmdir()
    kept.start()
    send(create("ash"))
    kept.stop()
    (line,) = said
    assert "the state is not kept" in line
    assert str(folder) in line


# What is refused


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (b"{", "state.json", "no state file"),
        (b'{"openapi": "3.1.0"}', "state.json", "no state that apidouble has written"),
        (("version", 2), "/version", "another version"),
        (("sessions", {"default": 1}), "/sessions/default", "is not of type"),
    ],
    ids=["not JSON", "another file", "another version", "misshapen"],
)
def test_file_that_is_none_of_ours_is_refused_and_left_alone(
    tmp_path: Path, change: bytes | tuple[str, Json], where: str, what: str
) -> None:
    sandbox, send, universe = double()
    send(create("ash"))
    path = tmp_path / "state.json"
    kept = StateFile(path, sandbox)
    kept.save()
    if isinstance(change, bytes):
        path.write_bytes(change)
    else:
        path.write_text(json.dumps({**json.loads(path.read_bytes()), change[0]: change[1]}))
    before, state = path.read_bytes(), universe.state
    with pytest.raises(ConfigurationError) as caught:
        StateFile(path, sandbox).load()
    assert where in str(caught.value)
    assert what in str(caught.value)
    assert (path.read_bytes(), universe.state is state) == (before, True)


def test_state_that_an_edited_description_has_no_room_for_is_refused_with_the_place(tmp_path: Path) -> None:
    path = description(tmp_path, TASKS.read_text())
    sandbox, send, _ = double(path)
    send(create("a long name"))
    StateFile(tmp_path / "state.json", sandbox).save()
    path.write_text(TASKS.read_text().replace("maxLength: 40", "maxLength: 5"))
    other, _, _ = double(path)
    with pytest.raises(ConfigurationError) as caught:
        StateFile(tmp_path / "state.json", other).load()
    assert "does not fit the descriptions" in str(caught.value)
    assert "/sessions/default/state/resources/tasks~1tasks/0/items/0/3/name" in str(caught.value)
    path.write_text(TASKS.read_text().replace("maxLength: 40", "maxLength: 400"))
    third, again, _ = double(path)
    StateFile(tmp_path / "state.json", third).load()
    assert b"a long name" in again(Asked("GET", "/tasks")).body


def test_state_of_other_apis_is_refused(tmp_path: Path) -> None:
    sandbox, send, _ = double()
    send(create("ash"))
    StateFile(tmp_path / "state.json", sandbox).save()
    other = Sandbox([ApiSource("pets", PETS)])
    with pytest.raises(ConfigurationError, match="nothing is called tasks/tasks in what is served"):
        StateFile(tmp_path / "state.json", other).load()


# The control API


def test_archive_of_one_server_is_put_into_another() -> None:
    _, send, _ = double()
    send(create("ash", "k-1"))
    send(control("PUT", "/snapshots/one"))
    archive = json.loads(send(control("GET", "/archive")).body)
    _, again, _ = double()
    assert again(control("PUT", "/archive", archive)).status == 204
    assert again(Asked("GET", "/tasks")) == send(Asked("GET", "/tasks"))
    assert again(create("ash", "k-1")) == send(create("ash", "k-1"))
    assert json.loads(again(control("GET", "/archive")).body) == archive


def test_archive_that_does_not_fit_is_refused_whole() -> None:
    _, send, universe = double()
    send(create("ash"))
    archive: Any = json.loads(send(control("GET", "/archive")).body)
    archive["state"]["resources"]["tasks/tasks"][0]["items"][0][3]["count"] = -1
    before = universe.state
    refused = send(control("PUT", "/archive", archive))
    assert refused.status == 422
    (error,) = json.loads(refused.body)["errors"]
    assert error["pointer"] == "/state/resources/tasks~1tasks/0/items/0/3/count"
    assert universe.state is before
    archive["state"]["resources"]["tasks/tasks"][0]["items"][0] = ["one"]
    assert send(control("PUT", "/archive", archive)).status == 422
    assert send(control("PUT", "/archive", {"clock": {}})).status == 422


# The server


def test_killed_server_takes_up_what_it_had_and_a_stopped_one_has_saved_the_last_of_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    arguments = (str(TASKS), "--state", str(path))
    with serving(*arguments) as served:
        assert requests.post(f"{served.url}/tasks", json={"name": "ash"}, timeout=10).status_code == 201
        served.wait_for("nothing is there yet")
        _until(lambda: path.exists() and "ash" in path.read_text())
        served.stop(signal.SIGKILL)  # its worker, who has the state, ends with it
    with serving(*arguments) as served:
        assert [task["name"] for task in requests.get(f"{served.url}/tasks", timeout=10).json()] == ["ash"]
        assert requests.post(f"{served.url}/tasks", json={"name": "birch"}, timeout=10).status_code == 201
        code, said, _ = served.stop(signal.SIGTERM)
    assert (code, "Traceback" in said, "1 session taken up" in said) == (0, False, True)
    assert "birch" in path.read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]

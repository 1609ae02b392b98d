"""Drift: none between two doubles that make up other values, and each planted difference is found and told."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.exchanges import Transcript, exchange_files, load, run
from contracts.testing.recording.drift import RECORD_AGAIN, Drift, drift, drift_text
from contracts.testing.recording.recordings import read_recording
from mock_server.errors import Place
from mock_server.exchange.journal import Entry
from mock_server.exchange.messages import RawResponse
from tests.plugin.recorded import Client, door_of, drifts, keep, real, recorder_of, sandbox, source, target_of, universe

PACKS = ("kirimdev", "layercake")


def playable(api: str) -> list[Transcript]:
    """The transcripts of a pack that do nothing past its API."""
    fixtures = source(api).fixtures
    assert fixtures is not None
    found = [load(path) for path in exchange_files(fixtures)]
    return [
        each for each in found
        if not any(s.clock or s.write or s.exchange is None or s.exchange[0].api != api for s in each.steps)
    ]  # fmt: skip


@pytest.mark.parametrize("api", PACKS)
def test_a_double_does_not_drift_from_one_that_makes_up_other_values(api: str, tmp_path: Path) -> None:
    served = sandbox(api).api(api)
    transcripts = playable(api)
    assert len(transcripts) > 10
    with real(api) as service:
        for transcript in transcripts:
            name = transcript.path.stem
            service.sandbox.universes.default.reset()
            recorder = recorder_of(api, service.url, universe=universe(api, f"recording-{name}"))
            assert run(transcript, target_of(served, recorder)) is None
            path = tmp_path / f"{name}.yaml"
            assert keep(recorder, path)
            again = universe(api, f"again-{name}")
            assert run(transcript, target_of(served, door_of(api, again))) is None
            found = drifts(api, path, list(again.journal))
            assert found == (), drift_text([(name, found)])
            assert recorder.findings == ()


# Planted differences


def flow(send: Client) -> None:
    """What a test of a shop does: two products, a change, a list, a look at what is gone."""
    _, pen = send("POST", "/products", {"name": "Pen", "price": 2.5})
    _, cup = send("POST", "/products", {"name": "Cup", "price": 7})
    send("PUT", f"/products/{pen['id']}", {"name": "Pencil", "price": 3})
    send("GET", f"/products/{cup['id']}")
    send("GET", "/products")
    send("POST", f"/products/{cup['id']}/reviews", {"stars": 5, "text": "A good cup"})
    send("DELETE", f"/products/{pen['id']}")
    send("GET", f"/products/{pen['id']}")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("drift") / "flow.shop.yaml"
    with real("shop") as service:
        recorder = recorder_of("shop", service.url, universe=universe("shop", "recording"))
        flow(Client(recorder.served, recorder))
        keep(recorder, path)
    return path


@pytest.fixture
def entries() -> list[Entry]:
    """What the double's journal has after the same flow."""
    within = universe("shop", "flow")
    flow(Client(sandbox("shop").api("shop"), door_of("shop", within)))
    return list(within.journal)


def test_the_flow_itself_does_not_drift(recording: Path, entries: list[Entry]) -> None:
    assert drifts("shop", recording, entries) == ()
    assert len(entries) == 8


def altered(entry: Entry, change: Callable[[Any], Any]) -> Entry:
    """An exchange with another body."""
    response = entry.response
    body = json.dumps(change(json.loads(response.body))).encode()
    return replace(entry, response=RawResponse(response.status, response.headers, body))


def changed(entries: list[Entry], number: int, change: Callable[[Any], Any]) -> list[Entry]:
    return [altered(entry, change) if n == number else entry for n, entry in enumerate(entries)]


def without(name: str) -> Callable[[Any], Any]:
    return lambda body: {key: value for key, value in body.items() if key != name}


def reversed_data(body: Any) -> Any:
    return {**body, "data": body["data"][::-1]}


def first_dropped(body: Any) -> Any:
    return {**body, "data": body["data"][1:]}


@pytest.mark.parametrize(
    ("number", "change", "where", "sentence"),
    [
        (0, without("status"), "body /status", "the service shows status, the double does not"),
        (0, lambda body: {**body, "price": "2.5"}, "body /price", "price has another type"),
        (0, lambda body: {**body, "name": "Pen!"}, "body /name", "name has another value"),
        (0, lambda body: {**body, "status": "archived"}, "body /status", "status has another value"),
        (0, lambda body: {**body, "colour": "red"}, "body /colour", "the double shows colour, the service does not"),
        (0, lambda body: {**body, "id": "p-1"}, "body /id", "id has another type"),
        (3, lambda body: {**body, "id": 4711}, "body /id", "id is the same value as elsewhere in only one of the two"),
        (4, reversed_data, "body /data", "data comes in another order"),
        (4, first_dropped, "body /data/0", "the service lists an item that the double does not"),
        (7, lambda body: {**body, "status": 410}, "body /status", "status has another value"),
        (7, without("title"), "body /title", "the service shows title, the double does not"),
        (7, lambda body: {"error": body["title"]}, "body /error", "the double shows error, the service does not"),
    ],
)
def test_a_planted_difference_is_found(
    recording: Path, entries: list[Entry], number: int, change: Callable[[Any], Any], where: str, sentence: str
) -> None:
    found = drifts("shop", recording, changed(entries, number, change))
    assert (where, sentence) in [(one.where, one.sentence) for one in found]
    assert {one.operation_id for one in found} == {entries[number].trace.operation_id}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda body: {**body, "data": {**body["data"], "color": "#ff0000"}}, "body /data/color"),
        (lambda body: {**body, "data": {**body["data"], "id": "label-4711"}}, "body /data/id"),
        (lambda body: {**body, "data": {**body["data"], "created_at": "yesterday"}}, "body /data/created_at"),
        (lambda body: {**body, "object": "label"}, "body /object"),
        (lambda body: {"data": body["data"]}, "body /request_id"),
    ],
)
def test_a_planted_difference_inside_an_envelope_is_found(
    change: Callable[[Any], Any], where: str, tmp_path: Path
) -> None:
    def label(send: Client) -> None:
        send("POST", "/v1/labels", {"name": "Urgent"})

    with real("kirimdev") as service:
        recorder = recorder_of("kirimdev", service.url, universe=universe("kirimdev", "label-recorded"))
        label(Client(recorder.served, recorder, credential="platform"))
        keep(recorder, tmp_path / "label.yaml")
    within = universe("kirimdev", "label")
    label(Client(recorder.served, door_of("kirimdev", within), credential="platform"))
    (entry,) = within.journal
    assert drifts("kirimdev", tmp_path / "label.yaml", [entry]) == ()
    assert [one.where for one in drifts("kirimdev", tmp_path / "label.yaml", [altered(entry, change)])] == [where]


def test_another_status_is_told_once_and_nothing_follows_from_it(recording: Path, entries: list[Entry]) -> None:
    first = entries[0]
    entries[0] = replace(first, response=RawResponse(200, first.response.headers, first.response.body))
    (found,) = drifts("shop", recording, entries)
    assert (found.where, found.recorded, found.double) == ("status", "201", "200")
    assert "the service answers 201, the double 200" in str(found)
    assert "pytest --mock-api-record=URL" in found.remedy


def test_another_media_type_is_found(recording: Path, entries: list[Entry]) -> None:
    last = entries[-1]
    entries[-1] = replace(last, response=RawResponse(404, (("Content-Type", "text/html"),), last.response.body))
    (found,) = drifts("shop", recording, entries)
    assert found.where == "header Content-Type"


def test_a_header_that_is_left_out_is_found(recording: Path, entries: list[Entry]) -> None:
    read = entries[3]
    kept = tuple(pair for pair in read.response.headers if pair[0].lower() != "etag")
    assert kept != read.response.headers
    entries[3] = replace(read, response=RawResponse(200, kept, read.response.body))
    assert [one.where for one in drifts("shop", recording, entries)] == ["header ETag"]


# Pairing


def test_a_request_too_few_is_told_once(recording: Path, entries: list[Entry]) -> None:
    del entries[1]  # the cup: what is done with it follows all the same
    found = drifts("shop", recording, entries)
    assert [(one.operation_id, one.sentence) for one in found] == [
        ("createProduct", "this request was recorded, and the test has not sent it")
    ]
    assert "POST" in found[0].recorded


def test_a_request_too_many_is_told_once(recording: Path) -> None:
    within = universe("shop", "more")
    send = Client(sandbox("shop").api("shop"), door_of("shop", within))
    flow(send)
    send("GET", "/products?status=draft")
    (found,) = drifts("shop", recording, list(within.journal))
    assert (found.operation_id, found.sentence) == ("listProducts", "this request was not recorded")
    assert found.double == "GET /products, answered 200"


def test_threads_may_send_requests_in_another_order(tmp_path: Path) -> None:
    names = [f"Thing {letter}" for letter in "ABCDEFGH"]

    def at_once(send: Client, named: list[str]) -> None:
        with ThreadPoolExecutor(4) as threads:
            made = list(threads.map(lambda name: send("POST", "/products", {"name": name, "price": 1})[1], named))
            list(threads.map(lambda item: send("GET", f"/products/{item['id']}"), reversed(made)))

    with real("shop") as service:
        recorder = recorder_of("shop", service.url, universe=universe("shop", "threads-recorded"))
        at_once(Client(recorder.served, recorder), names)
        keep(recorder, tmp_path / "threads.yaml")
    within = universe("shop", "threads")
    at_once(Client(recorder.served, door_of("shop", within)), names[::-1])
    assert drifts("shop", tmp_path / "threads.yaml", list(within.journal)) == ()


def test_a_test_that_names_things_at_random_does_not_drift(tmp_path: Path) -> None:
    with real("shop") as service:
        recorder = recorder_of("shop", service.url, universe=universe("shop", "random-recorded"))
        Client(recorder.served, recorder)("POST", "/products", {"name": "test-5f3a9c21", "price": 1})
        keep(recorder, tmp_path / "random.yaml")
    within = universe("shop", "random")
    Client(recorder.served, door_of("shop", within))("POST", "/products", {"name": "test-77ab0e14", "price": 1})
    assert drifts("shop", tmp_path / "random.yaml", list(within.journal)) == ()


def test_a_test_that_was_changed_is_asked_to_be_recorded_again(tmp_path: Path) -> None:
    with real("shop") as service:
        recorder = recorder_of("shop", service.url, universe=universe("shop", "changed-recorded"))
        Client(recorder.served, recorder)("POST", "/products", {"name": "Pen", "price": 1})
        keep(recorder, tmp_path / "changed.yaml")
    within = universe("shop", "changed")
    Client(recorder.served, door_of("shop", within))("POST", "/products", {"name": "Bowl", "price": 1})
    (found,) = drifts("shop", tmp_path / "changed.yaml", list(within.journal))
    assert (found.where, found.recorded, found.double) == ("request body/name", '"Pen"', '"Bowl"')
    assert "record again" in found.remedy


# The report


def some(number: int, *, operation_id: str = "createProduct") -> Drift:
    return Drift(operation_id, f"body /m{number}", "1", "2", f"m{number} has another value", "mend the pack",
                 Place("a.yaml", "/steps/0", 7))  # fmt: skip


def test_the_report_is_grouped_by_operation_and_bounded() -> None:
    found = [(f"test_{n}", [some(n), some(n, operation_id="getProduct")]) for n in range(30)]
    text = drift_text(found, most=4)
    assert text.splitlines()[0] == "createProduct"
    assert text.count("recorded: 1") == 4
    assert text.splitlines()[-1] == "… and 56 more"


def test_what_several_tests_tell_is_told_once() -> None:
    text = drift_text([(f"test_{n}", [some(1)]) for n in range(5)])
    assert text.count("m1 has another value") == 1
    assert "in test_0, test_1, test_2 and 2 more" in text
    assert "a.yaml:7" in text


def test_a_drift_reads_as_a_block_with_its_remedy_below_itself() -> None:
    place = Place("a.yaml", "/steps/0", 7)
    one = Drift("createProduct", "status", "409", "201", "the statuses differ", "- target: $\n  update: {}", place)
    assert str(one).splitlines()[-2:] == ["  to do:    - target: $", "              update: {}"]


def test_a_report_of_nothing_is_empty() -> None:
    assert drift_text([("test_1", [])]) == ""


def test_the_remedy_is_an_overlay_action(recording: Path, entries: list[Entry]) -> None:
    found = drifts("shop", recording, changed(entries, 0, lambda body: {**body, "status": "archived"}))
    action, _, hint = found[0].remedy.rpartition("\n")
    assert yaml.safe_load(action) == [
        {"target": "$", "update": {"x-mock-resources": {"products": {"defaults": {"status": "draft"}}}}}
    ]
    assert hint == RECORD_AGAIN


def test_what_was_recorded_can_be_read(recording: Path) -> None:
    found = read_recording(recording)
    assert found is not None
    assert len(found.steps) == 8
    assert drift(found, sandbox("shop").api("shop"), [])[0].sentence == (
        "this request was recorded, and the test has not sent it"
    )

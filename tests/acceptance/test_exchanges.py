"""Every exchange file of every pack, in process: the vendors' documents, written down by hand, against us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from contracts.exchanges import Answer, Presented, Target, carried, exchange_files, load, run
from contracts.targets import in_process
from mock_server.errors import FixtureError
from mock_server.openapi.description import SecurityScheme
from mock_server.packs import ApiSource
from mock_server.sandbox import Sandbox
from tests.acceptance.together import PACKS, packs

FILES = tuple(path for folder in {p.fixtures: None for p in PACKS if p.fixtures} for path in exchange_files(folder))


def sources(fixtures: Path) -> list[ApiSource]:
    """The packs that live in one fixtures folder and so share a state."""
    return [source for source in PACKS if source.fixtures == fixtures]


@cache
def sandbox(fixtures: Path) -> Sandbox:
    return Sandbox(sources(fixtures))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_the_double_answers_as_the_document_says(path: Path) -> None:
    box = sandbox(path.parent.parent)
    failure = run(load(path), in_process(box, box.universes.get(f"exchange-{path.stem}")))
    assert failure is None, str(failure)


def test_transcripts_hold_side_by_side_in_one_sandbox_in_any_order() -> None:
    """All packs on one set of universes, eight transcripts at a time, in an order of no meaning."""
    box = packs()
    shuffled = sorted(FILES, key=lambda path: sha256(str(path.name).encode()).digest())

    def play(path: Path) -> str | None:
        failure = run(load(path), in_process(box, box.universes.get(f"beside-{path.parent.parent.name}-{path.stem}")))
        return str(failure) if failure is not None else None

    with ThreadPoolExecutor(8) as pool:
        assert [failure for failure in pool.map(play, shuffled) if failure is not None] == []


def test_every_pack_with_fixtures_has_exchanges() -> None:
    assert FILES


# The runner itself, against answers made up here.


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "transcript.yaml"
    path.write_text(dedent(text))
    return path


def answering(*answers: tuple[int, Any]) -> tuple[Target, list[tuple[str, str, Mapping[str, str], bytes]]]:
    """A target that gives these answers in turn, and what it was sent."""
    waiting = list(answers)
    sent: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def send(api: str, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        sent.append((method, url, headers, body))
        status, value = waiting.pop(0)
        return status, {"X-Number": str(len(sent))}, json.dumps(value).encode()

    return Target(send, lambda api, name: Presented({"X-Key": name}), lambda duration: None), sent


TWO_THINGS = """
    title: two things
    api: shop
    steps:
      - request: {method: POST, path: /things}
        response: {status: 201, body: {id: {$bind: a, $match: "^[a-z]+$"}}}
      - request: {method: POST, path: /things}
        response: {status: 201, body: {id: {$bind: b}}}
      - credential: clerk
        request: {method: GET, path: "/things/{a}", query: {with: {$bind: b}, tag: [x, y]}}
        response: {status: 200, headers: {x-number: "3"}, body: [{$bind: a}, {$any: true}, 1.0]}
"""


def test_what_was_bound_is_sent_again_and_recognised(tmp_path: Path) -> None:
    target, sent = answering((201, {"id": "one"}), (201, {"id": "two"}), (200, ["one", {"any": "thing"}, 1]))
    assert run(load(written(tmp_path, TWO_THINGS)), target) is None
    method, url, headers, _ = sent[-1]
    assert (method, url) == ("GET", "/things/one?with=two&tag=x&tag=y")
    assert headers == {"X-Key": "clerk"}


@pytest.mark.parametrize(
    ("answers", "pointer", "message"),
    [
        ([(500, {"id": "one"})], "status", "is another one"),
        ([(201, {"id": "ONE"})], "body /id", "does not match"),
        ([(201, {})], "body /id", "is missing"),
        ([(201, {"id": "one", "more": 1})], "body /more", "is not expected"),
        ([(201, {"id": "one"}), (201, {"id": "one"})], "body /id", "is a; b must be another value"),
        (
            [(201, {"id": "one"}), (201, {"id": "two"}), (200, ["two", 1, 1])],
            "body /0",
            "is not what a was before",
        ),
        ([(201, {"id": "one"}), (201, {"id": "two"}), (200, ["one", 1])], "body ", "has 2 items, not 3"),
        (
            [(201, {"id": "one"}), (201, {"id": "two"}), (200, ["one", 1, True])],
            "body /2",
            "is another value",
        ),
    ],
)
def test_a_difference_is_reported_where_it_is(
    tmp_path: Path, answers: list[tuple[int, Any]], pointer: str, message: str
) -> None:
    target, _ = answering(*answers)
    failure = run(load(written(tmp_path, TWO_THINGS)), target)
    assert failure is not None
    assert [(m.pointer, m.message) for m in failure.mismatches] == [(pointer, message)]
    assert f"/steps/{len(answers) - 1}" in str(failure)


def test_named_groups_of_a_match_are_bound_too(tmp_path: Path) -> None:
    text = """
        title: days
        api: shop
        steps:
          - request: {method: GET, path: /now}
            response: {status: 200, body: {$match: "^(?P<day>.{10})T"}}
          - request: {method: GET, path: /orders, query: {day: {$bind: day}}}
            response: {status: 200, body: {$match: "^(?P<day>.{10})$"}}
    """
    target, sent = answering((200, "2024-02-29T10:00:00Z"), (200, "2024-03-01"))
    failure = run(load(written(tmp_path, text)), target)
    assert sent[-1][1] == "/orders?day=2024-02-29"
    assert failure is not None
    assert failure.mismatches[0].message == "day was '2024-02-29' before"


def test_a_body_that_is_not_json_is_reported(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "{title: t, api: a, steps: [{request: {method: GET, path: /}, response: {status: 200, body: 1}}]}",
    )
    target = Target(lambda *request: (200, {}, b"<html>"), lambda api, name: Presented(), lambda duration: None)
    failure = run(load(path), target)
    assert failure is not None
    assert "is not JSON" in str(failure)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{request: {method: GET, path: /}}", "no exchange file"),
        ("{response: {status: 200}}", "no exchange file"),
        (
            "{request: {method: GET, path: /}, response: {status: 200, body: {$same: x}}}",
            "means nothing here",
        ),
        (
            "{request: {method: GET, path: /}, response: {status: 200, body: {$match: '('}}}",
            "means nothing here",
        ),
        (
            "{request: {method: PUT, path: /, body: {$any: true}}, response: {status: 200}}",
            "means nothing here",
        ),
    ],
)
def test_a_step_that_cannot_be_used_is_refused(tmp_path: Path, step: str, words: str) -> None:
    path = written(tmp_path, f"{{title: t, api: a, steps: [{step}]}}")
    with pytest.raises(FixtureError, match=words) as caught:
        load(path)
    assert str(path) in str(caught.value)


REPEATED = """
    title: enough is enough
    api: shop
    clock: frozen
    steps:
      - repeat: 3
        request: {method: GET, path: /}
        response: {status: 200}
"""


def test_a_repeated_request_must_get_its_response_each_time(tmp_path: Path) -> None:
    target, sent = answering((200, 1), (200, 1), (200, 1))
    assert run(load(written(tmp_path, REPEATED)), target) is None
    assert len(sent) == 3
    target, sent = answering((200, 1), (429, 1), (200, 1))
    failure = run(load(written(tmp_path, REPEATED)), target)
    assert failure is not None
    assert "number 2 of 3" in str(failure)
    assert len(sent) == 2


def test_a_frozen_transcript_stops_the_clock_before_its_first_step(tmp_path: Path) -> None:
    target, sent = answering((200, 1), (200, 1), (200, 1))
    stopped: list[int] = []
    run(load(written(tmp_path, REPEATED)), replace(target, freeze=lambda: stopped.append(len(sent))))
    assert stopped == [0]


def test_a_request_to_no_api_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "{title: t, steps: [{request: {method: GET, path: /}, response: {status: 200}}]}")
    with pytest.raises(FixtureError, match="goes to no API"):
        load(path)


def test_a_name_that_nothing_bound_is_refused(tmp_path: Path) -> None:
    text = '{title: t, api: a, steps: [{request: {method: GET, path: "/{x}"}, response: {status: 200}}]}'
    target, _ = answering((200, 1))
    with pytest.raises(FixtureError, match="nothing was bound"):
        run(load(written(tmp_path, text)), target)


@pytest.mark.parametrize(
    ("kind", "location", "parameter", "scheme", "presented"),
    [
        ("apiKey", "header", "X-Key", "", Presented({"X-Key": "u:p"})),
        ("apiKey", "query", "key", "", Presented(query={"key": "u:p"})),
        ("apiKey", "cookie", "sid", "", Presented({"Cookie": "sid=u:p"})),
        ("http", "", "", "basic", Presented({"Authorization": "Basic dTpw"})),
        ("http", "", "", "bearer", Presented({"Authorization": "Bearer u:p"})),
        ("oauth2", "", "", "bearer", Presented({"Authorization": "Bearer u:p"})),
    ],
)
def test_credentials_travel_as_their_scheme_says(
    kind: str, location: str, parameter: str, scheme: str, presented: Presented
) -> None:
    assert carried(SecurityScheme("s", kind, location, parameter, scheme, (), "", {}), "u:p") == presented

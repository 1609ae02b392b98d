"""The express lane answers, stores and records what the line would; and it is taken for what is plain."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.exchange.authentication import Authenticator, Credential
from mock_server.exchange.express import UNUSUAL, Express
from mock_server.exchange.faults import Fault
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.model.minter import realize
from mock_server.model.plain import plain_of
from mock_server.model.problem import Problem
from mock_server.model.state import Partition, State
from mock_server.model.step import step
from mock_server.model.timers import Timers
from mock_server.model.world import World
from mock_server.openapi.values import Json
from tests.unit.model.doubles import NOW, Double

TEXT, INTEGER = {"type": "string"}, {"type": "integer"}
CLIENTS = {
    "type": "object",
    "required": ["name", "visits", "created_at"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "id": {"type": "integer", "minimum": 1, "readOnly": True},
        "status": {"type": "string", "enum": ["draft", "active", "gone"], "default": "draft"},
        "password": {"type": "string", "writeOnly": True},
        "address": {"type": "object", "required": ["city"], "properties": {"city": TEXT, "tags": {"type": "array"}}},
        "score": {"type": "number", "default": 1.5},
        "visits": {"type": "integer", "readOnly": True},
        "created_at": {"type": "string", "format": "date-time", "readOnly": True},
        "updated_at": {"type": "string", "format": "date-time", "readOnly": True},
        "token": {"type": "string", "readOnly": True},
    },
}
NOTES = {
    "type": "object",
    "required": ["id", "title", "words", "day"],
    "additionalProperties": False,
    "properties": {"id": {"type": "string", "format": "uuid"}, "title": {"type": "string", "maxLength": 20},
                   "words": INTEGER, "day": {"type": "string", "format": "date"}},
}  # fmt: skip
NEW_NOTE = {"type": "object", "required": ["title"], "properties": {"title": TEXT, "words": INTEGER}}


def ok(schema: Json, *types: str) -> dict[str, Any]:
    return {"description": "", "content": {name: {"schema": schema} for name in types or ("application/json",)}}


def sent(schema: Json) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def document(**more: Json) -> dict[str, Any]:
    shown = {"type": "object", "required": ["data", "ok"], "properties": {"data": NOTES, "ok": {"type": "boolean"}}}
    key = {"name": "id", "in": "path", "required": True}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://example.test/v1"}],
        "paths": {
            "/clients": {"post": {"requestBody": sent(CLIENTS), "responses": {"201": ok(CLIENTS)}}},
            "/clients/{id}": {
                "parameters": [{**key, "schema": {"type": "integer", "minimum": 1}}],
                "get": {"responses": {"200": ok(CLIENTS, "application/json", "application/vnd.t+json")}},
                "delete": {"responses": {"204": {"description": ""}}},
                "patch": {"requestBody": sent({"type": "object"}), "responses": {"200": ok(CLIENTS)}},
            },
            "/notes": {"post": {"requestBody": sent(NEW_NOTE), "responses": {"201": ok(shown)}}},
            "/notes/{id}": {"get": {"parameters": [{**key, "schema": TEXT}], "responses": {"200": ok(shown)}}},
        },
        **more,
    }


class Sided:
    """Two doubles that get the same requests, one of which has no express lane."""

    def __init__(self, description: Json) -> None:
        self.quick, self.slow = Double(description), Double(description)
        self.taken = 0

    def send(self, request: RawRequest) -> tuple[RawResponse, RawResponse]:
        answer = Express.answer

        def counted(*arguments: Any) -> RawResponse | Problem | None:
            response = answer(*arguments)
            self.taken += isinstance(response, RawResponse)
            return response

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Express, "answer", counted)
            quick = self.quick.line.answer(request, self.quick.universe)
            patch.setattr(Express, "answer", lambda *_: None)
            return quick, self.slow.line.answer(request, self.slow.universe)

    def recorded(self) -> tuple[list[Json], list[Json]]:
        return [e.as_json() for e in self.quick.universe.journal], [e.as_json() for e in self.slow.universe.journal]

    def stored(self) -> tuple[Any, Any]:
        return held(self.quick), held(self.slow)


def held(double: Double) -> Any:
    state = double.state
    items = [
        (str(partition), entry.key, entry.sequence, entry.revision, list(entry.value.items()))
        for name in state.resources
        for partition, collection in state.partitions(name)
        for entry in collection
    ]
    return sorted(items, key=lambda item: item[:3]), dict(state.counters)


bodies = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Ann", "Bo", "", 7]),
        "title": st.sampled_from(["a", "a long title that is too long"]),
        "id": st.sampled_from([9, "x", None]),
        "words": st.integers(0, 3),
        "status": st.sampled_from(["active", "none"]),
        "password": st.just("secret"),
        "address": st.sampled_from([{"city": "Bonn", "tags": [1, {"a": None}]}, {"city": 4}, {}]),
        "score": st.sampled_from([2, 0.25, "2"]),
        "visits": st.just(12),
        "other": st.sampled_from([None, [], {"b": 1}]),
    },
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "accept": st.sampled_from(["*/*", "application/vnd.t+json", "text/html", "application/json;q=0.5"]),
        "content-type": st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", ""]),
        "x-other": st.just("1"),
        "host": st.just("127.0.0.1"),
        **{name: st.sampled_from(["explain", "code=404", "identity", "*"]) for name in sorted(UNUSUAL)[:4]},
    },
)
requests = st.builds(
    lambda method, path, query, headers, body: RawRequest(
        method, path, query, {"content-type": "application/json", **headers} if body else headers, body, "http://double"
    ),
    st.sampled_from(["GET", "POST", "POST", "PATCH", "DELETE", "HEAD"]),
    st.sampled_from(
        [
            "/clients",
            "/clients/1",
            "/clients/2",
            "/v1/clients",
            "/v1/clients/1",
            "/clients/0",
            "/notes",
            "/notes/x",
            "/clients/%31",
        ]
    ),
    st.sampled_from(["", "", "", "a=1"]),
    headers,
    bodies.map(lambda body: json.dumps(body).encode())
    | st.sampled_from([b"", b"{", b"[]", b'{"name":"A","name":"B"}']),
)


@given(st.lists(requests, min_size=1, max_size=12))
def test_the_express_lane_answers_stores_and_records_what_the_line_does(asked: list[RawRequest]) -> None:
    both = Sided(document())
    for request in asked:
        quick, slow = both.send(request)
        assert quick == slow, request
    quick_state, slow_state = both.stored()
    assert quick_state == slow_state
    quick_journal, slow_journal = both.recorded()
    assert quick_journal == slow_journal


def create(path: str, body: Json, **more: str) -> RawRequest:
    sent = {"content-type": "application/json", **more}
    return RawRequest("POST", path, "", sent, json.dumps(body).encode(), "http://double")


def read(path: str, query: str = "", **more: str) -> RawRequest:
    return RawRequest("GET", path, query, more, b"", "http://double")


@pytest.mark.parametrize("base", ["", "/v1"])
def test_plain_creates_and_reads_take_the_express_lane(base: str) -> None:
    both = Sided(document())
    for _ in range(3):
        quick, slow = both.send(create(f"{base}/clients", {"name": "Ann"}))
        assert quick == slow
        assert quick.status == 201
    assert both.taken == 2  # the first goes the long way
    for _ in range(3):
        assert both.send(read(f"{base}/clients/1"))[0].status == 200
    assert both.taken == 4


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (create("/clients", {}), "is invalid"),
        (create("/clients", {"name": "Ann"}, prefer="explain"), "asks for an explanation"),
        (create("/clients", {"name": "Ann"}, origin="http://page"), "comes from a page"),
        (create("/clients", {"name": "Ann"}, accept="text/html"), "takes nothing that is offered"),
        (read("/clients/9"), "asks for what is not there"),
        (read("/clients/1", "a=1"), "has a query"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_plain_takes_the_line(request_: RawRequest, why: str) -> None:
    both = Sided(document())
    both.send(create("/clients", {"name": "Ann"}))
    both.send(read("/clients/1"))
    both.send(request_)
    assert both.taken == 0, why


SECURED = {
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-key"}}},
    "security": [{"key": []}],
}


@given(st.lists(st.tuples(requests, st.sampled_from([None, "right", "right", "wrong"])), min_size=1, max_size=8))
def test_callers_are_known_in_the_express_lane_too(asked: list[tuple[RawRequest, str | None]]) -> None:
    both = Sided(document(**SECURED))
    for double in (both.quick, both.slow):
        double.line.authenticator = Authenticator([Credential("ann", "key", "right")], verifiers={})
    for request, key in [(create("/clients", {"name": "Ann"}), "right"), (create("/clients", {}), "right"), *asked]:
        request.headers = {**request.headers, **({"x-key": key} if key is not None else {})}  # type: ignore[misc]
        quick, slow = both.send(request)
        assert quick == slow, request
    quick_journal, slow_journal = both.recorded()
    assert quick_journal == slow_journal
    assert both.stored()[0] == both.stored()[1]
    taken = both.taken
    both.send(create("/clients", {"name": "Ann"}, **{"x-key": "right"}))
    assert both.taken == taken + 1


def test_a_fault_stops_the_express_lane() -> None:
    both = Sided(document())
    for _ in range(2):
        both.send(create("/clients", {"name": "Ann"}))
    operation = both.quick.api.match("POST", "/clients").target
    assert operation is not None
    for double in (both.quick, both.slow):
        double.universe.faults.append(Fault(operation, status=503))
    quick, slow = both.send(create("/clients", {"name": "Ann"}))
    assert quick.status == slow.status == 503


def test_timers_of_others_that_are_not_due_do_not_stop_it() -> None:
    both = Sided(document())
    both.send(create("/clients", {"name": "Ann"}))
    for double in (both.quick, both.slow):
        waiting = Timers().set(Partition("other/things"), "1", "end", due=NOW + timedelta(seconds=60), wait=None)
        double.universe.state = State(double.state.resources, double.state.counters, waiting)
    both.send(create("/clients", {"name": "Ann"}))
    assert both.taken == 1
    for double in (both.quick, both.slow):
        double.advance(60)
    quick, slow = both.send(create("/clients", {"name": "Ann"}))
    assert quick == slow
    assert both.taken == 1


@given(bodies, st.integers(0, 5))
def test_a_plain_operation_has_the_outcome_that_step_and_realize_have(body: dict[str, Json], before: int) -> None:
    double = Double(document())
    for _ in range(before):
        double.post("/clients", {"name": "Ann"})
    operation = double.api.match("POST", "/clients").target
    assert operation is not None
    meaning = double.model.meaning(operation)
    plain = plain_of(double.model, meaning)
    assert plain is not None
    request = create("/clients", {"name": "Bo", **body})
    prediction = double.line.predict(request, double.universe)
    if prediction.call is None:
        return
    world = World(double.model, double.state, NOW, {})
    expected = realize(step(world, prediction.call), state=double.state, seed=1, now=NOW)  # type: ignore[arg-type]
    assert plain({}, prediction.call.body, state=double.state, seed=1, now=NOW) == expected

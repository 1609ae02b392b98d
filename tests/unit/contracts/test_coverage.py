"""Coverage counts what was exercised, and says why the rest was not."""

from __future__ import annotations

import json
import time

from contracts.coverage import Covered, OperationCovered
from contracts.exercised import probe_of
from contracts.service import Caller, Recorded, Reply
from contracts.wire import WireRequest
from mock_server.openapi.values import Json

from .reports.broken_shop import ALICE, JSON, Shop


def covered(shop: Shop) -> Covered:
    return shop.coverage.covered(shop.report())


def row(found: Covered, operation_id: str) -> OperationCovered:
    return next(one for one in found.rows if one.operation_id == operation_id)


def test_called_operations_and_their_statuses_are_counted() -> None:
    shop = Shop()
    shop.finding()
    found = covered(shop)
    assert (found.operations.met, found.operations.all) == (2, 9)
    assert row(found, "createProduct").statuses == {"default": 0, "201": 1}
    assert row(found, "getProduct").statuses == {"default": 0, "200": 1, "404": 0}


def test_what_was_not_called_says_why() -> None:
    shop = Shop()
    found = covered(shop)
    assert row(found, "createReview").why == "no product can be made"
    assert row(found, "publishProduct").why == "there was no time"
    assert row(found, "listReviews").why == "no check calls it"


def test_query_parameters_count_their_values_and_bounds() -> None:
    shop = Shop()
    shop.service.send(WireRequest("GET", "/products?status=draft&limit=100", {}, b""), operation_id="listProducts")
    missed = row(covered(shop), "listProducts").missed
    assert "query status is published" in missed
    assert "query limit minimum 1" in missed
    assert not {"query status is draft", "query limit maximum 100", "query limit sent", "query q left out"} & set(
        missed
    )


def test_a_request_that_the_service_did_not_look_at_exercises_nothing() -> None:
    shop = Shop()
    recorded = Recorded(1, "createProduct", WireRequest("POST", "/products", JSON, b'{"name": "a", "price": 0}'),
                        Reply(401, (), b""), ALICE)  # fmt: skip
    shop.coverage.watch(recorded)
    found = row(covered(shop), "createProduct")
    assert found.calls == 1
    assert found.body.met == 0


def test_a_move_between_states_is_seen_in_what_replies_show() -> None:
    shop = Shop()

    def shown(number: int, operation_id: str, status: str) -> None:
        body = json.dumps({"id": 1, "status": status}).encode()
        shop.coverage.watch(Recorded(number, operation_id, WireRequest("GET", "/products/1", {}, b""),
                                     Reply(200, (), body), Caller("a")))  # fmt: skip

    shown(1, "getProduct", "draft")
    shown(2, "publishProduct", "published")
    moves = {resource.resource: resource.moves for resource in covered(shop).resources}
    assert sum(moves["products"].values()) == 1


SCHEMA: Json = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {"enum": ["a", "b", 3]},
        "size": {"type": ["integer", "null"], "minimum": 1},
        "on": {"type": "boolean"},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string", "minLength": 1}},
        "inner": {"$ref": "#/$defs/Inner"},
        "id": {"type": "string", "readOnly": True},
    },
    "$defs": {"Inner": {"type": "object", "properties": {"self": {"$ref": "#/$defs/Inner"}, "n": {"const": 1}}}},
}


def test_every_keyword_of_a_body_is_a_facet_of_its_own() -> None:
    probe = probe_of(SCHEMA, "body")
    met: set[str] = set()
    probe.note({"kind": 3, "size": 1, "tags": ["x", "y"], "inner": {"n": 1}}, met)
    assert met == {"body /kind is 3", "body /kind given", "body /size given", "body /size minimum 1",
                   "body /on left out", "body /tags given", "body /tags maxItems 2", "body /tags/* minLength 1",
                   "body /inner given", "body /inner/n given", "body /inner/self left out"}  # fmt: skip
    assert met < probe.all


def test_a_body_that_exercised_everything_is_exhausted() -> None:
    probe = probe_of({"type": "object", "properties": {"on": {"type": "boolean"}}}, "body")
    met = {"body sent"}
    for value in ({"on": True}, {"on": False}, {}):
        assert not probe.exhausted(met)
        probe.note(value, met)
    assert probe.exhausted(met)


def test_the_value_is_json_with_percentages() -> None:
    shop = Shop()
    shop.finding()
    value = json.loads(json.dumps(covered(shop).as_json()))
    assert value["totals"]["operations"] == {"met": 2, "all": 9, "percent": 22.2}
    assert len(value["operations"]) == 9


def test_watching_an_exchange_takes_less_than_a_tenth_of_a_millisecond() -> None:
    shop = Shop()
    made, read = shop.finding().sequence
    best = min(_seconds(shop, made, read) for _ in range(5))
    assert best < 100e-6


def _seconds(shop: Shop, *exchanges: Recorded) -> float:
    begun = time.perf_counter()
    for _ in range(100):
        for recorded in exchanges:
            shop.coverage.watch(recorded)
    return (time.perf_counter() - begun) / (100 * len(exchanges))

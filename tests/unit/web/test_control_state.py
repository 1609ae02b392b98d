"""State through the control API: what is read, what may be written, and that a refused write leaves nothing."""

from __future__ import annotations

import pytest

from mock_server import Api, compile_api
from mock_server.openapi.values import Json
from tests.unit.web.controlled import PET, Double, answers, body, described, double, items, parameter

REX = {"id": 1, "name": "Rex", "status": "available"}
TOM = {"id": 2, "name": "Tom", "status": "sold"}


@pytest.fixture
def pets() -> Double:
    return double()


# Reading


def test_created_item_is_in_the_state(pets: Double) -> None:
    created = pets.create("Rex")
    assert pets.control("GET", "/state/pets").json == {"pets": [created]}
    assert pets.control("GET", "/state/pets/pets").json == [created]
    assert pets.control("GET", f"/state/pets/pets/{created['id']}").json == created


def test_state_of_a_resource_without_items_is_an_empty_list(pets: Double) -> None:
    assert pets.control("GET", "/state/pets/pets").json == []


def test_state_that_was_read_can_be_put_back(pets: Double) -> None:
    pets.create("Rex")
    before = pets.control("GET", "/state/pets").json
    pets.create("Tom")
    assert pets.control("PUT", "/state/pets", json=before).json == before
    assert pets.names() == ["Rex"]


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("/state/pest", "there is no API 'pest'; did you mean 'pets'?"),
        ("/state/pets/pet", "pets has no resource 'pet'; did you mean 'pets'?"),
        ("/state/pets/pets/9", "pets has no item '9'"),
    ],
)
def test_unknown_name_in_the_url_is_a_404(pets: Double, target: str, detail: str) -> None:
    for method in ("GET", "DELETE"):
        response = pets.control(method, target)
        if response.status_code != 405:
            assert (response.status_code, response.json["detail"]) == (404, detail)


# Writing


def test_put_resource_is_what_the_api_lists(pets: Double) -> None:
    response = pets.control("PUT", "/state/pets/pets", json=[REX, TOM])
    assert (response.status_code, response.json) == (200, [REX, TOM])
    assert pets.names() == ["Rex", "Tom"]


def test_item_created_after_a_write_has_a_key_of_its_own(pets: Double) -> None:
    pets.control("PUT", "/state/pets/pets", json=[REX, TOM])
    assert pets.create("Kim")["id"] not in {1, 2}


def test_put_item_takes_its_key_from_the_url(pets: Double) -> None:
    assert pets.control("PUT", "/state/pets/pets/7", json={"name": "Kim"}).json == {"id": 7, "name": "Kim"}
    assert pets.call("GET", "/pets/7").json["name"] == "Kim"


def test_patch_item_merges(pets: Double) -> None:
    pets.control("PUT", "/state/pets/pets", json=[REX])
    patched = pets.control("PATCH", "/state/pets/pets/1", json={"status": None}).json
    assert patched == {"id": 1, "name": "Rex"}
    assert pets.call("GET", "/pets/1").json == patched


def test_deleted_item_reads_as_404(pets: Double) -> None:
    pets.control("PUT", "/state/pets/pets", json=[REX, TOM])
    assert pets.control("DELETE", "/state/pets/pets/1").status_code == 204
    assert pets.call("GET", "/pets/1").status_code == 404
    assert pets.names() == ["Tom"]


def test_deleted_resource_lists_nothing(pets: Double) -> None:
    pets.control("PUT", "/state/pets/pets", json=[REX, TOM])
    assert pets.control("DELETE", "/state/pets/pets").status_code == 204
    assert pets.names() == []


def test_patch_of_an_api_leaves_other_resources_alone() -> None:
    shop = double(_shop())
    shop.control("PUT", "/state/shop", json={"orders": [{"id": "a"}], "carts": [{"id": "c"}]})
    shop.control("PATCH", "/state/shop", json={"orders": []})
    assert shop.control("GET", "/state/shop").json == {"orders": [], "carts": [{"id": "c"}]}


def test_put_of_an_api_removes_other_resources() -> None:
    shop = double(_shop())
    shop.control("PUT", "/state/shop", json={"orders": [{"id": "a"}], "carts": [{"id": "c"}]})
    assert shop.control("PUT", "/state/shop", json={"orders": []}).json == {"orders": []}
    assert shop.call("GET", "/carts").json == []


def test_seed_fills_several_apis() -> None:
    both = double(_shop(), compile_api(described(items("pets", "petId", PET, kind="integer")), name="zoo"))
    seed = {"shop": {"orders": [{"id": "a"}]}, "zoo": {"pets": [REX]}}
    assert both.control("POST", "/seed", json=seed).status_code == 204
    assert both.call("GET", "/shop/orders").json == [{"id": "a"}]
    assert both.call("GET", "/zoo/pets").json == [REX]


# Refusals

_REFUSED = [
    ("PUT", "/state/pets", {"pest": []}, "/pest", "did you mean 'pets'?"),
    ("PUT", "/state/pets", {"pets": [REX, {"id": 3, "name": ""}]}, "/pets/1/name", "at least 1 character"),
    ("PUT", "/state/pets", {"pets": [REX, REX]}, "/pets/1", "same key"),
    ("PUT", "/state/pets/pets", [REX, {"id": "x", "name": "Kim"}], "/1/id", "must be an integer"),
    ("PUT", "/state/pets/pets", [REX, {"name": "Kim"}], "/1", "has its key 'id'"),
    ("PUT", "/state/pets/pets", ["Rex"], "/0", "must be an object"),
    ("PUT", "/state/pets/pets/1", {"id": 2, "name": "Kim"}, "/id", "is not the key in the URL"),
    ("PUT", "/state/pets/pets/1", {"name": 5}, "/name", "must be a string"),
    ("PATCH", "/state/pets/pets/1", {"status": "sld"}, "/status", "did you mean 'sold'?"),
    ("PATCH", "/state/pets/pets/1", {"id": 2}, "/id", "is not the key in the URL"),
    ("PUT", "/state/pets/pets/1", [], "", "must be an object"),
    ("PUT", "/state/pets", 3, "", "must be an object"),
    ("POST", "/seed", {"pets": {"pets": [TOM]}, "pest": {}}, "/pest", "did you mean 'pets'?"),
    ("POST", "/seed", {"pets": {"pets": [{"id": 1}]}}, "/pets/pets/0", "name"),
]


@pytest.mark.parametrize(("method", "target", "value", "pointer", "said"), _REFUSED)
def test_refused_write_says_where_and_changes_nothing(
    pets: Double, method: str, target: str, value: Json, pointer: str, said: str
) -> None:
    pets.control("PUT", "/state/pets/pets", json=[REX])
    response = pets.control(method, target, json=value)
    assert response.status_code == 422
    assert response.content_type == "application/problem+json"
    assert response.json["errors"][0]["pointer"] == pointer
    assert said in response.json["detail"]
    assert pets.control("GET", "/state/pets").json == {"pets": [REX]}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"{", "Expecting property name"),
        (b'{"pets": [NaN]}', "NaN is not JSON"),
        (b'{"pets": 1e999}', "too large for a double"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b"[" * 100_000, "nested deeper"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_body_that_is_no_json_is_a_400(pets: Double, sent: bytes, said: str) -> None:
    response = pets.control("PUT", "/state/pets", data=sent)
    assert response.status_code == 400
    assert said in response.json["detail"]


# Shapes of resources


def _shop() -> Api:
    thing = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    return compile_api(described({**items("orders", "orderId", thing), **items("carts", "cartId", thing)}), name="shop")


def _nested() -> Double:
    thing = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    below = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "orgId": {"type": "string"}},
    }
    inner = {f"/orgs/{{orgId}}{path}": item for path, item in items("tasks", "taskId", below).items()}
    for item in inner.values():
        item["parameters"] = [parameter("orgId"), *item.get("parameters", [])]
    return double(compile_api(described({**items("orgs", "orgId", thing), **inner}), name="work"))


def test_nested_resource_is_shown_by_scope_and_addressed_through_its_parents() -> None:
    work = _nested()
    work.control("PUT", "/state/work/orgs/o1", json={})
    tasks = [{"scope": ["o1"], "items": [{"id": "t1", "orgId": "o1"}]}]
    assert work.control("PUT", "/state/work/tasks", json=tasks).json == tasks
    assert work.control("PUT", "/state/work/tasks/o1/t2", json={}).json == {"id": "t2", "orgId": "o1"}
    assert work.control("GET", "/state/work/tasks/o1%2Ft2").json == {"id": "t2", "orgId": "o1"}
    assert [task["id"] for task in work.call("GET", "/orgs/o1/tasks").json] == ["t1", "t2"]
    assert work.control("DELETE", "/state/work/tasks/o1/t1").status_code == 204
    assert [task["id"] for task in work.call("GET", "/orgs/o1/tasks").json] == ["t2"]


def test_address_without_its_parents_says_what_it_needs() -> None:
    response = _nested().control("GET", "/state/work/tasks/t1")
    assert response.status_code == 404
    assert response.json["allowed"] == "orgId/id"


def test_items_of_a_nested_resource_without_a_scope_are_refused() -> None:
    response = _nested().control("PUT", "/state/work/tasks", json=[{"id": "t1"}])
    assert response.status_code == 422
    assert response.json["allowed"] == "{scope: [orgId], items: [...]}"


def _settings() -> Double:
    setting = {"type": "object", "required": ["theme"], "properties": {"theme": {"enum": ["dark", "light"]}}}
    operations = {
        "get": {"operationId": "readSettings", "responses": answers(setting)},
        "put": {"operationId": "writeSettings", "requestBody": body(setting), "responses": answers(setting)},
    }
    return double(compile_api(described({"/settings": operations}), name="site"))


def test_singleton_is_read_and_replaced_as_the_resource_itself() -> None:
    site = _settings()
    assert site.control("PUT", "/state/site/settings", json={"theme": "dark"}).json == {"theme": "dark"}
    assert site.call("GET", "/settings").json == {"theme": "dark"}
    assert site.control("GET", "/state/site").json == {"settings": {"theme": "dark"}}


def test_singleton_has_no_items_to_address() -> None:
    response = _settings().control("GET", "/state/site/settings/1")
    assert response.status_code == 404
    assert "there is one settings" in response.json["allowed"]


def _catalog() -> Double:
    book = {
        "type": "object",
        "required": ["id", "title"],
        "properties": {"id": {"type": "integer"}, "title": {"type": "string"}},
    }
    paths = {
        "/books": {"get": {"operationId": "listBooks", "responses": answers({"type": "array", "items": book})}},
        "/books/{bookId}": {
            "parameters": [parameter("bookId", "integer")],
            "get": {"operationId": "readBook", "responses": answers(book)},
        },
    }
    return double(compile_api(described(paths), name="catalog"))


def test_samples_of_what_nobody_creates_are_shown_as_the_api_shows_them() -> None:
    catalog = _catalog()
    listed = catalog.call("GET", "/books").json
    assert catalog.control("GET", "/state/catalog/books").json == listed
    first = listed[0]["id"]
    assert catalog.control("GET", f"/state/catalog/books/{first}").json == listed[0]


def test_first_write_among_samples_keeps_the_others() -> None:
    catalog = _catalog()
    listed = catalog.call("GET", "/books").json
    first = listed[0]["id"]
    changed = catalog.control("PATCH", f"/state/catalog/books/{first}", json={"title": "Emma"}).json
    assert catalog.call("GET", "/books").json == [changed, *listed[1:]]


def test_removed_sample_reads_as_404() -> None:
    catalog = _catalog()
    first = catalog.call("GET", "/books").json[0]["id"]
    assert catalog.control("DELETE", f"/state/catalog/books/{first}").status_code == 204
    assert catalog.call("GET", f"/books/{first}").status_code == 404


def test_cleared_samples_are_gone() -> None:
    catalog = _catalog()
    assert catalog.control("DELETE", "/state/catalog/books").status_code == 204
    assert catalog.call("GET", "/books").json == []


# Snapshots and reset


def test_restored_snapshot_is_the_state_of_then(pets: Double) -> None:
    pets.create("Rex")
    assert pets.control("PUT", "/snapshots/one").status_code == 204
    pets.create("Tom")
    assert pets.control("GET", "/snapshots").json == {"snapshots": ["one"]}
    assert pets.control("POST", "/snapshots/one/restore").status_code == 204
    assert pets.names() == ["Rex"]


def test_unknown_snapshot_is_a_404_with_the_nearest_name(pets: Double) -> None:
    pets.control("PUT", "/snapshots/monday")
    for method, target in (("POST", "/snapshots/mondya/restore"), ("DELETE", "/snapshots/mondya")):
        response = pets.control(method, target)
        assert (response.status_code, response.json["hint"]) == (404, "did you mean 'monday'?")


def test_dropped_snapshot_is_gone(pets: Double) -> None:
    pets.control("PUT", "/snapshots/one")
    assert pets.control("DELETE", "/snapshots/one").status_code == 204
    assert pets.control("GET", "/snapshots").json == {"snapshots": []}


def test_reset_goes_back_to_the_seed_and_empties_the_journal(pets: Double) -> None:
    pets.create("Rex")
    pets.control("POST", "/faults", json={"status": 500})
    pets.control("POST", "/clock", json={"advance": "P1D"})
    assert pets.control("POST", "/reset").status_code == 204
    assert pets.names() == []
    assert [entry["method"] for entry in pets.control("GET", "/requests").json["requests"]] == ["GET"]
    assert pets.control("GET", "/clock").json == {"now": "2026-01-02T03:04:05Z", "frozen": False}

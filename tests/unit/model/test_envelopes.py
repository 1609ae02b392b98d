"""What stands beside an item or a list: ids of the exchange, fields that are left out, page numbers and addresses."""

from __future__ import annotations

from typing import Any

from tests.unit.model.doubles import INTEGER, TEXT, Double, answers, array, document, operation, path_parameters, thing

ITEM = thing({"id": INTEGER, "name": TEXT}, "id")
REQUEST_ID = {"type": "string", "pattern": "^req_[0-9A-HJKMNP-TV-Z]{26}$"}


def double(envelope: dict[str, Any], *required: str, query: Any = None) -> Double:
    listed = thing({"data": array(ITEM), **envelope}, "data", *required)
    paths = {
        "/things": {
            "get": operation(answers(listed), query=query),
            "post": operation(answers(thing({"data": ITEM, "request_id": REQUEST_ID}, "data", "request_id"), 201),
                              body=thing({"name": TEXT})),
        },
        "/things/{id}": {
            "parameters": path_parameters(id=INTEGER),
            "get": operation(answers(thing({"data": ITEM, "meta": thing({"traceId": TEXT})}, "data", "meta"))),
        },
    }  # fmt: skip
    return Double(document(paths))


def test_each_exchange_has_an_id_of_its_own_in_the_form_that_is_described() -> None:
    asked = double({})
    first, second = asked.created("/things", {}), asked.created("/things", {})
    assert first["request_id"] != second["request_id"]
    assert first["request_id"].startswith("req_")


def test_an_id_without_a_form_is_that_of_the_journal() -> None:
    asked = double({})
    asked.created("/things", {})
    assert asked.get("/things/1").json["meta"]["traceId"] == list(asked.universe.journal)[-1].id


def test_a_cursor_that_may_be_absent_but_not_null_is_left_out_of_the_last_page() -> None:
    query = {"cursor": TEXT, "limit": INTEGER}
    asked = double({"next_cursor": TEXT}, query=query)
    for _ in range(2):
        asked.created("/things", {})
    assert "next_cursor" in asked.get("/things?limit=1").json
    assert "next_cursor" not in asked.get("/things?limit=2").json


def test_a_cursor_that_may_be_null_is_null_on_the_last_page() -> None:
    asked = double({"next_cursor": {"type": ["string", "null"]}}, query={"cursor": TEXT, "limit": INTEGER})
    asked.created("/things", {})
    assert asked.get("/things").json["next_cursor"] is None


def test_neighbouring_pages_are_numbers_or_addresses_as_their_types_say() -> None:
    envelope = {"next_page": INTEGER, "pre_page": INTEGER, "next_page_url": TEXT, "path": TEXT, "total_page": INTEGER}
    asked = double(envelope, query={"page": INTEGER, "per_page": INTEGER})
    for _ in range(3):
        asked.created("/things", {})
    middle = asked.get("/things?page=2&per_page=1").json
    assert (middle["next_page"], middle["pre_page"], middle["total_page"]) == (3, 1, 3)
    assert middle["path"] == "http://double/things"
    assert middle["next_page_url"] == "http://double/things?per_page=1&page=3"
    assert "next_page" not in asked.get("/things?page=3&per_page=1").json


def test_a_member_called_path_is_no_address_where_nothing_else_is() -> None:
    asked = double({"path": TEXT, "total": INTEGER})
    assert not asked.get("/things").json.get("path", "").startswith("http")

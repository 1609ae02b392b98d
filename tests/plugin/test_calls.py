"""What a test can ask about the requests that were made, and what it is told when they were others."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from contracts.service import NOT_JSON
from contracts.testing.traffic.calls import Calls
from contracts.testing.traffic.expecting import ABSENT
from mock_server.errors import ConfigurationError
from mock_server.exchange.faults import Fault
from tests.plugin.asked import FORM, TOKEN, Shop

# What is seen of a request


def test_calls_are_a_live_view_with_the_oldest_first() -> None:
    shop = Shop()
    calls = shop.calls
    assert len(calls) == 0
    key = shop.create({"name": "Jane"})
    shop.send("GET", f"/customers/{key}")
    assert [each.operation_id for each in calls] == ["createCustomer", "getCustomer"]
    assert calls.last is calls[-1]
    assert calls[:1] == (calls[0],)
    assert (
        repr(calls) == f"<2 requests: createCustomer POST /customers -> 201, getCustomer GET /customers/{key} -> 200>"
    )


def test_other_apis_of_the_universe_are_left_out() -> None:
    shop, other = Shop(), Shop()
    other.send("GET", "/search")
    (entry,) = other.universe.journal
    shop.universe.journal.add(entry)
    entry.api = "another"  # type: ignore[misc]  # quick values are frozen for the type checker only
    assert len(shop.calls) == 0


def test_a_request_is_shown_as_it_was_sent_and_as_it_was_answered() -> None:
    shop = Shop()
    shop.send("POST", "/customers?dry=1", {"name": "Jane"}, x_trace="abc")
    call = shop.calls.last
    assert (call.id, call.method, call.path, call.query) == ("r1", "POST", "/customers", "dry=1")
    assert call.headers["X-Trace"] == "abc"
    assert call.body == b'{"name": "Jane"}'
    assert call.json == call.value == {"name": "Jane"}
    assert (call.status, call.response.status) == (201, 201)
    assert call.response.headers["CONTENT-TYPE"] == "application/json"
    assert call.response.json["name"] == "Jane"
    assert call.time == datetime.fromtimestamp(1_770_000_000, UTC)
    assert (call.principal, call.refused, call.violations) == (None, None, ())
    assert call.explanation["operation_id"] == "createCustomer"


def test_parameters_are_typed_by_the_description_and_others_are_texts() -> None:
    shop = Shop()
    shop.send("GET", "/search?limit=10&tags=a&tags=b&filter[status]=new&page=2", x_count="3", cookie="visits=7; s=1")
    found = shop.calls.last.parameters
    assert found.query == {"limit": 10, "tags": ["a", "b"], "filter": {"status": "new"}, "page": "2"}
    assert dict(found.header) == {"X-Count": 3}
    assert found.header["x-count"] == 3
    assert found.cookie == {"visits": 7, "s": "1"}


def test_path_parameters_are_decoded_below_any_base_path() -> None:
    shop = Shop()
    shop.send("GET", "/customers/a%20b")
    assert shop.calls.last.parameters.path == {"customerId": "a b"}


def test_what_an_invalid_request_says_is_read_all_the_same() -> None:
    shop = Shop()
    assert shop.send("GET", "/search?limit=ten&page-size=%FF").status == 400
    assert shop.send("POST", "/customers", {"age": "old"}).status == 422
    searched, created = shop.calls
    assert searched.parameters.query["limit"] == "ten"
    assert created.value == {"age": "old"}
    assert created.refused is not None
    assert created.refused.startswith("invalid: body")
    assert {violation.keyword for violation in created.violations} == {"required", "type"}


def test_forms_are_values_and_no_json() -> None:
    shop = Shop()
    shop.send("POST", "/orders", b"amount=5&note=hi", content_type=FORM)
    assert shop.calls.last.value == {"amount": 5, "note": "hi"}
    assert shop.calls.last.json is NOT_JSON


def test_an_empty_form_is_a_value() -> None:
    shop = Shop()
    shop.send("POST", "/orders", content_type=FORM)
    assert shop.calls.last.value == {}


def test_a_body_that_cannot_be_read_is_text() -> None:
    shop = Shop()
    shop.send("POST", "/customers", b'{"name": ')
    assert shop.calls.last.value == '{"name": '
    assert shop.calls.last.json is NOT_JSON


def test_without_a_body_there_is_no_value() -> None:
    shop = Shop()
    shop.send("GET", "/search")
    assert shop.calls.last.value is ABSENT


def test_a_request_without_an_operation_is_kept_with_what_it_said() -> None:
    shop = Shop()
    shop.send("POST", "/nowhere?a=1&a=2&b=3", {"x": 1}, cookie="c=d")
    call = shop.calls.last
    assert repr(call) == "(no operation) POST /nowhere -> 404"
    assert (call.operation_id, call.value) == (None, {"x": 1})
    assert call.parameters.query == {"a": ["1", "2"], "b": "3"}
    assert (call.parameters.path, call.parameters.cookie) == ({}, {"c": "d"})


def test_the_caller_is_known_by_name() -> None:
    shop = Shop()
    shop.send("GET", f"/vault?api_key={TOKEN}")
    assert shop.calls.assert_called("openVault", principal="alice").principal == "alice"


def test_the_last_request_is_missed_when_there_was_none() -> None:
    with pytest.raises(AssertionError, match="there was no request to shop"):
        _ = Shop().calls.last


def test_requests_of_many_threads_are_all_seen_while_they_come() -> None:
    shop = Shop()
    with ThreadPoolExecutor(4) as threads:
        sent = [threads.submit(shop.send, "GET", f"/search?limit={number}") for number in range(200)]
        seen = [len(shop.calls.of("search", query__limit=ANY)) for _ in range(50)]
    assert all(each.result().status == 200 for each in sent)
    assert seen == sorted(seen)
    assert sorted(call.parameters.query["limit"] for call in shop.calls) == list(range(200))


# What a failure says


def failure(shop: Shop, operation_id: str, **expected: Any) -> str:
    with pytest.raises(AssertionError) as raised:
        shop.calls.assert_called(operation_id, **expected)
    return str(raised.value)


def test_a_failure_shows_the_nearest_request_and_how_it_differs() -> None:
    shop = Shop()
    shop.create({"name": "Budi", "age": 3})
    shop.create({"name": "Jan", "age": 41, "address": {"city": "Solo"}})
    shop.send("GET", f"/vault?api_key={TOKEN}&lot=2")
    assert failure(
        shop, "createCustomer", body__name="Jane", body__age=lambda age: age > 50, body__address={"postal-code": ANY}
    ) == (
        "no request to createCustomer was as expected\n"
        "  expected: body/name 'Jane'; body/age what <lambda> accepts; body/address {'postal-code': <ANY>}\n"
        "  nearest: r1 createCustomer POST /customers -> 201\n"
        "    body/name: expected 'Jane', got 'Budi'\n"
        "    body/age: expected what <lambda> accepts, got 3\n"
        "    body/address: expected {'postal-code': <ANY>}, but it was not sent\n"
        "  createCustomer was called twice\n"
        "  what was called: createCustomer (twice), openVault (once)\n"
        "    r1 createCustomer POST /customers -> 201\n"
        "    r2 createCustomer POST /customers -> 201\n"
        "    r3 openVault GET /vault?api_key=(redacted)&lot=2 -> 200"
    )


def test_the_nearest_request_is_the_one_with_the_most_alike_values() -> None:
    shop = Shop()
    for name in ("Joe", "Jan", "Budi"):
        shop.create({"name": name, "age": 1})
    assert "  nearest: r2 createCustomer " in failure(shop, "createCustomer", body__name="Jane")
    shop.send("POST", "/customers")
    assert "  nearest: r2 createCustomer " in failure(shop, "createCustomer", body={"name": "Jane", "age": 2})


def test_the_newest_of_equally_near_requests_is_shown() -> None:
    shop = Shop()
    for _ in range(3):
        shop.create({"name": "Jan"})
    assert "  nearest: r3 createCustomer " in failure(shop, "createCustomer", body__name="Jane")


def test_a_failure_shows_the_wrong_path_that_was_probably_meant() -> None:
    shop = Shop()
    shop.send("GET", "/search")
    shop.send("GET", "/custmers/7")
    assert failure(shop, "getCustomer") == (
        "getCustomer was not called\n"
        "  nearest: r2 (no operation) GET /custmers/7 -> 404\n"
        "    operation: expected getCustomer (GET /customers/{customerId}), got none\n"
        "  what was called: search (once), no operation (once)\n"
        "    r1 search GET /search -> 200\n"
        "    r2 (no operation) GET /custmers/7 -> 404"
    )


def test_a_failure_shows_the_other_operation_that_was_called_that_way() -> None:
    shop = Shop()
    shop.send("PATCH", "/customers/7", {"name": "Jane"})
    told = failure(shop, "createCustomer", body__name="Jane")
    assert "  nearest: r1 updateCustomer PATCH /customers/7 -> " in told
    assert "    operation: expected createCustomer (POST /customers), got updateCustomer\n" in told


def test_a_failure_shows_no_request_that_has_nothing_to_do_with_it() -> None:
    shop = Shop()
    shop.send("GET", "/search")
    assert failure(shop, "createCustomer", body__name="Jane") == (
        "createCustomer was not called\n"
        "  expected: body/name 'Jane'\n"
        "  what was called: search (once)\n"
        "    r1 search GET /search -> 200"
    )


def test_a_failure_says_when_nothing_was_called() -> None:
    assert failure(Shop(), "createCustomer") == "createCustomer was not called\n  there was no request to shop"


def test_a_wrong_number_of_times_is_told_with_the_requests_that_fit() -> None:
    shop = Shop()
    shop.send("GET", "/search?limit=1")
    shop.send("GET", "/search?limit=2")
    shop.send("GET", "/search?limit=1")
    assert failure(shop, "search", times=3, query__limit=1) == (
        "search was called twice, expected 3 times\n"
        "  expected: query/limit 1\n"
        "  r1 search GET /search?limit=1 -> 200\n"
        "  r3 search GET /search?limit=1 -> 200"
    )


def test_an_unwanted_call_is_told_with_the_requests_that_fit() -> None:
    shop = Shop()
    shop.send("DELETE", "/customers/7")
    with pytest.raises(AssertionError) as raised:
        shop.calls.assert_not_called("deleteCustomer", path__customer_id="7")
    assert str(raised.value) == (
        "deleteCustomer was called once, but should not have been\n"
        "  expected: path/customerId '7'\n"
        "  r1 deleteCustomer DELETE /customers/7 -> 404"
    )


def test_a_broken_order_is_told_with_where_it_broke() -> None:
    shop = Shop()
    shop.send("GET", "/search")
    with pytest.raises(AssertionError) as raised:
        shop.calls.assert_order("search", "createCustomer")
    assert str(raised.value) == (
        "expected in this order: search, createCustomer\n"
        "  there was no createCustomer after r1 search GET /search -> 200\n"
        "  what was called: search (once)\n"
        "    r1 search GET /search -> 200"
    )


def test_differences_in_lists_and_objects_are_told_one_by_one() -> None:
    shop = Shop()
    shop.create({"name": "J", "items": [{"sku": "a"}], "metadata": {"x": 1}})
    told = failure(shop, "createCustomer", body={"name": re.compile("^K"), "items": [{"sku": "b"}, ANY], "age": int})
    assert [line.strip() for line in told.split("\n") if line.startswith("    body")] == [
        "body/name: expected a text with '^K' in it, got 'J'",
        "body/items: expected 2 entries, got 1 entry",
        "body/items/0/sku: expected 'b', got 'a'",
        "body/age: expected a value of type int, but it was not sent",
        "body/metadata: expected not to be sent, got {'x': 1}",
    ]


def test_long_texts_are_told_around_where_they_part() -> None:
    shop = Shop()
    shop.create({"name": "x" * 500 + "a" + "y" * 500})
    told = failure(shop, "createCustomer", body__name="x" * 500 + "b" + "y" * 500)
    assert f"body/name: the texts part at character 501: expected …'{'x' * 40}b{'y' * 39}'…, got …'{'x' * 40}a" in told
    assert max(map(len, told.split("\n"))) < 250


def test_a_failure_stays_short_whatever_was_sent() -> None:
    shop = Shop()
    for number in range(300):
        shop.create({"name": "n" * 10_000, "metadata": {f"m{number}-{i}": i for i in range(100)}})
    told = failure(shop, "createCustomer", body={"name": "Jane", "metadata": {}})
    assert len(told) < 4000
    assert "    and 91 more differences\n" in told
    assert "    (290 older ones)\n" in told


def test_credentials_are_shown_nowhere() -> None:
    shop = Shop()
    shop.send("GET", f"/vault?api_key={TOKEN}", authorization="Bearer abcdefgh", cookie="visits=1234567")
    shop.send("GET", f"/customers/{TOKEN}")
    shop.send("GET", "/vault?api_key=unheard0f&lot=2")
    shop.create({"name": TOKEN})
    told = [
        failure(shop, "openVault", query__api_key="sk_live_another1", header__authorization="Bearer zyxwvuts"),
        failure(shop, "openVault", cookie__visits="7654321"),
        failure(shop, "openVault", query={"api_key": "sk_live_another1"}),
        failure(shop, "openVault", query="none"),
        failure(shop, "createCustomer", body__name=f"{TOKEN}!"),
        repr(shop.calls),
    ]
    for secret in (TOKEN, "sk_live_another1", "abcdefgh", "zyxwvuts", "unheard0f", "1234567", "7654321"):
        assert not any(secret in text for text in told), secret
    assert "query/api_key: expected another value than was sent, (redacted)" in told[0]


def test_what_no_json_has_may_be_expected_and_is_told() -> None:
    shop = Shop()
    shop.create({"name": "Jane", "age": 1})
    told = failure(shop, "createCustomer", body__metadata={1: {2}}, body__age={3})
    assert "body/metadata: expected {1: {2}}, but it was not sent" in told
    assert "body/age: expected {3}, got 1" in told


def test_secrets_of_the_api_are_hidden_without_being_told_of_them() -> None:
    from contracts.testing.traffic.calls import Calls
    from mock_server.packs import source_of
    from mock_server.sandbox import Sandbox

    sandbox = Sandbox([source_of("kirimdev")])
    served = sandbox.api("kirimdev")
    secret = next(each.value for each in served.credentials if len(each.value) >= 8)
    shop = Shop()
    (shop.served, shop.universe) = (served, sandbox.universes.get("t"))
    shop.send("GET", f"/nowhere/{secret}")
    assert secret not in repr(Calls(served, shop.universe).last)


@pytest.mark.parametrize(
    "ask",
    [
        lambda calls: calls.assert_called("createCustomer"),
        lambda calls: calls.assert_not_called("search"),
        lambda calls: calls.assert_order("search", "order"),
        lambda calls: calls.assert_called("search", body__x=1),
        lambda calls: calls.assert_called("search", query__limt=1),
        lambda calls: calls.assert_called("serch"),
        lambda calls: calls.assert_order("search", "oder"),
        lambda calls: calls.assert_called("search", times=-1),
        lambda calls: calls.of("search", limit=1),
        lambda calls: calls.expectation("search", like={"status": 1}, status=2),
    ],
)
def test_a_failure_points_at_the_line_of_the_test(ask: Callable[[Calls], object]) -> None:
    shop = Shop()
    shop.send("GET", "/search")
    with pytest.raises((AssertionError, ConfigurationError)) as raised:
        ask(shop.calls)
    shown = [entry.path for entry in raised.traceback if not entry.ishidden(raised)]
    assert shown
    assert {Path(path).name for path in shown} == {"test_calls.py"}


def test_a_connection_that_a_fault_broke_is_shown_as_such() -> None:
    shop = Shop()
    shop.universe.faults.append(Fault("search", reset=True, count=1))
    shop.send("GET", "/search")
    assert repr(shop.calls.last) == "search GET /search -> connection reset"


# When the journal is full


def test_what_the_journal_has_forgotten_is_not_sworn_to() -> None:
    shop = Shop(journal=3)
    for _ in range(4):
        shop.send("GET", "/search")
    with pytest.raises(AssertionError, match="whether createCustomer was called cannot be told: the journal keeps the "
                       "newest 3 requests; 1 older ones are gone"):  # fmt: skip
        shop.calls.assert_not_called("createCustomer")
    with pytest.raises(AssertionError, match="how often search was called cannot be told"):
        shop.calls.assert_called("search", times=3)
    assert shop.calls.assert_called("search")
    shop.universe.reset()
    shop.calls.assert_not_called("search")

"""What a test can expect of requests: whatever was sent is found, nothing else is, and misspellings are refused."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.service import same_json
from contracts.testing.traffic.calls import Exchange
from contracts.testing.traffic.expecting import ABSENT
from mock_server.errors import ConfigurationError
from mock_server.openapi import pointers
from mock_server.openapi.values import Json
from tests.plugin.asked import FORM, Shop

# What can be expected


@pytest.fixture
def jane() -> Shop:
    """One customer that was made."""
    shop = Shop()
    shop.create(
        {
            "name": "Jane",
            "age": 41,
            "address": {"city": "Solo", "postal-code": "57111"},
            "items": [{"sku": "a", "price": 2.5}, {"sku": "b", "price": 5}],
            "first__name": "J",
            "_note": "n",
            "metadata": {"a/b": True, "none": None},
        }
    )
    return shop


@pytest.mark.parametrize(
    "expected",
    [
        {"body__name": "Jane"},
        {"body__age": 41.0},
        {"body__address__city": "Solo"},
        {"body__items__1__price": 5},
        {"body__address": {"city": "Solo", "postal-code": "57111"}},
        {"body__items": [{"sku": "a", "price": 2.5}, {"sku": ANY, "price": pytest.approx(5.0000001)}]},
        {"body__items": ({"sku": "a", "price": 2.5}, ANY)},
        {"body/address/postal-code": "57111"},
        {"body/first__name": "J"},
        {"body/metadata/a~1b": True},
        {"body__metadata__none": None},
        {"body___note": "n"},
        {"body__name": re.compile("^J.n")},
        {"body": re.compile(r'"city": ?"Solo"')},
        {"body__age": lambda age: age > 40},
        {"body__age": int, "body__name": str, "body__items": list},
        {"body__name": ANY, "body": ANY},
        {"status": 201, "principal": None},
        {"status": lambda status: status < 300},
        {"body__metadata__other": ABSENT, "header__x_other": ABSENT, "cookie__any": ABSENT},
        {"query": {}, "path": {}},
    ],
    ids=lambda expected: ", ".join(expected),
)
def test_a_request_is_found_by_what_it_was(jane: Shop, expected: dict[str, Any]) -> None:
    assert jane.calls.of("createCustomer", **expected) == (jane.calls.last,)
    assert jane.calls.assert_called("createCustomer", times=1, **expected) is jane.calls.last


@pytest.mark.parametrize(
    "expected",
    [
        {"body__name": "Jan"},
        {"body__name": ABSENT},
        {"body__age": True},
        {"body__age": "41"},
        {"body__age": bool},
        {"body/metadata/a~1b": int},
        {"body__items__2": ANY},
        {"body__items": [{"sku": "a", "price": 2.5}]},
        {"body__address": {"city": "Solo"}},
        {"body__address": {"city": "Solo", "postal-code": "57111", "street": "?"}},
        {"body__metadata__none": ABSENT},
        {"body__metadata__other": None},
        {"body__age": re.compile("41")},
        {"body__name": re.compile("^an")},
        {"body": b"{}"},
        {"status": 200},
        {"principal": "alice"},
        {"query": {"limit": 1}},
    ],
    ids=lambda expected: ", ".join(expected),
)
def test_a_request_is_not_found_by_what_it_was_not(jane: Shop, expected: dict[str, Any]) -> None:
    assert jane.calls.of("createCustomer", **expected) == ()
    jane.calls.assert_not_called("createCustomer", **expected)
    with pytest.raises(AssertionError):
        jane.calls.assert_called("createCustomer", **expected)


def test_parameters_are_expected_by_any_spelling_of_their_names() -> None:
    shop = Shop()
    shop.send("GET", "/search?page-size=5&filter[status]=new", idempotency_key="k-1", x_count="3", cookie="visits=2")
    shop.send("GET", "/customers/7")
    shop.calls.assert_called(
        "search",
        query__page_size=5,
        query__filter__status="new",
        query={"page-size": 5, "filter": {"status": "new"}},
        header__idempotency_key="k-1",
        header__X_COUNT=3,
        header__x_trace=ABSENT,
        cookie__visits=2,
    )
    shop.calls.assert_called("getCustomer", path__customer_id="7")
    shop.calls.assert_called("getCustomer", path__customerId="7")
    shop.calls.assert_called("search", like={"header/Idempotency-Key": "k-1", "query/page-size": 5})


def test_parameters_are_the_same_as_numbers_and_as_texts() -> None:
    shop = Shop()
    shop.send("GET", "/search?limit=10&tags=1&tags=true", x_count="3")
    shop.calls.assert_called("search", query__limit="10", header__x_count="3", query__tags=[1, True])
    shop.calls.assert_called("search", query__limit=10, header__x_count=3, query__tags=["1", "true"])
    shop.calls.assert_not_called("search", query__limit="10.0")
    shop.calls.assert_not_called("search", query__tags=[True, 1])
    shop.create({"name": "10"})
    shop.calls.assert_not_called("createCustomer", body__name=10)


def test_forms_are_expected_like_any_body_and_bytes_like_themselves() -> None:
    shop = Shop()
    shop.send("POST", "/orders", b"amount=5&note=hi", content_type=FORM)
    shop.calls.assert_called("order", body__amount=5, body={"amount": 5, "note": "hi"})
    shop.calls.assert_called("order", body=b"amount=5&note=hi")


def test_nothing_is_found_in_a_body_that_was_not_sent() -> None:
    shop = Shop()
    shop.send("POST", "/customers")
    assert shop.calls.of("createCustomer", body=ABSENT) == (shop.calls.last,)
    nothing: tuple[object, ...] = (re.compile(""), b"", ANY, None, {})
    for expected in nothing:
        assert shop.calls.of("createCustomer", body=expected) == ()


def test_classes_that_compare_values_are_asked_to() -> None:
    class Positive(type):
        def __eq__(cls, other: object) -> bool:
            return isinstance(other, int) and other > 0

        def __hash__(cls) -> int:
            return 0

    class IsPositive(metaclass=Positive):
        pass

    shop = Shop()
    shop.send("GET", "/search?limit=10")
    assert shop.calls.of("search", query__limit=IsPositive)
    shop.send("GET", "/search?limit=-10")
    assert len(shop.calls.of("search", query__limit=IsPositive)) == 1


def test_an_exception_of_a_predicate_is_not_taken_for_a_no(jane: Shop) -> None:
    with pytest.raises(AttributeError) as raised:
        jane.calls.assert_not_called("createCustomer", body__name=lambda name: name.startwith("J"))
    assert raised.value.__notes__ == ["raised by the predicate that was asked about body/name"]


def test_the_last_request_that_fits_is_given() -> None:
    shop = Shop()
    for limit in (1, 2, 1, 3):
        shop.send("GET", f"/search?limit={limit}")
    assert shop.calls.assert_called("search", query__limit=1) is shop.calls[2]
    assert shop.calls.assert_called("search", query__limit=1, times=2) is shop.calls[2]


def test_an_order_may_have_others_between() -> None:
    shop = Shop()
    key = shop.create({"name": "Jane"})
    shop.send("GET", "/search")
    shop.send("GET", f"/customers/{key}")
    shop.send("DELETE", f"/customers/{key}")
    shop.calls.assert_order("createCustomer", "getCustomer", "deleteCustomer")
    with pytest.raises(AssertionError, match="there was no createCustomer after r3 getCustomer"):
        shop.calls.assert_order("getCustomer", "createCustomer")
    with pytest.raises(AssertionError, match="there was no getCustomer after r3 getCustomer"):
        shop.calls.assert_order("getCustomer", "getCustomer")


# What cannot be expected


@pytest.mark.parametrize(
    ("expected", "hint"),
    [
        ({"name": "Jane"}, "body__name"),
        ({"bdy__name": "Jane"}, "'body__name'"),
        ({"body__nmae": "Jane"}, "'body__name'"),
        ({"body__address__citty": "Solo"}, "'body__address__city'"),
        ({"body__items__price": 5}, "body__items__0__price"),
        ({"body__items__0__prize": 5}, "'body__items__0__price'"),
        ({"body__name__first": "J"}, "has no members"),
        ({"body__address__street": "?"}, "city, postal-code"),
        ({"body__": "?"}, "empty"),
        ({"path__customer": "7"}, "no path parameter is described"),
        ({"query__limit": 5}, "no query parameter is described"),
        ({"header": {}}, "header__name"),
        ({"status__code": 201}, "status has no members"),
        ({"status": "201"}, "status=201"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_what_no_request_could_have_is_refused_at_once(expected: dict[str, Any], hint: str) -> None:
    calls = Shop().calls
    for ask in (calls.of, calls.assert_called, calls.assert_not_called, calls.expectation):
        with pytest.raises(ConfigurationError, match=re.escape(hint)):
            ask("createCustomer", **expected)


@pytest.mark.parametrize(
    ("expected", "hint"),
    [
        ({"query__limt": 5}, "'query__limit'"),
        ({"query__filter__state": "x"}, "'query__filter__status'"),
        ({"header__idempotancy_key": "k"}, "'header__idempotency_key'"),
        ({"cookie__visit": 1}, "'cookie__visits'"),
        ({"body__name": 1}, "search describes no body"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_misspelled_parameters_are_refused_with_the_right_spelling(expected: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(hint)):
        Shop().calls.assert_not_called("search", **expected)


def test_unknown_operations_are_refused_with_the_nearest() -> None:
    calls = Shop().calls
    with pytest.raises(ConfigurationError, match="did you mean 'createCustomer'"):
        calls.assert_not_called("creatCustomer")
    with pytest.raises(ConfigurationError, match="did you mean 'getCustomer'"):
        calls.assert_order("createCustomer", "getCustmer")


def test_what_looks_misspelled_but_was_sent_may_be_expected() -> None:
    shop = Shop()
    shop.create({"name": "Jane", "nmae": "Jan"})
    assert shop.calls.assert_called("createCustomer", body__nmae="Jan")


def test_what_is_expected_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="expected twice"):
        Shop().calls.of("createCustomer", like={"body__name": "Jane"}, body__name="Jan")


def test_an_order_of_one_and_no_times_at_all_are_refused() -> None:
    calls = Shop().calls
    with pytest.raises(ConfigurationError, match="two operations"):
        calls.assert_order("search")
    with pytest.raises(ConfigurationError, match="assert_not_called"):
        calls.assert_called("search", times=0)


# For any request

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
_SCALARS = _TEXTS | st.integers(-(2**53), 2**53) | st.booleans() | st.none() | st.floats(-1e6, 1e6)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=8
)
_SHOP = Shop()


def made(value: Json) -> Exchange:
    """A customer that is made with some metadata."""
    _SHOP.universe.reset()
    _SHOP.create({"name": "Jane", "metadata": {"value": value}})
    return _SHOP.calls.last


def places(value: Json, pointer: str) -> list[tuple[str, Json]]:
    """Every place in a value, with what is there."""
    members: Mapping[Any, Json] = (
        value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
    )
    found = [(pointer, value)]
    for name, member in members.items():
        found += places(member, pointers.join(pointer, name))
    return found


@given(_VALUES)
def test_a_request_is_always_found_by_what_it_says_at_any_place(value: Json) -> None:
    call = made(value)
    for place, there in places(value, "body/metadata/value"):
        assert _SHOP.calls.of("createCustomer", like={place: there}) == (call,), place
        assert _SHOP.calls.of("createCustomer", like={place: ABSENT}) == (), place


@given(_VALUES, _VALUES, st.data())
def test_a_request_is_never_found_once_one_value_is_another(value: Json, other: Json, data: st.DataObject) -> None:
    made(value)
    place, there = data.draw(st.sampled_from(places(value, "body/metadata/value")))
    assume(not same_json(there, other))
    assert _SHOP.calls.of("createCustomer", like={place: other}) == ()
    with pytest.raises(AssertionError, match="no request to createCustomer was as expected"):
        _SHOP.calls.assert_called("createCustomer", like={place: other})


@given(st.lists(_TEXTS, min_size=1, max_size=4), _SCALARS)
def test_any_names_can_be_reached_with_slashes(names: list[str], value: Json) -> None:
    nested = value
    for name in reversed(names):
        nested = {name: nested}
    call = made(nested)
    assert _SHOP.calls.of("createCustomer", like={pointers.join("body/metadata/value", *names): value}) == (call,)


def test_a_thousand_requests_are_read_once_however_often_they_are_asked_about() -> None:
    shop = Shop()
    body = {"name": "Jane", "metadata": {f"m{i}": "x" * 50 for i in range(100)}}
    for number in range(1000):
        shop.create({**body, "age": number})
    assert shop.calls.assert_called("createCustomer", body__age=0)
    read = [call.value for call in shop.calls]
    before = time.perf_counter()
    for age in range(20):
        assert shop.calls.assert_called("createCustomer", body__age=age)
    took = (time.perf_counter() - before) / 20
    assert all(call.value is value for call, value in zip(shop.calls, read, strict=True))
    assert took < 0.5  # a look at 1,000 takes some 20 ms; comparing each with each would take many times as long

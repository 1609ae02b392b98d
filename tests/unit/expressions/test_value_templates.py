"""Expressions embedded in texts and in JSON values."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.expressions import (
    MISSING,
    Context,
    ExpressionSyntaxError,
    Message,
    template,
    template_value,
)
from mock_server.openapi.values import Json

CONTEXT = Context(
    status_code=201,
    request=Message(body={"name": "Ann", "id": 7, "tags": ["é", 1], "none": None, "email": "a@b.c"}),
    bindings={"inputs": {"pet_id": 3, "coupon_code": "X1", "quantity": 2}},
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("Lead {$request.body#/name} created", "Lead Ann created"),
        ("$request.body#/id", 7),
        ("{$request.body#/id}", 7),
        ("{$request.body#/none}", None),
        ("{$request.body#/tags}", ["é", 1]),
        ("{$request.body#/name}{$request.body#/id}", "Ann7"),
        ("is {$request.body#/none}", "is null"),
        ("is {$request.body#/tags}", 'is ["é",1]'),
        ("{{$request.body#/id}}", "{7}"),
        ("costs $5, {not one}", "costs $5, {not one}"),
        ("$$5.00", "$5.00"),
        ("$$", "$"),
        ("$$request.body#/id", "$request.body#/id"),
        ("{$$request.body}", "{$request.body}"),
        ("$$ is {$request.body#/id}", "$ is 7"),
        ("id {$request.body#/id} {$$x}", "id 7 {$x}"),
    ],
)
def test_template_gives(text: str, value: Json) -> None:
    assert template(text).evaluate(CONTEXT) == value


def test_openapi_callback_url_example_is_filled_in() -> None:
    url = "http://notificationServer.com?transactionId={$request.body#/id}&email={$request.body#/email}"
    filled = "http://notificationServer.com?transactionId=7&email=a@b.c"
    assert template(url).evaluate(CONTEXT) == filled


def test_arazzo_json_payload_example_is_filled_in() -> None:
    payload = (
        '{"petOrder": {"petId": "{$inputs.pet_id}", "couponCode": "{$inputs.coupon_code}", '
        '"quantity": "{$inputs.quantity}", "status": "placed", "complete": false}}'
    )
    assert template(payload).evaluate(CONTEXT) == (
        '{"petOrder": {"petId": "3", "couponCode": "X1", "quantity": "2", "status": "placed", "complete": false}}'
    )


@pytest.mark.parametrize("text", ["{$request.body#/nope}", "$request.body#/nope", "a {$request.body#/nope}"])
def test_template_with_a_missing_part_is_missing(text: str) -> None:
    assert template(text).evaluate(CONTEXT) is MISSING


@pytest.mark.parametrize(
    ("text", "position", "part_of_message"),
    [
        ("a {$request.body", 2, "never closed"),
        ("a {$nope}", 4, "no runtime expression begins with '$nope'"),
        ("a {$}", 3, "begins with '$' and a name"),
        ("$inputs.a and {$inputs.b}", 14, "stands in braces"),
        ("$5.00", 0, "'$$'"),
    ],
)
def test_malformed_template_says_where_and_what(text: str, position: int, part_of_message: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        template(text)
    assert caught.value.position == position
    assert caught.value.text == text
    assert part_of_message in str(caught.value)


def test_value_template_keeps_the_type_of_what_it_names() -> None:
    # Arazzo 1.0 §Request Body Object, "JSON Object Example"
    payload = {
        "petOrder": {
            "petId": "$inputs.pet_id",
            "couponCode": "$inputs.coupon_code",
            "quantity": "$inputs.quantity",
            "status": "placed",
            "complete": False,
        }
    }
    assert template_value(payload).evaluate(CONTEXT) == {
        "petOrder": {
            "petId": 3,
            "couponCode": "X1",
            "quantity": 2,
            "status": "placed",
            "complete": False,
        }
    }


def test_missing_members_and_elements_are_left_out() -> None:
    value = {"a": "$inputs.nope", "b": ["{$inputs.nope}", "$inputs.pet_id", None], "c": {"d": "x {$now}"}}
    assert template_value(value).evaluate(CONTEXT) == {"b": [3, None], "c": {}}


def test_value_that_is_one_missing_expression_is_missing() -> None:
    assert template_value("$inputs.nope").evaluate(CONTEXT) is MISSING


def test_member_names_are_literal() -> None:
    assert template_value({"$inputs.pet_id": 1}).evaluate(CONTEXT) == {"$inputs.pet_id": 1}


def test_constant_parts_are_shared_and_not_copied() -> None:
    first = template_value({"big": {"a": [1, 2]}, "id": "$inputs.pet_id"})
    assert first.evaluate(CONTEXT)["big"] is first.evaluate(CONTEXT)["big"]


def test_escaped_dollar_in_a_constant_is_unescaped() -> None:
    assert template_value({"price": ["$$5"]}).evaluate(CONTEXT) == {"price": ["$5"]}


def test_error_in_a_value_names_the_string() -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        template_value({"a/b": [1, {"c": "hi {$imputs.x}"}]})
    assert caught.value.pointer == "/a~1b/1/c"
    assert caught.value.text == "hi {$imputs.x}"
    assert "did you mean 'inputs'?" in str(caught.value)


JSON_WITHOUT_DOLLARS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="$"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON_WITHOUT_DOLLARS)
def test_value_without_dollars_is_its_own_template(value: Json) -> None:
    before = copy.deepcopy(value)
    assert template_value(value).evaluate(CONTEXT) == before
    assert value == before


@given(st.text(alphabet="a{$}b.", max_size=12))
def test_doubling_every_dollar_that_could_begin_an_expression_gives_the_text_back(text: str) -> None:
    escaped = ("$" + text if text.startswith("$") else text).replace("{$", "{$$")
    assert template(escaped).evaluate(CONTEXT) == text

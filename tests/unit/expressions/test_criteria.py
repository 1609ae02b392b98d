"""Arazzo's simple criteria."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.criteria import parse_criterion
from mock_server.openapi.expressions import ROOTS, Context, ExpressionSyntaxError, Message
from mock_server.openapi.values import Json

CONTEXT = Context(
    method="POST",
    status_code=201,
    request=Message(headers={"X-Count": "5", "X-Dry": "TRUE", "X-Zero": "007"}, query={"limit": "10"}),
    response=Message(
        body={
            "state": "Done",
            "count": 3,
            "zero": 0,
            "empty": "",
            "ok": True,
            "no": False,
            "none": None,
            "pets": [{"name": "Rex"}, {"name": "O'Neil"}],
            "same": [{"name": "Rex"}, {"name": "O'Neil"}],
            "a b": 1,
        }
    ),
)


@pytest.mark.parametrize(
    "condition",
    [
        # literals
        "true",
        "1",
        "'x'",
        "1.5 == 1.5",
        "-1 < 0",
        "1e2 == 100",
        "'it''s' == 'IT''S'",
        "null == null",
        # operands
        "$statusCode == 201",
        "$statusCode==201&&$method=='post'",
        "$response.body#/pets[0].name == 'rex'",
        "$response.body#/pets/1/name == 'o''neil'",
        "$response.body.pets[1].name != 'Rex'",
        "$response.body#/pets == $response.body#/same",
        "$response.body#/ok",
        "{$statusCode == 201}",
        "{$statusCode} == 201",
        # loose comparisons
        "$response.body#/state == 'DONE'",
        "$request.header.x-count == 5",
        "$request.query.limit > 9",
        "$request.header.X-Dry == true",
        "$request.header.X-Zero != 7",
        "'10' == 10.0",
        "'b' > 'A'",
        # missing and null
        "$response.body#/nope == null",
        "$response.body#/none == null",
        "!$response.body#/nope",
        "!$response.body#/none",
        "$response.body#/nope != 0",
        "$response.body#/nope != false",
        "$response.body#/nope != ''",
        # what is false on its own
        "!$response.body#/zero",
        "!$response.body#/empty",
        "!$response.body#/no",
        "!!$response.body#/pets",
        # different types
        "true != 1",
        "false != 0",
        "!(true < 2)",
        "!(null <= null)",
        "!('x' < 1)",
        "!($response.body#/pets < 1)",
        "$response.body#/pets != 'pets'",
        # precedence, as in C
        "true || false && false",
        "!(true || false) == false",
        "!false == true",
        "!1 == false",
        "1 < 2 == true",
        "(1 == 1) == (2 == 2)",
        "false && false || true",
        "!false && !false",
        "((((1))))",
    ],
)
def test_condition_holds(condition: str) -> None:
    assert parse_criterion(condition).holds(CONTEXT)


@pytest.mark.parametrize(
    "condition",
    [
        "false",
        "null",
        "0",
        "''",
        "$statusCode == 404",
        "$statusCode != 201",
        "$statusCode >= 202",
        "$response.body#/nope",
        "$response.body#/nope < 1",
        "$response.body#/nope > 1",
        "$response.body#/nope == 'null'",
        "$response.body#/ok == 1",
        "'a' < 'A'",
        "(true || false) && false",
        "!true || false",
        "true && !true",
    ],
)
def test_condition_does_not_hold(condition: str) -> None:
    assert not parse_criterion(condition).holds(CONTEXT)


@pytest.mark.parametrize(
    ("condition", "explanation"),
    [
        ("$statusCode == 404", "$statusCode == 404 was 201 == 404"),
        (
            "$response.body#/state == 'new' || !$response.body#/pets[1].name",
            "$response.body#/state == 'new' || !$response.body#/pets[1].name was 'Done' == 'new' || !'O''Neil'",
        ),
        ("$response.body#/nope > 1", "$response.body#/nope > 1 was (missing) > 1"),
        ("$response.body#/none == 1", "$response.body#/none == 1 was null == 1"),
        (
            "($response.body#/pets == null)",
            '($response.body#/pets == null) was ([{"name":"Rex"},{"name":"O\'Neil"}] == null)',
        ),
    ],
)
def test_explanation_shows_the_values_of_the_operands(condition: str, explanation: str) -> None:
    assert parse_criterion(condition).explain(CONTEXT) == explanation


def test_explanation_shortens_long_values() -> None:
    context = Context(response=Message(body={"text": "x" * 10_000, "list": list(range(10_000))}))
    explanation = parse_criterion("$response.body#/text == $response.body#/list").explain(context)
    assert len(explanation) < 300


@pytest.mark.parametrize(
    ("condition", "position", "part_of_message"),
    [
        ("", 0, "a value was expected here, the text ends"),
        ("$statusCode ==", 14, "the text ends"),
        ("$statusCode = 200", 12, "equality is written '=='"),
        ('$method == "POST"', 11, "single quotes"),
        ("$method == 'POST", 11, "never closed"),
        ("$method == POST", 11, "a string is written 'POST'"),
        ("true and false", 5, "and is written '&&'"),
        ("true & false", 5, "and is written '&&'"),
        ("true OR false", 5, "or is written '||'"),
        ("not true", 0, "not is written '!'"),
        ("(true", 5, "')' was expected here, the text ends"),
        ("(true}", 5, "')' was expected here, got }"),
        ("true)", 4, "an operator or the end was expected"),
        ("true false", 5, "an operator or the end was expected"),
        ("1 < $statusCode < 3", 16, "do not chain"),
        ("1 == 1 == 1", 7, "do not chain"),
        ("$statuscode == 1", 1, "did you mean 'statusCode'?"),
        ("true && $response.headers.x", 18, "did you mean 'header'?"),
        ("1a == 1", 0, "a value was expected"),
        ("9" * 101, 0, "a value was expected"),
        ("== 1", 0, "a value was expected"),
    ],
)
def test_malformed_condition_says_where_and_what(condition: str, position: int, part_of_message: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_criterion(condition)
    assert (caught.value.position, caught.value.text) == (position, condition)
    assert part_of_message in str(caught.value)


@pytest.mark.parametrize("opening", ["(", "!", "{", "(!", "1 == ("])
def test_hostile_nesting_is_a_syntax_error(opening: str) -> None:
    with pytest.raises(ExpressionSyntaxError, match="nested at most"):
        parse_criterion(opening * 10_000)


def test_long_chains_of_and_and_or_are_fine() -> None:
    assert parse_criterion(" && ".join(["1 == 1"] * 10_000)).holds(CONTEXT)
    assert not parse_criterion(" || ".join(["1 != 1"] * 10_000)).holds(CONTEXT)


def test_nesting_within_the_limit_is_fine() -> None:
    assert parse_criterion("(" * 50 + "1" + ")" * 50).holds(CONTEXT)
    assert parse_criterion("(1 == " * 50 + "1" + ")" * 50 + " != 3").holds(CONTEXT)


def test_groups_beside_one_another_do_not_count_as_nesting() -> None:
    assert parse_criterion(" && ".join(["(!false)"] * 1000)).holds(CONTEXT)


def test_comparing_deep_values_does_not_exhaust_the_stack() -> None:
    def nested() -> Json:
        value: Json = []
        for _ in range(50_000):
            value = [value]
        return value

    bindings = {"inputs": {"a": nested(), "b": nested()}}
    assert parse_criterion("$inputs.a == $inputs.b").holds(Context(bindings=bindings))


class _Asked(Mapping[str, Json]):
    """A binding that notes which of its members were asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getitem__(self, name: str) -> Json:
        self.names.append(name)
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __contains__(self, name: object) -> bool:
        return True


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("$inputs.a || $inputs.b", ["a"]),
        ("!$inputs.a && $inputs.b", ["a"]),
        ("$inputs.a && $inputs.b", ["a", "b"]),
        ("!$inputs.a || $inputs.b", ["a", "b"]),
    ],
)
def test_right_side_is_evaluated_only_when_the_left_does_not_decide(condition: str, asked: list[str]) -> None:
    inputs = _Asked()
    parse_criterion(condition).holds(Context(bindings={"inputs": inputs}))
    assert inputs.names == asked


def test_caller_can_add_a_root() -> None:
    criterion = parse_criterion("$item.state == 'open'", roots=ROOTS | {"item"})
    assert criterion.holds(Context(bindings={"item": {"state": "Open"}}))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=3)
SIGNS = ["<", "<=", ">", ">=", "==", "!="]


@given(left=VALUES, right=VALUES, sign=st.sampled_from(SIGNS))
def test_any_two_values_can_be_compared(left: Json, right: Json, sign: str) -> None:
    context = Context(bindings={"inputs": {"l": left, "r": right}})
    criterion = parse_criterion(f"$inputs.l {sign} $inputs.r")
    assert criterion.explain(context).startswith(f"$inputs.l {sign} $inputs.r was ")
    opposite = {"==": "!=", "!=": "=="}.get(sign)
    if opposite is not None:
        assert criterion.holds(context) is not parse_criterion(f"$inputs.l {opposite} $inputs.r").holds(context)


@given(left=VALUES, right=VALUES)
def test_equality_is_symmetric_and_order_is_its_own_mirror(left: Json, right: Json) -> None:
    context = Context(bindings={"inputs": {"l": left, "r": right}})
    for sign, mirrored in (("==", "=="), ("<", ">"), ("<=", ">=")):
        one = parse_criterion(f"$inputs.l {sign} $inputs.r").holds(context)
        assert one is parse_criterion(f"$inputs.r {mirrored} $inputs.l").holds(context)


@given(left=st.integers(), right=st.integers(), sign=st.sampled_from(SIGNS))
def test_numbers_compare_as_python_compares_them(left: int, right: int, sign: str) -> None:
    expected = {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[sign]
    assert parse_criterion(f"{left} {sign} {right}").holds(CONTEXT) is expected


@given(st.text(alphabet="$statusCode.body#/[0]()!&|=<>' 1{}", max_size=30))
def test_any_text_parses_or_fails_with_a_position_in_it(text: str) -> None:
    try:
        criterion = parse_criterion(text)
    except ExpressionSyntaxError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - that it may not raise is the point
    else:
        assert criterion.holds(CONTEXT) in (True, False)

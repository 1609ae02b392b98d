"""Runtime expressions, against the examples of OpenAPI and Arazzo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.expressions import (
    MISSING,
    ROOTS,
    Context,
    ExpressionSyntaxError,
    Message,
    parse,
    parse_operand,
)
from mock_server.openapi.values import Json

# The exchange of OAS 3.1 §4.8.18.2 (Callback Object, Key Expression).
SUBSCRIPTION = Context(
    url="https://example.org/subscribe/myevent?queryUrl=https://clientdomain.com/stillrunning",
    method="POST",
    status_code=201,
    request=Message(
        headers={"Host": "example.org", "Content-Type": "application/json", "Content-Length": "188"},
        query={"queryUrl": "https://clientdomain.com/stillrunning"},
        path={"eventType": "myevent"},
        body={
            "failedUrl": "https://clientdomain.com/failed",
            "successUrls": [
                "https://clientdomain.com/fast",
                "https://clientdomain.com/medium",
                "https://clientdomain.com/slow",
            ],
        },
    ),
    response=Message(headers={"Location": "https://example.org/subscription/1"}),
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$url", "https://example.org/subscribe/myevent?queryUrl=https://clientdomain.com/stillrunning"),
        ("$method", "POST"),
        ("$request.path.eventType", "myevent"),
        ("$request.query.queryUrl", "https://clientdomain.com/stillrunning"),
        ("$request.header.content-type", "application/json"),
        ("$request.body#/failedUrl", "https://clientdomain.com/failed"),
        ("$request.body#/successUrls/1", "https://clientdomain.com/medium"),
        ("$response.header.Location", "https://example.org/subscription/1"),
    ],
)
def test_examples_of_the_openapi_callback_table_hold(expression: str, value: str) -> None:
    assert parse(expression).evaluate(SUBSCRIPTION) == value


# The sources in the example table of Arazzo 1.0 §Runtime Expressions.
WORKFLOW = Context(
    url="https://example.org/pets",
    method="GET",
    request=Message(headers={"accept": "text/plain"}, path={"id": 7}, body={"user": {"uuid": "u-1"}}),
    response=Message(headers={"server": "double"}, body={"status": "sold"}),
    bindings={
        "inputs": {"username": "ann"},
        "outputs": {"bar": [1]},
        "steps": {"someStepId": {"outputs": {"pets": [{"id": 3}]}}},
        "workflows": {
            "foo": {
                "inputs": {"username": "bob"},
                "outputs": {"bar": True, "mappedResponse": {"name": "rex"}},
            }
        },
        "components": {"parameters": {"foo": {"name": "foo", "in": "query"}}},
        "sourceDescriptions": {"petStore": {"url": "./pets.yaml"}},
    },
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$method", "GET"),
        ("$request.header.accept", "text/plain"),
        ("$request.path.id", 7),
        ("$request.body#/user/uuid", "u-1"),
        ("$url", "https://example.org/pets"),
        ("$response.body#/status", "sold"),
        ("$response.header.Server", "double"),
        ("$inputs.username", "ann"),
        ("$workflows.foo.inputs.username", "bob"),
        ("$steps.someStepId.outputs.pets", [{"id": 3}]),
        ("$steps.someStepId.outputs.pets#/0/id", 3),
        ("$outputs.bar", [1]),
        ("$workflows.foo.outputs.bar", True),
        ("$workflows.foo.outputs.mappedResponse#/name", "rex"),
        ("$components.parameters.foo", {"name": "foo", "in": "query"}),
        ("$sourceDescriptions.petStore.url", "./pets.yaml"),
    ],
)
def test_examples_of_the_arazzo_table_hold(expression: str, value: Json) -> None:
    assert parse(expression).evaluate(WORKFLOW) == value


# The document and pointers of RFC 6901 §5.
POINTED = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", POINTED),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_body_pointers_follow_rfc_6901(pointer: str, value: Json) -> None:
    context = Context(response=Message(body=POINTED))
    assert parse(f"$response.body#{pointer}").evaluate(context) == value


@pytest.mark.parametrize(
    "expression",
    [
        "$statusCode",
        "$url",
        "$response.body",
        "$response.body#/a",
        "$request.header.x",
        "$request.query.q",
        "$request.path.p",
        "$request.body",
        "$inputs.x",
        "$resource#/a",
        "$now",
    ],
)
def test_what_is_not_known_yet_is_missing(expression: str) -> None:
    assert parse(expression).evaluate(Context(request=Message())) is MISSING


@pytest.mark.parametrize("pointer", ["/2", "/-", "/01", "/-1", "/x", "/0/x", "/" + "9" * 5000])
def test_no_element_of_an_array_is_missing(pointer: str) -> None:
    assert parse(f"$request.body#{pointer}").evaluate(Context(request=Message(body=["a", 1]))) is MISSING


def test_null_body_is_a_value_and_not_missing() -> None:
    assert parse("$request.body").evaluate(Context(request=Message(body=None))) is None


@pytest.mark.parametrize("name", ["x-request-id", "X-Request-ID", "X-REQUEST-ID"])
def test_header_names_ignore_case(name: str) -> None:
    context = Context(request=Message(headers={"X-Request-Id": "r1"}))
    assert parse(f"$request.header.{name}").evaluate(context) == "r1"


def test_header_name_may_hold_every_token_character() -> None:
    name = "!#$%&'*+-.^_`|~09azAZ"  # RFC 9110 §5.6.2
    context = Context(request=Message(headers={name: "all"}))
    assert parse(f"$request.header.{name}").evaluate(context) == "all"


def test_dotted_member_wins_over_the_path_through_its_parts() -> None:
    parse_it = parse("$components.inputs.my.org.User")
    both = {"inputs": {"my.org.User": "as written", "my": {"org": {"User": "nested"}}}}
    assert parse_it.evaluate(Context(bindings={"components": both})) == "as written"
    nested = {"inputs": {"my": {"org": {"User": "nested"}}}}
    assert parse_it.evaluate(Context(bindings={"components": nested})) == "nested"


def test_query_parameter_name_may_hold_brackets_and_hashes() -> None:
    context = Context(request=Message(query={"filter[name]": "a", "x#y": "b"}))
    assert parse("$request.query.filter[name]").evaluate(context) == "a"
    assert parse("$request.query.x#y").evaluate(context) == "b"


def test_model_roots_take_a_pointer_a_name_or_nothing() -> None:
    context = Context(bindings={"resource": {"id": 7}, "state": {"leads": {"total": 2}}, "now": "2026-01-01"})
    assert parse("$resource#/id").evaluate(context) == 7
    assert parse("$resource").evaluate(context) == {"id": 7}
    assert parse("$state.leads.total").evaluate(context) == 2
    assert parse("$now").evaluate(context) == "2026-01-01"


def test_caller_can_add_a_root() -> None:
    expression = parse("$item#/id", roots=ROOTS | {"item"})
    assert expression.evaluate(Context(bindings={"item": {"id": 1}})) == 1


class _Computed(Mapping[str, Json]):
    """A binding that counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> Json:
        self.asked.append(key)
        return len(key)

    def __contains__(self, key: object) -> bool:
        return key == "leads"

    def __iter__(self) -> Iterator[str]:
        return iter(["leads"])

    def __len__(self) -> int:
        return 1


def test_binding_may_compute_its_members_when_asked() -> None:
    computed = _Computed()
    assert parse("$state.leads").evaluate(Context(bindings={"state": computed})) == 5
    assert computed.asked == ["leads"]


@pytest.mark.parametrize(
    ("text", "position", "part_of_message"),
    [
        ("", 0, "begins with '$'"),
        ("statusCode", 0, "begins with '$'"),
        ("$", 0, "begins with '$'"),
        ("$5.00", 0, "begins with '$'"),
        ("$statuscode", 1, "did you mean 'statusCode'?"),
        ("$imputs.x", 1, "did you mean 'inputs'?"),
        ("$zzz", 1, "known are $components"),
        ("$url.x", 4, "nothing can follow"),
        ("$statusCode#/a", 11, "nothing can follow"),
        ("$request", 8, "needs one of its parts"),
        ("$request#/a", 8, "needs one of its parts"),
        ("$request.headers.x", 9, "did you mean 'header'?"),
        ("$response.cookie.x", 10, ".header.NAME"),
        ("$request.header", 15, "needs a name"),
        ("$request.header.", 15, "needs a name"),
        ("$request.header.a b", 17, "cannot be in the name of a header"),
        ("$request.query.", 14, "needs a name"),
        ("$response.body.id", 14, "write $response.body#/id"),
        ("$response.body#id", 15, "write $response.body#/id"),
        ("$response.body#/a~2b", 17, "'~0'"),
        ("$inputs", 7, "needs a name"),
        ("$inputs.", 8, "needs a name"),
        ("$steps#/a", 6, "needs a name"),
        ("$resource[0]", 9, "expected '.' or '#'"),
        ("$resource x", 9, "is followed by ' '"),
    ],
)
def test_malformed_expression_says_where_and_what(text: str, position: int, part_of_message: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(text)
    assert caught.value.position == position
    assert part_of_message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$response.body#/items[0].name", "first"),
        ("$response.body#/items/1.name", "second"),
        ("$response.body.items[1].name", "second"),
        ("$response.body#/a.b", "as written"),
        ("$response.body#/items[2].name", MISSING),
        ("$response.body#/items.name", MISSING),
        ("$inputs.list[1]", 20),
    ],
)
def test_operand_dereferences_names_and_indexes(text: str, value: Json) -> None:
    body = {"items": [{"name": "first"}, {"name": "second"}], "a.b": "as written", "a": {"b": "nested"}}
    context = Context(response=Message(body=body), bindings={"inputs": {"list": [10, 20]}})
    assert parse_operand(text).evaluate(context) == value


def test_pointer_of_an_expression_is_never_dereferenced() -> None:
    context = Context(response=Message(body={"a": {"b": 1}}))
    assert parse("$response.body#/a.b").evaluate(context) is MISSING


@given(st.text(max_size=40))
def test_any_text_parses_or_fails_with_a_position_in_it(text: str) -> None:
    for candidate in (text, "$" + text, "$request." + text, "$inputs." + text, "$response.body#" + text):
        try:
            parse(candidate).evaluate(SUBSCRIPTION)
        except ExpressionSyntaxError as error:
            assert 0 <= error.position <= len(candidate)  # noqa: PT017 - that it may not raise is the point


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_every_place_in_a_body_can_be_named(body: Json) -> None:
    context = Context(request=Message(body=body))
    for pointer, value in _places(body, ""):
        assert parse(f"$request.body#{pointer}").evaluate(context) is value


def _places(value: Json, pointer: str) -> Iterator[tuple[str, Json]]:
    yield pointer, value
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in named:
        yield from _places(member, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")

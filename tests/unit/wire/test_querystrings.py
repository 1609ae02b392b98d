"""Query strings: styles (OAS 3.1 §4.8.12.5), names in brackets, and who owns a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import DescriptionError
from mock_server.openapi.querystrings import MAX_PARAMETERS, DecodedQuery, query_decoder
from mock_server.openapi.shapes import Shape, shape_of
from mock_server.openapi.styles import ParameterSpec
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from tests.unit.wire.failures import failure_of, outcome_of
from tests.unit.wire.test_styles import BLACK, COLORS, INTEGERS, RGB, STRING, STRINGS

INTEGER = shape_of({}, {"type": "integer"})


def spec(
    name: str,
    shape: Shape = STRING,
    style: str = "form",
    *,
    explode: bool = True,
    allow_empty_value: bool = False,
    media_type: str | None = None,
    location: str = "query",
) -> ParameterSpec:
    return ParameterSpec(
        name,
        location,
        style,
        explode,
        shape=shape,
        allow_empty_value=allow_empty_value,
        media_type=media_type,
    )


def decoded(query: str, *specs: ParameterSpec) -> DecodedQuery:
    return query_decoder(specs)(query)


@pytest.mark.parametrize(
    ("style", "explode", "shape", "query", "value"),
    [
        ("form", False, STRING, "color=", ""),
        ("form", False, STRING, "color=blue", "blue"),
        ("form", False, STRINGS, "color=blue,black,brown", BLACK),
        ("form", False, COLORS, "color=R,100,G,200,B,150", RGB),
        ("form", True, STRINGS, "color=blue&color=black&color=brown", BLACK),
        ("form", True, COLORS, "R=100&G=200&B=150", RGB),
        ("spaceDelimited", False, STRINGS, "color=blue%20black%20brown", BLACK),
        ("spaceDelimited", False, STRINGS, "color=blue+black+brown", BLACK),
        ("spaceDelimited", False, COLORS, "color=R%20100%20G%20200%20B%20150", RGB),
        ("pipeDelimited", False, STRINGS, "color=blue%7Cblack%7Cbrown", BLACK),
        ("pipeDelimited", False, STRINGS, "color=blue|black|brown", BLACK),
        ("pipeDelimited", False, COLORS, "color=R%7C100%7CG%7C200%7CB%7C150", RGB),
        ("tabDelimited", False, STRINGS, "color=blue%09black%09brown", BLACK),
        ("deepObject", True, COLORS, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150", RGB),
        ("deepObject", True, COLORS, "color[R]=100&color[G]=200&color[B]=150", RGB),
    ],
)
def test_query_styles_read_as_in_the_specification(
    style: str, explode: bool, shape: Shape, query: str, value: Json
) -> None:
    assert decoded(query, spec("color", shape, style, explode=explode)).values == {"color": value}


def test_absent_parameters_are_absent() -> None:
    assert decoded("", spec("a"), spec("b")) == DecodedQuery({})


def test_plus_is_a_space_and_escapes_are_utf_8() -> None:
    assert decoded("q%C3%A9=a+b%2Bc%C3%A9", spec("qé")).values == {"qé": "a b+cé"}


def test_escaped_comma_is_data() -> None:
    assert decoded("ids=a%2Cb,c", spec("ids", STRINGS, explode=False)).values == {"ids": ["a,b", "c"]}


def test_repeated_single_value_is_a_duplicate() -> None:
    failure = failure_of(lambda: decoded("limit=1&limit=2", spec("limit", INTEGER)))
    assert (failure.keyword, failure.name, failure.got) == ("duplicate", "limit", 2)


def test_repeated_parameter_without_a_schema_is_a_list() -> None:
    assert decoded("a=1&a=2", spec("a", Shape())).values == {"a": ["1", "2"]}


@pytest.mark.parametrize("query", ["ids[]=1&ids[]=2", "ids%5B%5D=1&ids%5B%5D=2", "ids[0]=1&ids[1]=2"])
@pytest.mark.parametrize("explode", [False, True])
def test_array_is_understood_with_brackets(query: str, explode: bool) -> None:
    assert decoded(query, spec("ids", INTEGERS, explode=explode)).values == {"ids": [1, 2]}


def test_array_sent_with_and_without_brackets_is_one_array() -> None:
    assert decoded("ids=1&ids[]=2&ids=3", spec("ids", INTEGERS)).values == {"ids": [1, 3, 2]}


def test_parameter_may_itself_be_named_with_brackets() -> None:
    found = decoded("ids[]=1&ids[]=2", spec("ids[]", INTEGERS), spec("ids", STRINGS))
    assert found.values == {"ids[]": [1, 2]}


def test_deep_objects_nest_as_clients_send_them() -> None:
    shape = shape_of(
        {},
        {
            "type": "object",
            "properties": {
                "a": {"type": "integer"},
                "b": {"type": "object", "properties": {"c": {"type": "boolean"}}},
                "list": {"type": "array", "items": {"type": "string"}},
                "items": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"y": {"type": "number"}}},
                },
            },
        },
    )
    query = "p[a]=1&p[b][c]=true&p[list][]=x&p[list][]=y&p[items][1][y]=2.5&p[items][0][y]=1"
    assert decoded(query, spec("p", shape, "deepObject")).values == {
        "p": {"a": 1, "b": {"c": True}, "list": ["x", "y"], "items": [{"y": 1}, {"y": 2.5}]}
    }


def test_new_item_begins_where_a_member_repeats() -> None:
    found = decoded("p[][a]=1&p[][b]=2&p[][a]=3", spec("p", shape_of({}, {"type": "array"})))
    assert found.values == {"p": [{"a": "1", "b": "2"}, {"a": "3"}]}


def test_object_or_string_is_read_from_brackets() -> None:
    either = shape_of({}, {"oneOf": [{"type": "object"}, {"type": "string"}]})
    assert decoded("p[a]=1", spec("p", either, "deepObject")).values == {"p": {"a": "1"}}
    assert decoded("p=1", spec("p", either, "deepObject")).values == {"p": "1"}


def test_numbers_as_keys_make_an_object_where_the_schema_wants_one() -> None:
    record = shape_of({}, {"type": "object", "additionalProperties": {"type": "integer"}})
    assert decoded("m[0]=5", spec("m", record, "deepObject")).values == {"m": {"0": 5}}


def test_exploded_object_claims_its_properties_and_no_other_parameters_name() -> None:
    found = decoded("R=1&q=x&G=2&z=3", spec("color", COLORS), spec("q"), spec("G"))
    assert found.values == {"color": {"R": 1}, "q": "x", "G": "2"}
    assert found.unknown == ("z",)


def test_free_form_object_takes_what_nobody_else_claims() -> None:
    free = shape_of({}, {"type": "object", "additionalProperties": {"type": "integer"}})
    found = decoded("limit=5&x=1&f[a]=2&y[k]=3", spec("limit", INTEGER), spec("params", free))
    assert found.values == {"limit": 5, "params": {"x": 1, "f": {"a": "2"}, "y": {"k": "3"}}}
    assert found.unknown == ()


def test_free_form_object_takes_a_member_without_a_name() -> None:
    free = shape_of({}, {"type": "object"})
    assert decoded("x=1&=5", spec("params", free)).values == {"params": {"x": "1", "": "5"}}


def test_unknown_names_are_listed_in_order() -> None:
    assert decoded("z=1&q=x&a[b]=2&z=3", spec("q")).unknown == ("z", "a[b]")


def test_raw_pairs_stay_as_sent() -> None:
    assert decoded("a=%20&&b", spec("a")).pairs == (("a", "%20"), ("b", ""))


@pytest.mark.parametrize(("query", "empty"), [("flag", ("flag",)), ("flag=", ("flag",)), ("flag=1", ())])
def test_empty_value_is_reported_where_it_is_allowed(query: str, empty: tuple[str, ...]) -> None:
    assert decoded(query, spec("flag", INTEGER, allow_empty_value=True)).empty == empty


def test_content_parameter_is_json() -> None:
    filter_ = spec("filter", COLORS, media_type="application/json")
    assert decoded("filter=%7B%22a%22%3A+%5B1%5D%7D", filter_).values == {"filter": {"a": [1]}}


@pytest.mark.parametrize(
    ("media_type", "query"),
    [
        ("application/x-www-form-urlencoded", "R=1&x=a+b"),
        ("application/json", "%7B%22R%22:1,%22x%22:%22a%20b%22%7D"),
    ],
)
def test_querystring_parameter_is_the_whole_query(media_type: str, query: str) -> None:
    whole = spec("all", COLORS, media_type=media_type, location="querystring")
    assert decoded(query, whole).values == {"all": {"R": 1, "x": "a b"}}


@pytest.mark.parametrize(
    ("query", "keyword", "name"),
    [
        ("q=%ff", "percentEncoding", "q"),
        ("q=%c0%ae", "percentEncoding", "q"),
        ("q=100%", "percentEncoding", "q"),
        ("p[a]=1&p[a][b]=2", "style", "p"),
        ("p[a]=1&p[a]=2&p[R]=1&p[R]=2", "duplicate", "p"),
        ("p" + "[a]" * 40 + "=1", "maxDepth", "p"),
        ("&".join(["q=1"] * (MAX_PARAMETERS + 1)), "maxParameters", None),
    ],
)
def test_hostile_query_is_refused_with_its_rule(query: str, keyword: str, name: str | None) -> None:
    failure = failure_of(lambda: decoded(query, spec("q"), spec("p", COLORS, "deepObject")))
    assert (failure.keyword, failure.name) == (keyword, name)


def test_pointer_leads_to_the_member_that_failed() -> None:
    failure = failure_of(lambda: decoded("p[R]=1&p[R]=2", spec("p", COLORS, "deepObject")))
    assert failure.pointer == "/R"


def test_path_style_in_a_query_is_a_wrong_description() -> None:
    with pytest.raises(DescriptionError, match="not defined there"):
        query_decoder([spec("a", style="simple")])


SPECS = [
    spec("q"),
    spec("n", INTEGER),
    spec("l", INTEGERS, explode=False),
    spec("d", COLORS, "deepObject"),
    spec("o", shape_of({}, {"type": "object"})),
]


@given(st.text(alphabet="qnldo&=[]%+,0aRé2\x00", max_size=40))
def test_any_query_decodes_or_is_undecodable(query: str) -> None:
    found = outcome_of(lambda: decoded(query, *SPECS))
    assert isinstance(found, Undecodable) or (
        isinstance(found, DecodedQuery) and found.values.keys() <= {"q", "n", "l", "d", "o"}
    )

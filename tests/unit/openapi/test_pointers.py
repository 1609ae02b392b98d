"""JSON Pointers; the examples are those of RFC 6901 §5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.pointers import PointerError, escape, join, lookup, split, unescape
from mock_server.openapi.values import Json
from mock_server.openapi.visiting import visits

RFC_6901_DOCUMENT: Json = {
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

RFC_6901_EXAMPLES = [
    ("", RFC_6901_DOCUMENT),
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
]


@pytest.mark.parametrize(("pointer", "expected"), RFC_6901_EXAMPLES)
def test_pointer_leads_to_the_value_that_the_rfc_names(pointer: str, expected: Json) -> None:
    assert lookup(RFC_6901_DOCUMENT, pointer) == expected


@given(st.text())
def test_escaping_is_undone_by_unescaping(token: str) -> None:
    assert unescape(escape(token)) == token


@given(st.lists(st.text()))
def test_split_gives_back_what_join_was_given(tokens: list[str]) -> None:
    assert split(join("", *tokens)) == tuple(tokens)


@given(st.lists(st.text()), st.lists(st.text()))
def test_joining_in_two_steps_is_joining_at_once(first: list[str], second: list[str]) -> None:
    assert join(join("", *first), *second) == join("", *first, *second)


@given(st.lists(st.text(), max_size=6))
def test_a_joined_pointer_leads_to_what_was_put_there(tokens: list[str]) -> None:
    document: Json = "treasure"
    for token in reversed(tokens):
        document = {token: document}
    assert lookup(document, join("", *tokens)) == "treasure"


def test_join_writes_an_index_as_a_number() -> None:
    assert join("/servers", 0, "url") == "/servers/0/url"


@pytest.mark.parametrize("pointer", ["foo", "/a~2b", "/a~", "#/foo"])
def test_text_that_is_no_pointer_is_refused(pointer: str) -> None:
    with pytest.raises(ValueError, match="JSON pointer"):
        split(pointer)


@pytest.mark.parametrize(
    ("pointer", "found", "token"),
    [
        ("/nope", "", "nope"),
        ("/foo/2", "/foo", "2"),
        ("/foo/-", "/foo", "-"),
        ("/foo/00", "/foo", "00"),
        ("/foo/-1", "/foo", "-1"),
        ("/foo/1_0", "/foo", "1_0"),
        ("/foo/\u0660", "/foo", "\u0660"),
        ("/foo/" + "9" * 5000, "/foo", "9" * 5000),
        ("/foo/0/bar", "/foo/0", "bar"),
        ("/a~1b/c~1d", "/a~1b", "c/d"),
    ],
)
def test_a_pointer_to_nowhere_names_the_missing_token(pointer: str, found: str, token: str) -> None:
    with pytest.raises(PointerError) as caught:
        lookup(RFC_6901_DOCUMENT, pointer)
    assert (caught.value.found, caught.value.token) == (found, token)


def test_a_missing_token_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="'nope' is missing at 'the root'"):
        lookup({}, "/nope")


def test_visits_name_each_key_and_value_with_its_line() -> None:
    seen = [(visit.pointer, visit.is_key, visit.line) for visit in visits("a:\n  - b\n  - c/d: 1\n")]
    assert seen == [
        ("", False, 1),
        ("/a", True, 1),
        ("/a", False, 2),
        ("/a/0", False, 2),
        ("/a/1", False, 3),
        ("/a/1/c~1d", True, 3),
        ("/a/1/c~1d", False, 3),
    ]


def test_visits_stop_before_the_depth_gets_expensive() -> None:
    assert len(list(visits("[" * 50_000))) == 1001

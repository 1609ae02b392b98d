"""Content-Type and Accept (RFC 9110 §8.3, §12.5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.openapi.media import (
    Choice,
    charset_of,
    matches,
    negotiate,
    parse_accept,
    parse_media_type,
)

JSON = "application/json"


@pytest.mark.parametrize(
    ("text", "essence", "parameters"),
    [
        ("text/html", "text/html", ()),
        ("Text/HTML;Charset=UTF-8", "text/html", (("charset", "UTF-8"),)),
        ('text/html; charset="utf-8"', "text/html", (("charset", "utf-8"),)),
        (r'a/b; x="a\"b;c,d"; y=2', "a/b", (("x", 'a"b;c,d'), ("y", "2"))),
        (" application/vnd.x.v3+json ; ; ", "application/vnd.x.v3+json", ()),
    ],
)
def test_media_types_parse_in_any_case_and_quoting(
    text: str, essence: str, parameters: tuple[tuple[str, str], ...]
) -> None:
    found = parse_media_type(text)
    assert found is not None
    assert (found.essence, found.parameters) == (essence, parameters)


@pytest.mark.parametrize("text", ["", "json", "a/", "/b", "a/b c", "a/b; x", "a/b; x=", 'a/b; x="y', "a/b" * 5000])
def test_junk_is_no_media_type(text: str) -> None:
    assert parse_media_type(text) is None


def test_accept_ranks_as_in_rfc_9110() -> None:
    header = "text/*, text/plain, text/plain;format=flowed, */*"
    ranked = sorted(parse_accept(header), key=lambda one: one.specificity, reverse=True)
    assert [one.name.essence for one in ranked] == ["text/plain", "text/plain", "text/*", "*/*"]
    assert ranked[0].name.parameter("format") == "flowed"


@pytest.mark.parametrize(
    ("offered", "below", "above"),
    [
        ("text/plain;format=flowed", "0.999", None),  # 1
        ("text/plain", "0.699", "0.701"),  # 0.7
        ("text/html", "0.299", "0.301"),  # 0.3
        ("image/jpeg", "0.499", "0.501"),  # 0.5
        ("text/plain;format=fixed", "0.399", "0.401"),  # 0.4
        ("text/html;level=3", "0.299", "0.301"),  # 0.3
    ],
)
def test_qualities_are_those_of_rfc_9110(offered: str, below: str, above: str | None) -> None:
    """The table of §12.5.1: each type wins over a rival just below its quality and loses just above it."""
    table = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"
    for weight, winner in ((below, offered), (above, "x/rival")):
        if weight is not None:
            chosen = negotiate(f"{table}, x/rival;q={weight}", ["x/rival", offered])
            assert chosen is not None
            assert chosen.media_type == winner


@pytest.mark.parametrize(
    ("accept", "offered", "media_type", "choice"),
    [
        (None, [JSON, "text/csv"], JSON, Choice.DEFAULT),
        ("", [JSON], JSON, Choice.DEFAULT),
        ("junk", [JSON], JSON, Choice.DEFAULT),
        ("text/csv", [JSON, "text/csv"], "text/csv", Choice.EXACT),
        ("TEXT/CSV; charset=utf-8", [JSON, "text/csv"], "text/csv", Choice.EXACT),
        (JSON, ["application/json; charset=utf-8"], "application/json; charset=utf-8", Choice.EXACT),
        ("*/*", [JSON, "text/csv"], JSON, Choice.RANGE),
        ("text/*", [JSON, "text/csv"], "text/csv", Choice.RANGE),
        ("text/csv;q=0.5, application/json;q=0.9", ["text/csv", JSON], JSON, Choice.EXACT),
        ("application/json, text/csv", ["text/csv", JSON], "text/csv", Choice.EXACT),
        ("application/json;q=0, */*", [JSON, "text/csv"], "text/csv", Choice.RANGE),
        ("application/vnd.x.v3+json", ["text/csv", JSON], JSON, Choice.SUFFIX),
        (JSON, ["application/problem+json"], "application/problem+json", Choice.SUFFIX),
    ],
)
def test_negotiation_chooses_and_says_why(
    accept: str | None, offered: list[str], media_type: str, choice: Choice
) -> None:
    found = negotiate(accept, offered)
    assert found is not None
    assert (found.media_type, found.choice) == (media_type, choice)


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/json;q=0", "application/vnd.x+json, application/json;q=0", "*/*;q=0"],
)
def test_nothing_acceptable_is_none(accept: str) -> None:
    assert negotiate(accept, [JSON]) is None


def test_vendor_type_is_answered_and_marked_as_a_mismatch() -> None:
    found = negotiate("application/vnd.example.v3+json", [JSON])
    assert found is not None
    assert (found.content_type, found.mismatch) == (JSON, True)


@pytest.mark.parametrize(
    ("accept", "described", "content_type"),
    [
        ("image/png", "image/*", "image/png"),
        ("*/*", "text/*", "text/plain"),
        ("*/*", "*/*", "application/octet-stream"),
        (None, "application/*+json", JSON),
    ],
)
def test_described_range_is_answered_with_a_concrete_type(
    accept: str | None, described: str, content_type: str
) -> None:
    found = negotiate(accept, [described])
    assert found is not None
    assert (found.media_type, found.content_type) == (described, content_type)


@pytest.mark.parametrize(
    ("content_type", "key"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/json; version=2", "application/json;version=2"),
        ("application/json; version=3", "application/json"),
        ("application/vnd.x+json", "application/*+json"),
        ("application/pdf", "application/*"),
        ("image/png", "*/*"),
        ("junk", None),
        ("", None),
    ],
)
def test_body_belongs_to_the_most_specific_key(content_type: str, key: str | None) -> None:
    described = ["*/*", "application/*", "application/*+json", JSON, "application/json;version=2"]
    assert matches(content_type, described) == key


def test_body_of_a_type_that_is_not_described_belongs_nowhere() -> None:
    assert matches("text/plain", [JSON, "image/*"]) is None


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [("text/plain; Charset=UTF-8", "utf-8"), ("text/plain", None), ("junk", None)],
)
def test_charset_is_read_from_the_content_type(content_type: str, charset: str | None) -> None:
    assert charset_of(content_type) == charset


@given(st.text(alphabet='a/*;,="\\q01. +\t', max_size=40))
def test_any_header_is_read_without_failing(text: str) -> None:
    for found in parse_accept(text):
        assert 0 <= found.quality <= 1
    assert matches(text, ["*/*"]) in {"*/*", None}
    chosen = negotiate(text, [JSON])
    assert chosen is None or chosen.media_type == JSON


@pytest.mark.parametrize("header", ['"' * 4000, '\\"' * 2000, "a/b;" * 1000, 'a/b;x="' + "\\" * 4000, "," * 4000])
def test_hostile_headers_end(header: str) -> None:
    assert len(parse_accept(header)) <= 1

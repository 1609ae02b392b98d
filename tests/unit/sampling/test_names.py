from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from mock_server.sampling import names
from mock_server.sampling.scene import Scene, pool, singular

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def text(name: str, *, parent: str = "", identity: int = 4) -> str:
    maker = names.text_maker(name, parent)
    assert maker is not None
    return maker(Scene(Random(1), NOW, name, parent, identity))


@pytest.mark.parametrize(
    ("name", "words"),
    [("createdAt", "created_at"), ("HTTPStatus", "http_status"), ("line-items", "line_items"), ("id", "id")],
)
def test_names_are_read_as_words(name: str, words: str) -> None:
    assert names.snake(name) == words


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("companies", "company"),
        ("users", "user"),
        ("boxes", "box"),
        ("status", "status"),
        ("address", "address"),
    ],
)
def test_items_are_named_in_the_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("first_name", "first_name"),
        ("lastName", "last_name"),
        ("company", "company"),
        ("city", "city"),
        ("jobTitle", "job"),
    ],
)
def test_names_lead_to_values_of_their_kind(name: str, provider: str) -> None:
    assert text(name) in pool(provider)


def test_name_depends_on_what_it_names() -> None:
    assert text("name", parent="Customer") == f"{text('first_name')} {text('last_name')}"
    assert text("name", parent="vendors") in pool("company")
    assert text("name", parent="Product") in pool("catch_phrase")


def test_name_that_says_nothing_has_no_maker() -> None:
    assert names.text_maker("xyzzy", "") is None
    assert names.number_maker("xyzzy") is None


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("latitude", -90, 90),
        ("longitude", -180, 180),
        ("taxRate", 0, 1),
        ("percentage", 0, 100),
        ("page", 1, 1),
        ("itemCount", 1, 9),
    ],
)
def test_numbers_lie_where_their_names_put_them(name: str, low: float, high: float) -> None:
    maker = names.number_maker(name)
    assert maker is not None
    assert low <= maker(Scene(Random(1), NOW, name, "", 4)) <= high


@pytest.mark.parametrize(
    ("name", "usual"), [("isActive", True), ("has_more", False), ("deleted", False), ("verified", True)]
)
def test_flags_are_those_of_a_healthy_object(name: str, usual: bool) -> None:
    assert names.likely_flag(name) is usual

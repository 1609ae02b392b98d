"""What counts as the same value, and where two differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.comparing import differences, item_differences, same_value
from mock_server.openapi.values import Json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


@given(VALUES)
def test_a_value_is_like_itself(value: Json) -> None:
    assert list(differences(value, value)) == []


@given(st.dictionaries(st.text(), VALUES, max_size=3), st.text(), VALUES)
def test_more_members_than_expected_are_no_difference(expected: dict[str, Json], name: str, more: Json) -> None:
    assert list(differences(expected, {name: more, **expected})) == []


@given(st.dictionaries(st.text(min_size=1), st.integers(), min_size=1, max_size=3), st.data())
def test_a_changed_member_is_told_by_its_pointer(expected: dict[str, Json], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(expected)))
    [found] = differences(expected, {**expected, name: "other"})
    assert found.pointer == "/" + name.replace("~", "~0").replace("/", "~1")
    assert (found.expected, found.got) == (expected[name], "other")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (0.1 + 0.2, 0.3),
        ("2026-01-15T09:30:00Z", "2026-01-15T09:30:00.000+00:00"),
        ("2026-01-15T09:30:00Z", "2026-01-15T10:30:00+01:00"),
    ],
)
def test_two_spellings_of_one_value_are_the_same(left: Json, right: Json) -> None:
    assert same_value(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (0, False),
        (None, ""),
        ("1", 1),
        (19.99, 20),
        ("2026-01-15T09:30:00Z", "2026-01-15T09:30:00"),  # the offset is lost
        ("2026-01-15T09:30:00Z", "2026-01-15T09:30:01Z"),
        ("Zoë", "Zoe"),
    ],
)
def test_other_values_are_not(left: Json, right: Json) -> None:
    assert not same_value(left, right)


def test_moments_may_lie_as_far_apart_as_clocks_do() -> None:
    assert same_value("2026-01-15T09:30:00Z", "2026-01-15T09:30:02Z", slack=5)
    assert same_value(1_768_469_400_000, 1_768_469_403_000, slack=5)
    assert not same_value(1_768_469_400, 1_768_469_406, slack=5)
    assert not same_value(3, 5, slack=5)


def test_null_and_absent_say_the_same_and_what_is_passed_over_is_not_looked_at() -> None:
    expected = {"name": "a", "email": None, "etag": 1}
    assert list(item_differences(expected, {"name": "a"}, passed_over=frozenset({"etag"}))) == []
    [(name, _)] = item_differences({"name": "a", "email": "b"}, {"name": "a"})
    assert name == "email"

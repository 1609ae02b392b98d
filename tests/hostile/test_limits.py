"""Every limit takes what it says it takes, refuses more in words, and what is remembered has a bound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hostile.limits import BOUNDS, LIMITS, Bound, Limit
from tests.hostile.oracle import readable
from tests.hostile.page import limit_row, on_the_page
from tests.hostile.sent import Got

PACKAGE = Path(__file__).resolve().parents[2] / "mock_server"


def detail(got: Got) -> str:
    """What a refusal says."""
    readable(got.header("content-type"), got.body)
    return str(json.loads(got.body)["detail"])


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_as_much_as_the_limit_is_taken(limit: Limit) -> None:
    got = limit.ask(limit.most)
    assert got.status != limit.status or f"{limit.most}" not in detail(got), got.body


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_more_than_the_limit_is_refused_in_words(limit: Limit) -> None:
    got = limit.ask(limit.most + limit.step)
    assert got.status == limit.status, got.body[:500]
    assert len(detail(got)) > 20
    assert on_the_page(limit_row(limit, got)), "run: python -m tests.hostile.page > docs/limits.md"
    assert (PACKAGE / limit.source).is_file()


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
def test_what_is_remembered_is_bounded(bound: Bound) -> None:
    assert bound.fill(bound.most + 3) == bound.most
    assert (PACKAGE / bound.source).is_file()

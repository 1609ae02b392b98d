"""The hostile requests to the whole application: each gets its status and words, and nothing is done by halves."""

from __future__ import annotations

import pytest

from tests.hostile.asked import ASKED, small
from tests.hostile.oracle import judged
from tests.hostile.page import asked_row, on_the_page
from tests.hostile.test_limits import detail


@pytest.mark.parametrize("name", ASKED)
def test_hostile_request_is_refused_in_words_and_leaves_nothing(name: str) -> None:
    status, sent = ASKED[name]
    got = judged(small().application, small().sandbox, sent)
    assert (got.status, len(detail(got)) > 10) == (status, True), got.body[:500]
    assert on_the_page(asked_row(name, sent, got)), "run: python -m tests.hostile.page > docs/limits.md"

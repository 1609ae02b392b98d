"""The page of the limits says what is answered: every row is looked for where it is asked for, and here the rest."""

from __future__ import annotations

from mock_server.exchange.authentication import Credential
from tests.acceptance.lines import served
from tests.acceptance.rich_description import RICH
from tests.acceptance.test_hostile_requests import HOSTILE, thing
from tests.hostile.asked import ASKED
from tests.hostile.limits import BOUNDS, LIMITS
from tests.hostile.page import PAGE, bounds, hostile_row, on_the_page, texts
from tests.hostile.wire import RAW

_HINT = "run: python -m tests.hostile.page > docs/limits.md"


def test_page_has_the_texts_and_what_is_remembered() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for text in (*texts(), *bounds()):
        assert text in page, _HINT


def test_page_has_every_hostile_request_with_its_answer() -> None:
    double = served(RICH, credentials=[Credential("tester", "token", "right")])
    double.send("POST", "/things", headers={"Content-Type": "application/json"}, body=thing(id="known", tags=["a"]))
    for hostile in HOSTILE:
        got = double.send(hostile.method, hostile.target, headers=hostile.headers, body=hostile.body)
        assert on_the_page(hostile_row(hostile, got)), _HINT


def test_page_has_no_row_that_nothing_is_asked_for() -> None:
    asked = (
        len(HOSTILE) + len(ASKED) + len(LIMITS) + len(BOUNDS) + len(RAW) + sum(raw.served is not None for raw in RAW)
    )
    written = sum(_rows(text) for text in texts())
    assert _rows(PAGE.read_text(encoding="utf-8")) - written == asked, _HINT


def _rows(text: str) -> int:
    """How many rows the tables of a text have, without their heads."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return len(rows) - 2 * sum(line.startswith("| --- ") for line in rows)

"""The Prefer header."""

from __future__ import annotations

import pytest

from mock_server.exchange.preferences import Preferences, read_preferences
from mock_server.model.problem import Kind, Problem


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("code=404", Preferences(code=404)),
        ("Code = 404", Preferences(code=404)),
        ('code="404"', Preferences(code=404)),
        ("code=404, code=500", Preferences(code=404)),
        ("example=cat, dynamic=true", Preferences(example="cat", dynamic=True)),
        ("example=cat; dynamic=1", Preferences(example="cat", dynamic=True)),
        ('example="a, \\"b\\""', Preferences(example='a, "b"')),
        ("example=a/b", Preferences(example="a/b")),
        ("explain", Preferences(explain=True)),
        ("explain=false", Preferences()),
        ("return=minimal, wait=10", Preferences()),
        ("", Preferences()),
        ('=;,"\x00\\', Preferences()),
    ],
)
def test_preferences_are_read_and_unknown_ones_ignored(header: str, wanted: Preferences) -> None:
    assert read_preferences(header) == wanted


@pytest.mark.parametrize("code", ["teapot", "99", "100", "199", "600", "4040", "", "٤٠٤"])
def test_code_that_no_final_response_has_is_refused(code: str) -> None:
    found = read_preferences(f"code={code}")
    assert isinstance(found, Problem)
    assert (found.kind, found.status) == (Kind.PREFERENCE, 400)


def test_applied_preferences_are_written_as_they_could_be_sent() -> None:
    applied = Preferences(code=404, example='a "b"\r\n', explain=True).applied
    assert applied == 'code=404, example="a \\"b\\"", explain'

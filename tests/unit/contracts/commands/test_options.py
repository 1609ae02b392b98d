"""What a command line says is read as it was meant, or refused with what would be allowed."""

from __future__ import annotations

import pytest

from contracts.options import (
    Rate,
    caller_of,
    environment_caller,
    expanded,
    header_of,
    operations_of,
    rate_of,
    seconds_of,
)
from mock_server import ConfigurationError, compile_api
from tests.unit.contracts.commands.services import NOTES

API = compile_api(NOTES)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("0.5s", 0.5)])
def test_times_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 weeks", "-3s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="this is no time"):
        seconds_of(text)


@pytest.mark.parametrize(("text", "rate"), [("50/s", Rate(50, 1)), ("600/min", Rate(600, 60)), ("10/2s", Rate(10, 2))])
def test_rates_are_read(text: str, rate: Rate) -> None:
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["fast", "0/s", "5", "5/0s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="this is no rate"):
        rate_of(text)


def test_variables_stand_for_their_values() -> None:
    assert expanded("Bearer ${T}", {"T": "abc"}) == "Bearer abc"
    assert expanded("env:T", {"T": "abc"}) == "abc"
    assert expanded("plain", {}) == "plain"


def test_header_with_a_line_break_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        header_of("X-Key: ${T}", {"T": "secret\r\nX-Admin: 1"})
    assert "secret" not in str(refused.value)


def test_header_without_a_name_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        header_of("mysecrettoken", {})
    assert "mysecrettoken" not in str(refused.value)


def test_caller_has_what_is_said_of_it() -> None:
    caller = caller_of(API, "name=b;header=Authorization: Bearer ${B};scopes=read write;tenant=t2", {"B": "tok-bbbb"})
    assert caller.headers == {"Authorization": "Bearer tok-bbbb"}
    assert caller.principal is not None
    assert caller.principal.scopes == frozenset({"read", "write"})
    assert caller.tenant == "t2"
    assert "tok-bbbb" in caller.secrets


def test_credential_travels_as_its_scheme_says() -> None:
    assert environment_caller(API, "bearer=T", {"T": "abc"}).headers == {"Authorization": "Bearer abc"}


@pytest.mark.parametrize(
    ("included", "excluded", "left"),
    [
        ((), (), None),
        (("tag:reading",), (), ("listNotes", "readNote")),
        (("path:/notes/*",), (), ("readNote", "deleteNote")),
        (("*Note",), ("method:DELETE",), ("createNote", "readNote")),
        ((), ("tag:writing",), ("listNotes", "readNote")),
    ],
)
def test_operations_are_chosen(
    included: tuple[str, ...], excluded: tuple[str, ...], left: tuple[str, ...] | None
) -> None:
    assert operations_of(API, included, excluded) == left

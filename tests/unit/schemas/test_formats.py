"""Formats are asserted, those of OpenAPI included, and patterns end in time."""

from __future__ import annotations

import time

import pytest

from mock_server.openapi.formats import NUMBER_FORMATS, is_base64, is_base64url, words_for
from tests.unit.schemas import REQUEST, compiled, messages


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("base64url", "_-8", "+/8="),
        ("byte", "aGk=", "aGk"),
        ("char", "x", "xy"),
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-05-31T12:00:00Z", "2024-05-31 12:00"),
        ("duration", "P1DT12H", "1 day"),
        ("email", "ada@example.com", "ada"),
        ("hostname", "api.example.com", "-api"),
        ("idn-email", "ä@example.com", "ä"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
        ("ipv6", "2001:db8::1", "2001:db8"),
        ("iri", "https://example.com/ä", "ä"),
        ("json-pointer", "/a/0", "a/0"),
        ("regex", "^a+$", "("),
        ("relative-json-pointer", "1/a", "/a"),
        ("time", "12:00:00Z", "noon"),
        ("uri", "https://example.com", "example"),
        ("uri-reference", "../a", "\\a"),
        ("uri-template", "/a/{id}", "/a/{id"),
        ("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08"),
    ],
)
def test_a_string_format_is_asserted(name: str, good: str, bad: str) -> None:
    schema = compiled("3.1", A={"type": "string", "format": name})
    assert schema.accepts(good, REQUEST)
    assert not schema.accepts(bad, REQUEST)
    assert words_for(name) in messages(schema, bad)[0]


@pytest.mark.parametrize("name", ["binary", "password", "something-of-ours"])
def test_other_formats_constrain_nothing(name: str) -> None:
    assert compiled("3.0", A={"type": "string", "format": name}).accepts("\x00", REQUEST)


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "float"])
@pytest.mark.parametrize("type_", ["integer", "number"])
def test_a_number_format_bounds_numbers(name: str, type_: str) -> None:
    schema = compiled("3.0", A={"type": type_, "format": name})
    bounds = NUMBER_FORMATS[name]
    assert schema.accepts(int(bounds.minimum), REQUEST)
    assert schema.accepts(int(bounds.maximum), REQUEST)
    assert not schema.accepts(int(bounds.minimum) - 1, REQUEST) or name == "float"
    assert not schema.accepts(int(bounds.maximum) * 2, REQUEST)


def test_a_number_format_says_nothing_about_strings() -> None:
    assert compiled("3.1", A={"format": "int32"}).accepts("a", REQUEST)


def test_a_value_outside_int32_breaks_the_format() -> None:
    assert messages(compiled("3.0", A={"type": "integer", "format": "int32"}), 2**31) == [
        "must be a signed 32-bit integer (format int32), at most 2147483647, got 2147483648"
    ]


@pytest.mark.parametrize("text", ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"])
def test_the_vectors_of_rfc_4648_are_base64(text: str) -> None:
    assert is_base64(text)
    assert is_base64url(text)


@pytest.mark.parametrize("text", ["Zg", "Z", "Zg=", "Zm9v\n", "Zm 9v", "Zg==Zg=="])
def test_base64_needs_its_padding_and_nothing_else(text: str) -> None:
    assert not is_base64(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(a+)+$", "a" * 50 + "!"),
        (r"^(a*)*\1b$", "a" * 50 + "!"),
        (r"^(?=a)(a|a)*\1$", "a" * 5_000 + "!"),
        (r"^(a|aa)+$", "a" * 100_000 + "!"),
    ],
)
def test_a_costly_pattern_ends_in_a_violation(pattern: str, text: str) -> None:
    schema = compiled("3.1", A={"pattern": pattern})
    started = time.perf_counter()
    (message,) = messages(schema, text)
    assert time.perf_counter() - started < 1
    assert pattern in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\d$", "1", "१"),
        (r"^\/a$", "/a", "a"),
        (r"^\u0041$", "A", "B"),
        (r"^(?<year>[0-9]{4})$", "2024", "24"),
        (r"^(?!admin)[a-z]+$", "ada", "admin"),
        (r"b", "abc", "a"),
        (r"^\p{Letter}$", "é", "1"),
    ],
)
def test_patterns_are_ecma_262(pattern: str, good: str, bad: str) -> None:
    schema = compiled("3.1", A={"type": "string", "pattern": pattern})
    assert schema.accepts(good, REQUEST)
    assert not schema.accepts(bad, REQUEST)

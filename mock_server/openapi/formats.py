"""The values of ``format``: which strings and numbers each admits, and how a person would name it.

The validator knows the formats of JSON Schema; here are those that OpenAPI adds (its format registry), and
the words for messages. A format that nobody knows constrains nothing (JSON Schema Validation §7.2.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from mock_server.dataclass import dataclass

# One repeated character class each: whole groups of four would be remembered one by one, 25 bytes for each byte sent.
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format that bounds numbers: the least and the greatest value, both included."""

    minimum: float
    maximum: float
    words: str


def _signed(bits: int) -> NumberFormat:
    return NumberFormat(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, f"a signed {bits}-bit integer")


def _unsigned(bits: int) -> NumberFormat:
    return NumberFormat(0, 2**bits - 1, f"an unsigned {bits}-bit integer")


_FLOAT_MAXIMUM = (2 - 2**-23) * 2.0**127  # IEEE 754 binary32
_DOUBLE_MAXIMUM = (2 - 2**-52) * 2.0**1023  # IEEE 754 binary64

NUMBER_FORMATS: Mapping[str, NumberFormat] = MappingProxyType(
    {
        "int8": _signed(8),
        "int16": _signed(16),
        "int32": _signed(32),
        "int64": _signed(64),
        "uint8": _unsigned(8),
        "uint16": _unsigned(16),
        "uint32": _unsigned(32),
        "uint64": _unsigned(64),
        "double-int": NumberFormat(-(2**53) + 1, 2**53 - 1, "an integer that a double holds exactly"),
        "float": NumberFormat(-_FLOAT_MAXIMUM, _FLOAT_MAXIMUM, "a single precision number"),
        "double": NumberFormat(-_DOUBLE_MAXIMUM, _DOUBLE_MAXIMUM, "a double precision number"),
    }
)
"""The formats that say something about numbers; in a bundle they are written as minimum and maximum too."""


def is_base64(text: str) -> bool:
    """Whether ``text`` is base64 with padding (RFC 4648 §4), which OpenAPI calls ``byte``."""
    return len(text) % 4 == 0 and _BASE64.fullmatch(text) is not None


def is_base64url(text: str) -> bool:
    """Whether ``text`` is base64url, with or without padding (RFC 4648 §5)."""
    wanted = len(text) % 4 == 0 if text.endswith("=") else len(text) % 4 != 1
    return wanted and _BASE64URL.fullmatch(text) is not None


STRING_FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "byte": is_base64,
        "base64url": is_base64url,
        "char": lambda text: len(text) == 1,
    }
)
"""The formats of OpenAPI that the validator does not know by itself."""

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "base64url": "base64url data",
        "byte": "base64 data with padding",
        "char": "a single character",
        "date": "a date such as 2024-05-31 (RFC 3339)",
        "date-time": "a date and time such as 2024-05-31T12:00:00Z (RFC 3339)",
        "duration": "a duration such as P1DT12H (ISO 8601)",
        "email": "an email address",
        "hostname": "a host name",
        "idn-email": "an email address",
        "idn-hostname": "a host name",
        "ipv4": "an IPv4 address such as 192.0.2.1",
        "ipv6": "an IPv6 address such as 2001:db8::1",
        "iri": "an absolute IRI with a scheme",
        "iri-reference": "an IRI or a relative reference",
        "json-pointer": "a JSON pointer such as /a/0",
        "regex": "a regular expression",
        "relative-json-pointer": "a relative JSON pointer such as 1/a",
        "time": "a time with an offset such as 12:00:00Z (RFC 3339)",
        "uri": "an absolute URI such as https://example.com/a",
        "uri-reference": "a URI or a relative reference",
        "uri-template": "a URI template such as /a/{id} (RFC 6570)",
        "uuid": "a UUID such as 2eb8aa08-aa98-11ea-b4aa-73b441d16380",
    }
)


def words_for(name: str) -> str:
    """What a value of the format is, for a sentence: ``an email address``."""
    number = NUMBER_FORMATS.get(name)
    return number.words if number is not None else _WORDS.get(name, f"a valid {name}")

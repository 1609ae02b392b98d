"""Percent-encoding of URI components (RFC 3986 §2.1), read strictly as UTF-8."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from mock_server.openapi.undecodable import Undecodable, excerpt

# RFC 6570 §3.2.3: characters that the reserved expansion leaves alone. Those that separate names, values and
# list items in a query (& = + # ,) and brackets stay encoded, since a reader could not tell them from syntax.
_RESERVED = ":/?@!$'()*;"

_MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def decode(text: str) -> str:
    """The text of a path segment or cookie; an ``Undecodable`` for bad escapes and bytes not in UTF-8."""
    return text if text.isascii() and "%" not in text else _decode(text, text)


def decode_form(text: str) -> str:
    """The text of a query or form component, where ``+`` stands for a space (WHATWG URL §5.1)."""
    spaced = text.replace("+", " ") if "+" in text else text
    return spaced if text.isascii() and "%" not in text else _decode(spaced, text)


def encode(text: str, *, allow_reserved: bool = False) -> str:
    """The text with everything but unreserved characters escaped (RFC 6570 §3.2.1)."""
    return quote(text, safe=_RESERVED if allow_reserved else "", errors="surrogatepass")


def _decode(text: str, sent: str) -> str:
    if _MALFORMED.search(text):
        raise Undecodable(
            "percentEncoding",
            f"{excerpt(sent)!r} has a % that no two hexadecimal digits follow; a literal % is sent as %25",
            "percent-encoded UTF-8 (RFC 3986 §2.1)",
            excerpt(sent),
        )
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeError:
        raise Undecodable(
            "percentEncoding",
            f"{excerpt(sent)!r} does not decode as UTF-8",
            "percent-encoded UTF-8 (RFC 3986 §2.1)",
            excerpt(sent),
        ) from None

"""Text bodies in the character encoding that their Content-Type names."""

from __future__ import annotations

import codecs

from mock_server.openapi.media import charset_of
from mock_server.openapi.undecodable import Undecodable, excerpt

# Python's other codecs are no charsets (hex, zlib), guess (utf-7), or take quadratic time (punycode, idna).
_CHARSETS = frozenset(
    {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"}
    | {"shift_jis", "euc_jp", "euc_kr", "gb18030", "gbk", "big5", "koi8-r", "cp1251"}
)


def decode_text(data: bytes, content_type: str) -> str:
    """The text of a body, UTF-8 unless ``charset`` says otherwise; else ``Undecodable`` (``charset``)."""
    charset = charset_of(content_type) or "utf-8"
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        name = ""
    if name not in _CHARSETS:
        message = f"the charset {excerpt(charset)!r} is not known here"
        raise Undecodable("charset", message, sorted(_CHARSETS), excerpt(charset))
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise Undecodable(
            "charset",
            f"the text is not {charset}: {error.reason} at byte {error.start}",
            charset,
            excerpt(data[max(0, error.start - 10) : error.start + 10].decode("latin-1")),
        ) from None

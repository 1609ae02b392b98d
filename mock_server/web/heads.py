"""How long the head of a request may be, refused in words where a server lets it through or none is between.

Servers have limits of their own and refuse without a word: the one here takes URLs of 65,534 bytes, 100 headers and
about 400 kB for all of it. These are lower, so that a client hears what it did.
"""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.openapi.quick import quick

MAX_URL = 32 * 1024
"""Characters of path and query together."""

MAX_HEADERS = 64
"""Headers by name; those that are sent several times count once."""

MAX_HEAD = 64 * 1024
"""Characters of all the values of headers together."""


@quick(frozen=True, slots=True)
class Refusal:
    """Why something is no request that any API could be asked about."""

    status: int
    detail: str


BROKEN_LENGTH = Refusal(400, "Content-Length is not a number, or the body is shorter than it says")
CUT_OFF = Refusal(400, "the connection ended before the body did; nothing was done")


def oversized(url: int, headers: Mapping[str, str]) -> Refusal | None:
    """The refusal of a head that is too long (RFC 9110 §15.5.15, RFC 6585 §5); None for one that is not."""
    if url > MAX_URL:
        detail = f"path and query have {url} characters, more than the {MAX_URL} that are taken"
        return Refusal(414, f"{detail}; send long values in a body")
    if len(headers) > MAX_HEADERS:
        return Refusal(431, f"the request has {len(headers)} headers, more than the {MAX_HEADERS} that are taken")
    size = sum(map(len, headers.values()))
    if size > MAX_HEAD:
        name, value = max(headers.items(), key=lambda header: len(header[1]))
        detail = f"the headers have {size} characters, more than the {MAX_HEAD} that are taken"
        return Refusal(431, f"{detail}; {name[:80]} alone has {len(value)}")
    return None
